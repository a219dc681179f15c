"""A citizen's paper: start, read, answer, open the next question, submit.

Paper, key, clock and score exist only on the server; closing is in closing.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.accounts import service as accounts
from server.base.clock import beijing_day, beijing_week
from server.base.errors import NotFound, Unavailable
from server.base.rate_limits import ANSWER, QUIZ_START, spend_token
from server.base.uow import UnitOfWork
from server.quiz.attempts import attempt_store, closing, devices, first_paper, papers, returning
from server.quiz.attempts.attempt_store import Sheet
from server.quiz.attempts.closing import Ending, Opened, Result
from server.quiz.attempts.papers import Slot
from server.quiz.bank.drawing import Item, Past, PoolTooSmall, draw_paper
from server.quiz.bank.service import LoadedBank, bank_of
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState, Timer
from server.quiz.errors import (
    AnswerFirst,
    AttemptClosed,
    BankTooSmall,
    ContestClosed,
    ContestNotOpen,
    ContestPaused,
    NoAttemptsLeft,
    NoMoreQuestions,
)
from server.quiz.leaderboards.service import LockedEntry
from server.quiz.rules import Part, RuleSet, deadline_of_paper, is_over

SHARDS = 4
Given = Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class AttemptView:
    """A paper as its citizen sees it now; `result` once it is closed."""

    sheet: Sheet
    rules: RuleSet
    slots: Sequence[Slot]
    now: datetime
    result: Result | None = None

    @property
    def remaining_time(self) -> timedelta:
        """The time left."""
        if self.result is not None:
            return timedelta(0)
        return max(timedelta(0), self.sheet.deadline_at - self.now)

    @property
    def shown_slots(self) -> list[Slot]:
        """The visible questions: the opened ones, or all after closing."""
        return [slot for slot in self.slots if self.result or slot.opened_at is not None]

    @property
    def answers(self) -> dict[str, list[str]]:
        """The saved answers in this paper's option keys."""
        kept = self.sheet.answers
        return {
            slot.item.ref: slot.keys_of(kept[slot.item.ref])
            for slot in self.slots
            if slot.item.ref in kept
        }


@dataclass(frozen=True, kw_only=True)
class Started:
    """The paper to answer; `fresh` when this call created it."""

    view: AttemptView
    fresh: bool


def start_paper(
    uow: UnitOfWork, contest_name: str, citizen_id: int, division: str | None = None
) -> Started:
    """Start a paper, or resume the open one.

    Papers from before an erasure count towards the limits, and their questions are not dealt again.
    In a contest with divisions the first paper needs one.

    Raises: NotFound (404), ContestNotOpen, ContestPaused, ContestClosed, NoAttemptsLeft,
    BankTooSmall, DivisionNeeded, DivisionFixed, WarmUpFirst (409), Invalid (422),
    TooManyRequests (429).
    Locks: the citizen, former entries of the same person, the entry, the deck of one shard.
    """
    contest = contests.find_contest(uow, contest_name)
    player = accounts.lock_player(uow, citizen_id)
    past = attempt_store.list_in_contest(uow, contest.id, [citizen_id])
    current = next((sheet for sheet in past if sheet.is_open), None)
    if current is not None and not is_over(uow.now, current.deadline_at):
        return Started(view=view_of(uow, current), fresh=False)
    if current is not None:
        closing.close_overdue(uow, current.id)
    former = accounts.former_ids(uow, citizen_id) if player.may_have_former else []
    if former:
        past = attempt_store.list_in_contest(uow, contest.id, [citizen_id, *former])
    try_no = _free_try(uow, contest, past)
    held = attempt_store.hold_entry(uow, contest.id, citizen_id) if past else None
    division = first_paper.check_division(contest.rules, held, division)
    if not past:
        first_paper.check_warm_up(uow, contest.rules, citizen_id)
    spend_token(uow.dependencies, QUIZ_START, uow.rate_limit_key(citizen_id))
    returning.keep_one_line(uow, contest, citizen_id, former)
    # The entry of a first paper is created with the citizen's present place.
    fresh = (contest.id, citizen_id, player.place, division)
    entry_id = attempt_store.entry_for(uow, *fresh) if held is None else held[0]
    whose = {"contest_id": contest.id, "entry_id": entry_id, "citizen_id": citizen_id}
    bank = bank_of(uow, contest.bank, contest.bank_revision)
    items = _draw_questions(uow, contest, (bank, contest.rules.parts_for(division)), past)
    devices.note_device(uow, citizen_id)
    return Started(view=_begin_paper(uow, contest, whose, (bank, items), try_no), fresh=True)


