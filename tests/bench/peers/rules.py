"""The contest's rules as all peers share them: dealing, answers, marks, standings, names. Pure.

Only what the measured contest uses: a timer for the paper, the sum of each day's best paper.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any, NamedTuple

BEIJING = timezone(timedelta(hours=8))
GRACE = timedelta(seconds=2)
LATE_START = timedelta(seconds=1)
KEYS = "ABCDEFGH"
SHARDS = 4
KEY_LENGTH = 64


class Refused(Exception):
    """An answer that is a refusal: status and code of a problem document."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code

    @property
    def body(self) -> dict[str, Any]:
        """The problem document."""
        return {"type": f"urn:peer:{self.code}", "status": self.status, "code": self.code}


@dataclass(frozen=True, slots=True)
class Question:
    """One version of a question; `answer` are positions in `options`."""

    id: int
    ref: str
    kind: str
    topic: str
    stem: str
    options: Sequence[str]
    answer: Sequence[int]
    explanation: str


@dataclass(frozen=True)
class Bank:
    """All versions by number, and the live ones by kind."""

    by_id: Mapping[int, Question]
    live: Mapping[str, Sequence[Question]]


@dataclass(frozen=True)
class Rules:
    """What a rule set says.  Units: seconds of a paper, points of a question."""

    version: str
    papers_per_day: int
    mix: Sequence[tuple[str, int]]
    cover_topics: bool
    points: int
    seconds: int

    @property
    def question_count(self) -> int:
        """Questions on one paper."""
        return sum(count for _, count in self.mix)

    @property
    def max_score(self) -> int:
        """Points of a paper without a mistake."""
        return self.question_count * self.points


class Slot(NamedTuple):
    """A question on a paper, and the order of its options there."""

    question: Question
    order: Sequence[int]


class Played(NamedTuple):
    """A closed paper as the season counts it."""

    id: int
    on_day: date
    on_week: str
    score: int
    time_ms: int
    closed_at: datetime


class Stand(NamedTuple):
    """What an entry has in one period: more points, less time, reached earlier is better."""

    points: int
    time_ms: int
    reached_at: datetime


@dataclass
class Known:
    """What one process remembers of the database; each is named by its content or its change."""

    banks: dict[str, Bank] = field(default_factory=dict)
    rules: dict[str, Rules] = field(default_factory=dict)


def now() -> datetime:
    """The instant."""
    return datetime.now(UTC)


def beijing_day(instant: datetime) -> date:
    """The campaign's calendar day."""
    return instant.astimezone(BEIJING).date()


def iso_week(day: date) -> str:
    """The week that holds a day, such as 2026-W18."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def new_ref(prefix: str) -> str:
    """A fresh public id."""
    return f"{prefix}_{secrets.token_hex(10)}"


def token_hash(header: str | None) -> str:
    """What the database keeps of the bearer token in a header.

    Raises: Refused (401).
    """
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "not_authenticated")
    return sha256(token.encode()).hexdigest()


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same."""
    return sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


def checked_key(header: str | None) -> str | None:
    """The Idempotency-Key of a request.

    Raises: Refused (422).
    """
    if header is not None and not (0 < len(header) <= KEY_LENGTH and header.isascii()):
        raise Refused(422, "invalid")
    return header


def rules_from(version: str, body: Mapping[str, Any]) -> Rules:
    """A stored rule set."""
    return Rules(
        version=version, papers_per_day=body["papers_per_day"], mix=tuple(body["mix"].items()),
        cover_topics=body.get("cover_topics", False), points=body["points_per_question"],
        seconds=body["paper_seconds"],
    )  # fmt: skip


def bank_from(rows: Iterable[tuple[Question, str]]) -> Bank:
    """A bank of its questions, each with its state."""
    by_id: dict[int, Question] = {}
    live: dict[str, list[Question]] = {}
    for question, state in rows:
        by_id[question.id] = question
        if state == "live":
            live.setdefault(question.kind, []).append(question)
    return Bank(by_id=by_id, live=live)


def deal(
    bank: Bank, rules: Rules, seen: set[str], counts: Mapping[str, int]
) -> list[Slot]:  # fmt: skip
    """A paper: nothing seen while there is something new, used evenly, topics spread.

    Raises: Refused (409).
    """
    dealt: list[Slot] = []
    topics: set[str] = set()
    for kind, count in rules.mix:
        pool = list(bank.live.get(kind, ()))
        if len(pool) < count:
            raise Refused(409, "bank_too_small")
        unseen = [question for question in pool if question.ref not in seen]
        pool = unseen if len(unseen) >= count else pool
        for question in _least_used(pool, count, counts, topics if rules.cover_topics else None):
            order = list(range(len(question.options)))
            if kind != "judge":
                random.shuffle(order)
            dealt.append(Slot(question, order))
    return dealt


