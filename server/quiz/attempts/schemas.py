"""Shapes of contests and papers on the wire; nothing of a key is in a paper that is open."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from server.base.web.schema import In, Instant, Out, PageQuery

Key = Annotated[str, Meta(max_length=2)]
Ref = Annotated[str, Meta(max_length=40)]
Day = Annotated[date, Meta(description="calendar day in Beijing")]
Keys = Annotated[list[Key], Meta(max_length=8)]
Answers = Annotated[dict[Ref, Keys], Meta(max_length=100)]


class NothingIn(In, frozen=True, kw_only=True):
    """A request that says nothing but its address."""


class AnswersIn(In, frozen=True, kw_only=True):
    """Answers by question, in this paper's keys; an empty list takes an answer back."""

    answers: Answers


class SubmissionIn(In, frozen=True, kw_only=True):
    """The last answers, merged before the paper is closed."""

    answers: Answers = field(default_factory=dict)


class ContestRulesOut(Out, frozen=True, kw_only=True):
    """The figures of the rules in force."""

    rules_version: str
    papers_per_day: int
    papers_total: int | None
    question_count: int
    points_per_question: int
    max_score: int
    timer: Literal["paper", "item"]
    paper_seconds: int
    seconds_per_question: int | None
    season: str


class ContestMeOut(Out, frozen=True, kw_only=True):
    """What the asking citizen has in this contest; `total` is the figure that ranks.

    `today_score` is what today's papers come to by the same rule. `behind_next` is the distance in
    points to the place above, null in the first place; where it is 0, `behind_next_ms` is the time;
    both are the distance of the figures as they are shown, in 0.01 points and whole seconds.
    `open_remaining_ms` is the time left for the open paper by the server's clock.
    """

    attempts_left_today: int
    attempts_left_total: int | None
    best_score: int | None
    open_attempt_id: str | None
    open_deadline: Instant | None
    open_remaining_ms: int | None
    total: float | None
    today_score: float | None
    rank: Annotated[int, Meta(ge=1)] | None
    behind_next: Annotated[float, Meta(ge=0)] | None
    behind_next_ms: Annotated[int, Meta(ge=0)] | None


class ContestOut(Out, frozen=True, kw_only=True):
    """A contest; `me` is null for nobody in particular."""

    id: str
    slug: str
    title: str
    programme: str | None
    state: Literal["upcoming", "open", "closed"]
    opens_at: Instant
    closes_at: Instant
    rules: ContestRulesOut
    me: ContestMeOut | None


class OptionOut(Out, frozen=True, kw_only=True):
    """One option under the key it has on this paper."""

    key: str
    text: str


class RecordsQuery(PageQuery, frozen=True, kw_only=True):
    """Which closed papers: those of one contest, by its id or slug, or all."""

    contest: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


class RecordOut(Out, frozen=True, kw_only=True):
    """One closed paper; its questions and its review are under `/attempts/{id}`."""

    id: str
    contest: str
    contest_title: str
    day: Day
    state: Literal["submitted", "expired"]
    closed_at: Instant
    score: int
    max_score: int
    correct_count: int
    question_count: int
    duration_ms: int


class QuestionOut(Out, frozen=True, kw_only=True):
    """One question of a paper; `deadline` where every item has its own time."""

    id: str
    kind: Literal["single", "multiple", "judge"]
    stem: str
    options: list[OptionOut]
    deadline: Instant | UnsetType = UNSET


class RanksOut(Out, frozen=True, kw_only=True):
    """Places at the moment the paper was closed; no city, no place in it."""

    region: int
    city: int | None


class ReviewOut(Out, frozen=True, kw_only=True):
    """One question after the end, in this paper's keys."""

    question_id: str
    chosen: list[str]
    correct: list[str]
    explanation: str


class ResultOut(Out, frozen=True, kw_only=True):
    """What came of a paper; `personal_best` is the best score up to and with this paper."""

    id: str
    contest_id: str
    state: Literal["submitted", "expired"]
    closed_at: Instant
    score: int
    max_score: int
    correct_count: int
    question_count: int
    duration_ms: int
    personal_best: int
    ranks: RanksOut
    review: list[ReviewOut]


class AttemptOut(Out, frozen=True, kw_only=True):
    """A paper; the fields of its result are there once it is over."""

    id: str
    contest_id: str
    state: Literal["open", "submitted", "expired"]
    rules_version: str
    timer: Literal["paper", "item"]
    started_at: Instant
    deadline: Instant
    remaining_ms: int
    question_count: int
    questions: list[QuestionOut]
    answers: dict[str, list[str]]
    closed_at: Instant | UnsetType = UNSET
    score: int | UnsetType = UNSET
    max_score: int | UnsetType = UNSET
    correct_count: int | UnsetType = UNSET
    duration_ms: int | UnsetType = UNSET
    personal_best: int | UnsetType = UNSET
    ranks: RanksOut | UnsetType = UNSET
    review: list[ReviewOut] | UnsetType = UNSET