def _free_try(uow: UnitOfWork, contest: ContestView, past: Sequence[Sheet]) -> int:
    if uow.now < contest.opens_at:
        raise ContestNotOpen
    if contest.paused:
        raise ContestPaused
    if not contest.takes_starts(uow.now):
        raise ContestClosed
    today = beijing_day(uow.now)
    used = [sheet.try_no for sheet in past if sheet.on_day == today]
    limit, total = contest.rules.papers_per_day, contest.rules.papers_total
    if len(used) >= limit or (total is not None and len(past) >= total):
        raise NoAttemptsLeft
    return min(set(range(1, limit + 1)) - set(used))


def _begin_paper(
    uow: UnitOfWork,
    contest: ContestView,
    whose: dict[str, int],
    drawn: tuple[LoadedBank, list[Item]],
    try_no: int,
) -> AttemptView:
    rules, (bank, items) = contest.rules, drawn
    paper = papers.deal_paper(items, uow.seeded_random())
    deadline_at = deadline_of_paper(rules, uow.now)
    slots = papers.slots_of_paper(paper, bank.by_id, rules.timer, uow.now, deadline_at)
    if rules.timer is Timer.ITEM:
        slots[0] = papers.open_item(slots[0], rules, uow.now, deadline_at)
        paper = papers.stored_form(slots)
    day = beijing_day(uow.now)
    row: dict[str, Any] = {
        "ref": uow.new_ref("att"),
        **whose,
        "on_day": day,
        "on_week": beijing_week(day),
        "try_no": try_no,
        "day_limit": rules.papers_per_day,
        "started_at": uow.now,
        "deadline_at": deadline_at,
        "state": AttemptState.OPEN,
        "rules_version": rules.version,
        "paper": paper,
        "answers": {},
    }
    sheet = Sheet(
        id=attempt_store.insert_attempt(uow, row),
        contest_ref=contest.ref,
        bank=contest.bank,
        bank_revision=bank.revision,
        programme_slug=contest.programme_slug,
        season_version=rules.version,
        contest_marking=contest.marking,
        **row,
    )
    return AttemptView(sheet=sheet, rules=rules, slots=slots, now=uow.now)


def _draw_questions(
    uow: UnitOfWork,
    contest: ContestView,
    blueprint: tuple[LoadedBank, Sequence[Part]],
    past: Sequence[Sheet],
) -> list[Item]:
    bank, parts = blueprint
    pools = [(part, bank.pool_for_part(part, contest.left_out)) for part in parts]
    deck_id, counts = attempt_store.lock_deck(uow, contest.id, uow.random.randrange(SHARDS))
    seen = {
        bank.by_id[row["q"]].ref: number for number, sheet in enumerate(past) for row in sheet.paper
    }
    try:
        items = draw_paper(
            pools,
            Past(seen=seen, counts=counts),
            uow.seeded_random(),
            cover_topics=contest.rules.cover_topics,
        )
    except PoolTooSmall:
        raise BankTooSmall from None
    for item in items:
        counts[item.ref] = counts.get(item.ref, 0) + 1
    attempt_store.keep_deck(uow, deck_id, counts)
    return items


def view_of(uow: UnitOfWork, sheet: Sheet, paper: Opened | None = None) -> AttemptView:
    """A paper as its citizen sees it; an overdue one shows its result, but is not written."""
    paper = paper or closing.load_paper(uow, sheet)
    result = None
    if not sheet.is_open:
        result = closing.result_of(uow, sheet, *paper)
    elif is_over(uow.now, sheet.deadline_at):
        result = closing.foretell_result(uow, sheet, paper)
    return AttemptView(
        sheet=sheet, rules=paper.rules, slots=paper.slots, now=uow.now, result=result
    )


