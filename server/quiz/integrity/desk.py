"""Data of the fraud desk: flagged entries of the organizer's place, with their evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, func, select

from server.accounts import service as accounts
from server.base.access import Organizer, Permission
from server.base.clock import BEIJING, say_seconds
from server.base.errors import NotFound
from server.base.ownership import people_of, serving_found_row
from server.base.uow import UnitOfWork
from server.base.web.page import Waiting
from server.console.tables import ListQuery
from server.quiz.enums import AttemptState, CaseState, Signal
from server.quiz.models import Attempt, Contest, Entry, IntegrityCase, IntegrityFlag
from server.units import service as units


class FlagQuery(ListQuery, frozen=True, kw_only=True):
    """The filters of the desk: signal and state."""

    signal: str | None = None
    state: str | None = None


@dataclass(frozen=True, kw_only=True)
class FlagLine:
    """One flag in the list; `state` is that of the entry's hold, without one `open` or `cleared`.

    `cleared` says why no fault was found.
    """

    ref: str
    signal: Signal
    contest: str
    place: str
    name: str
    state: str
    found_at: datetime
    cleared: str


@dataclass(frozen=True, kw_only=True)
class PaperLine:
    """One closed paper of the flagged entry."""

    ref: str
    day: str
    score: int
    correct_count: int
    question_count: int
    duration: str


@dataclass(frozen=True, kw_only=True)
class FlaggedEntry:
    """A flagged entry: its signals with evidence as texts, its papers, its hold."""

    line: FlagLine
    signals: list[tuple[Signal, str]]
    papers: list[PaperLine]
    case: IntegrityCase | None


_BY_ENTRY: Any = (
    select(IntegrityFlag, Entry, Contest.title, IntegrityCase.state)
    .join(Entry, Entry.id == IntegrityFlag.entry_id)
    .join(Contest, Contest.id == Entry.contest_id)
    .outerjoin(
        IntegrityCase,
        and_(IntegrityCase.entry_id == Entry.id, IntegrityCase.state != CaseState.RELEASED),
    )
)


def select_flags(uow: UnitOfWork, organizer: Organizer, query: FlagQuery) -> Select[Any]:  # noqa: ARG001 - required by Table.select
    """The flags of people of the organizer's place that match the filters."""
    found = people_of(_BY_ENTRY, organizer, Entry)
    if query.signal in set(Signal):
        found = found.where(IntegrityFlag.signal == Signal(query.signal))
    if query.state in ("open", "cleared"):
        checked = IntegrityFlag.cleared_at.is_not(None)
        wanted = checked if query.state == "cleared" else ~checked
        found = found.where(IntegrityCase.state.is_(None), wanted)
    elif query.state in set(CaseState):
        found = found.where(IntegrityCase.state == CaseState(query.state))
    return found


def describe_flags(uow: UnitOfWork, rows: Sequence[Any]) -> list[FlagLine]:
    """Flags in words; names are those of the public boards."""
    with serving_found_row(uow.session):
        names = accounts.names_of(uow, [row[1].citizen_id for row in rows])
    return [
        FlagLine(
            ref=flag.ref,
            signal=flag.signal,
            contest=title,
            place=name_place(entry),
            name=names[entry.citizen_id].shown,
            state=_say_state(flag, state),
            found_at=flag.found_at,
            cleared=flag.cleared_reason or "",
        )
        for flag, entry, title, state, *_ in rows
    ]


def _say_state(flag: IntegrityFlag, state: CaseState | None) -> str:
    if state is not None:
        return CaseState(state).value
    return "open" if flag.cleared_at is None else "cleared"


def read_flagged(uow: UnitOfWork, organizer: Organizer, ref: str) -> FlaggedEntry:
    """A flagged entry by one of its flags.

    Raises: NotFound (404) outside the organizer's place.
    """
    found = people_of(_BY_ENTRY, organizer, Entry).where(IntegrityFlag.ref == ref)
    row = uow.session.execute(found).one_or_none()
    if row is None:
        raise NotFound
    (line,) = describe_flags(uow, [row])
    with serving_found_row(uow.session):
        return _read_entry(uow, row[1].id, line)


