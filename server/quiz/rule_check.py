"""Reads a rule set from its file, or refuses it with every reason at once.

A preset may contain facts without effect (its source, its prizes). A field that would change the
contest but is not implemented is refused, never ignored.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.quiz.enums import QuestionKind, Season, Timer
from server.quiz.rules import Division, Part, RuleSet
from server.quiz.words import word_table

# Shown to readers; without effect.
FACTS = frozenset(
    {
        "age_rule",
        "basis",
        "boards",
        "city_board",
        "city_board_per_capita",
        "days",
        "draw_pass",
        "draw_pass_score",
        "final",
        "left_out",
        "mode",
        "note",
        "ours",
        "practice_unlimited",
        "prize_delivery",
        "prize_pool",
        "prizes",
        "ranking",
        "registration_fields",
        "seconds_per_question_advice",
        "source",
        "teams",
        "topic_classes",
        "unit_board_min_members",
    }
)
# Only this value is implemented.
FIXED: Mapping[str, object] = {
    "day_boundary": "00:00 Asia/Shanghai",
    "multiple_partial_credit": False,
    "reveal_answers": "after_submit",
    "unanswered": "0 points",
    "wrong_penalty": 0,
}
# A source or a note may mention what a contest elsewhere did.
_MAY_NAME_REWARDS = frozenset({"left_out", "note", "source"})
_DIVISION_KEY = re.compile(r"[a-z][a-z0-9_]{0,19}")
_LONGEST_TITLE = 12
_MOST_DIVISIONS = 12
CLAUSES = "WeChat external content rules 2.1.2, mini-program operating rules 5.1"


class RuleSetRefused(Exception):
    """The rules are invalid; `reasons` says why, one per line."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass
class _Reader:
    body: Mapping[str, Any]
    reasons: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def read_value(
        self, name: str, kind: type, default: Any = None, *, needed: bool = False
    ) -> Any:
        self.asked.add(name)
        found = self.body.get(name)
        if found is None:
            if needed:
                self.reasons.append(f"{name}: missing")
            return default
        if type(found) is not kind:
            self.reasons.append(f"{name}: {kind.__name__} expected")
            return default
        return found

    def read_positive(self, name: str, *, needed: bool = False) -> int | None:
        found = self.read_value(name, int, needed=needed)
        if found is not None and not 1 <= found <= 10_000:
            self.reasons.append(f"{name}: from 1 to 10000")
            return None
        return int(found) if found is not None else None

    def read_word(self, name: str, kind: Callable[[str], Any], default: Any) -> Any:
        try:
            return kind(self.read_value(name, str, default))
        except ValueError:
            self.reasons.append(f"{name}: unknown value {self.body[name]!r}")
            return kind(default)


def version_of(body: Mapping[str, Any]) -> str:
    """A hash that identifies exactly these rules."""
    canonical = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def read_rule_set(body: Mapping[str, Any]) -> RuleSet:
    """Parse a rule set.

    Raises: RuleSetRefused with every reason.
    """
    reader = _Reader(body)
    made = _read_rules(reader)
    reader.reasons += _not_built(reader)
    reader.reasons += [
        f"{path}: sharing and following may earn nothing ({CLAUSES})" for path in find_rewards(body)
    ]
    if reader.reasons:
        raise RuleSetRefused(reader.reasons)
    return made


def find_rewards(body: Mapping[str, Any]) -> list[str]:
    """The places where rules mention a reward for sharing or following."""
    forbidden = [word.lower() for word in word_table("rewards")["forbidden"]]
    found = []
    for path, text in _texts_within(body, ()):
        if not _MAY_NAME_REWARDS.intersection(path) and any(w in text.lower() for w in forbidden):
            found.append(".".join(path))
    return list(dict.fromkeys(found))


