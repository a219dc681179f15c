"""API types of practice and the wrong-answer book."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from server.base.web.schema import In, Instant, Out
from server.quiz.attempts.schemas import Keys, PictureOut, QuestionOut, Ref

Topic = Annotated[str, Meta(min_length=1, max_length=40)]


class PracticeIn(In, frozen=True, kw_only=True):
    """A request for practice: some topics or all, from the wrong-answer book or from everything."""

    topics: Annotated[list[Topic], Meta(max_length=20)] = field(default_factory=list)
    count: Annotated[int, Meta(ge=1, le=100)] = 5
    from_mistakes: bool = False


class PracticeOut(Out, frozen=True, kw_only=True):
    """Practice questions; fewer than requested when there are not enough."""

    id: str
    questions: list[QuestionOut]


class PracticeAnswerIn(In, frozen=True, kw_only=True):
    """An answer in the option keys of this practice."""

    question_id: Ref
    answer: Keys


class PracticeAnswerOut(Out, frozen=True, kw_only=True):
    """The result of the first answer; `chosen` is that first answer."""

    question_id: str
    chosen: list[str]
    correct: bool
    key: list[str]
    explanation: str


class MistakeOut(Out, frozen=True, kw_only=True):
    """A question of the wrong-answer book as text; two right answers in a row remove it."""

    question_id: str
    kind: Literal["single", "multiple", "judge"]
    topic: str
    stem: str
    picture: PictureOut | UnsetType = UNSET
    options: list[str]
    chosen: list[str]
    correct: list[str]
    explanation: str
    where: Literal["paper", "practice"]
    wrong_at: Instant
    right_in_a_row: int
