"""Makes a version: its rows from the order of ranking.py, then the signed bytes in parts.

Each step can be a short transaction of its own (stepping.py), so that a large contest blocks no
other writer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select

from server.base.access import Organizer, System
from server.base.uow import UnitOfWork
from server.quiz.contests.service import ContestView
from server.quiz.enums import SealState
from server.quiz.models import SealedPart, SealedRank, SealedVersion
from server.quiz.sealing import ranking, rules
from server.quiz.sealing.rules import Document, RankLine
from server.units import service as units

# Lines per part of the rank file; limits the memory of building and verifying.
PART_LINES = 5000
_KEY_PURPOSE, _KEY_LENGTH = "final ranks", 32


@dataclass(frozen=True, kw_only=True)
class SealOrder:
    """The author of a version, its reason, and the undecided holds."""

    author: Organizer | System
    reason: str
    open_cases: Sequence[str] = ()


def entry_key(uow: UnitOfWork, entry_id: int) -> str:
    """The keyed hash of an entry in rank files."""
    return uow.keys.blind_hash(str(entry_id), _KEY_PURPOSE)[:_KEY_LENGTH]


def begin_version(uow: UnitOfWork, contest: ContestView, order: SealOrder) -> SealedVersion:
    """Begin the next version of a contest.

    `ranking.keep_order` adds its ranks, `take_step` its rows and file, `sign_version` ends it. The
    caller holds the contest's lock in every step, but not while the entries are ranked.
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
    """Store the rows of the next part of the order, then the next part of the rank file.

    False when both are complete. Steps read rows of the version alone, so that each can be a
    transaction of its own.
    """
    if ranking.store_next_rows(uow, version.id):
        return True
    stored = count_parts(uow, version.id)
    if stored and stored * PART_LINES >= version.rank_count:
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
    keep_present_order(uow, version)
    while take_step(uow, version):
        pass
    sign_version(uow, contest, version)
    return version


def keep_present_order(uow: UnitOfWork, version: SealedVersion) -> None:
    """Rank the entries in this transaction; for contests of few entries."""
    ranking.keep_order(uow, version, ranking.rank_entries(uow, version.contest_id, PART_LINES))


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
