"""Reading and writing the rows of attempts, entries and decks; what they mean is decided elsewhere.

Locks are taken in one order: citizen, entry, attempt, deck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, insert, select, update

from server.accounts import service as accounts
from server.base.tables import insert_for
from server.base.work import Work
from server.quiz.kinds import AttemptState
from server.quiz.models import Attempt, Bank, Contest, Deck, Entry


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """An attempt's row, and which bank its questions are in."""

    id: int
    ref: str
    contest_id: int
    contest_ref: str
    entry_id: int
    citizen_id: int
    on_day: date
    on_week: str
    try_no: int
    day_limit: int
    started_at: datetime
    deadline_at: datetime
    state: AttemptState
    rules_version: str
    paper: list[dict[str, Any]]
    answers: dict[str, list[int]]
    bank: str
    bank_revision: str
    score: int | None = None
    correct_count: int | None = None
    duration_ms: int | None = None
    closed_at: datetime | None = None
    rank_region: int | None = None
    rank_city: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it yet."""
        return self.state is AttemptState.OPEN


@dataclass(frozen=True, kw_only=True)
class Try:
    """An attempt without its paper."""

    ref: str
    on_day: date
    state: AttemptState
    deadline_at: datetime
    score: int | None


_OWN = (
    Attempt.id,
    Attempt.ref,
    Attempt.contest_id,
    Attempt.entry_id,
    Attempt.citizen_id,
    Attempt.on_day,
    Attempt.on_week,
    Attempt.try_no,
    Attempt.day_limit,
    Attempt.started_at,
    Attempt.deadline_at,
    Attempt.state,
    Attempt.rules_version,
    Attempt.paper,
    Attempt.answers,
    Attempt.score,
    Attempt.correct_count,
    Attempt.duration_ms,
    Attempt.closed_at,
    Attempt.rank_region,
    Attempt.rank_city,
)


def _sheets() -> Select[Any]:
    return (
        select(
            *_OWN,
            Contest.ref.label("contest_ref"),
            Contest.bank,
            Bank.revision.label("bank_revision"),
        )
        .join(Contest, Contest.id == Attempt.contest_id)
        .join(Bank, Bank.slug == Contest.bank)
    )


def _sheet(work: Work, asked: Select[Any], *, lock: bool) -> Sheet | None:
    if lock:
        asked = asked.with_for_update(of=Attempt)
    row = work.session.execute(asked).one_or_none()
    return None if row is None else Sheet(**row._mapping)


def of_citizen(work: Work, ref: str, citizen_id: int, *, lock: bool = False) -> Sheet | None:
    """A citizen's own attempt; another's is not there.

    Locks: the attempt, when asked.
    """
    asked = _sheets().where(Attempt.ref == ref, Attempt.citizen_id == citizen_id)
    return _sheet(work, asked, lock=lock)


def by_id(work: Work, attempt_id: int, *, lock: bool = False) -> Sheet | None:
    """An attempt by its number.

    Locks: the attempt, when asked.
    """
    return _sheet(work, _sheets().where(Attempt.id == attempt_id), lock=lock)


def in_contest(work: Work, contest_id: int, citizen_id: int) -> list[Sheet]:
    """All attempts of a citizen in a contest, the oldest first."""
    asked = _sheets().where(Attempt.contest_id == contest_id, Attempt.citizen_id == citizen_id)
    rows = work.session.execute(asked.order_by(Attempt.started_at, Attempt.id))
    return [Sheet(**row._mapping) for row in rows]


def tries(work: Work, contest_ids: Sequence[int], citizen_id: int) -> dict[int, list[Try]]:
    """A citizen's attempts by contest, without their papers."""
    asked = select(
        Attempt.contest_id,
        Attempt.ref,
        Attempt.on_day,
        Attempt.state,
        Attempt.deadline_at,
        Attempt.score,
    ).where(Attempt.citizen_id == citizen_id, Attempt.contest_id.in_(contest_ids))
    found: dict[int, list[Try]] = {}
    for row in work.session.execute(asked):
        found.setdefault(row.contest_id, []).append(
            Try(
                ref=row.ref,
                on_day=row.on_day,
                state=row.state,
                deadline_at=row.deadline_at,
                score=row.score,
            )
        )
    return found


