"""The people in contests, for organizers: their ranks, and the reasons for missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, literal, or_, select, true

from server.accounts import service as accounts
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import people_of, serving_found_row
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.console.tables import ListQuery
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState, CaseState
from server.quiz.integrity.desk import name_place
from server.quiz.integrity.rank_reasons import EntryFacts, RankReason, explain_rank
from server.quiz.leaderboards import board_keys as keys
from server.quiz.leaderboards import rank_order
from server.quiz.leaderboards import standings_queries as standings
from server.quiz.models import Attempt, Contest, Entry, IntegrityCase, IntegrityFlag, Standing
from server.quiz.rules import RuleSet
from server.quiz.sealing import ranking
from server.units import service as units

_CONTESTS = 100
_STATES = ("ranked", "held", "unranked")
_LIVE = (keys.TOTAL, keys.HIDDEN + keys.TOTAL)


class EntrantQuery(ListQuery, frozen=True, kw_only=True):
    """Filters: an exact nickname or a paper number, the contest, whether there is a rank."""

    q: str | None = None
    contest: str | None = None
    state: str | None = None


@dataclass(frozen=True, kw_only=True)
class EntrantLine:
    """One entry; `ref` is its first paper's, `state` one of ranked, held, unranked."""

    ref: str
    name: str
    contest: str
    place: str
    division: str
    papers: int
    state: str
    played_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class BoardRank:
    """A rank on one board, and the number of entries on it."""

    kind: str
    place: str
    rank: int
    of: int


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """One entry with its live ranks, the reasons for missing ones, and its flag, if it has one."""

    line: EntrantLine
    contest: ContestView
    ranks: list[BoardRank]
    reasons: list[RankReason]
    flag_ref: str | None


_CLOSED = Attempt.state != AttemptState.OPEN
_FIRST_REF = (
    select(Attempt.ref)
    .where(Attempt.entry_id == Entry.id)
    .order_by(Attempt.id)
    .limit(1)
    .scalar_subquery()
)
_CLOSED_COUNT = select(func.count()).where(Attempt.entry_id == Entry.id, _CLOSED).scalar_subquery()
_LAST_CLOSED = (
    select(func.max(Attempt.closed_at))
    .where(Attempt.entry_id == Entry.id, _CLOSED)
    .scalar_subquery()
)
_HAS_STANDING = exists().where(Standing.entry_id == Entry.id, Standing.period.in_(_LIVE))
_ENTRANTS: Any = select(
    Entry,
    Contest.title,
    _FIRST_REF.label("ref"),
    _CLOSED_COUNT.label("papers"),
    _LAST_CLOSED.label("played_at"),
    _HAS_STANDING.label("standing"),
).join(Contest, Contest.id == Entry.contest_id)


def select_entrants(uow: UnitOfWork, organizer: Organizer, query: EntrantQuery) -> Select[Any]:
    """The entries of people of the organizer's place that match the filters."""
    found = people_of(_ENTRANTS, organizer, Entry)
    if query.contest:
        found = found.where(Contest.ref == query.contest)
    if query.q:
        found = found.where(_is_told(uow.texts, query.q.strip()))
    if query.state == "held":
        found = found.where(Entry.held_at.is_not(None))
    elif query.state in _STATES:
        on_board = _HAS_STANDING & Entry.held_at.is_(None)
        found = found.where(on_board if query.state == "ranked" else ~on_board)
    return found


def describe_entrants(uow: UnitOfWork, rows: Sequence[Any]) -> list[EntrantLine]:
    """Entries in words; names are those of the public boards."""
    with serving_found_row(uow.session):
        names = accounts.names_of(uow, [row[0].citizen_id for row in rows])
        grouped = {row[0].contest_id for row in rows if row[0].division is not None}
        rules = {one: contests.contest_by_id(uow, one).rules for one in grouped}
    return [
        EntrantLine(
            ref=ref or "",
            name=names[entry.citizen_id].shown,
            contest=title,
            place=name_place(entry),
            division=_name_division(rules.get(entry.contest_id), entry.division),
            papers=papers,
            state=_state_of(entry, standing),
            played_at=played_at,
        )
        for entry, title, ref, papers, played_at, standing, *_ in rows
    ]


def have_divisions(uow: UnitOfWork, organizer: Organizer, query: EntrantQuery) -> bool:
    """Whether an entry that matches the filters is in a division."""
    found = select_entrants(uow, organizer, query).where(Entry.division.is_not(None))
    return uow.session.execute(found.limit(1)).first() is not None


def list_contests(uow: UnitOfWork, _organizer: Organizer) -> list[tuple[str, str]]:
    """The contests that citizens have seen, the newest first, for the filter."""
    with serving_found_row(uow.session):
        return _published_contests(uow)