def tell_waiting(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    """For the first page: entries to check, and holds that wait for this approver's decision."""
    if organizer.has_permission(Permission.HOLD_WRITE):
        count, path = _count_open(uow, organizer), "/integrity?state=open"
        return [Waiting(count=count, said="quiz.integrity.task_open", path=path)]
    if not organizer.has_permission(Permission.HOLD_APPROVE):
        return []
    return [
        Waiting(
            count=_count_cases(uow, organizer, state),
            said=f"quiz.integrity.task_{state.value}",
            path=f"/integrity?state={state.value}",
        )
        for state in (CaseState.APPEALED, CaseState.HELD)
    ]


def _count_open(uow: UnitOfWork, organizer: Organizer) -> int:
    """Number of entries with a flag that nobody has checked."""
    held = exists().where(
        IntegrityCase.entry_id == Entry.id, IntegrityCase.state != CaseState.RELEASED
    )
    flagged = (
        select(func.count(Entry.id.distinct()))
        .join(IntegrityFlag, IntegrityFlag.entry_id == Entry.id)
        .where(IntegrityFlag.cleared_at.is_(None), ~held)
    )
    return uow.session.scalar(people_of(flagged, organizer, Entry)) or 0


def _count_cases(uow: UnitOfWork, organizer: Organizer, state: CaseState) -> int:
    """Number of cases in a state that another organizer opened."""
    waiting = people_of(
        select(IntegrityCase.id)
        .join(Entry, Entry.id == IntegrityCase.entry_id)
        .where(IntegrityCase.state == state, IntegrityCase.holder_id != organizer.id),
        organizer,
        Entry,
    )
    return len(uow.session.scalars(waiting).all())


def _read_entry(uow: UnitOfWork, entry_id: int, line: FlagLine) -> FlaggedEntry:
    flags = uow.session.scalars(
        select(IntegrityFlag).where(IntegrityFlag.entry_id == entry_id).order_by(IntegrityFlag.id)
    )
    papers = uow.session.scalars(
        select(Attempt)
        .where(Attempt.entry_id == entry_id, Attempt.state != AttemptState.OPEN)
        .order_by(Attempt.id.desc())
        .limit(50)
    )
    newest = (
        select(IntegrityCase)
        .where(IntegrityCase.entry_id == entry_id)
        .order_by(IntegrityCase.id.desc())
        .limit(1)
    )
    return FlaggedEntry(
        line=line,
        signals=[(flag.signal, _say_evidence(uow, flag)) for flag in flags],
        papers=[_paper_line(row) for row in papers],
        case=uow.session.scalars(newest).one_or_none(),
    )


def _say_evidence(uow: UnitOfWork, flag: IntegrityFlag) -> str:
    facts = {
        **{name: value for name, value in flag.evidence.items() if not name.endswith("_ms")},
        **{
            f"{name.removesuffix('_ms')}_seconds": say_seconds(value)
            for name, value in flag.evidence.items()
            if name.endswith("_ms")
        },
        "count": flag.evidence.get("paper_count", len(flag.evidence.get("papers", []))),
    }
    return uow.texts.fill_text(f"quiz.signal_evidence.{flag.signal.value}", **facts)


def _paper_line(row: Attempt) -> PaperLine:
    return PaperLine(
        ref=row.ref,
        day=row.started_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"),
        score=row.score or 0,
        correct_count=row.correct_count or 0,
        question_count=len(row.paper),
        duration=say_seconds(row.duration_ms or 0),
    )


def name_place(entry: Entry) -> str:
    """The city and county that an entry counts for, in words."""
    regions = units.load_regions()
    city = regions.find_city(entry.city or "")
    if city is None:
        return "—"
    county = next((one for one in city.counties if one.code == entry.county), None)
    return city.name + (county.name if county is not None else "")
