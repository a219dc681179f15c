"""What peer (b) says, as pydantic models."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class OptionOut(BaseModel):
    """One option under its key on this paper."""

    key: str
    text: str


class QuestionOut(BaseModel):
    """One question of a paper."""

    id: str
    kind: str
    stem: str
    options: list[OptionOut]


class AttemptOut(BaseModel):
    """An open paper."""

    id: str
    contest_id: str
    state: str
    rules_version: str
    timer: str
    started_at: datetime
    deadline: datetime
    remaining_ms: int
    question_count: int
    questions: list[QuestionOut]
    answers: dict[str, list[str]]


class RanksOut(BaseModel):
    """Places at the moment of closing."""

    region: int
    city: int | None


class ReviewOut(BaseModel):
    """One question after the end."""

    question_id: str
    chosen: list[str]
    correct: list[str]
    explanation: str


class ResultOut(BaseModel):
    """What came of a paper."""

    id: str
    contest_id: str
    state: str
    question_count: int
    closed_at: datetime
    score: int
    max_score: int
    correct_count: int
    duration_ms: int
    personal_best: int
    ranks: RanksOut
    review: list[ReviewOut]


class LineOut(BaseModel):
    """One place on a board."""

    rank: int
    nickname: str
    avatar_url: str | None
    city: str | None
    city_name: str | None
    score: float
    duration_ms: int
    me: bool


class MeOut(BaseModel):
    """The asking citizen's place with its neighbours."""

    rank: int
    score: float
    duration_ms: int
    around: list[LineOut]


class BoardOut(BaseModel):
    """A board."""

    period: str
    items: list[LineOut]
    me: MeOut | None
    total: int
    as_of: datetime
    frozen: bool
