"""Scripted pushes of an attacker or a bad network: one request each, never repeated."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from . import letters, people, push
from .crypto import encrypt_push, encrypt_raw
from .letters import Letter
from .push import Sealed
from .world import World

PARALLEL = 3
HUGE_CHARACTERS = 80_000


def play_hostile(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Send a text message damaged in the way `kind` names; return each request's result."""
    person = people.find_person(world, str(body.get("person")))
    kind = str(body.get("kind"))
    letter = letters.build_message(world, person, "text", str(body.get("content", "hello")))
    if kind in ("unknown_event", "huge"):
        filler = "x" * (HUGE_CHARACTERS if kind == "huge" else 1)
        letter = letters.odd_event(world, person, "something_new", filler)
        return {"attempts": [_send_sealed(world, letter, push.seal_letter(world, letter))]}
    if kind in SPOILERS:
        return {"attempts": [_send_sealed(world, letter, SPOILERS[kind](world, letter))]}
    if kind == "replay":
        sealed = push.seal_letter(world, letter)
        return {"attempts": [_send_sealed(world, letter, sealed) for _ in range(2)]}
    if kind == "duplicate":
        pushes = [push.seal_letter(world, letter) for _ in range(2)]
        return {"attempts": [_send_sealed(world, letter, sealed) for sealed in pushes]}
    if kind == "parallel":
        return {"attempts": _send_together(world, letter, int(body.get("times", PARALLEL)))}
    raise ValueError(f"a hostile push is one of {sorted([*SPOILERS, *OTHERS])}")


OTHERS = ("unknown_event", "huge", "replay", "duplicate", "parallel")


def _send_sealed(world: World, letter: Letter, sealed: Sealed) -> dict[str, Any]:
    return push.attempt_once(world, letter, sealed, 1)[1]


def _send_together(world: World, letter: Letter, times: int) -> list[dict[str, Any]]:
    pushes = [push.seal_letter(world, letter) for _ in range(times)]
    with ThreadPoolExecutor(times) as hands:
        return list(hands.map(lambda sealed: _send_sealed(world, letter, sealed), pushes))


def _wrong_signature(world: World, letter: Letter) -> Sealed:
    return push.seal_letter(world, letter, replace(world.apps[letter.account], token="wrong" * 4))


def _wrong_key(world: World, letter: Letter) -> Sealed:
    return push.seal_letter(world, letter, replace(world.apps[letter.account], aes_key="A" * 43))


def _wrong_appid(world: World, letter: Letter) -> Sealed:
    return push.seal_letter(
        world, letter, replace(world.apps[letter.account], appid="wx" + "0" * 16)
    )


def _bad_padding(world: World, letter: Letter) -> Sealed:
    app = world.apps[letter.account]
    cipher = encrypt_raw(app.aes_key, b"\x00" * 64)
    return push.sealed_as(
        world, letter, app, body=push.wrap_cipher(app, letter, cipher), cipher=cipher
    )


def _build_plain(world: World, letter: Letter) -> Sealed:
    app = replace(world.apps[letter.account], mode="plain")
    return push.seal_letter(world, letter, app)


def _build_stale(world: World, letter: Letter) -> Sealed:
    """Build a replayed push: one hour old, with a still valid signature."""
    app = world.apps[letter.account]
    cipher = encrypt_push(
        app.aes_key,
        appid=app.appid,
        message=push.plain_text(app, letter),
        prefix=world.random_word(16).encode(),
    )
    return push.sealed_as(
        world,
        letter,
        app,
        body=push.wrap_cipher(app, letter, cipher),
        cipher=cipher,
        age_s=3600,
    )


SPOILERS: dict[str, Callable[[World, Letter], Sealed]] = {
    "wrong_signature": _wrong_signature,
    "wrong_key": _wrong_key,
    "wrong_appid": _wrong_appid,
    "bad_padding": _bad_padding,
    "plain": _build_plain,
    "stale": _build_stale,
}