def _least_used(
    pool: list[Question], count: int, counts: Mapping[str, int], topics: set[str] | None
) -> list[Question]:
    used = [counts.get(question.ref, 0) for question in pool]
    least = sorted(used)[count - 1]
    eligible = [q for q, times in zip(pool, used, strict=True) if times <= least + 1]
    random.shuffle(eligible)
    if topics is None:
        return eligible[:count]
    chosen: list[Question] = []
    left: list[Question] = []
    for question in eligible:
        if question.topic in topics or len(chosen) == count:
            left.append(question)
        else:
            topics.add(question.topic)
            chosen.append(question)
    return chosen + left[: count - len(chosen)]


def slots_of(paper: Sequence[Mapping[str, Any]], bank: Bank) -> list[Slot]:
    """A stored paper with its questions."""
    return [Slot(bank.by_id[row["q"]], row["order"]) for row in paper]


def stored(slots: Sequence[Slot]) -> list[dict[str, Any]]:
    """A paper as it is stored."""
    return [{"q": slot.question.id, "order": list(slot.order)} for slot in slots]


def merged(
    slots: Sequence[Slot], kept: Mapping[str, list[int]], given: Mapping[str, Sequence[str]]
) -> dict[str, list[int]]:
    """The kept answers under the given ones; an empty one takes an answer back.

    Raises: Refused (422).
    """
    shown = {slot.question.ref: slot for slot in slots}
    answers = dict(kept)
    for ref, keys in given.items():
        if ref not in shown:
            raise Refused(422, "invalid")
        answers[ref] = _options(shown[ref], keys)
    return {ref: options for ref, options in answers.items() if options}


def _options(slot: Slot, keys: Sequence[str]) -> list[int]:
    shown = KEYS[: len(slot.order)]
    if len(set(keys)) != len(keys) or any(len(key) != 1 or key not in shown for key in keys):
        raise Refused(422, "invalid")
    if len(keys) > 1 and slot.question.kind != "multiple":
        raise Refused(422, "invalid")
    return sorted(slot.order[shown.index(key)] for key in keys)


def correct_count(slots: Sequence[Slot], answers: Mapping[str, Sequence[int]]) -> int:
    """How many questions are answered rightly."""
    return sum(
        set(answers.get(slot.question.ref, ())) == set(slot.question.answer) for slot in slots
    )


def keys_of(slot: Slot, options: Sequence[int]) -> list[str]:
    """Options in this paper's keys."""
    return sorted(KEYS[slot.order.index(option)] for option in options)


def review(
    slots: Sequence[Slot], answers: Mapping[str, Sequence[int]]
) -> list[dict[str, Any]]:  # fmt: skip
    """What was chosen, what is right and why, question by question."""
    return [
        {
            "question_id": slot.question.ref,
            "chosen": keys_of(slot, answers.get(slot.question.ref, ())),
            "correct": keys_of(slot, slot.question.answer),
            "explanation": slot.question.explanation,
        }
        for slot in slots
    ]


def shown_questions(slots: Sequence[Slot]) -> list[dict[str, Any]]:
    """A paper's questions without a trace of what is right."""
    return [
        {
            "id": slot.question.ref,
            "kind": slot.question.kind,
            "stem": slot.question.stem,
            "options": [
                {"key": KEYS[at], "text": slot.question.options[option]}
                for at, option in enumerate(slot.order)
            ],
        }
        for slot in slots
    ]


def shown_answers(
    slots: Sequence[Slot], answers: Mapping[str, Sequence[int]]
) -> dict[str, list[str]]:
    """Kept answers in this paper's keys."""
    return {
        slot.question.ref: keys_of(slot, answers[slot.question.ref])
        for slot in slots
        if slot.question.ref in answers
    }


def periods_of(day: date, week: str) -> list[str]:
    """The periods that a paper counts in."""
    return ["total", f"day:{day.isoformat()}", f"week:{week}"]


def standings(played: Sequence[Played], mine: Played) -> dict[str, Stand]:
    """The sum of each day's best paper in the periods of one of the papers."""
    total, day, week = periods_of(mine.on_day, mine.on_week)
    return {
        total: _stand(played),
        day: _stand([one for one in played if one.on_day == mine.on_day]),
        week: _stand([one for one in played if one.on_week == mine.on_week]),
    }


def _stand(papers: Sequence[Played]) -> Stand:
    best: dict[date, Played] = {}
    for paper in sorted(papers, key=lambda p: (-p.score, p.time_ms, p.closed_at, p.id)):
        best.setdefault(paper.on_day, paper)
    reached = max(paper.closed_at for paper in best.values())
    return Stand(
        points=sum(paper.score for paper in best.values()),
        time_ms=sum(paper.time_ms for paper in best.values()),
        reached_at=reached.replace(microsecond=reached.microsecond // 1000 * 1000),
    )


def milliseconds(span: timedelta) -> int:
    """A span in whole milliseconds, never negative."""
    return max(0, span // timedelta(milliseconds=1))


def shown_name(nickname: str | None, ref: str, *, public: bool) -> str:
    """A citizen as strangers see them."""
    if not nickname:
        return f"科普达人{int.from_bytes(sha256(ref.encode()).digest()[:4]) % 10_000:04d}"
    return nickname if public or len(nickname) == 1 else f"{nickname[0]}*"
