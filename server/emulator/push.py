"""Sends pushes to the server: three modes, two formats, a deadline, three attempts.

The query's timestamp uses the real clock, whatever the emulated time is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from . import inbox
from .apps import OFFICIAL, App
from .crypto import encrypt_push, sign_push
from .letters import Letter
from .replies import Judgement, judge_reply
from .sender import Outcome
from .texts import TEXTS
from .wechat_api import media as api_media
from .world import World
from .xml import as_json, write_xml

MIME = {"xml": "text/xml", "json": "application/json"}


@dataclass(frozen=True)
class Sealed:
    """A push ready to send."""

    url: str
    body: str
    plain: str
    mime: str


def deliver_letter(world: World, letter: Letter) -> list[dict[str, Any]]:
    """Push until accepted or out of attempts; return the result of each attempt."""
    attempts = []
    judgement = Judgement("not-sent", again=True)
    for attempt in range(1, world.settings.attempts + 1):
        sealed = seal_letter(world, letter)
        judgement, shown = attempt_once(world, letter, sealed, attempt)
        attempts.append(shown)
        if not judgement.again:
            break
    _show_reply(world, letter, judgement)
    return attempts


def attempt_once(
    world: World, letter: Letter, sealed: Sealed, attempt: int
) -> tuple[Judgement, dict[str, Any]]:
    """Send one request, evaluate the response and add both to the callback log."""
    outcome = world.sender(
        "POST", sealed.url, sealed.body.encode(), sealed.mime, world.settings.deadline_s
    )
    app = world.apps[letter.account]
    judgement = judge_reply(
        app,
        letter,
        outcome,
        lambda media_id, kinds: api_media.knows_media(world, app, media_id, *kinds),
    )
    _note_push(world, letter, sealed, outcome, (attempt, judgement.verdict))
    return judgement, {
        "status": outcome.status,
        "ms": outcome.ms,
        "verdict": judgement.verdict,
        "reply": judgement.reply,
    }


def seal_letter(world: World, letter: Letter, app: App | None = None) -> Sealed:
    """Build a push in the app's mode and format, with its own timestamp and nonce."""
    app = app or world.apps[letter.account]
    plain = plain_text(app, letter)
    if app.mode == "plain":
        return sealed_as(world, letter, app, body=plain)
    encrypted = encrypt_push(
        app.aes_key, appid=app.appid, message=plain, prefix=world.random_word(16).encode()
    )
    return sealed_as(world, letter, app, body=wrap_cipher(app, letter, encrypted), cipher=encrypted)


def sealed_as(
    world: World, letter: Letter, app: App, *, body: str, cipher: str | None = None, age_s: int = 0
) -> Sealed:
    """Build a push from a body and its signed query; `cipher` is covered by msg_signature."""
    timestamp = str(int(world.clock.real()) - age_s)
    nonce = str(world.chance.randrange(10**8, 10**10))
    query = {
        "signature": sign_push(app.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": letter.openid,
    }
    if cipher is not None:
        query["encrypt_type"] = "aes"
        query["msg_signature"] = sign_push(app.token, timestamp, nonce, cipher)
    url = _callback_address(world, app, query)
    return Sealed(url, body, plain_text(app, letter), MIME[app.format])


def plain_text(app: App, letter: Letter) -> str:
    """The unencrypted push in the app's data format."""
    if app.format == "json":
        return json.dumps(as_json(letter.json_fields or letter.fields), ensure_ascii=False)
    return write_xml(letter.fields)


def wrap_cipher(app: App, letter: Letter, encrypted: str) -> str:
    """The body with the cipher: alone in safe mode, beside the plain fields in compatible mode."""
    if app.format == "json":
        fields = as_json(letter.json_fields or letter.fields)
        shown = fields if app.mode == "compatible" else {"ToUserName": fields["ToUserName"]}
        return json.dumps({**shown, "Encrypt": encrypted}, ensure_ascii=False)
    pairs = letter.fields if app.mode == "compatible" else letter.fields[:1]
    return write_xml([*pairs, ("Encrypt", encrypted)])


def url_check(world: World, account: str, echo: str) -> Outcome:
    """The "save configuration" button: GET the callback with an echostr."""
    app = world.apps[account]
    timestamp, nonce = str(int(world.clock.real())), str(world.chance.randrange(10**9))
    query = {
        "signature": sign_push(app.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": echo,
    }
    url = _callback_address(world, app, query)
    return world.sender("GET", url, b"", "text/plain", world.settings.deadline_s)


def _callback_address(world: World, app: App, query: dict[str, str]) -> str:
    """The app's callback address with this query appended to its own."""
    whole = app.callback.startswith(("http://", "https://"))
    base = app.callback if whole else f"{world.settings.server}{app.callback}"
    return f"{base}{'&' if '?' in base else '?'}{urlencode(query)}"


def _show_reply(world: World, letter: Letter, judgement: Judgement) -> None:
    """Show the reply in the chat, or the platform's error line when none came in time."""
    if letter.account != OFFICIAL:
        return
    if judgement.reply is not None:
        reply = dict(judgement.reply)
        kind, content = reply.pop("kind"), reply.pop("content")
        inbox.put_line(world, letter.openid, kind, content, via="passive", **reply)
    elif not judgement.verdict.startswith("ok") and (letter.is_message or letter.what == "CLICK"):
        inbox.put_line(
            world,
            letter.openid,
            "failure",
            TEXTS["service_failure"],
            via="platform",
            direction=inbox.NOTE,
        )


def _note_push(
    world: World, letter: Letter, sealed: Sealed, outcome: Outcome, result: tuple[int, str]
) -> None:
    attempt, verdict = result
    world.store.insert_row(
        "callbacks",
        at=world.now(),
        app=letter.account,
        url=sealed.url,
        what=letter.what,
        attempt=attempt,
        status=outcome.status,
        ms=outcome.ms,
        verdict=verdict,
        plain=sealed.plain,
        sent=sealed.body,
        answer=outcome.body[:4096].decode(errors="replace"),
    )
    world.log_line("callback", what=letter.what, attempt=attempt, verdict=verdict, ms=outcome.ms)
