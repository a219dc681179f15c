"""A paper as stored, and as the citizen sees it; pure.

The row contains question versions and option positions. The citizen sees question refs and keys A,
B, C … in the order of this paper, so that one paper's answers reveal nothing about another's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from server.base.errors import Invalid
from server.quiz.bank.drawing import Item, deal_options
from server.quiz.enums import QuestionKind, Timer
from server.quiz.rules import RuleSet, is_over, item_deadline, mark_paper

if TYPE_CHECKING:
    from random import Random  # noqa: TID251 - only the type of an argument; creates no generator

KEYS = "ABCDEFGH"


class Slot(NamedTuple):
    """One question on a paper; without `opened_at` it is not open yet.

    Units: `order` are positions in the question's options.
    """

    # A tuple, because every request about a paper creates one per question.

    item: Item
    order: tuple[int, ...]
    opened_at: datetime | None
    deadline_at: datetime

    def keys_of(self, chosen: Sequence[int]) -> list[str]:
        """Option positions as this paper's keys, in their order."""
        if len(chosen) == 1:  # the usual case, ten times per paper
            return [KEYS[self.order.index(chosen[0])]]
        return sorted(KEYS[self.order.index(option)] for option in chosen)

    def options_of(self, keys: Sequence[str]) -> list[int]:
        """This paper's keys as option positions.

        Raises: ValueError for an unknown or duplicate key, or too many of them.
        """
        shown = KEYS[: len(self.order)]
        if len(keys) == 1 and len(keys[0]) == 1 and (at := shown.find(keys[0])) >= 0:
            return [self.order[at]]
        if len(set(keys)) != len(keys) or any(len(key) != 1 or key not in shown for key in keys):
            raise ValueError("an unknown option, or one given twice")
        if len(keys) > 1 and self.item.kind is not QuestionKind.MULTIPLE:
            raise ValueError("one option only")
        return sorted(self.order[shown.index(key)] for key in keys)


def deal_paper(items: Sequence[Item], chance: Random) -> list[dict[str, Any]]:
    """A new paper in its stored form."""
    return [{"q": item.id, "order": deal_options(item, chance)} for item in items]


def open_item(slot: Slot, rules: RuleSet, now: datetime, paper_deadline: datetime) -> Slot:
    """Open a question; its own timer starts now."""
    return slot._replace(opened_at=now, deadline_at=item_deadline(rules, now, paper_deadline))


def stored_form(slots: Sequence[Slot]) -> list[dict[str, Any]]:
    """A paper with a timer per question, in its stored form."""
    return [
        {"q": slot.item.id, "order": list(slot.order)}
        | (
            {
                "opened_at": slot.opened_at.isoformat(),
                "deadline": slot.deadline_at.isoformat(),
            }
            if slot.opened_at
            else {}
        )
        for slot in slots
    ]


def slots_of_paper(
    paper: Sequence[Mapping[str, Any]],
    by_id: Mapping[int, Item],
    timer: Timer,
    started_at: datetime,
    deadline_at: datetime,
) -> list[Slot]:
    """A stored paper with its questions; all are open unless each has its own timer."""
    made = []
    for row in paper:
        opened_at = _instant_from(row.get("opened_at")) if timer is Timer.ITEM else started_at
        made.append(
            Slot(
                item=by_id[row["q"]],
                order=tuple(row["order"]),
                opened_at=opened_at,
                deadline_at=_instant_from(row.get("deadline")) or deadline_at,
            )
        )
    return made


def _instant_from(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def merge_answers(
    slots: Sequence[Slot],
    kept: Mapping[str, list[int]],
    given: Mapping[str, Sequence[str]],
    now: datetime,
) -> dict[str, list[int]]:
    """Merge given answers into the saved ones; those after their question's deadline are dropped.

    Raises: Invalid (422) for a question that is not open on this paper, or an unknown option.
    """
    shown = {slot.item.ref: slot for slot in slots if slot.opened_at is not None}
    answers = dict(kept)
    wrong: list[tuple[tuple[str | int, ...], str]] = []
    for ref, keys in given.items():
        slot = shown.get(ref)
        if slot is None:
            wrong.append((("body", "answers", ref), "no such question on this paper"))
            continue
        try:
            options = slot.options_of(keys)
        except ValueError as trouble:
            wrong.append((("body", "answers", ref), str(trouble)))
            continue
        if not is_over(now, slot.deadline_at):
            answers[ref] = options
    if wrong:
        raise Invalid(*wrong)
    return {ref: options for ref, options in answers.items() if options}


def score_paper(
    slots: Sequence[Slot],
    rules: RuleSet,
    answers: Mapping[str, list[int]],
    voided: Collection[int] = (),
) -> tuple[int, int]:
    """Points and number of right answers of a paper; `voided` are numbers of question versions."""
    keys = {slot.item.ref: slot.item.answer for slot in slots}
    given = [slot.item.ref for slot in slots if slot.item.id in voided]
    marked = mark_paper(rules, keys, answers, given)
    return marked.score, marked.correct_count
