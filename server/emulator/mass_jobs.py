"""Mass messages after their acceptance: confirmation, delivery, counts and the report.

Source: "Mass messages" of the service account: each person receives at most four a calendar month,
however they were sent; the report counts people before and after filtering.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from . import inbox, letters
from .clock import beijing_day, format_beijing
from .people import platform_openid
from .receipt_orders import MASS, Manner
from .receipts import plan_receipt
from .wechat_api.common import Receipt
from .wechat_api.draft import remove_draft
from .world import World

WAITING, SENT, FAILED, DELETED, PREVIEW = (
    "WAITING",
    "SEND_SUCCESS",
    "SEND_FAIL",
    "DELETE",
    "PREVIEW",
)
SENDING = "SENDING"
A_MONTH = 4
CONFIRM_SECONDS = 1800
REFUSED, SILENT = "err(40001)", "err(40002)"
DONE = "send success"
CHUNK = 500


@dataclass(frozen=True)
class Message:
    """The content of a mass call; `draft` is the draft of its articles."""

    kind: str
    content: str
    articles: Sequence[dict[str, Any]] = ()
    draft: str = ""


def month_of(world: World) -> str:
    """The calendar month in Beijing, in which mass messages are counted."""
    return beijing_day(world.now())[:7]


def add_job(
    world: World,
    message: Message,
    *,
    state: str,
    client_id: str | None = None,
    openids: Sequence[str] | None = None,
) -> int:
    """Store a job; `openids` is None for all followers. Returns its msg_id."""
    newest = world.store.select_number("SELECT max(msg_id) FROM mass_jobs")
    msg_id = (newest or 10**9 + 4 * world.chance.randrange(10**6)) + 4
    world.store.insert_row(
        "mass_jobs",
        msg_id=msg_id,
        data_id=msg_id + 1,
        client_id=client_id,
        at=world.now(),
        month=month_of(world),
        state=state,
        kind=message.kind,
        content=message.content,
        articles=json.dumps(message.articles, ensure_ascii=False),
        draft=message.draft,
        openids=None if openids is None else json.dumps(openids),
        done_at=world.now(),
        deleted="[]",
        counts="[]",
    )
    return msg_id


def run_job(world: World, msg_id: int) -> Receipt:
    """Deliver a job to everybody who may receive it, and return the report that is due."""
    row = find_job(world, msg_id)
    manner = world.receipts.match_send(MASS, platform_openid(world.official))
    status = manner.status or _judge_content(world, row)
    targets = None if row["openids"] is None else json.loads(row["openids"])
    reached, total = _reachable(world, targets)
    counts = (total, len(reached), len(reached), 0)
    if status == DONE:
        _put_lines(world, row, reached)
        remove_draft(world, row["draft"])
    else:
        counts = (total, len(reached), 0, len(reached))
    return _finish_job(world, row, (status, counts), manner)


def _judge_content(world: World, row: Any) -> str:
    """The outcome of the check that WeChat runs on the content: sent, or `err` with a label."""
    texts = [article["content"] + article["title"] for article in json.loads(row["articles"])]
    suggest, label = world.judge_text(" ".join([row["content"], *texts]))
    return DONE if suggest == "pass" else f"err({label})"


def end_job(world: World, msg_id: int, status: str) -> Receipt:
    """End a job that was not confirmed."""
    manner = world.receipts.match_send(MASS, platform_openid(world.official))
    return _finish_job(world, find_job(world, msg_id), (status, (0, 0, 0, 0)), manner)


def _finish_job(
    world: World, row: Any, result: tuple[str, tuple[int, int, int, int]], manner: Manner
) -> Receipt:
    status, counts = result
    between = world.settings.sent_event_s
    world.store.run_sql(
        "UPDATE mass_jobs SET state = ?, done_at = ?, counts = ? WHERE msg_id = ?",
        SENT if status == DONE else FAILED,
        world.now() + (between[1] if between else 0.0),
        json.dumps(counts),
        row["msg_id"],
    )
    urls = [article["url"] for article in json.loads(row["articles"])] if status == DONE else []
    return Receipt(letters.mass_receipt(world, row["msg_id"], status, counts, urls), manner)


def find_job(world: World, msg_id: object) -> Any:
    """The row of a job, or None."""
    if type(msg_id) is not int:
        return None
    return world.store.first_row("SELECT * FROM mass_jobs WHERE msg_id = ?", msg_id)


def state_of(world: World, row: Any) -> str:
    """The state of a job as mass/get returns it."""
    if row["state"] == WAITING or (row["state"] == SENT and world.now() < row["done_at"]):
        return SENDING
    return str(row["state"])


def _reachable(world: World, openids: Sequence[str] | None) -> tuple[list[str], int]:
    """The openids that may receive one more mass message this month, and how many were meant."""
    if openids is None:
        rows = world.store.all_rows(
            "SELECT openid_oa, blocks FROM people WHERE subscribed = 1 AND closed = 0"
        )
    else:
        rows = [row for row in select_people(world, openids) if row["subscribed"]]
    full = _used_up(world)
    reached = [
        row["openid_oa"] for row in rows if not row["blocks"] and row["openid_oa"] not in full
    ]
    return reached, len(rows) if openids is None else len(openids)


def select_people(world: World, openids: Sequence[str]) -> Iterator[Any]:
    """The rows of the people with these openids of the official account."""
    for start in range(0, len(openids), CHUNK):
        part = openids[start : start + CHUNK]
        marks = ", ".join("?" * len(part))
        sql = f"SELECT openid_oa, subscribed, blocks FROM people WHERE openid_oa IN ({marks})"  # noqa: S608 - question marks
        yield from world.store.all_rows(sql, *part)


def _used_up(world: World) -> set[str]:
    sql = "SELECT openid FROM mass_received WHERE month = ? AND count >= ?"
    return {row["openid"] for row in world.store.all_rows(sql, month_of(world), A_MONTH)}


def _put_lines(world: World, row: Any, openids: Sequence[str]) -> None:
    line = line_of(row)
    values = (world.now(), inbox.TO_PERSON, "mass", line["kind"], line["content"], line["extra"])
    world.store.run_many(
        "INSERT INTO messages (at, direction, via, kind, content, extra, openid) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(*values, openid) for openid in openids],
    )
    month = month_of(world)
    world.store.run_many(
        "INSERT INTO mass_received (openid, month, count) VALUES (?, ?, 1) "
        "ON CONFLICT (openid, month) DO UPDATE SET count = count + 1",
        [(openid, month) for openid in openids],
    )


def line_of(row: Any) -> dict[str, Any]:
    """The line that a job adds to a chat; the phone fetches the text of an article by its job."""
    cards = [
        {"title": article["title"], "digest": article["digest"], "thumb": article["thumb_media_id"]}
        for article in json.loads(row["articles"])
    ]
    extra = {"msg_id": str(row["msg_id"]), **({"articles": cards} if cards else {})}
    return {
        "kind": "article" if cards else row["kind"],
        "content": row["content"],
        "extra": json.dumps(extra, ensure_ascii=False),
    }


def end_overdue(world: World) -> list[Receipt]:
    """End the jobs not confirmed within half an hour; return the reports that are due."""
    sql = "SELECT msg_id FROM mass_jobs WHERE state = ? AND at <= ?"
    rows = world.store.all_rows(sql, WAITING, world.now() - CONFIRM_SECONDS)
    return [end_job(world, row["msg_id"], SILENT) for row in rows]


def expire_waiting(world: World) -> None:
    """End the jobs not confirmed in time, and push their reports."""
    with world.store.open_transaction():
        overdue = end_overdue(world)
    for report in overdue:
        plan_receipt(world, report)


def answer_job(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """The administrator's answer to a waiting job: `confirm` true or false.

    Raises: LookupError when no such job waits.
    """
    expire_waiting(world)
    msg_id = int(body.get("msg_id") or 0)
    row = find_job(world, msg_id)
    if row is None or row["state"] != WAITING:
        raise LookupError(f"no mass message {msg_id} waits for an answer")
    with world.store.open_transaction():
        report = run_job(world, msg_id) if body.get("confirm") else end_job(world, msg_id, REFUSED)
    plan_receipt(world, report)
    return list_jobs(world)


def list_jobs(world: World) -> dict[str, Any]:
    """The mass messages, oldest first; `counts` is total, after filtering, sent, failed."""
    rows = world.store.all_rows("SELECT * FROM mass_jobs WHERE state != ? ORDER BY msg_id", PREVIEW)
    return {
        "items": [
            {
                "msg_id": str(row["msg_id"]),
                "at": format_beijing(row["at"]),
                "kind": row["kind"],
                "content": row["content"],
                "clientmsgid": row["client_id"],
                "state": row["state"],
                "counts": json.loads(row["counts"]),
            }
            for row in rows
        ]
    }


def read_article(world: World, msg_id: object, index: int) -> dict[str, Any] | None:
    """An article of a mass message for the phone; `deleted` without its text after a deletion."""
    row = find_job(world, msg_id)
    articles = [] if row is None else json.loads(row["articles"])
    if not 0 <= index < len(articles):
        return None
    article = articles[index]
    if row["state"] == DELETED or index in json.loads(row["deleted"]):
        return {"title": article["title"], "deleted": True}
    names = ("title", "author", "content", "content_source_url")
    return {name: article[name] for name in names} | {"deleted": False}
