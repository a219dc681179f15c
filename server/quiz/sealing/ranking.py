"""Ranks the entries of a contest in one order, and keeps that order until it is stored as rows.

The order is read by one statement, from one snapshot, in a transaction that writes nothing: on a
large contest the sorting takes seconds, during which nobody has to wait for a lock. It is then kept
in one short transaction, in packed parts. The rows are made from these parts, one part a
transaction, so that a run may end anywhere and another worker continues with the same order.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Select, delete, func, insert, select

from server.base.sql.tables import insert_rows
from server.base.uow import UnitOfWork
from server.quiz.leaderboards import rank_order
from server.quiz.leaderboards.board_keys import HIDDEN, TOTAL
from server.quiz.models import (
    Entry,
    SealedOrder,
    SealedPart,
    SealedRank,
    SealedVersion,
    Standing,
)

# The columns of a scope in `sealed_rank`, and that of the rank within it.
SCOPE_COLUMNS = {
    "city": "city_rank",
    "county": "county_rank",
    "unit_id": "unit_rank",
    "audience": "audience_rank",
    "division": "division_rank",
}
# The parts are read once, so speed counts for more than size.
_FAST = 1


class RankedEntry(NamedTuple):
    """An entry with its ranks: the columns of `sealed_rank` without id and version."""

    rank: int
    entry_id: int
    points: int
    time_ms: int
    reached_at: datetime
    city: str | None
    city_rank: int | None
    county: str | None
    county_rank: int | None
    unit_id: int | None
    unit_rank: int | None
    audience: str | None
    audience_rank: int | None
    division: str | None
    division_rank: int | None


_READ_ENTRIES = msgspec.json.Decoder(list[RankedEntry])


class PackedOrder(NamedTuple):
    """The ranked entries of a contest in packed parts, and their number."""

    parts: list[bytes]
    entry_count: int


def select_live_stands(contest_id: int) -> Select[Any]:
    """The present total standings of a contest, those hidden by a freeze included.

    Held and merged entries are left out, as on every board.
    """
    newer = Standing.__table__.alias("newer")
    hidden = select(newer.c.id).where(
        newer.c.entry_id == Standing.entry_id, newer.c.period == HIDDEN + TOTAL
    )
    return select(Standing).where(
        Standing.contest_id == contest_id,
        (Standing.period == HIDDEN + TOTAL) | ((Standing.period == TOTAL) & ~hidden.exists()),
    )


def count_live_stands(uow: UnitOfWork, contest_id: int) -> int:
    """The number of entries that a version would rank now."""
    live = select_live_stands(contest_id).with_only_columns(Standing.id).subquery()
    return uow.session.scalar(select(func.count()).select_from(live)) or 0


def rank_entries(uow: UnitOfWork, contest_id: int, part_size: int) -> PackedOrder:
    """Rank all entries of a contest by the one rank order; needs no lock."""
    parts: list[bytes] = []
    count = 0
    ranked = _iterate_ranked(uow, contest_id)
    while part := list(islice(ranked, part_size)):
        count += len(part)
        parts.append(zlib.compress(msgspec.json.encode(part), _FAST))
    # A contest without entries has an empty part, by which its order is known to be kept.
    return PackedOrder(parts or [zlib.compress(b"[]", _FAST)], count)


def _iterate_ranked(uow: UnitOfWork, contest_id: int) -> Iterator[RankedEntry]:
    live = select_live_stands(contest_id).subquery("live")
    scopes = [getattr(Entry, name) for name in SCOPE_COLUMNS]
    asked = (
        select(live.c.entry_id, live.c.points, live.c.time_ms, live.c.reached_at, *scopes)
        .join_from(live, Entry, Entry.id == live.c.entry_id)
        .order_by(*rank_order.best_first(live))
    )
    counted: Counter[tuple[str, Any]] = Counter()
    for rank, row in enumerate(uow.session.execute(asked), start=1):
        facts: dict[str, Any] = {}
        for name, value in zip(SCOPE_COLUMNS, row[4:], strict=True):
            counted[name, value] += 1
            facts[name] = value
            facts[SCOPE_COLUMNS[name]] = None if value is None else counted[name, value]
        yield RankedEntry(rank, *row[:4], **facts)


def is_order_kept(uow: UnitOfWork, version_id: int) -> bool:
    """Whether the order of a version was kept, and perhaps stored as rows already."""
    kept = select(SealedOrder.id).where(SealedOrder.version_id == version_id)
    stored = select(SealedPart.id).where(SealedPart.version_id == version_id)
    ranked = select(SealedRank.id).where(SealedRank.version_id == version_id)
    return any(uow.session.scalar(one.limit(1)) is not None for one in (kept, ranked, stored))


def keep_order(uow: UnitOfWork, version: SealedVersion, order: PackedOrder) -> None:
    """Keep the order of a version that has none yet; the caller holds the contest's lock."""
    rows = [
        {"version_id": version.id, "number": number, "content": content}
        for number, content in enumerate(order.parts, start=1)
    ]
    uow.session.execute(insert(SealedOrder), rows)
    version.rank_count = order.entry_count


def store_next_rows(uow: UnitOfWork, version_id: int) -> bool:
    """Store the rows of the next kept part, which is then deleted; False when none is left."""
    wanted = select(SealedOrder).where(SealedOrder.version_id == version_id)
    part = uow.session.scalar(wanted.order_by(SealedOrder.number).limit(1))
    if part is None:
        return False
    entries = _READ_ENTRIES.decode(zlib.decompress(part.content))
    rows = [{"version_id": version_id, **one._asdict()} for one in entries]
    insert_rows(uow.session, SealedRank, rows)
    uow.session.execute(delete(SealedOrder).where(SealedOrder.id == part.id))
    return True


def count_kept_parts(uow: UnitOfWork, version_id: int) -> int:
    """The number of parts of the order that are not stored as rows yet."""
    kept = select(func.count()).where(SealedOrder.version_id == version_id)
    return uow.session.scalar(kept) or 0
