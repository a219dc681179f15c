"""Mass messages: which calls WeChat accepts, repeats, previews and deletes.

Source: "Mass messages" of the service account: message/mass/sendall, send, preview, get, delete.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .. import inbox, mass_jobs, people
from ..mass_jobs import Message
from ..world import World
from . import media as api_media
from .common import ONLY_OFFICIAL, ApiError, Call, Endpoint, ok_answer
from .draft import find_articles
from .material import knows_material

FEWEST, MOST = 2, 10_000
TO_ALL_A_MONTH = 4
CLIENT_ID_BYTES = 64
SAME_SECONDS, RETRY_SECONDS = 86_400, 60
TEXT_BYTES = 2048


def send_to_all(world: World, call: Call) -> dict[str, Any]:
    """Send to every follower. Tags are not emulated, so no tag is known."""
    target = call.body.get("filter")
    if not isinstance(target, dict):
        raise ApiError(40097, "filter")
    if target.get("is_to_all") is not True:
        raise ApiError(45159)
    client_id = _check_client_id(world, call, "all")
    message = _read_message(world, call)
    sql = (
        "SELECT count(*) FROM mass_jobs WHERE openids IS NULL AND month = ? AND state NOT IN (?, ?)"
    )
    used = world.store.select_number(
        sql, mass_jobs.month_of(world), mass_jobs.FAILED, mass_jobs.PREVIEW
    )
    if used >= TO_ALL_A_MONTH:
        raise ApiError(45028)
    return _accept_job(world, call, message, client_id, None)


def send_to_list(world: World, call: Call) -> dict[str, Any]:
    """Send to 2 to 10,000 people of the account."""
    openids = call.body.get("touser")
    if not isinstance(openids, list) or not all(isinstance(one, str) for one in openids):
        raise ApiError(40032)
    openids = list(dict.fromkeys(openids))
    if len(openids) < FEWEST:
        raise ApiError(40130)
    if len(openids) > MOST:
        raise ApiError(40032)
    client_id = _check_client_id(world, call, json.dumps(sorted(openids)))
    known = {row["openid_oa"] for row in mass_jobs.select_people(world, openids)}
    foreign = next((openid for openid in openids if openid not in known), None)
    if foreign is not None:
        raise ApiError(40003, f"[{foreign}]")
    return _accept_job(world, call, _read_message(world, call), client_id, openids)


def _accept_job(
    world: World, call: Call, message: Message, client_id: str, openids: list[str] | None
) -> dict[str, Any]:
    waits = world.mass_protection
    msg_id = mass_jobs.add_job(
        world,
        message,
        state=mass_jobs.WAITING if waits else mass_jobs.SENDING,
        client_id=client_id,
        openids=openids,
    )
    world.mass_tries[client_id] = world.now()
    if not waits:
        call.receipts.append(mass_jobs.run_job(world, msg_id))
    more = {"msg_data_id": msg_id + 1} if message.articles else {}
    return ok_answer(msg_id=msg_id, **more)


def _check_client_id(world: World, call: Call, scope: str) -> str:
    """The call's clientmsgid, or the digest that WeChat uses without one.

    Raises: ApiError 45067 for a long one; 45065 with the msg_id for one of the last 24 hours, 45066
    when the last try was less than a minute ago.
    """
    given = call.body.get("clientmsgid")
    if given is None:
        facts = {name: value for name, value in call.body.items() if name != "touser"}
        text = json.dumps([scope, facts], sort_keys=True)
        given = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    if not isinstance(given, str) or not 1 <= len(given.encode()) <= CLIENT_ID_BYTES:
        raise ApiError(45067)
    row = world.store.first_row(
        "SELECT msg_id FROM mass_jobs WHERE client_id = ? AND at > ? ORDER BY at DESC",
        given,
        world.now() - SAME_SECONDS,
    )
    if row is not None:
        # In memory, because a refused call leaves nothing in the store.
        before = world.mass_tries.get(given, 0.0)
        world.mass_tries[given] = world.now()
        if world.now() - before < RETRY_SECONDS:
            raise ApiError(45066)
        raise ApiError(45065, msg_id=row["msg_id"])
    return given


def _read_message(world: World, call: Call) -> Message:
    kind = call.text_field("msgtype", missing=40008)
    part = call.body.get("images" if kind == "image" and "images" in call.body else kind)
    if kind not in ("mpnews", "text", "image", "voice"):
        raise ApiError(40008)
    if not isinstance(part, dict):
        raise ApiError(44004)
    if kind == "text":
        return Message(kind, _read_text(part))
    if kind == "mpnews":
        media_id = part.get("media_id")
        if not isinstance(media_id, str) or not media_id:
            raise ApiError(41006)
        articles = find_articles(world, media_id)
        return Message(kind, articles[0]["title"], articles, media_id)
    _check_files(world, kind, part)
    return Message(kind, "")


def _check_files(world: World, kind: str, part: dict[str, Any]) -> None:
    listed = part.get("media_ids", [part.get("media_id")])
    if not isinstance(listed, list) or not listed:
        raise ApiError(41006)
    for media_id in listed:
        temporary = api_media.knows_media(world, world.official, media_id, kind)
        if not temporary and not knows_material(world, media_id, kind):
            raise ApiError(40007)


def _read_text(part: dict[str, Any]) -> str:
    content = part.get("content")
    if not isinstance(content, str) or not content:
        raise ApiError(44004)
    if len(content.encode()) > TEXT_BYTES:
        raise ApiError(45002)
    return content


def preview_message(world: World, call: Call) -> dict[str, Any]:
    """Send a message to one follower, without counting it; `towxname` is the person's id."""
    person = people.find_by_openid(world, world.official, call.body.get("touser"))
    name = call.body.get("towxname")
    if name is not None:
        row = world.store.first_row(
            "SELECT openid_oa FROM people WHERE person = ? AND closed = 0", str(name)
        )
        if row is None:
            raise ApiError(40132)
        person = people.find_by_openid(world, world.official, row["openid_oa"])
    if person is None:
        raise ApiError(40003)
    if not person.subscribed:
        raise ApiError(43004)
    msg_id = mass_jobs.add_job(world, _read_message(world, call), state=mass_jobs.PREVIEW)
    line = mass_jobs.line_of(mass_jobs.find_job(world, msg_id))
    extra = json.loads(line["extra"])
    inbox.put_line(world, person.openid_oa, line["kind"], line["content"], via="preview", **extra)
    return ok_answer(msg_id=msg_id)