def of_entry(work: Work, entry_id: int) -> list[Sheet]:
    """All attempts that count for an entry, the oldest first."""
    asked = _sheets().where(Attempt.entry_id == entry_id)
    rows = work.session.execute(asked.order_by(Attempt.started_at, Attempt.id))
    return [Sheet(**row._mapping) for row in rows]


def overdue(work: Work, before: datetime, limit: int) -> list[int]:
    """Open attempts whose deadline lies before an instant, the longest overdue first."""
    asked = select(Attempt.id).where(
        Attempt.state == AttemptState.OPEN, Attempt.deadline_at < before
    )
    return list(work.session.scalars(asked.order_by(Attempt.deadline_at).limit(limit)))


def add(work: Work, sheet: Mapping[str, Any]) -> int:
    """Write a new attempt; its number."""
    made = insert(Attempt).values(**sheet).returning(Attempt.id)
    return int(work.session.execute(made).scalar_one())


def keep_answers(work: Work, attempt_id: int, answers: Mapping[str, list[int]]) -> None:
    """Write the answers of an open attempt."""
    work.session.execute(
        update(Attempt).where(Attempt.id == attempt_id).values(answers=dict(answers))
    )


def keep_paper(work: Work, attempt_id: int, paper: list[dict[str, Any]]) -> None:
    """Write the paper of an open attempt."""
    work.session.execute(update(Attempt).where(Attempt.id == attempt_id).values(paper=paper))


def close(work: Work, attempt_id: int, closed: Mapping[str, Any]) -> bool:
    """Close an attempt unless it is closed already; whether this call did it."""
    done = work.session.execute(closing_statement(attempt_id).values(**closed))
    return int(getattr(done, "rowcount", 0)) == 1


def closing_statement(attempt_id: int) -> Any:
    """The compare-and-set from open to closed."""
    return update(Attempt).where(Attempt.id == attempt_id, Attempt.state == AttemptState.OPEN)


def keep_ranks(work: Work, attempt_id: int, region: int, city: int | None) -> None:
    """Write the ranks that a closed attempt was told."""
    work.session.execute(
        update(Attempt).where(Attempt.id == attempt_id).values(rank_region=region, rank_city=city)
    )


def lock_entry(work: Work, entry_id: int) -> None:
    """Hold an entry until the commit."""
    work.session.execute(select(Entry.id).where(Entry.id == entry_id).with_for_update())


def entry_for(work: Work, contest_id: int, citizen_id: int) -> int:
    """The entry of a citizen in a contest, made at the first paper.

    Locks: the entry.
    """
    place = accounts.place_of(work, citizen_id)
    fresh = insert_for(work.session, Entry).values(
        contest_id=contest_id,
        citizen_id=citizen_id,
        city=place.city,
        county=place.county,
        unit_id=place.unit_id,
        audience=place.audience,
    )
    work.session.execute(fresh.on_conflict_do_nothing())
    asked = select(Entry.id).where(Entry.contest_id == contest_id, Entry.citizen_id == citizen_id)
    return int(work.session.execute(asked.with_for_update()).scalar_one())


def lock_deck(work: Work, contest_id: int, shard: int) -> tuple[int, dict[str, int]]:
    """One shard's deck: its number and how often each question was dealt from it.

    Locks: the deck.
    """
    asked = (
        select(Deck.id, Deck.counts)
        .where(Deck.contest_id == contest_id, Deck.shard == shard)
        .with_for_update()
    )
    found = work.session.execute(asked).one_or_none()
    if found is None:
        fresh = insert_for(work.session, Deck).values(contest_id=contest_id, shard=shard, counts={})
        work.session.execute(fresh.on_conflict_do_nothing())
        found = work.session.execute(asked).one()
    return found[0], dict(found[1])


def keep_deck(work: Work, deck_id: int, counts: Mapping[str, int]) -> None:
    """Write a deck's counters."""
    work.session.execute(update(Deck).where(Deck.id == deck_id).values(counts=dict(counts)))
