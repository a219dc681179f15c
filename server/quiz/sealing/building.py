"""Makes a version: ranks in one statement by the one rank order, then the signed bytes in parts.

The statement reads one snapshot; the rest reads only rows of the version, in batches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, insert, literal, select

from server.base.access import Organizer, System
from server.base.uow import UnitOfWork
from server.quiz.contests.service import ContestView
from server.quiz.enums import SealState
from server.quiz.leaderboards import rank_order
from server.quiz.leaderboards.board_keys import HIDDEN, TOTAL
from server.quiz.models import Entry, SealedPart, SealedRank, SealedVersion, Standing
from server.quiz.sealing import rules
from server.quiz.sealing.rules import Document, RankLine
from server.units import service as units

# Lines per part of the rank file; limits the memory of building and verifying.
PART_LINES = 5000
# The columns of a scope in `sealed_rank`, and that of the rank within it.
SCOPE_COLUMNS = {
    "city": "city_rank",
    "county": "county_rank",
    "unit_id": "unit_rank",
    "audience": "audience_rank",
    "division": "division_rank",
}
_KEY_PURPOSE, _KEY_LENGTH = "final ranks", 32


@dataclass(frozen=True, kw_only=True)
class SealOrder:
    """The author and the reason of a version, and the undecided holds."""

    author: Organizer | System
    reason: str
    open_cases: Sequence[str] = ()


def entry_key(uow: UnitOfWork, entry_id: int) -> str:
    """The keyed hash of an entry in rank files."""
    return uow.keys.blind_hash(str(entry_id), _KEY_PURPOSE)[:_KEY_LENGTH]


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


def build_version(uow: UnitOfWork, contest: ContestView, order: SealOrder) -> SealedVersion:
    """Compute, store and sign the present ranks as a draft; the caller holds the contest's lock."""
    previous = uow.session.scalar(
        select(SealedVersion)
        .where(SealedVersion.contest_id == contest.id)
        .order_by(SealedVersion.number.desc())
        .limit(1)
    )
    organizer = order.author if isinstance(order.author, Organizer) else None
    version = SealedVersion(
        ref=uow.new_ref("fin"),
        contest_id=contest.id,
        number=1 if previous is None else previous.number + 1,
        state=SealState.DRAFT,
        made_at=uow.now,
        author_id=None if organizer is None else organizer.id,
        author_name=order.author.name,
        reason=order.reason,
        rank_count=0,
        digest="",
        document=b"",
        signature="",
        public_key=uow.keys.final_ranks_key,
    )
    uow.session.add(version)
    uow.session.flush()
    _insert_ranks(uow, version)
    version.rank_count, version.digest = _store_parts(uow, version.id)
    before = rules.GENESIS if previous is None else rules.hash_bytes(previous.document)
    _sign_version(uow, contest, order, version, before)
    return version


def _sign_version(
    uow: UnitOfWork, contest: ContestView, order: SealOrder, version: SealedVersion, before: str
) -> None:
    author = order.author.ref if isinstance(order.author, Organizer) else "system"
    version.document = rules.spell_document(
        Document(
            format=rules.FORMAT,
            contest=contest.ref,
            number=version.number,
            made_at=rules.spell_instant(version.made_at),
            author=author,
            reason_sha256=rules.hash_bytes(order.reason.encode()),
            rules_version=contest.rules.version,
            points_scale=contest.rules.points_scale,
            rank_count=version.rank_count,
            open_cases=sorted(order.open_cases),
            file_sha256=version.digest,
            previous_sha256=before,
        )
    )
    version.signature = uow.keys.sign_final_ranks(version.document)
    uow.session.flush()


def iterate_lines(uow: UnitOfWork, version_id: int) -> Iterator[list[tuple[SealedRank, RankLine]]]:
    """The rows of a version in their order with their lines, in batches of `PART_LINES`."""
    after = 0
    while True:
        wanted = (
            select(SealedRank)
            .where(SealedRank.version_id == version_id, SealedRank.rank > after)
            .order_by(SealedRank.rank)
            .limit(PART_LINES)
        )
        rows = list(uow.session.scalars(wanted))
        if rows:
            named = units.units_by_id(uow, {row.unit_id for row in rows if row.unit_id})
            yield [(row, _line_of_row(uow, row, named)) for row in rows]
        if len(rows) < PART_LINES:
            return
        after = rows[-1].rank
        for row in rows:
            uow.session.expunge(row)


def _insert_ranks(uow: UnitOfWork, version: SealedVersion) -> None:
    live = select_live_stands(version.contest_id).subquery("live")
    best_first = rank_order.best_first(live)
    columns: dict[str, ColumnElement[Any]] = {
        "rank": func.row_number().over(order_by=best_first),
        **{name: live.c[name] for name in ("entry_id", "points", "time_ms", "reached_at")},
    }
    for name, rank in SCOPE_COLUMNS.items():
        scope = getattr(Entry, name)
        within = func.row_number().over(partition_by=scope, order_by=best_first)
        columns |= {name: scope, rank: case((scope.is_not(None), within))}
    ranked = select(literal(version.id), *columns.values()).join_from(
        live, Entry, Entry.id == live.c.entry_id
    )
    uow.session.execute(insert(SealedRank).from_select(["version_id", *columns], ranked))


def _store_parts(uow: UnitOfWork, version_id: int) -> tuple[int, str]:
    """Store the rank file in parts; return the number of its lines and its hash."""
    hashed, count, number = hashlib.sha256(), 0, 0
    content = rules.HEADING
    for batch in iterate_lines(uow, version_id):
        content += rules.spell_lines(line for _, line in batch)
        count += len(batch)
        hashed.update(content)
        number += 1
        _store_part(uow, version_id, number, content)
        content = b""
    if content:
        hashed.update(content)
        _store_part(uow, version_id, number + 1, content)
    return count, hashed.hexdigest()


def _store_part(uow: UnitOfWork, version_id: int, number: int, content: bytes) -> None:
    uow.session.execute(
        insert(SealedPart).values(version_id=version_id, number=number, content=content)
    )


def _line_of_row(uow: UnitOfWork, row: SealedRank, named: Any) -> RankLine:
    unit = named.get(row.unit_id)
    return RankLine(
        rank=row.rank,
        entry=entry_key(uow, row.entry_id),
        points=row.points,
        time_ms=row.time_ms,
        reached_at=row.reached_at,
        city=row.city,
        county=row.county,
        unit=None if unit is None else unit.ref,
        audience=row.audience,
        division=row.division,
    )