def get_state(world: World, call: Call) -> dict[str, Any]:
    """Return the state of a mass message."""
    call.receipts += mass_jobs.end_overdue(world)
    row = _find_sent(world, call)
    return {"msg_id": row["msg_id"], "msg_status": mass_jobs.state_of(world, row)}


def delete_message(world: World, call: Call) -> dict[str, Any]:
    """Delete the articles of a sent mass message: their cards stay, their pages are gone."""
    row = _find_sent(world, call)
    articles = json.loads(row["articles"])
    if not articles:
        raise ApiError(40008)
    if mass_jobs.state_of(world, row) != mass_jobs.SENT:
        raise ApiError(40059)
    number = call.body.get("article_idx", 0)
    if type(number) is not int or not 0 <= number <= len(articles):
        raise ApiError(40114)
    gone = set(json.loads(row["deleted"])) | ({number - 1} if number else set(range(len(articles))))
    world.store.run_sql(
        "UPDATE mass_jobs SET deleted = ?, state = ? WHERE msg_id = ?",
        json.dumps(sorted(gone)),
        mass_jobs.DELETED if len(gone) == len(articles) else row["state"],
        row["msg_id"],
    )
    return ok_answer()


def _find_sent(world: World, call: Call) -> Any:
    given = call.body.get("msg_id")
    if isinstance(given, str) and given.isdigit():
        given = int(given)
    row = mass_jobs.find_job(world, given)
    if row is None or row["state"] == mass_jobs.PREVIEW:
        raise ApiError(40059)
    return row


ENDPOINTS = [
    Endpoint(
        path=f"/cgi-bin/message/mass/{name}", method="POST", accounts=ONLY_OFFICIAL, answer=act
    )
    for name, act in {
        "sendall": send_to_all,
        "send": send_to_list,
        "preview": preview_message,
        "get": get_state,
        "delete": delete_message,
    }.items()
]
