"""Effects on the contest when a citizen moves, is erased, or is merged.

Standings do not change; only place and name under which they are shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select, update

from server.accounts import service as accounts
from server.base.personal_data import Erase, Personal
from server.base.uow import UnitOfWork
from server.quiz.attempts import returning
from server.quiz.contests import service as contests
from server.quiz.enums import AttemptState, CaseState
from server.quiz.leaderboards import board_view, standings_queries
from server.quiz.leaderboards import service as boards
from server.quiz.leaderboards.board_keys import CountedPlace
from server.quiz.leaderboards.standings_queries import Moved, Stand
from server.quiz.models import Attempt, Contest, Entry, IntegrityCase, Question, Standing


@dataclass(frozen=True)
class _Try:
    """One paper, for the limit per day."""

    id: int
    on_day: date
    try_no: int
    day_limit: int
    open: bool


def relocate_entries(uow: UnitOfWork, citizen_id: int) -> None:
    """Move a citizen's entries of running contests to the new place, with all their standings.

    Locks: the entries.
    """
    board_view.names_changed(uow)
    there = accounts.place_of(uow, citizen_id)
    moved_to = CountedPlace(there.city, there.county, there.unit_id, there.audience)
    entries = uow.session.execute(
        select(Entry.id, Entry.contest_id, Entry.left_scopes, *standings_queries.place_columns())
        .join(Contest, Contest.id == Entry.contest_id)
        .where(
            Entry.citizen_id == citizen_id,
            Entry.merged_at.is_(None),
            Contest.closes_at > uow.now,
        )
        .order_by(Entry.id)
        .with_for_update(of=Entry)
    ).all()
    for entry_id, contest_id, left_scopes, *columns in entries:
        before = CountedPlace(*columns)
        # The division was chosen for the contest, and does not move with the citizen.
        place = replace(moved_to, division=before.division)
        if before != place:
            left = sorted({*left_scopes, *before.scopes} - set(place.scopes))
            relocate_entry(uow, (contest_id, entry_id), place, left)


def relocate_entry(
    uow: UnitOfWork, where: tuple[int, int], place: CountedPlace, left: list[str]
) -> None:
    """Move an entry to another place, with its standings on every board; `left` are boards it left.

    `where` is the row id of the contest, and of the entry, which the caller has locked.
    """
    contest_id, entry_id = where
    uow.session.execute(
        update(Entry)
        .where(Entry.id == entry_id)
        .values(
            city=place.city,
            county=place.county,
            unit_id=place.unit_id,
            audience=place.audience,
            left_scopes=left,
        )
    )
    renewed = (
        update(Standing)
        .where(Standing.entry_id == entry_id)
        .values(version=Standing.version + 1, changed_at=uow.now)
        .returning(Standing.period, *standings_queries.STAND_COLUMNS)
    )
    rows = uow.session.execute(renewed).all()
    moves = [Moved(row[0], Stand(*row[1:]), place, left, uow.now) for row in rows]
    boards.bring_after_commit(uow, contest_id, moves)


def erase_entries(uow: UnitOfWork, citizen_id: int) -> None:
    """Detach entries from the person; papers and ranks remain anonymous."""
    board_view.names_changed(uow)
    uow.session.execute(
        update(Entry)
        .where(Entry.citizen_id == citizen_id, Entry.erased_at.is_(None))
        .values(erased_at=uow.now)
    )


def tell_entries(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's entries in contests, with the place they count for."""
    entries = uow.session.execute(
        select(Contest.title, *standings_queries.place_columns())
        .join(Contest, Contest.id == Entry.contest_id)
        .where(Entry.citizen_id == citizen_id)
        .order_by(Entry.id)
    )
    return [
        {
            "contest": row.title,
            "city": row.city,
            "county": row.county,
            "audience": row.audience,
            "division": row.division,
        }
        for row in entries
    ]


