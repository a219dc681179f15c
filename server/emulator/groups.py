"""WeChat groups: their members, and what a mini-program opened from one can read."""

from __future__ import annotations

import sqlite3
from typing import Any

from . import people
from .crypto import seal_open_data
from .people import Person
from .world import World

LONGEST_NAME, MOST_MEMBERS = 30, 500
MEMBERS = """
SELECT members.person, people.name FROM members JOIN people USING (person)
WHERE word = ? ORDER BY members.rowid
"""


def put_group(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Create a group, or change the one named by `group`: `name`, `add`, `remove`.

    Raises: LookupError; ValueError for a group without a name or with too many members.
    """
    with world.store.open_transaction():
        word = str(body["group"]) if "group" in body else _make_group(world, body)
        row = find_group(world, word)
        if "name" in body:
            world.store.run_sql(
                "UPDATE groups SET name = ? WHERE word = ?", _group_name(body), word
            )
        for person in _name_list(body, "add") + _name_list(body, "members"):
            _join_group(world, word, people.find_person(world, person))
        for person in _name_list(body, "remove"):
            leaving = people.find_person(world, person).person
            world.store.run_sql("DELETE FROM members WHERE word = ? AND person = ?", word, leaving)
        size = world.store.select_number("SELECT count(*) FROM members WHERE word = ?", word)
        if size > MOST_MEMBERS:
            raise ValueError(f"a group has at most {MOST_MEMBERS} members")
        return show_group(world, find_group(world, row["word"]))


def find_group(world: World, word: str) -> sqlite3.Row:
    """Return the row of a group.

    Raises: LookupError when it does not exist.
    """
    row = world.store.first_row("SELECT * FROM groups WHERE word = ?", word)
    if row is None:
        raise LookupError(f"there is no group {word!r}")
    return row


def show_group(world: World, row: sqlite3.Row) -> dict[str, Any]:
    """Describe a group for the control endpoint and the phone page."""
    members = [dict(member) for member in world.store.all_rows(MEMBERS, row["word"])]
    return {
        "group": row["word"],
        "name": row["name"],
        "opengid": people.group_id(world, row["word"]),
        "members": members,
    }


def list_groups(world: World) -> list[dict[str, Any]]:
    """All groups, oldest first."""
    return [
        show_group(world, row) for row in world.store.all_rows("SELECT * FROM groups ORDER BY id")
    ]


def list_groups_of(world: World, person: Person) -> list[dict[str, Any]]:
    """The groups of a person."""
    sql = "SELECT groups.* FROM groups JOIN members USING (word) WHERE person = ? ORDER BY id"
    return [show_group(world, row) for row in world.store.all_rows(sql, person.person)]


def name_of(world: World, opengid: str) -> str:
    """The name of the group with this opengid; empty when there is none."""
    rows = world.store.all_rows("SELECT word, name FROM groups")
    named = (str(row["name"]) for row in rows if people.group_id(world, row["word"]) == opengid)
    return next(named, "")


def is_member(world: World, word: str, person: Person) -> bool:
    """Whether the person is a member now."""
    sql = "SELECT 1 FROM members WHERE word = ? AND person = ?"
    return world.store.first_row(sql, word, person.person) is not None


def sealed_entry(world: World, person: Person, group: str, session_key: str) -> dict[str, Any]:
    """The result of wx.getGroupEnterInfo: the group's id, encrypted for the server."""
    iv = world.random_bytes(16)
    data = {
        "opengid": people.group_id(world, group),
        "open_single_roomid": "",
        "group_openid": people.group_id(world, f"{group}:{person.person}"),
        "chat_type": 3,
        "watermark": {"timestamp": int(world.now()), "appid": world.mini.appid},
    }
    return {"encrypted_data": seal_open_data(session_key, iv, data), "iv": people.encode_base64(iv)}


def _make_group(world: World, body: dict[str, Any]) -> str:
    word = f"group-{world.random_word(10)}"
    world.store.insert_row("groups", word=word, name=_group_name(body))
    return word


def _join_group(world: World, word: str, person: Person) -> None:
    latest = world.store.select_number("SELECT max(id) FROM posts")
    world.store.run_sql(
        "INSERT OR IGNORE INTO members (word, person, since) VALUES (?, ?, ?)",
        word,
        person.person,
        latest,
    )


def _group_name(body: dict[str, Any]) -> str:
    name = str(body.get("name") or "").strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ValueError(f"a group's name has 1 to {LONGEST_NAME} characters")
    return name


def _name_list(body: dict[str, Any], name: str) -> list[str]:
    value = body.get(name) or []
    if not isinstance(value, list):
        raise ValueError(f"{name} is a list of people")
    return [str(item) for item in value]
