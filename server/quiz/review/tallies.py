"""Counts closed papers into the statistics of their questions, each paper once.

A paper's `tally` says whether it is counted, and changes in the transaction that counts it; the
papers of a held entry are taken out again. So a run that is repeated or interrupted counts nothing
twice. Practice is not counted: its answers come after explanations and repetitions. A paper without
any answer is not counted either, because it says nothing about a question.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text, update

from server.base.jobs import Task, TaskContext
from server.base.sql.locks import lock_name
from server.base.sql.tables import Base, insert_for
from server.base.uow import UnitOfWork
from server.quiz.bank.service import bank_of
from server.quiz.enums import Tally
from server.quiz.models import Attempt, Bank, Contest, Entry, ItemTally, OptionTally
from server.quiz.models.attempts import TALLY_DUE
from server.quiz.review.figures import refresh_figures
from server.quiz.review.item_rules import is_strong
from server.quiz.rules import is_right

BATCH = 500
# Limits a run, so that a worker can be stopped between runs.
_BATCHES = 40
_ITEM = (
    "dealt", "omitted", "correct", "strong", "rest_sum", "rest_squares", "rest_right", "time_ms",
)  # fmt: skip
_OPTION = ("chosen", "strong", "rest_sum")
# Numbers to add to the rows of the two tables, by key and column.
Key = tuple[int, ...]


@dataclass(kw_only=True)
class _Sums:
    """Differences to add to the counts."""

    items: dict[Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    options: dict[Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def count_items(context: TaskContext, *_ids: int) -> int:
    """Count the papers that are due, in batches; return how many."""
    total = 0
    for _ in range(_BATCHES):
        with context.uow_factory.begin(read_only=True) as uow:
            if uow.session.scalar(select(Attempt.id).where(text(TALLY_DUE)).limit(1)) is None:
                break
        with context.uow_factory.begin() as uow:
            counted = count_batch(uow)
        total += counted
        if counted < BATCH:
            break
    return total


def count_batch(uow: UnitOfWork) -> int:
    """Count the oldest papers that are due; return how many.

    Locks: the name of the counts, the papers.
    """
    lock_name(uow, "quiz", "item_tally")
    papers = _due_papers(uow)
    sums, become = _Sums(), defaultdict(list)
    for paper in papers:
        then = _next_tally(paper)
        become[then].append(paper.id)
        if then is Tally.COUNTED:
            _add_paper(uow, sums, paper, 1)
        elif paper.tally == Tally.TO_REMOVE:
            _add_paper(uow, sums, paper, -1)
    for then, ids in become.items():
        uow.session.execute(update(Attempt).where(Attempt.id.in_(ids)).values(tally=int(then)))
    _add_counts(uow, ItemTally, _ITEM, sums.items)
    _add_counts(uow, OptionTally, _OPTION, sums.options)
    refresh_figures(uow, {key[0] for key in sums.items})
    return len(papers)


def _due_papers(uow: UnitOfWork) -> Sequence[Row[Any]]:
    due = (
        select(
            Attempt.id, Attempt.contest_id, Attempt.paper, Attempt.answers, Attempt.duration_ms,
            Attempt.closed_at, Attempt.tally, Entry.held_at, Contest.bank, Bank.revision,
        )
        .join(Entry, Entry.id == Attempt.entry_id)
        .join(Contest, Contest.id == Attempt.contest_id)
        .join(Bank, Bank.slug == Contest.bank)
        # Spelled as in the index, so that only due papers are read.
        .where(Attempt.id.in_(select(Attempt.id).where(text(TALLY_DUE)).limit(BATCH)))
        .order_by(Attempt.id)
        .with_for_update(of=Attempt, skip_locked=True)
    )  # fmt: skip
    return uow.session.execute(due).all()


def _next_tally(paper: Row[Any]) -> Tally:
    if paper.tally == Tally.TO_REMOVE or paper.held_at is not None or not paper.answers:
        return Tally.LEFT_OUT
    return Tally.COUNTED


def _add_paper(uow: UnitOfWork, sums: _Sums, paper: Row[Any], sign: int) -> None:
    """Add a paper's questions to the differences, or subtract them."""
    by_id = bank_of(uow, paper.bank, paper.revision).by_id
    timed = any("opened_at" in row for row in paper.paper)
    # A question with its own timer that was never opened was not dealt.
    rows = [row for row in paper.paper if not timed or "opened_at" in row]
    items = [by_id[row["q"]] for row in rows]
    right = [is_right(item.answer, paper.answers.get(item.ref, ())) for item in items]
    times = _times_of(paper, rows, timed=timed)
    for item, is_correct, time_ms in zip(items, right, times, strict=True):
        chosen, rest = paper.answers.get(item.ref, ()), sum(right) - is_correct
        key = (item.id, paper.contest_id, len(rows))
        strong = is_strong(rest, len(rows))
        counts = {
            "dealt": 1, "omitted": not chosen, "correct": is_correct, "strong": strong,
            "rest_sum": rest, "rest_squares": rest * rest, "rest_right": rest * is_correct,
            "time_ms": time_ms,
        }  # fmt: skip
        _add_to(sums.items[key], counts, sign)
        for option in chosen:
            facts = {"chosen": 1, "strong": strong, "rest_sum": rest}
            _add_to(sums.options[*key, option], facts, sign)


def _add_to(counter: Counter[str], counts: Mapping[str, int], sign: int) -> None:
    for name, number in counts.items():
        counter[name] += sign * number


def _times_of(paper: Row[Any], rows: Sequence[Mapping[str, Any]], *, timed: bool) -> list[int]:
    """Milliseconds for each question; without question timers, equal shares of the paper's time."""
    if not timed:
        return [(paper.duration_ms or 0) // len(rows)] * len(rows)
    opened = [datetime.fromisoformat(row["opened_at"]) for row in rows]
    ended = [*opened[1:], paper.closed_at]
    return [
        max(0, round((end - begin).total_seconds() * 1000))
        for begin, end in zip(opened, ended, strict=True)
    ]


def _add_counts(
    uow: UnitOfWork, model: type[Base], names: Sequence[str], sums: Mapping[Key, Counter[str]]
) -> None:
    if not sums:
        return
    table = model.__table__
    keys = [one.key for one in table.primary_key]
    rows = [
        {**dict(zip(keys, key, strict=True)), **{name: int(sums[key][name]) for name in names}}
        for key in sorted(sums)
    ]
    fresh = insert_for(uow.session, model)
    added = {name: table.c[name] + fresh.excluded[name] for name in names}
    uow.session.execute(fresh.on_conflict_do_update(index_elements=keys, set_=added), rows)


TALLY_TASKS = (Task(name="quiz.count_items", step=count_items, every_seconds=10),)