def tell_papers(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's papers with their answers."""
    papers = uow.session.execute(
        select(Attempt, Contest.title)
        .join(Contest, Contest.id == Attempt.contest_id)
        .where(Attempt.citizen_id == citizen_id)
        .order_by(Attempt.id)
    ).all()
    asked = standings_queries.questions_by_id(
        uow, {slot["q"] for paper, _ in papers for slot in paper.paper}
    )
    return [
        {**_paper_fields(paper), "contest": title, "answers": _answers_as_text(paper, asked)}
        for paper, title in papers
    ]


def _paper_fields(paper: Attempt) -> dict[str, object]:
    return {
        "id": paper.ref,
        "state": paper.state.value,
        "started_at": paper.started_at,
        "closed_at": paper.closed_at,
        "score": paper.score,
        "duration_ms": paper.duration_ms,
    }


def _answers_as_text(paper: Attempt, asked: dict[int, Question]) -> list[dict[str, object]]:
    """The given answers as text; the right ones are left out."""
    seen = [asked[slot["q"]] for slot in paper.paper]
    return [
        {
            "question_id": question.ref,
            "stem": question.stem,
            "chosen": [question.options[at] for at in paper.answers[question.ref]],
        }
        for question in seen
        if question.ref in paper.answers
    ]


def merge_entries(uow: UnitOfWork, keep: int, gone: int) -> None:
    """Move the entries of one citizen to another one that is the same person.

    In a contest where both took part, papers within each day's limit are moved, in the order of
    their start; the others are kept but do not count.
    Locks: the entries of both.
    """
    entries = uow.session.execute(
        select(Entry.id, Entry.contest_id, Entry.citizen_id)
        .where(Entry.citizen_id.in_((keep, gone)), Entry.merged_at.is_(None))
        .order_by(Entry.id)
        .with_for_update()
    ).all()
    kept = {contest: entry for entry, contest, citizen in entries if citizen == keep}
    for entry_id, contest_id, citizen_id in entries:
        if citizen_id == keep:
            continue
        if contest_id in kept:
            _merge_papers(uow, (keep, gone), kept[contest_id], entry_id)
        else:
            _hand_over(uow, keep, entry_id)
    relocate_entries(uow, keep)


def _hand_over(uow: UnitOfWork, keep: int, entry_id: int) -> None:
    uow.session.execute(update(Entry).where(Entry.id == entry_id).values(citizen_id=keep))
    uow.session.execute(update(Attempt).where(Attempt.entry_id == entry_id).values(citizen_id=keep))


def _merge_papers(
    uow: UnitOfWork, citizens: tuple[int, int], kept_entry: int, gone_entry: int
) -> None:
    keep, gone = citizens
    _carry_hold(uow, kept_entry, gone_entry)
    entry_lock = boards.lock_entry(uow, kept_entry)
    rules = contests.contest_by_id(uow, entry_lock.contest_id).rules
    # Papers from before an erasure count too, as at every start. Both citizens' identities still
    # have their own rows, because they are merged after this.
    erased = {*accounts.former_ids(uow, keep), *accounts.former_ids(uow, gone)}
    former = returning.former_entries(uow, entry_lock.contest_id, sorted(erased))
    kept = _tries_of_entries(uow, [kept_entry, *former])
    for attempt_id, try_no in _select_fitting(
        kept, _tries_of_entries(uow, [gone_entry]), rules.papers_total
    ):
        uow.session.execute(
            update(Attempt)
            .where(Attempt.id == attempt_id)
            .values(citizen_id=keep, entry_id=kept_entry, try_no=try_no)
        )
    boards.take_off(uow, gone_entry)
    played = boards.closed_papers(uow, kept_entry)
    periods = {period for one in played for period in one.periods}
    boards.recount_standings(uow, entry_lock, played, rules, periods)


def _carry_hold(uow: UnitOfWork, kept_entry: int, gone_entry: int) -> None:
    """Hold the survivor's entry if the merged one was held, so that a merge ends no hold."""
    held = select(Entry.id).where(
        Entry.id.in_((kept_entry, gone_entry)), Entry.held_at.is_not(None)
    )
    entries = set(uow.session.scalars(held))
    if entries == {gone_entry}:
        boards.hold_entry(uow, kept_entry)
        moved = update(IntegrityCase).where(
            IntegrityCase.entry_id == gone_entry, IntegrityCase.state != CaseState.RELEASED
        )
        uow.session.execute(moved.values(entry_id=kept_entry))


def _tries_of_entries(uow: UnitOfWork, entry_ids: Sequence[int]) -> list[_Try]:
    asked = (
        select(Attempt.id, Attempt.on_day, Attempt.try_no, Attempt.day_limit, Attempt.state)
        .where(Attempt.entry_id.in_(entry_ids))
        .order_by(Attempt.started_at, Attempt.id)
    )
    return [
        _Try(row.id, row.on_day, row.try_no, row.day_limit, row.state is AttemptState.OPEN)
        for row in uow.session.execute(asked)
    ]


def _select_fitting(
    kept: list[_Try], coming: list[_Try], total: int | None
) -> list[tuple[int, int]]:
    """The papers that may be moved, each with its number on its day.

    `total` is the limit of papers of one person in the whole contest, None without one.
    """
    taken: dict[date, list[int]] = defaultdict(list)
    for one in kept:
        taken[one.on_day].append(one.try_no)
    has_open = any(one.open for one in kept)
    fitting: list[tuple[int, int]] = []
    for one in coming:
        if total is not None and len(kept) + len(fitting) >= total:
            break
        tries = taken[one.on_day]
        free = set(range(1, one.day_limit + 1)) - set(tries)
        if len(tries) < one.day_limit and free and not (one.open and has_open):
            fitting.append((one.id, min(free)))
            tries.append(min(free))
    return fitting


def counted_until(uow: UnitOfWork, citizen_id: int) -> datetime | None:
    """The instant at which the last contest of this citizen closes its last paper."""
    entered = set(
        uow.session.scalars(select(Entry.contest_id).where(Entry.citizen_id == citizen_id))
    )
    ends = [contests.last_deadline(c) for c in contests.unfinished_contests(uow) if c.id in entered]
    return max(ends, default=None)


_ANONYMOUS = "boards and statistics keep counting the anonymous rows"
PERSONAL = (
    Personal(
        Standing,
        "entry_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because=_ANONYMOUS,
        untold_because="worked out from the papers, which are told",
    ),
    Personal(
        Attempt,
        "entry_id",
        also=("citizen_id",),
        erase=Erase.KEEP_ANONYMOUS,
        kept_because=_ANONYMOUS,
        export={"contest_papers": tell_papers},
    ),
    Personal(
        Entry,
        "citizen_id",
        lock_first=True,
        erase=erase_entries,
        merge=merge_entries,
        export={"contest_entries": tell_entries},
    ),
)