def _texts_within(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield (*path, str(key)), str(key)
            yield from _texts_within(inner, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_within(inner, path)


def _read_rules(reader: _Reader) -> RuleSet:
    timer = reader.read_word("timer", Timer, Timer.PAPER.value)
    parts = _read_parts(reader)
    per_question = reader.read_positive("seconds_per_question", needed=timer is Timer.ITEM)
    seconds = reader.read_positive("paper_seconds", needed=timer is Timer.PAPER)
    if seconds is None:
        seconds = (per_question or 0) * sum(part.count for part in parts)
    return RuleSet(
        version=version_of(reader.body),
        slug=reader.read_value("slug", str, "", needed=True),
        title=reader.read_value("title", str, ""),
        papers_per_day=reader.read_positive("papers_per_day", needed=True) or 1,
        papers_total=reader.read_positive("papers_total"),
        parts=parts,
        cover_topics=reader.read_value("cover_topics", bool, False),
        points_per_question=reader.read_positive("points_per_question", needed=True) or 0,
        timer=timer,
        paper_seconds=seconds,
        seconds_per_question=per_question if timer is Timer.ITEM else None,
        season=reader.read_word("season_score", Season, Season.BEST.value),
        divisions=_read_divisions(reader, sum(part.count for part in parts)),
        warm_up_questions=reader.read_positive("warm_up_questions") or 0,
    )


def _read_divisions(reader: _Reader, question_count: int) -> tuple[Division, ...]:
    rows = reader.read_value("divisions", list, [])
    made = tuple(_read_division(reader, row, question_count) for row in rows)
    if len({one.key for one in made}) != len(made) or len({one.title for one in made}) != len(made):
        reader.reasons.append("divisions: two have the same key or title")
    if len(made) == 1 or len(made) > _MOST_DIVISIONS:
        reader.reasons.append(f"divisions: from 2 to {_MOST_DIVISIONS}")
    return made


def _read_division(reader: _Reader, row: Any, question_count: int) -> Division:
    inner = _Reader(row if isinstance(row, Mapping) else {})
    parts = tuple(_read_part(inner, part) for part in inner.read_value("parts", list, []))
    made = Division(
        key=inner.read_value("key", str, "", needed=True),
        title=inner.read_value("title", str, "", needed=True),
        parts=parts,
    )
    if not _DIVISION_KEY.fullmatch(made.key):
        inner.reasons.append("key: small letters, digits and _, at most 20")
    if not 1 <= len(made.title.strip()) <= _LONGEST_TITLE:
        inner.reasons.append(f"title: from 1 to {_LONGEST_TITLE} characters")
    # The same number of questions, so that every paper of a contest has the same maximum.
    if parts and sum(part.count for part in parts) != question_count:
        inner.reasons.append("parts: they come to another number than questions_per_paper")
    inner.reasons += [f"{name}: unknown" for name in sorted(set(inner.body) - inner.asked)]
    reader.reasons += [f"divisions: {reason}" for reason in inner.reasons]
    return made


def _read_parts(reader: _Reader) -> tuple[Part, ...]:
    count = reader.read_positive("questions_per_paper", needed=True) or 0
    mix = reader.read_value("mix", dict, {})
    lines = reader.read_value("parts", list, [])
    if mix and lines:
        reader.reasons.append("mix, parts: only one of the two")
    rows = lines or [{"kind": kind, "count": number} for kind, number in mix.items()]
    parts = tuple(_read_part(reader, row) for row in rows) or (Part(count=count),)
    if sum(part.count for part in parts) != count:
        reader.reasons.append("questions_per_paper: the parts come to another number")
    return parts


def _read_part(reader: _Reader, row: Any) -> Part:
    inner = _Reader(row if isinstance(row, Mapping) else {})
    benchmarks = inner.read_value("benchmarks", list, [])
    kind = (
        inner.read_word("kind", QuestionKind, QuestionKind.SINGLE.value)
        if inner.body.get("kind")
        else None
    )
    made = Part(
        count=inner.read_positive("count", needed=True) or 0,
        kind=kind,
        difficulty=inner.read_positive("difficulty"),
        benchmarks=tuple(number for number in benchmarks if type(number) is int),
        audience=inner.read_value("audience", str),
    )
    unknown = set(inner.body) - inner.asked - {"kind"}
    inner.reasons += [f"{name}: unknown" for name in sorted(unknown)]
    if len(made.benchmarks) != len(benchmarks):
        inner.reasons.append("benchmarks: numbers expected")
    reader.reasons += [f"parts: {reason}" for reason in inner.reasons]
    return made


def _not_built(reader: _Reader) -> list[str]:
    reasons = [
        f"{name}: only {value!r} is built"
        for name, value in FIXED.items()
        if reader.body.get(name, value) != value
    ]
    unknown = set(reader.body) - reader.asked - FACTS - set(FIXED)
    return reasons + [f"{name}: unknown or not built" for name in sorted(unknown)]
