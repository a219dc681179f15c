"""Data of a version that an approver checks before publication: ranks, boards, omitted entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from server.accounts import service as accounts
from server.base.access import Organizer
from server.base.ownership import people_of, serving_found_row
from server.base.uow import UnitOfWork
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import CaseState
from server.quiz.leaderboards.board_keys import REGION
from server.quiz.models import Attempt, Entry, IntegrityCase, SealedRank, SealedVersion
from server.quiz.sealing.board_list import (
    RankedPlayer,
    RankQuery,
    add_names,
    name_board,
    select_ranks,
)

FIRST_RANKS = 20
_MOST_LEFT_OUT = 200
# Boards with a line of their own; of counties and units only their number is shown.
_SHOWN_BOARDS = ("city", "division", "audience")


class LeftOutReason(StrEnum):
    """The reason why an entry has no rank; the text key is `quiz.final.left_out.<value>`."""

    HELD = "held"
    UPHELD = "upheld"
    MERGED = "merged"
    ERASED = "erased"
    NO_PAPER = "no_paper"
    LATER = "later"


@dataclass(frozen=True, kw_only=True)
class BoardSize:
    """One board of a version: its name, its number of ranks, the score of its rank 1."""

    name: str
    scope: str
    count: int
    best: float


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """An entry of the contest that is not in a version; `words` is the reason for its hold."""

    name: str
    paper: str | None
    reason: LeftOutReason
    words: str


@dataclass(frozen=True, kw_only=True)
class VersionCheck:
    """The part of a version about the organizer's place; `counties` and `units` count boards."""

    first: Sequence[RankedPlayer]
    boards: list[BoardSize]
    counties: int
    units: int
    left_out: list[LeftOut]
    left_out_count: int
    rescored: int

    @property
    def divided(self) -> bool:
        """Whether a rank that is shown has a division."""
        return any(one.division for one in self.first)


def check_version(
    uow: UnitOfWork, organizer: Organizer, version: SealedVersion, *, names: bool
) -> VersionCheck:
    """The first ranks, the boards and the entries left out, of people of the organizer's place.

    Without `names` no person is read, only numbers.
    """
    with serving_found_row(uow.session):
        contest = contests.contest_by_id(uow, version.contest_id)
    asked = select_ranks(uow, organizer, RankQuery(version=version.ref))
    first = asked.order_by(asked.selected_columns.rank).limit(FIRST_RANKS)
    out = _select_left_out(version)
    rows = uow.session.execute(
        people_of(out.order_by(Entry.id).limit(_MOST_LEFT_OUT), organizer, Entry)
    )
    left_out = _describe_left_out(uow, rows.all()) if names else []
    counted = people_of(out.with_only_columns(func.count(Entry.id)), organizer, Entry)
    return VersionCheck(
        first=add_names(uow, uow.session.execute(first).all()) if names else (),
        boards=_list_boards(uow, organizer, contest, version),
        counties=_count_boards(uow, organizer, version, "county"),
        units=_count_boards(uow, organizer, version, "unit_id"),
        left_out=left_out,
        left_out_count=uow.session.scalar(counted) or 0,
        rescored=_count_rescored(uow, organizer, version),
    )


def _of_version(version: SealedVersion, *columns: Any) -> Select[Any]:
    """The ranks of a version with their entries."""
    found: Select[Any] = select(*columns)
    return found.join(Entry, Entry.id == SealedRank.entry_id).where(
        SealedRank.version_id == version.id
    )


def _list_boards(
    uow: UnitOfWork, organizer: Organizer, contest: ContestView, version: SealedVersion
) -> list[BoardSize]:
    """The boards of the organizer's place: all its people, then by city, division, audience."""
    figures = (func.count(SealedRank.id), func.max(SealedRank.points))
    scale = contest.rules.points_scale
    whole = uow.session.execute(people_of(_of_version(version, *figures), organizer, Entry)).one()
    found = [(REGION, *whole)]
    for kind in _SHOWN_BOARDS:
        column = getattr(SealedRank, kind)
        grouped = _of_version(version, column, *figures).where(column.is_not(None))
        rows = people_of(grouped.group_by(column).order_by(column), organizer, Entry)
        found += [
            (f"{kind}:{value}", count, best) for value, count, best in uow.session.execute(rows)
        ]
    with serving_found_row(uow.session):
        return [
            BoardSize(
                name=name_board(uow, contest, scope), scope=scope, count=count,
                best=(best or 0) / scale if scale != 1 else best or 0,
            )
            for scope, count, best in found
        ]  # fmt: skip


def _count_boards(
    uow: UnitOfWork, organizer: Organizer, version: SealedVersion, column: str
) -> int:
    different = func.count(getattr(SealedRank, column).distinct())
    return uow.session.scalar(people_of(_of_version(version, different), organizer, Entry)) or 0


def _select_left_out(version: SealedVersion) -> Select[Any]:
    """The entries of the contest that have no rank in a version, with their newest hold."""
    ranked = select(SealedRank.id).where(
        SealedRank.version_id == version.id, SealedRank.entry_id == Entry.id
    )
    paper = select(func.min(Attempt.ref)).where(Attempt.entry_id == Entry.id)
    closed = paper.where(Attempt.closed_at.is_not(None), Attempt.closed_at <= version.made_at)
    in_force = and_(IntegrityCase.entry_id == Entry.id, IntegrityCase.state != CaseState.RELEASED)
    found: Select[Any] = select(
        Entry,
        IntegrityCase,
        paper.scalar_subquery().label("paper"),
        closed.scalar_subquery().label("closed"),
    )
    return found.outerjoin(IntegrityCase, in_force).where(
        Entry.contest_id == version.contest_id, ~ranked.exists()
    )


def _describe_left_out(uow: UnitOfWork, rows: Sequence[Any]) -> list[LeftOut]:
    with serving_found_row(uow.session):
        names = accounts.names_of(uow, [row[0].citizen_id for row in rows])
    return [
        LeftOut(
            name=names[entry.citizen_id].shown,
            paper=paper,
            reason=_reason_of(entry, case, closed),
            words="" if case is None else case.decision_reason or case.hold_reason,
        )
        for entry, case, paper, closed in rows
    ]


def _reason_of(entry: Entry, case: IntegrityCase | None, closed: str | None) -> LeftOutReason:
    """The first fact that keeps an entry off the boards, as it is now."""
    if entry.erased_at is not None:
        return LeftOutReason.ERASED
    if entry.merged_at is not None:
        return LeftOutReason.MERGED
    if case is not None:
        upheld = case.state is CaseState.UPHELD
        return LeftOutReason.UPHELD if upheld else LeftOutReason.HELD
    return LeftOutReason.NO_PAPER if closed is None else LeftOutReason.LATER


def _count_rescored(uow: UnitOfWork, organizer: Organizer, version: SealedVersion) -> int:
    """The number of entries with the rank of the version before, but another score or time."""
    old, before = aliased(SealedRank), aliased(SealedVersion)
    differs = or_(old.points != SealedRank.points, old.time_ms != SealedRank.time_ms)
    counted = (
        _of_version(version, func.count(SealedRank.id))
        .join(old, and_(old.entry_id == SealedRank.entry_id, old.rank == SealedRank.rank))
        .join(before, before.id == old.version_id)
        .where(
            before.contest_id == version.contest_id,
            before.number == version.number - 1,
            differs,
        )
    )
    return uow.session.scalar(people_of(counted, organizer, Entry)) or 0
