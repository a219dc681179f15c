"""The rules of a contest as plain values and pure functions: deadlines, marks, season totals.

rule_check.py parses and validates a rule set, bank/drawing.py draws a paper.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from server.quiz.enums import QuestionKind, Season, Timer

# An answer sent in time must not be lost to network delay.
GRACE = timedelta(seconds=2)
LATE_START = timedelta(seconds=1)
MEAN_SCALE = 10_000


@dataclass(frozen=True, kw_only=True)
class Part:
    """One line of a blueprint: a number of questions of this sort; None and () mean any."""

    count: int
    kind: QuestionKind | None = None
    difficulty: int | None = None
    benchmarks: tuple[int, ...] = ()
    audience: str | None = None


@dataclass(frozen=True, kw_only=True)
class Division:
    """A group of players with boards of its own; without `parts` it has the contest's blueprint."""

    key: str
    title: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """The rules of one contest; `version` identifies exactly these rules."""

    version: str
    slug: str
    title: str
    papers_per_day: int
    papers_total: int | None
    parts: tuple[Part, ...]
    cover_topics: bool
    points_per_question: int
    timer: Timer
    paper_seconds: int
    seconds_per_question: int | None
    season: Season
    divisions: tuple[Division, ...] = ()
    # Questions that a citizen answers in practice before the first paper; 0 for none.
    warm_up_questions: int = 0

    @property
    def question_count(self) -> int:
        """Number of questions on a paper."""
        return sum(part.count for part in self.parts)

    def division_named(self, key: str | None) -> Division | None:
        """The division with this key, or None."""
        return next((one for one in self.divisions if one.key == key), None)

    def parts_for(self, key: str | None) -> tuple[Part, ...]:
        """The blueprint of a division's papers; that of the contest without a division."""
        division = self.division_named(key)
        return self.parts if division is None or not division.parts else division.parts

    @property
    def max_score(self) -> int:
        """Points of a paper without a mistake."""
        return self.question_count * self.points_per_question

    @property
    def points_scale(self) -> int:
        """A standing's `points` divided by this is its score."""
        return MEAN_SCALE if self.season is Season.MEAN else 1


def deadline_of_paper(rules: RuleSet, started_at: datetime) -> datetime:
    """The deadline of a paper."""
    return started_at + timedelta(seconds=rules.paper_seconds)


def item_deadline(rules: RuleSet, opened_at: datetime, paper_deadline: datetime) -> datetime:
    """The deadline of a question; never later than its paper's."""
    seconds = rules.seconds_per_question or rules.paper_seconds
    return min(opened_at + timedelta(seconds=seconds), paper_deadline)


def is_over(now: datetime, deadline_at: datetime) -> bool:
    """Whether an answer is too late, grace period included."""
    return now > deadline_at + GRACE


def whole_milliseconds(span: timedelta) -> int:
    """A duration in whole milliseconds, never negative."""
    return max(0, span // timedelta(milliseconds=1))


def is_right(key: Sequence[int], chosen: Sequence[int]) -> bool:
    """Whether an answer is right: all right options and no others."""
    return bool(chosen) and set(key) == set(chosen)


@dataclass(frozen=True)
class Mark:
    """The result of one paper."""

    score: int
    correct_count: int


def mark_paper(
    rules: RuleSet,
    keys: Mapping[str, Sequence[int]],
    answers: Mapping[str, Sequence[int]],
    voided: Collection[str] = (),
) -> Mark:
    """Mark one paper; an unanswered question counts 0, a wrong one loses no points.

    A voided question counts as right, whatever was answered.
    Units: points. `keys`, `answers` and `voided` by question.
    """
    right = sum(ref in voided or is_right(key, answers.get(ref, ())) for ref, key in keys.items())
    return Mark(score=right * rules.points_per_question, correct_count=right)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A closed paper, as far as season totals need it."""

    id: int
    on_day: date
    score: int
    time_ms: int
    closed_at: datetime


@dataclass(frozen=True, kw_only=True)
class SeasonTotal:
    """A season total with its tie-breakers: more points, less time, reached earlier.

    Units: `points` in 1/points_scale of the rule set.
    """

    points: int
    time_ms: int
    reached_at: datetime


def season_total(season: Season, papers: Iterable[Paper]) -> SeasonTotal | None:
    """The total of these closed papers under a season policy; None without papers."""
    entry_lock = _COUNTED[season](list(papers))
    if not entry_lock:
        return None
    points = sum(paper.score for paper in entry_lock)
    if season is Season.PAPERS:
        points = len(entry_lock)
    time_ms = sum(paper.time_ms for paper in entry_lock)
    if season is Season.MEAN:
        points = points * MEAN_SCALE // len(entry_lock)
        time_ms //= len(entry_lock)
    return SeasonTotal(
        points=points, time_ms=time_ms, reached_at=max(paper.closed_at for paper in entry_lock)
    )


def _better_first(paper: Paper) -> tuple[int, int, datetime, int]:
    return (-paper.score, paper.time_ms, paper.closed_at, paper.id)


def _best_paper(papers: list[Paper]) -> list[Paper]:
    return sorted(papers, key=_better_first)[:1]


def _daily_best(papers: list[Paper]) -> list[Paper]:
    days: dict[date, Paper] = {}
    for paper in sorted(papers, key=_better_first):
        days.setdefault(paper.on_day, paper)
    return list(days.values())


def _all_papers(papers: list[Paper]) -> list[Paper]:
    return papers


def _last_paper(papers: list[Paper]) -> list[Paper]:
    return sorted(papers, key=lambda paper: (paper.closed_at, paper.id))[-1:]


# Under these policies leaving a bad paper out would improve the total.
BETTER_WITH_FEWER_PAPERS = frozenset({Season.MEAN})

_COUNTED: Mapping[Season, Callable[[list[Paper]], list[Paper]]] = {
    Season.BEST: _best_paper,
    Season.SUM_OF_DAILY_BEST: _daily_best,
    Season.SUM: _all_papers,
    Season.MEAN: _all_papers,
    Season.LAST: _last_paper,
    Season.PAPERS: _all_papers,
}
