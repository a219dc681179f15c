"""A citizen at a paper: start, read again, answer, open the next item, hand in.

The server owns the paper, the key, the clock and the score; closing is in closing.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from server.accounts import service as accounts
from server.base.clock import beijing_day, beijing_week
from server.base.errors import NotFound, Unavailable
from server.base.pace import ANSWER, QUIZ_START, spend
from server.base.work import Work
from server.quiz import boards, closing, contests, papers, returning, sheets
from server.quiz.bank import Bank, bank_of
from server.quiz.boards import Counted
from server.quiz.closing import Result
from server.quiz.contests import ContestView
from server.quiz.drawing import Item, Past, PoolTooSmall, draw
from server.quiz.errors import (
    AnswerFirst,
    AttemptClosed,
    BankTooSmall,
    ContestClosed,
    ContestNotOpen,
    NoAttemptsLeft,
    NoMoreQuestions,
)
from server.quiz.kinds import AttemptState, Timer
from server.quiz.papers import Slot
from server.quiz.rules import RuleSet, deadline, is_over
from server.quiz.sheets import Sheet

SHARDS = 4
Given = Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class AttemptView:
    """A paper as its citizen sees it at this moment; `result` once it is over."""

    sheet: Sheet
    rules: RuleSet
    slots: Sequence[Slot]
    now: datetime
    result: Result | None = None

    @property
    def remaining(self) -> timedelta:
        """The time that is left."""
        if self.result is not None:
            return timedelta(0)
        return max(timedelta(0), self.sheet.deadline_at - self.now)

    @property
    def shown(self) -> list[Slot]:
        """The questions on the screen: those opened, or all of them after the end."""
        return [slot for slot in self.slots if self.result or slot.opened_at is not None]

    @property
    def answers(self) -> dict[str, list[str]]:
        """The kept answers in this paper's keys."""
        kept = self.sheet.answers
        return {
            slot.item.ref: slot.keys_of(kept[slot.item.ref])
            for slot in self.slots
            if slot.item.ref in kept
        }


@dataclass(frozen=True, kw_only=True)
class Started:
    """The paper to answer; `fresh` when this call began it."""

    view: AttemptView
    fresh: bool


def start(work: Work, contest_name: str, citizen_id: int) -> Started:
    """Begin a paper, or go on with the one that is open.

    Papers of before an erasure count towards the limits and are not dealt again.

    Raises: NotFound (404), ContestNotOpen, ContestClosed, NoAttemptsLeft, BankTooSmall (409),
    TooManyRequests (429).
    Locks: the citizen, former entries of the same person, the entry, the deck of one shard.
    """
    contest = contests.contest(work, contest_name)
    accounts.lock_citizen(work, citizen_id)
    past = sheets.in_contest(work, contest.id, [citizen_id])
    current = next((sheet for sheet in past if sheet.is_open), None)
    if current is not None and not is_over(work.now, current.deadline_at):
        return Started(view=view_of(work, current), fresh=False)
    if current is not None:
        closing.close_overdue(work, current.id)
    former = accounts.former_ids(work, citizen_id)
    if former:
        past = sheets.in_contest(work, contest.id, [citizen_id, *former])
    try_no = _free_try(work, contest, past)
    spend(work.tools, QUIZ_START, work.person(citizen_id))
    returning.keep_one_line(work, contest, citizen_id, former)
    return Started(view=_begin(work, contest, citizen_id, past, try_no), fresh=True)


def _free_try(work: Work, contest: ContestView, past: Sequence[Sheet]) -> int:
    if work.now < contest.opens_at:
        raise ContestNotOpen
    if not contest.takes_starts(work.now):
        raise ContestClosed
    today = beijing_day(work.now)
    used = [sheet.try_no for sheet in past if sheet.on_day == today]
    limit, total = contest.rules.papers_per_day, contest.rules.papers_total
    if len(used) >= limit or (total is not None and len(past) >= total):
        raise NoAttemptsLeft
    return min(set(range(1, limit + 1)) - set(used))


def _begin(
    work: Work, contest: ContestView, citizen_id: int, past: Sequence[Sheet], try_no: int
) -> AttemptView:
    rules = contest.rules
    entry_id = sheets.entry_for(work, contest.id, citizen_id)
    bank = bank_of(work, contest.bank)
    paper = papers.deal(_draw(work, contest, bank, past), work.random)
    deadline_at = deadline(rules, work.now)
    slots = papers.slots(paper, bank.by_id, rules.timer, work.now, deadline_at)
    if rules.timer is Timer.ITEM:
        slots[0] = papers.open_item(slots[0], rules, work.now, deadline_at)
        paper = papers.stored(slots)
    day = beijing_day(work.now)
    row: dict[str, Any] = {
        "ref": work.new_ref("att"),
        "contest_id": contest.id,
        "entry_id": entry_id,
        "citizen_id": citizen_id,
        "on_day": day,
        "on_week": beijing_week(day),
        "try_no": try_no,
        "day_limit": rules.papers_per_day,
        "started_at": work.now,
        "deadline_at": deadline_at,
        "state": AttemptState.OPEN,
        "rules_version": rules.version,
        "paper": paper,
        "answers": {},
    }
    sheet = Sheet(
        id=sheets.add(work, row),
        contest_ref=contest.ref,
        bank=contest.bank,
        bank_revision=bank.revision,
        season_version=rules.version,
        **row,
    )
    return AttemptView(sheet=sheet, rules=rules, slots=slots, now=work.now)


