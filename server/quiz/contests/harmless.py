"""Finds changes of a running contest that would harm papers already submitted.

Pure. A change is harmful when it would make earlier papers worth less than later ones: other
questions or points, less time, fewer papers. The reasons are names of form fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from server.quiz.rules import RuleSet

_Compare = Callable[[RuleSet, RuleSet], bool]


def find_harm(before: RuleSet, after: RuleSet) -> list[str]:
    """The form fields whose change would harm dealt papers; empty when the change is allowed."""
    return [key for key, harms in _HARMFUL.items() if harms(before, after)]


def _differs_in(name: str) -> _Compare:
    return lambda before, after: getattr(before, name) != getattr(after, name)


def _gives_less_time(before: RuleSet, after: RuleSet) -> bool:
    """Whether a question gets less time; another kind of timer is harmful by itself."""
    return before.timer is after.timer and _shrinks_in("seconds_per_question")(before, after)


def _shrinks_in(name: str) -> _Compare:
    return lambda before, after: _limit_of(after, name) < _limit_of(before, name)


def _limit_of(rules: RuleSet, name: str) -> float:
    """The figure of a limit; none means no limit."""
    value = getattr(rules, name)
    return float("inf") if value is None else float(value)


def _loses_division(before: RuleSet, after: RuleSet) -> bool:
    kept = {(one.key, one.parts) for one in after.divisions}
    if not before.divisions:
        return bool(after.divisions)
    return not {(one.key, one.parts) for one in before.divisions} <= kept


_HARMFUL: Mapping[str, _Compare] = {
    "single": lambda before, after: Counter(before.parts) != Counter(after.parts),
    "cover_topics": _differs_in("cover_topics"),
    "points_per_question": _differs_in("points_per_question"),
    "timer": _differs_in("timer"),
    "paper_seconds": _shrinks_in("paper_seconds"),
    "seconds_per_question": _gives_less_time,
    "season": _differs_in("season"),
    "papers_per_day": _shrinks_in("papers_per_day"),
    "papers_total": _shrinks_in("papers_total"),
    "divisions": _loses_division,
    "warm_up_questions": lambda before, after: after.warm_up_questions > before.warm_up_questions,
}
