"""Shapes of contests and papers on the wire; nothing of a key is in a paper that is open."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from server.base.web.schema import In, Instant, Out

Key = Annotated[str, Meta(max_length=2)]
Ref = Annotated[str, Meta(max_length=40)]
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
    """What the asking citizen has in this contest."""

    attempts_left_today: int
    attempts_left_total: int | None
    best_score: int | None
    open_attempt_id: str | None


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


class RuleSentenceOut(Out, frozen=True, kw_only=True):
    """One rule in words."""

    name: str
    text: str


class RulesPageOut(Out, frozen=True, kw_only=True):
    """The rules page; `signature` (Ed25519, URL-safe base64) signs the UTF-8 of `document`."""

    contest_id: str
    title: str
    rules_version: str
    valid_from: Instant
    sentences: list[RuleSentenceOut]
    document: str
    signature: str
    public_key: str


class OptionOut(Out, frozen=True, kw_only=True):
    """One option under the key it has on this paper."""

    key: str
    text: str


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
