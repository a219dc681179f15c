"""What reached a person's phone, and the windows in which an account may write to it."""

from __future__ import annotations

import json
from typing import Any

from .clock import beijing
from .world import World

# Source: "Customer service messages": how many within how long after which act of the user.
WINDOWS = {"message": (5, 48 * 3600), "click": (3, 60), "follow": (3, 60), "scan": (3, 60)}
TO_PERSON, FROM_PERSON, NOTE = "in", "out", "note"


def put(
    world: World,
    openid: str,
    kind: str,
    content: str,
    *,
    via: str,
    direction: str = TO_PERSON,
    **extra: Any,
) -> None:
    """Add one line to what this openid's owner sees."""
    world.store.insert(
        "messages",
        at=world.now(),
        openid=openid,
        direction=direction,
        via=via,
        kind=kind,
        content=content,
        extra=json.dumps(extra, ensure_ascii=False),
    )


def received(world: World, openid: str) -> list[dict[str, Any]]:
    """The messages that reached this openid, oldest first."""
    return _lines(world, "openid = ? AND direction = 'in'", openid)


def chat(world: World, openid: str) -> list[dict[str, Any]]:
    """Both sides of the chat with the official account, and the platform's own notes in it."""
    return _lines(world, "openid = ?", openid)


def since(world: World, openid: str, after: int) -> list[dict[str, Any]]:
    """What came to the chat or the notices of this openid after the line of this id."""
    return _lines(world, "openid = ? AND id > ?", openid, after)


def _lines(world: World, condition: str, *values: str | int) -> list[dict[str, Any]]:
    sql = f"SELECT * FROM messages WHERE {condition} ORDER BY id"  # noqa: S608 - ours
    return [
        {
            "id": row["id"],
            "at": beijing(row["at"]),
            "kind": row["kind"],
            "content": row["content"],
            "direction": row["direction"],
            "via": row["via"],
            **json.loads(row["extra"]),
        }
        for row in world.store.all(sql, *values)
    ]


def open_window(world: World, openid: str, kind: str) -> None:
    """An act of the user opens a customer-message window afresh."""
    count, seconds = WINDOWS[kind]
    world.store.run(
        "INSERT OR REPLACE INTO windows (openid, kind, until, remaining) VALUES (?, ?, ?, ?)",
        openid,
        kind,
        world.now() + seconds,
        count,
    )


def use_window(world: World, openid: str) -> int:
    """Take one message out of the window that closes first; 0, or the errcode of none left."""
    rows = world.store.all(
        "SELECT kind, remaining FROM windows WHERE openid = ? AND until > ? ORDER BY until",
        openid,
        world.now(),
    )
    if not rows:
        return 45015
    usable = [row["kind"] for row in rows if row["remaining"] > 0]
    if not usable:
        return 45047
    world.store.run(
        "UPDATE windows SET remaining = remaining - 1 WHERE openid = ? AND kind = ?",
        openid,
        usable[0],
    )
    return 0
