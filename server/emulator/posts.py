"""Mini-program cards shared with a person, a group or the timeline.

Source: "Share", "Scene values", "Getting group data".
"""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import urlsplit

from . import groups, people
from .clock import format_beijing
from .people import NotNowError, Person, RefusedError
from .world import World

PLACES = ("person", "group", "timeline")
PERSON, GROUP, GROUP_WITH_TICKET, TIMELINE = 1007, 1008, 1044, 1154
LONGEST_PATH, BIGGEST_IMAGE, LONGEST_TITLE = 1024, 300_000, 200
LONGEST_TEXT = 600
# A post without a path is a plain text.
TEXT_PATH = ""
IMAGES = ("/phone/", "data:image/")
# Posts visible to one person: in the person's groups since joining, in direct chats, and in the
# timeline.
SEEN = """
SELECT posts.*, people.name AS sender_name, other.name AS target_name FROM posts
JOIN people ON people.person = posts.sender
LEFT JOIN people AS other ON other.person = target
LEFT JOIN members ON place = 'group' AND members.word = target AND members.person = ?1
WHERE posts.id > ?2 AND (
  (place = 'group' AND members.since < posts.id)
  OR (place = 'person' AND ?1 IN (sender, target))
  OR place = 'timeline')
ORDER BY posts.id
"""


def share_card(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Send a card to `to`: {"person"} or {"group"} or {"timeline": true}.

    Raises: LookupError; ValueError for a card that WeChat would refuse; NotNowError for a group
    that the person is not in.
    """
    sender = people.find_person(world, str(body.get("person")))
    place, target = _find_target(world, sender, body.get("to"))
    title, path, image = _read_card(body)
    with world.store.open_transaction():
        number = world.store.insert_row(
            "posts",
            at=world.now(),
            sender=sender.person,
            place=place,
            target=target,
            content=title,
            path=path,
            image=image,
            with_ticket=int(bool(body.get("with_ticket"))),
        )
    return {"post": number, "place": place, "target": target}


def say_text(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Send a text to `to`: {"person"} or {"group"}.

    Raises: LookupError; ValueError for no text; NotNowError for a group the person is not in.
    """
    sender = people.find_person(world, str(body.get("person")))
    place, target = _find_target(world, sender, body.get("to"))
    content = body.get("content")
    if place == "timeline" or not isinstance(content, str):
        raise ValueError("a text goes to a person or a group")
    if not 1 <= len(content.strip()) <= LONGEST_TEXT:
        raise ValueError(f"a text has 1 to {LONGEST_TEXT} characters")
    with world.store.open_transaction():
        number = world.store.insert_row(
            "posts",
            at=world.now(),
            sender=sender.person,
            place=place,
            target=target,
            content=content,
            path=TEXT_PATH,
            image="",
            with_ticket=0,
        )
    return {"post": number, "place": place, "target": target}


def open_card(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Open a card: return the page and the content of wx.getLaunchOptionsSync.

    Raises: LookupError when the card is not visible to the person.
    """
    person = people.find_person(world, str(body.get("person")))
    row = _find_seen(world, person, body.get("post"))
    people.touch_app(world, person.person)
    parts = urlsplit(row["path"])
    return {
        "path": parts.path.lstrip("/"),
        "query": _parse_query(parts.query),
        "mode": "singlePage" if row["place"] == "timeline" else "default",
        "post": row["id"],
        **_scene_of(world, row),
    }


def group_enter_info(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """The result of wx.getGroupEnterInfo after opening the card `post`, under the last session_key.

    Raises: LookupError; RefusedError with 40097 outside of a group, 65206 after leaving it.
    """
    person = people.find_person(world, str(body.get("person")))
    row = world.store.first_row("SELECT * FROM posts WHERE id = ?", body.get("post"))
    if row is None or row["place"] != "group":
        raise RefusedError(40097, "the page was not opened from a group")
    if not groups.is_member(world, row["target"], person):
        raise RefusedError(65206, "the person is not in the group any more")
    sql = "SELECT session_key FROM people WHERE person = ?"
    login = world.store.first_row(sql, person.person)
    if login is None or login["session_key"] is None:
        raise NotNowError("wx.login comes first")
    return groups.sealed_entry(world, person, row["target"], login["session_key"])


def seen_by(world: World, person: Person, after: int) -> list[dict[str, Any]]:
    """The cards visible to this person after the one with this id."""
    return [
        {
            "id": row["id"],
            "at": format_beijing(row["at"]),
            "place": row["place"],
            **_talk_of(row, person),
            "sender": row["sender"],
            "name": row["sender_name"],
            "title": row["content"],
            "path": row["path"],
            "image": row["image"],
        }
        for row in world.store.all_rows(SEEN, person.person, after)
    ]


def _talk_of(row: sqlite3.Row, person: Person) -> dict[str, Any]:
    """The chat of the card as this person sees it: a group, the other person, or the timeline."""
    if row["place"] != "person":
        return {"talk": row["target"], "talk_name": ""}
    if row["sender"] == person.person:
        return {"talk": row["target"], "talk_name": row["target_name"]}
    return {"talk": row["sender"], "talk_name": row["sender_name"]}


def _parse_query(text: str) -> dict[str, str]:
    """Parse a page's query as WeChat passes it on: split, but not decoded."""
    pieces = (piece.partition("=") for piece in text.split("&") if piece)
    return {name: value for name, _, value in pieces}


def _find_seen(world: World, person: Person, number: object) -> sqlite3.Row:
    for row in world.store.all_rows(SEEN, person.person, 0):
        if row["id"] == number and row["path"] != TEXT_PATH:
            return row
    raise LookupError(f"there is no card {number!r} in the chats of {person.person!r}")


def _scene_of(world: World, row: sqlite3.Row) -> dict[str, Any]:
    if row["place"] == "timeline":
        return {"scene": TIMELINE}
    if row["place"] == "person":
        return {"scene": PERSON}
    if not row["with_ticket"]:
        return {"scene": GROUP}
    return {"scene": GROUP_WITH_TICKET, "share_ticket": world.random_word(32)}


def _find_target(world: World, sender: Person, to: object) -> tuple[str, str]:
    if not isinstance(to, dict) or len(to) != 1 or next(iter(to)) not in PLACES:
        raise ValueError(f"`to` names one of {PLACES}")
    place, name = next(iter(to.items()))
    if place == "timeline":
        return place, "timeline"
    if place == "person":
        return place, people.find_person(world, str(name)).person
    word = str(groups.find_group(world, str(name))["word"])
    if not groups.is_member(world, word, sender):
        raise NotNowError("the person is not in this group")
    return place, word


def _read_card(body: dict[str, Any]) -> tuple[str, str, str]:
    title, path = str(body.get("title") or ""), str(body.get("path") or "")
    image = str(body.get("image") or "")
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise ValueError(f"a card's title has 1 to {LONGEST_TITLE} characters")
    if not path.startswith("/") or len(path) > LONGEST_PATH:
        raise ValueError(f"a card's path begins with / and has at most {LONGEST_PATH} characters")
    if image and (not image.startswith(IMAGES) or len(image) > BIGGEST_IMAGE):
        raise ValueError("a card's picture is one of the phone's own or a small data address")
    return title, path, image
