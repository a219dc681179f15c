"""The people of the emulated WeChat: identity, following, and the codes on their phones."""

from __future__ import annotations

import base64
import hashlib
import random
import sqlite3
from dataclasses import dataclass
from typing import Any

from .apps import LETTERS, OFFICIAL, App
from .texts import TEXTS
from .world import World

CODE_SECONDS = 300
EVERYBODY = "SELECT * FROM people WHERE closed = 0 ORDER BY id"
FLAGS = ("subscribed", "blocks", "risky", "minor", "bound", "closed")
CHANGEABLE = ("name", "phone", "blocks", "risky", "minor", "bound")


class NotNowError(Exception):
    """An action that the phone does not offer in its present state."""


class RefusedError(Exception):
    """An action that WeChat refuses with an errcode."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errmsg)
        self.errcode = errcode


@dataclass(frozen=True)
class Person:
    """A row of `people`."""

    person: str
    name: str
    openid_oa: str
    openid_mp: str
    unionid: str
    phone: str
    subscribed: bool
    subscribe_time: int | None
    subscribe_scene: str | None
    qr_scene: str
    last_access: float | None
    blocks: bool
    risky: bool
    minor: bool
    bound: bool
    closed: bool

    def openid_in(self, app: App) -> str:
        """The person's openid in one of the apps."""
        return self.openid_oa if app.account == OFFICIAL else self.openid_mp


def create_person(world: World, name: str) -> Person:
    """Create a person who follows nothing."""
    person = f"person-{world.random_word(10)}"
    world.store.insert_row(
        "people",
        person=person,
        name=name,
        openid_oa=_create_openid(world, world.official),
        openid_mp=_create_openid(world, world.mini),
        unionid="oU" + world.random_word(26),
        phone=f"13{world.chance.randrange(10**8, 10**9)}",
    )
    return find_person(world, person)


def seed_people(world: World, followers: int, start: str) -> int:
    """Create followers, the same for the same `start` and app; return how many were new."""
    # Seeded on purpose: the people must be repeatable, and nothing here is secret.
    chance = random.Random(f"{world.official.appid}:{start}")  # noqa: S311 - made-up people, the same for the same seed
    at, added = int(world.now()), 0
    for number in range(followers):
        word = "".join(chance.choices(LETTERS, k=26))
        added += world.store.run_sql(
            "INSERT OR IGNORE INTO people (person, name, openid_oa, openid_mp, unionid, phone, "
            "subscribed, subscribe_time, subscribe_scene) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)",
            f"person-{start}-{number}",
            f"{TEXTS['seed_name']}{number}",
            f"{_openid_prefix(world.official)}{word[:22]}",
            f"{_openid_prefix(world.mini)}{word[4:]}",
            f"oU{word}",
            f"13{chance.randrange(10**8, 10**9)}",
            at,
            "ADD_SCENE_SEARCH",
        )
    return added


def find_person(world: World, person: str) -> Person:
    """Return the person with this id.

    Raises: LookupError when there is none, or when the person closed the WeChat account.
    """
    row = world.store.first_row("SELECT * FROM people WHERE person = ? AND closed = 0", person)
    if row is None:
        raise LookupError(f"there is no person {person!r}")
    return _person_of(row)


def find_by_openid(world: World, app: App, openid: object) -> Person | None:
    """The person with this openid in this app."""
    column = "openid_oa" if app.account == world.official.account else "openid_mp"
    sql = f"SELECT * FROM people WHERE {column} = ? AND closed = 0"  # noqa: S608 - one of two fixed names
    row = world.store.first_row(sql, openid) if isinstance(openid, str) else None
    return None if row is None else _person_of(row)


def list_people(world: World) -> list[Person]:
    """All people, oldest first."""
    return [_person_of(row) for row in world.store.all_rows(EVERYBODY)]


def change_person(world: World, person: str, wishes: dict[str, Any]) -> None:
    """Change a person's name, phone number, or how the platform treats them.

    Raises: LookupError for an unknown person; ValueError for any other fact.
    """
    find_person(world, person)
    unknown = set(wishes) - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"a person has {CHANGEABLE}, not {sorted(unknown)}")
    for column, value in wishes.items():
        sql = f"UPDATE people SET {column} = ? WHERE person = ?"  # noqa: S608 - a name in CHANGEABLE
        world.store.run_sql(sql, value, person)