def read_paper(uow: UnitOfWork, ref: str, citizen_id: int) -> AttemptView:
    """A citizen's own paper, the same on every device.

    Raises: NotFound (404), also for another citizen's paper.
    """
    return view_of(uow, _require_sheet(attempt_store.find_attempt(uow, ref, citizen_id)))


def save_answers(uow: UnitOfWork, ref: str, citizen_id: int, given: Given) -> None:
    """Save answers of an open paper; questions that are not in `given` keep their saved answers.

    Raises: NotFound (404), AttemptClosed (409), Invalid (422).
    Locks: the attempt.
    """
    sheet = _require_sheet(attempt_store.find_attempt(uow, ref, citizen_id, lock=True))
    _still_open(uow, sheet)
    _, slots = closing.load_paper(uow, sheet)
    answers = papers.merge_answers(slots, sheet.answers, given, uow.now)
    if answers != sheet.answers:
        attempt_store.keep_answers(uow, sheet.id, answers)


def open_next(uow: UnitOfWork, ref: str, citizen_id: int) -> Slot:
    """Open the next question of a paper with a timer per question.

    Raises: NotFound (404), AttemptClosed, AnswerFirst, NoMoreQuestions (409).
    Locks: the attempt.
    """
    sheet = _require_sheet(attempt_store.find_attempt(uow, ref, citizen_id, lock=True))
    _still_open(uow, sheet)
    rules, slots = closing.load_paper(uow, sheet)
    shown = [slot for slot in slots if slot.opened_at is not None]
    if len(shown) == len(slots):
        raise NoMoreQuestions
    last = shown[-1]
    if last.item.ref not in sheet.answers and uow.now < last.deadline_at:
        raise AnswerFirst
    opened = papers.open_item(slots[len(shown)], rules, uow.now, sheet.deadline_at)
    rows = [*shown, opened, *slots[len(shown) + 1 :]]
    attempt_store.keep_paper(uow, sheet.id, papers.stored_form(rows))
    return opened


def submit_paper(uow: UnitOfWork, ref: str, citizen_id: int, given: Given) -> AttemptView:
    """Submit a paper; for a closed paper return its stored result.

    Raises: NotFound (404), Invalid (422), TooManyRequests (429).
    Locks: the entry, the attempt.
    """
    held = attempt_store.locked_with_entry(uow, ref, citizen_id)
    if held is None:
        _require_sheet(attempt_store.find_attempt(uow, ref, citizen_id))
        # The paper exists, but its citizen has just been merged into another.
        raise Unavailable(retry_after_seconds=1)
    sheet, entry_lock = held
    paper = closing.load_paper(uow, sheet)
    if sheet.is_open:
        spend_token(uow.dependencies, ANSWER, uow.rate_limit_key(citizen_id))
        sheet = _hand_in(uow, sheet, paper, entry_lock, given)
    return view_of(uow, sheet, paper)


def _hand_in(
    uow: UnitOfWork, sheet: Sheet, paper: Opened, entry_lock: LockedEntry, given: Given
) -> Sheet:
    if is_over(uow.now, sheet.deadline_at):
        return closing.expire_paper(uow, sheet, paper, entry_lock)
    answered = sheet._replace(
        answers=papers.merge_answers(paper.slots, sheet.answers, given, uow.now)
    )
    return closing.close_paper(
        uow, answered, paper, entry_lock, Ending(AttemptState.SUBMITTED, uow.now)
    )


def _require_sheet(sheet: Sheet | None) -> Sheet:
    if sheet is None:
        raise NotFound
    return sheet


def _still_open(uow: UnitOfWork, sheet: Sheet) -> None:
    if not sheet.is_open or is_over(uow.now, sheet.deadline_at):
        raise AttemptClosed
