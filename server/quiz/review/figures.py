"""Reads the statistics of question versions from their counts, never from papers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import delete, insert, select

from server.base.ownership import serving_found_row
from server.base.uow import UnitOfWork
from server.quiz.models import Contest, ItemFigure, ItemTally, OptionTally, Question
from server.quiz.review.item_rules import (
    AskedItem,
    ItemCounts,
    ItemFigures,
    OptionCounts,
    compute_figures,
    find_signs,
)

_COUNTS = (
    "paper_size", "dealt", "omitted", "correct", "strong", "rest_sum", "rest_squares", "rest_right",
    "time_ms",
)  # fmt: skip
_OPTIONS = ("paper_size", "option_no", "chosen", "strong", "rest_sum")

# A question version and a contest.
_Key = tuple[int, int]
_Counts = TypeVar("_Counts", ItemCounts, OptionCounts)


@dataclass(frozen=True, kw_only=True)
class ContestFigures:
    """The figures of a question version in one contest."""

    title: str
    figures: ItemFigures


def refresh_figures(uow: UnitOfWork, question_ids: Collection[int]) -> None:
    """Compute the figures and signs of these versions again from their counts."""
    if not question_ids:
        return
    known = select(ItemFigure.question_id, ItemFigure.accepted).where(
        ItemFigure.question_id.in_(question_ids)
    )
    accepted = {row.question_id: row.accepted for row in uow.session.execute(known)}
    rows = []
    for question_id, figures in _figures_of(uow, question_ids).items():
        signs = [sign.value for sign in find_signs(figures)]
        judged = accepted.get(question_id, "")
        rows.append(
            {
                "question_id": question_id,
                "dealt": figures.dealt,
                "facility": figures.facility.value,
                "discrimination": figures.discrimination.value,
                "signs": ",".join(signs),
                "accepted": judged,
                "doubtful": bool(set(signs) - split_signs(judged)),
                "counted_at": uow.now,
            }
        )
    uow.session.execute(delete(ItemFigure).where(ItemFigure.question_id.in_(question_ids)))
    uow.session.execute(insert(ItemFigure), rows)


def split_signs(joined: str) -> set[str]:
    """The signs of a joined text."""
    return set(filter(None, joined.split(",")))


def read_figures(uow: UnitOfWork, question: Question) -> tuple[ItemFigures, list[ContestFigures]]:
    """The figures of a version over all contests, and in each contest."""
    with serving_found_row(uow.session):
        counts, options = _read_counts(uow, [question.id])
        titles = {
            row.id: row.title
            for row in uow.session.execute(
                select(Contest.id, Contest.title).where(Contest.id.in_({one[1] for one in counts}))
            )
        }
    item = _asked_item(question)
    whole = compute_figures(item, _join_lists(counts.values()), _join_lists(options.values()))
    each = [
        ContestFigures(
            title=titles[contest_id],
            figures=compute_figures(
                item, counts[question.id, contest_id], options.get((question.id, contest_id), [])
            ),
        )
        for _, contest_id in sorted(counts, reverse=True)
    ]
    return whole, each


def _figures_of(uow: UnitOfWork, question_ids: Collection[int]) -> dict[int, ItemFigures]:
    counts, options = _read_counts(uow, question_ids)
    found = {}
    for question in uow.session.scalars(select(Question).where(Question.id.in_(question_ids))):
        mine = {key: rows for key, rows in counts.items() if key[0] == question.id}
        chosen = {key: rows for key, rows in options.items() if key[0] == question.id}
        found[question.id] = compute_figures(
            _asked_item(question), _join_lists(mine.values()), _join_lists(chosen.values())
        )
    return found


def _read_counts(
    uow: UnitOfWork, question_ids: Collection[int]
) -> tuple[dict[_Key, list[ItemCounts]], dict[_Key, list[OptionCounts]]]:
    """The counts of these versions by question and contest."""
    counts: dict[_Key, list[ItemCounts]] = defaultdict(list)
    options: dict[_Key, list[OptionCounts]] = defaultdict(list)
    for row in uow.session.scalars(
        select(ItemTally).where(ItemTally.question_id.in_(question_ids))
    ):
        facts = {name: getattr(row, name) for name in _COUNTS}
        counts[row.question_id, row.contest_id].append(ItemCounts(**facts))
    for chosen in uow.session.scalars(
        select(OptionTally).where(OptionTally.question_id.in_(question_ids))
    ):
        facts = {name: getattr(chosen, name) for name in _OPTIONS}
        options[chosen.question_id, chosen.contest_id].append(OptionCounts(**facts))
    return counts, options


def _join_lists(lists: Iterable[Sequence[_Counts]]) -> list[_Counts]:
    return [one for some in lists for one in some]


def _asked_item(question: Question) -> AskedItem:
    return AskedItem(
        kind=question.kind,
        option_count=len(question.options),
        answer=tuple(question.answer),
    )