def _draw(work: Work, contest: ContestView, bank: Bank, past: Sequence[Sheet]) -> list[Item]:
    deck_id, counts = sheets.lock_deck(work, contest.id, work.random.randrange(SHARDS))
    seen = {
        bank.by_id[row["q"]].ref: number for number, sheet in enumerate(past) for row in sheet.paper
    }
    pools = [(part, bank.pool(part, contest.left_out)) for part in contest.rules.parts]
    try:
        items = draw(
            pools,
            Past(seen=seen, counts=counts),
            work.random,
            cover_topics=contest.rules.cover_topics,
        )
    except PoolTooSmall:
        raise BankTooSmall from None
    for item in items:
        counts[item.ref] = counts.get(item.ref, 0) + 1
    sheets.keep_deck(work, deck_id, counts)
    return items


def view_of(work: Work, sheet: Sheet) -> AttemptView:
    """A paper as its citizen sees it; past its time the closed result is told, not written."""
    rules, slots = closing.opened(work, sheet)
    made = AttemptView(sheet=sheet, rules=rules, slots=slots, now=work.now)
    if not sheet.is_open:
        return replace(made, result=closing.result_of(work, sheet, rules, slots))
    if is_over(work.now, sheet.deadline_at):
        return replace(made, result=closing.foretold(work, sheet))
    return made


def read(work: Work, ref: str, citizen_id: int) -> AttemptView:
    """A citizen's own paper, the same on every device.

    Raises: NotFound (404), also for another citizen's paper.
    """
    return view_of(work, _own(sheets.of_citizen(work, ref, citizen_id)))


def save_answers(work: Work, ref: str, citizen_id: int, given: Given) -> None:
    """Keep answers of an open paper; those not named stay as they are.

    Raises: NotFound (404), AttemptClosed (409), Invalid (422).
    Locks: the attempt.
    """
    sheet = _own(sheets.of_citizen(work, ref, citizen_id, lock=True))
    _still_open(work, sheet)
    _, slots = closing.opened(work, sheet)
    answers = papers.merged(slots, sheet.answers, given, work.now)
    if answers != sheet.answers:
        sheets.keep_answers(work, sheet.id, answers)


def open_next(work: Work, ref: str, citizen_id: int) -> Slot:
    """Put the next item of a paper with a timer for each item on the screen.

    Raises: NotFound (404), AttemptClosed, AnswerFirst, NoMoreQuestions (409).
    Locks: the attempt.
    """
    sheet = _own(sheets.of_citizen(work, ref, citizen_id, lock=True))
    _still_open(work, sheet)
    rules, slots = closing.opened(work, sheet)
    shown = [slot for slot in slots if slot.opened_at is not None]
    if len(shown) == len(slots):
        raise NoMoreQuestions
    last = shown[-1]
    if last.item.ref not in sheet.answers and work.now < last.deadline_at:
        raise AnswerFirst
    opened = papers.open_item(slots[len(shown)], rules, work.now, sheet.deadline_at)
    rows = [*shown, opened, *slots[len(shown) + 1 :]]
    sheets.keep_paper(work, sheet.id, papers.stored(rows))
    return opened


def submit(work: Work, ref: str, citizen_id: int, given: Given) -> AttemptView:
    """Hand a paper in; once it is closed, however it came to that, the same result is told again.

    Raises: NotFound (404), Invalid (422), TooManyRequests (429).
    Locks: the entry, the attempt.
    """
    counted = boards.locked_of_paper(work, ref, citizen_id)
    sheet = _own(sheets.of_citizen(work, ref, citizen_id, lock=True))
    if counted is None or sheet.entry_id != counted.entry_id:
        raise Unavailable(retry_after_seconds=1)
    if sheet.is_open:
        spend(work.tools, ANSWER, work.person(citizen_id))
        sheet = _hand_in(work, sheet, counted, given)
    return view_of(work, sheet)


def _hand_in(work: Work, sheet: Sheet, counted: Counted, given: Given) -> Sheet:
    if is_over(work.now, sheet.deadline_at):
        return closing.expire(work, sheet, counted)
    _, slots = closing.opened(work, sheet)
    answered = replace(sheet, answers=papers.merged(slots, sheet.answers, given, work.now))
    return closing.close(work, answered, counted, AttemptState.SUBMITTED, work.now)


def _own(sheet: Sheet | None) -> Sheet:
    if sheet is None:
        raise NotFound
    return sheet


def _still_open(work: Work, sheet: Sheet) -> None:
    if not sheet.is_open or is_over(work.now, sheet.deadline_at):
        raise AttemptClosed
