"""Conditions of a first paper in some contests: a chosen division, and a warm-up in practice."""

from __future__ import annotations

from server.base.errors import Invalid
from server.base.uow import UnitOfWork
from server.quiz.attempts import attempt_store
from server.quiz.errors import DivisionFixed, DivisionNeeded, WarmUpFirst
from server.quiz.rules import RuleSet


def check_division(
    rules: RuleSet, held: tuple[int, str | None] | None, chosen: str | None
) -> str | None:
    """The division of a paper: that of the entry, or the one chosen for the first paper.

    `held` is the entry with its division, None before the first paper.
    Raises: DivisionNeeded, DivisionFixed (409), Invalid (422) for an unknown division.
    """
    if chosen is not None and rules.division_named(chosen) is None:
        raise Invalid((("body", "division"), "no such division"))
    if held is None:
        if chosen is None and rules.divisions:
            raise DivisionNeeded
        return chosen
    if chosen not in (None, held[1]):
        raise DivisionFixed
    return held[1]


def check_warm_up(uow: UnitOfWork, rules: RuleSet, citizen_id: int) -> None:
    """Require the warm-up of a contest.

    Raises: WarmUpFirst (409) with the number of questions left.
    """
    left = count_warm_up_left(uow, rules, citizen_id)
    if left:
        raise WarmUpFirst(left=left)


def count_warm_up_left(uow: UnitOfWork, rules: RuleSet, citizen_id: int) -> int:
    """How many questions are still to be answered in practice; reads nothing without a warm-up."""
    if not rules.warm_up_questions:
        return 0
    wanted = rules.warm_up_questions
    return wanted - attempt_store.count_practised(uow, citizen_id, wanted)
