"""API types of contests and papers; an open paper contains nothing about its key."""

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


class StartIn(In, frozen=True, kw_only=True):
    """The division chosen for the first paper, in a contest that has divisions."""

    division: Annotated[str, Meta(max_length=20)] | None = None


class NothingIn(In, frozen=True, kw_only=True):
    """An empty request body."""


class AnswersIn(In, frozen=True, kw_only=True):
    """Answers by question, in this paper's option keys; an empty list removes an answer."""

    answers: Answers


class SubmissionIn(In, frozen=True, kw_only=True):
    """The last answers, merged before the paper is closed."""

    answers: Answers = field(default_factory=dict)


class DivisionOut(Out, frozen=True, kw_only=True):
    """A group of players with boards of its own, `division:<key>`."""

    key: str
    title: str


class ContestRulesOut(Out, frozen=True, kw_only=True):
    """The figures of the rules in force.

    `warm_up_questions` are to be answered in practice before the first paper.
    """

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
    warm_up_questions: int | None
    divisions: list[DivisionOut]


class ContestMeOut(Out, frozen=True, kw_only=True):
    """The caller's progress in this contest; `total` is the ranked figure.

    `today_score` is today's total by the same rule. `behind_next` is the distance in points to the
    next higher rank, null for rank 1; where it is 0, `behind_next_ms` is the distance in time. Both
    are differences of displayed figures, in 0.01 points and whole seconds. `open_remaining_ms` is
    the time left for the open paper by the server's clock. `division` is final with the first
    paper; `warm_up_left` questions are to be practised before it. While the results are `held` they
    are on no board, and `total` and `rank` are null.
    """

    division: str | None
    warm_up_left: int
    held: bool
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
    """A contest; `me` is null for an anonymous caller. While `paused` no paper starts."""

    id: str
    slug: str
    title: str
    programme: str | None
    state: Literal["upcoming", "open", "closed"]
    paused: bool
    opens_at: Instant
    closes_at: Instant
    rules: ContestRulesOut
    me: ContestMeOut | None


class OptionOut(Out, frozen=True, kw_only=True):
    """One option with its key on this paper."""

    key: str
    text: str


class RecordsQuery(PageQuery, frozen=True, kw_only=True):
    """Filter of closed papers: those of one contest, by its id or slug, or all."""

    contest: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


class RecordOut(Out, frozen=True, kw_only=True):
    """One closed paper; its questions and its review are under `/attempts/{id}`.

    `held` results are on no board while suspected cheating is examined. `appeal` tells whether
    `POST /attempts/{id}/appeal` is possible, waits for its decision or was rejected.
    """

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
    held: bool
    appeal: Literal["possible", "waiting", "rejected"] | None


class PictureOut(Out, frozen=True, kw_only=True):
    """The picture of a question, a JPEG at a public address; `alt` is for screen readers.

    Units: pixels.
    """

    url: str
    alt: str
    width: int
    height: int


class QuestionOut(Out, frozen=True, kw_only=True):
    """One question of a paper; `deadline` is set when each question has its own timer.

    `picture` is missing for a question without one.
    """

    id: str
    kind: Literal["single", "multiple", "judge"]
    stem: str
    options: list[OptionOut]
    picture: PictureOut | UnsetType = UNSET
    deadline: Instant | UnsetType = UNSET


class RanksOut(Out, frozen=True, kw_only=True):
    """Ranks of a result; null where there is none.

    `kind`: `at_close` when the paper was closed, `final` the published final ranks, `frozen` those
    on the frozen board for a paper closed after it froze, `now` the present ones after a freeze was
    lifted. `city_name` is also null when the citizen has moved since.
    """

    kind: Literal["at_close", "frozen", "now", "final"]
    region: int | None
    city: int | None
    city_name: str | None


class ReviewOut(Out, frozen=True, kw_only=True):
    """One question of a closed paper, in this paper's option keys.

    A `voided` question had a fault and counts as right for everybody.
    """

    question_id: str
    chosen: list[str]
    correct: list[str]
    explanation: str
    voided: bool


class ResultOut(Out, frozen=True, kw_only=True):
    """The result of a paper; `personal_best` includes this paper."""

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
    """A paper; the result fields are set once it is closed."""

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