def follow_account(world: World, person: str, scene: str = "") -> None:
    """Follow the official account, through a code's scene or through search."""
    how = "ADD_SCENE_QR_CODE" if scene else "ADD_SCENE_SEARCH"
    world.store.run_sql(
        "UPDATE people SET subscribed = 1, subscribe_time = ?, subscribe_scene = ?, qr_scene = ? "
        "WHERE person = ?",
        int(world.now()),
        how,
        scene,
        person,
    )


def unfollow_account(world: World, person: Person) -> None:
    """Unfollow; open customer-message windows close."""
    world.store.run_sql("UPDATE people SET subscribed = 0 WHERE person = ?", person.person)
    world.store.run_sql("DELETE FROM windows WHERE openid = ?", person.openid_oa)


def unionid_of(world: World, person: Person) -> dict[str, str]:
    """The unionid as responses contain it: absent without an open platform account, or for this
    person.
    """
    return {"unionid": person.unionid} if world.open_platform and person.bound else {}


def close_account(world: World, person: Person) -> None:
    """Close the WeChat account: every app loses the person."""
    unfollow_account(world, person)
    world.store.run_sql("UPDATE people SET closed = 1 WHERE person = ?", person.person)
    world.store.run_sql("UPDATE codes SET used = 1 WHERE person = ?", person.person)
    world.store.run_sql("DELETE FROM members WHERE person = ?", person.person)
    for app in world.apps.values():
        world.store.run_sql("DELETE FROM grants WHERE openid = ?", person.openid_in(app))


def platform_openid(app: App) -> str:
    """The sender of the platform's own pushes: an openid that belongs to no person."""
    digest = hashlib.sha256(f"{app.appid}:platform".encode()).hexdigest()
    return _openid_prefix(app) + digest[:22]


def login_code(world: World, person: Person) -> tuple[str, str]:
    """Create a wx.login code and the session_key that is valid from now on."""
    session_key = world.random_base64(16)
    code = "0" + world.random_word(31)
    _store_code(world, code, "login", person, session_key)
    world.store.run_sql(
        "UPDATE people SET session_key = ?, last_access = ? WHERE person = ?",
        session_key,
        world.now(),
        person.person,
    )
    return code, session_key


def phone_code(world: World, person: Person) -> str:
    """Create a code of the phone-number button."""
    code = world.random_word(64)
    _store_code(world, code, "phone", person, None)
    return code


def use_code(world: World, code: object, kind: str) -> sqlite3.Row | int:
    """Consume a code; return its row, or the errcode of the refusal."""
    sql = "SELECT * FROM codes WHERE code = ? AND kind = ?"
    row = world.store.first_row(sql, code, kind) if isinstance(code, str) else None
    if row is None or row["expires"] <= world.now():
        return 40029
    if row["used"]:
        return 40163 if kind == "login" else 40029
    world.store.run_sql("UPDATE codes SET used = 1 WHERE code = ?", code)
    return row


def touch_app(world: World, person: str) -> None:
    """Record that the person used the mini-program now."""
    sql = "UPDATE people SET last_access = ? WHERE person = ?"
    world.store.run_sql(sql, world.now(), person)


def group_id(world: World, group: str) -> str:
    """The opengid of a WeChat group, the same for all members."""
    digest = hashlib.sha256(f"{world.mini.appid}:{group}".encode()).hexdigest()
    return "G" + digest[:27]


def _store_code(
    world: World, code: str, kind: str, person: Person, session_key: str | None
) -> None:
    world.store.insert_row(
        "codes",
        code=code,
        kind=kind,
        person=person.person,
        session_key=session_key,
        expires=world.now() + CODE_SECONDS,
    )


def openid_of_word(app: App, word: str) -> str:
    """An openid: 28 characters, the first six the same for all people of an app."""
    return _openid_prefix(app) + word


def _create_openid(world: World, app: App) -> str:
    return openid_of_word(app, world.random_word(22))


def _openid_prefix(app: App) -> str:
    return "o" + hashlib.sha256(app.appid.encode()).hexdigest()[:5]


def encode_base64(content: bytes) -> str:
    """Encode bytes as base64 text, as the mini-program transmits them."""
    return base64.b64encode(content).decode()


def _person_of(row: sqlite3.Row) -> Person:
    fields: dict[str, Any] = {name: row[name] for name in Person.__dataclass_fields__}
    return Person(**{**fields, **{flag: bool(row[flag]) for flag in FLAGS}})
