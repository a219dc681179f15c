"""Messages on a person's phone, and the windows in which an account may send to it."""

from __future__ import annotations

import json
from typing import Any

from .clock import format_beijing
from .world import World

# Act of the user -> (messages allowed, within seconds). Source: "Customer service messages".
WINDOWS = {"message": (5, 48 * 3600), "click": (3, 60), "follow": (3, 60), "scan": (3, 60)}
TO_PERSON, FROM_PERSON, NOTE = "in", "out", "note"


def put_line(
    world: World,
    openid: str,
    kind: str,
    content: str,
    *,
    via: str,
    direction: str = TO_PERSON,
    **extra: Any,
) -> None:
    """Add a line to the messages of this openid."""
    world.store.insert_row(
        "messages",
        at=world.now(),
        openid=openid,
        direction=direction,
        via=via,
        kind=kind,
        content=content,
        extra=json.dumps(extra, ensure_ascii=False),
    )


def list_received(world: World, openid: str) -> list[dict[str, Any]]:
    """The messages received by this openid, oldest first."""
    return _select_lines(world, "openid = ? AND direction = 'in'", openid)


def list_chat(world: World, openid: str) -> list[dict[str, Any]]:
    """Both sides of the chat with the official account, with the platform's own notes."""
    return _select_lines(world, "openid = ?", openid)


def list_since(world: World, openid: str, after: int) -> list[dict[str, Any]]:
    """The chat lines and notices of this openid after the line `after`."""
    return _select_lines(world, "openid = ? AND id > ?", openid, after)


def list_deliveries(world: World, after: int, limit: int) -> dict[str, Any]:
    """The messages that all people received after the id `after`, for counting a whole send.

    `following` is the `after` of the next page, None at the end.
    """
    rows = world.store.all_rows(
        "SELECT id, openid, via, json_extract(extra, '$.msgid') AS msgid FROM messages "
        "WHERE id > ? AND direction = ? ORDER BY id LIMIT ?",
        after,
        TO_PERSON,
        limit,
    )
    following = rows[-1]["id"] if len(rows) == limit else None
    return {"items": [dict(row) for row in rows], "following": following}


def _select_lines(world: World, condition: str, *values: str | int) -> list[dict[str, Any]]:
    sql = f"SELECT * FROM messages WHERE {condition} ORDER BY id"  # noqa: S608 - conditions of this file
    return [
        {
            "id": row["id"],
            "at": format_beijing(row["at"]),
            "kind": row["kind"],
            "content": row["content"],
            "direction": row["direction"],
            "via": row["via"],
            **json.loads(row["extra"]),
        }
        for row in world.store.all_rows(sql, *values)
    ]


def open_window(world: World, openid: str, kind: str) -> None:
    """Open a new customer-message window after an act of the user."""
    count, seconds = WINDOWS[kind]
    world.store.run_sql(
        "INSERT OR REPLACE INTO windows (openid, kind, until, remaining) VALUES (?, ?, ?, ?)",
        openid,
        kind,
        world.now() + seconds,
        count,
    )


def use_window(world: World, openid: str) -> int:
    """Use one message of the window that closes first; return 0, or an errcode if none is left."""
    rows = world.store.all_rows(
        "SELECT kind, remaining FROM windows WHERE openid = ? AND until > ? ORDER BY until",
        openid,
        world.now(),
    )
    if not rows:
        return 45015
    usable = [row["kind"] for row in rows if row["remaining"] > 0]
    if not usable:
        return 45047
    world.store.run_sql(
        "UPDATE windows SET remaining = remaining - 1 WHERE openid = ? AND kind = ?",
        openid,
        usable[0],
    )
    return 0
