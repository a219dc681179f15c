"""Makes a version: ranks in one statement by the one rank order, then the signed bytes in parts.

The statement reads one snapshot; the rest reads only rows of the version, in batches. Each step can
be a transaction of its own (stepping.py), so that a large contest blocks no other writer.
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


def begin_version(uow: UnitOfWork, contest: ContestView, order: SealOrder) -> SealedVersion:
    """Begin the next version of a contest; `take_step` adds its ranks, `sign_version` ends it.

    The caller holds the contest's lock, in every step.
    """
    previous = _find_previous(uow, contest.id)
    organizer = order.author if isinstance(order.author, Organizer) else None
    version = SealedVersion(
        ref=uow.new_ref("fin"),
        contest_id=contest.id,
        number=1 if previous is None else previous.number + 1,
        state=SealState.BUILDING,
        made_at=uow.now,
        author_id=None if organizer is None else organizer.id,
        author_name=order.author.name,
        reason=order.reason,
        rank_count=0,
        digest="",
        document=b"",
        signature="",
        public_key=uow.keys.final_ranks_key,
        sealing_facts={
            "author": "system" if organizer is None else organizer.ref,
            "open_cases": sorted(order.open_cases),
        },
    )
    uow.session.add(version)
    uow.session.flush()
    return version


def take_step(uow: UnitOfWork, version: SealedVersion) -> bool:
    """Store the next part of the rank file; False when it is complete.

    The first step also ranks all entries, in one statement that reads one snapshot; the others
    read rows of the version alone, so that each can be a transaction of its own.
    """
    stored = count_parts(uow, version.id)
    if stored == 0:
        _insert_ranks(uow, version)
        of_version = select(func.count()).where(SealedRank.version_id == version.id)
        version.rank_count = uow.session.scalar(of_version) or 0
    elif stored * PART_LINES >= version.rank_count:
        return False
    content = rules.HEADING if stored == 0 else b""
    rows = _read_ranks(uow, version.id, after=stored * PART_LINES)
    content += rules.spell_lines(line for _, line in _lines_of_rows(uow, rows))
    _store_part(uow, version.id, stored + 1, content)
    return True


def sign_version(uow: UnitOfWork, contest: ContestView, version: SealedVersion) -> None:
    """Hash the complete rank file and sign the document; the version becomes a draft."""
    hashed = hashlib.sha256()
    for content in read_file(uow, version.id):
        hashed.update(content)
    version.digest = hashed.hexdigest()
    previous = _find_previous(uow, contest.id, before=version.number)
    facts = version.sealing_facts or {}
    version.document = rules.spell_document(
        Document(
            format=rules.FORMAT,
            contest=contest.ref,
            number=version.number,
            made_at=rules.spell_instant(version.made_at),
            author=facts["author"],
            reason_sha256=rules.hash_bytes(version.reason.encode()),
            rules_version=contest.rules.version,
            points_scale=contest.rules.points_scale,
            rank_count=version.rank_count,
            open_cases=facts["open_cases"],
            file_sha256=version.digest,
            previous_sha256=rules.GENESIS
            if previous is None
            else rules.hash_bytes(previous.document),
        )
    )
    version.signature = uow.keys.sign_final_ranks(version.document)
    version.state, version.sealing_facts = SealState.DRAFT, None
    uow.session.flush()


def build_version(uow: UnitOfWork, contest: ContestView, order: SealOrder) -> SealedVersion:
    """Make a draft of the present ranks in this transaction; for contests of few entries."""
    version = begin_version(uow, contest, order)
    while take_step(uow, version):
        pass
    sign_version(uow, contest, version)
    return version


def count_parts(uow: UnitOfWork, version_id: int) -> int:
    """The number of stored parts of a rank file."""
    stored = select(func.count()).where(SealedPart.version_id == version_id)
    return uow.session.scalar(stored) or 0


def read_file(uow: UnitOfWork, version_id: int) -> Iterator[bytes]:
    """The stored bytes of the rank file, part by part."""
    wanted = select(SealedPart.number).where(SealedPart.version_id == version_id)
    for number in uow.session.scalars(wanted.order_by(SealedPart.number)).all():
        yield uow.session.scalars(
            select(SealedPart.content).where(
                SealedPart.version_id == version_id, SealedPart.number == number
            )
        ).one()


def _find_previous(
    uow: UnitOfWork, contest_id: int, before: int | None = None
) -> SealedVersion | None:
    """The newest version of a contest, or the one before a number."""
    wanted = select(SealedVersion).where(SealedVersion.contest_id == contest_id)
    if before is not None:
        wanted = wanted.where(SealedVersion.number < before)
    return uow.session.scalar(wanted.order_by(SealedVersion.number.desc()).limit(1))


def iterate_lines(uow: UnitOfWork, version_id: int) -> Iterator[list[tuple[SealedRank, RankLine]]]:
    """The rows of a version in their order with their lines, in batches of `PART_LINES`."""
    after = 0
    while True:
        rows = _read_ranks(uow, version_id, after)
        if rows:
            yield _lines_of_rows(uow, rows)
        if len(rows) < PART_LINES:
            return
        after = rows[-1].rank
        for row in rows:
            uow.session.expunge(row)


def _read_ranks(uow: UnitOfWork, version_id: int, after: int) -> list[SealedRank]:
    """The next rows of a version; its ranks are the numbers from 1 on."""
    wanted = (
        select(SealedRank)
        .where(SealedRank.version_id == version_id, SealedRank.rank > after)
        .order_by(SealedRank.rank)
        .limit(PART_LINES)
    )
    return list(uow.session.scalars(wanted))


def _lines_of_rows(
    uow: UnitOfWork, rows: Sequence[SealedRank]
) -> list[tuple[SealedRank, RankLine]]:
    named = units.units_by_id(uow, {row.unit_id for row in rows if row.unit_id})
    return [(row, _line_of_row(uow, row, named)) for row in rows]


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