def read_entrant(uow: UnitOfWork, organizer: Organizer, paper_ref: str) -> Entrant:
    """The entry that a paper belongs to.

    Raises: NotFound (404) outside the organizer's place.
    """
    found = people_of(_ENTRANTS, organizer, Entry)
    row = uow.session.execute(found.where(Entry.id.in_(_entry_of_paper(paper_ref)))).one_or_none()
    if row is None:
        raise NotFound
    (line,) = describe_entrants(uow, [row])
    with serving_found_row(uow.session):
        return _describe_entry(uow, row[0], line)


def _name_division(rules: RuleSet | None, key: str | None) -> str:
    found = None if rules is None else rules.division_named(key)
    return "" if found is None else found.title


def _is_told(texts: Texts, told: str) -> ColumnElement[bool]:
    """Whether an entry has this paper, or belongs to somebody who is shown by this name."""
    return or_(
        Entry.citizen_id.in_(accounts.ids_by_nickname(told)),
        Entry.id.in_(_entry_of_paper(told)),
        Entry.citizen_id.in_(accounts.ids_by_shown_number(texts, told)),
    )


def _entry_of_paper(paper_ref: str) -> Select[Any]:
    return select(Attempt.entry_id).where(Attempt.ref == paper_ref)


def _published_contests(uow: UnitOfWork) -> list[tuple[str, str]]:
    wanted = select(Contest.ref, Contest.title).where(Contest.published_at.is_not(None))
    rows = uow.session.execute(wanted.order_by(Contest.id.desc()).limit(_CONTESTS))
    return [(ref, title) for ref, title in rows]


def _describe_entry(uow: UnitOfWork, entry: Entry, line: EntrantLine) -> Entrant:
    contest = contests.contest_by_id(uow, entry.contest_id)
    ranks = [] if line.state == "held" else _live_ranks(uow, entry, line.division)
    region = next((one.rank for one in ranks if one.kind == keys.REGION), None)
    flag = select(IntegrityFlag.ref).where(IntegrityFlag.entry_id == entry.id)
    open_paper = exists().where(Attempt.entry_id == entry.id, Attempt.state == AttemptState.OPEN)
    frozen = contest.freezes_at if contest.is_frozen_at(uow.now) else None
    facts = EntryFacts(
        erased=entry.erased_at is not None,
        merged=entry.merged_at is not None,
        held=entry.held_at is not None,
        upheld=_is_upheld(uow, entry.id),
        closed_papers=line.papers,
        open_paper=bool(uow.session.scalar(select(open_paper))),
        city=entry.city,
        county=entry.county,
        unit_id=entry.unit_id,
        shown=standings.stand_of(uow, entry.id, keys.TOTAL, keys.REGION) is not None,
        frozen_at=frozen,
        last_closed_at=line.played_at,
        region_rank=region,
    )
    return Entrant(
        line=line,
        contest=contest,
        ranks=ranks,
        reasons=explain_rank(facts),
        flag_ref=uow.session.scalar(flag.order_by(IntegrityFlag.id).limit(1)),
    )


def _is_upheld(uow: UnitOfWork, entry_id: int) -> bool:
    upheld = exists().where(
        IntegrityCase.entry_id == entry_id, IntegrityCase.state == CaseState.UPHELD
    )
    return bool(uow.session.scalar(select(upheld)))


def _live_ranks(uow: UnitOfWork, entry: Entry, division: str) -> list[BoardRank]:
    """The ranks of the present totals, those hidden by a freeze included.

    `division` is the title of the entry's division.
    """
    stands = ranking.select_live_stands(entry.contest_id).subquery()
    mine = uow.session.execute(select(stands).where(stands.c.entry_id == entry.id)).one_or_none()
    if mine is None:
        return []
    own = {name: literal(value) for name, value in mine._mapping.items()}
    ahead = func.sum(case((rank_order.is_better(stands.c, own), 1), else_=0))
    counted = select(func.count(), ahead).join(Entry, Entry.id == stands.c.entry_id)
    places: list[tuple[str, ColumnElement[bool]]] = [(keys.REGION, true())]
    if entry.city is not None:
        places.append((f"city:{entry.city}", Entry.city == entry.city))
    if entry.county is not None:
        places.append((f"county:{entry.county}", Entry.county == entry.county))
    if entry.unit_id is not None:
        places.append((f"unit:{entry.unit_id}", Entry.unit_id == entry.unit_id))
    if entry.division is not None:
        places.append((f"division:{entry.division}", Entry.division == entry.division))
    found = []
    for scope, inside in places:
        size, better = uow.session.execute(counted.where(inside)).one()
        kind = scope.partition(":")[0]
        name = division if kind == "division" else units.resolve_scope(uow, scope)[1]
        found.append(BoardRank(kind=kind, place=name, rank=int(better) + 1, of=size))
    return found


def _state_of(entry: Entry, standing: bool) -> str:
    if entry.held_at is not None:
        return "held"
    return "ranked" if standing else "unranked"
