"""Converts between the fields of the console's form and the body of a rule set.

Pure. Facts of a preset that the form does not show stay in the body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from server.quiz.enums import QuestionKind, Season, Timer

KINDS = (QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.JUDGE)


@dataclass(frozen=True, kw_only=True)
class RuleFields:
    """The rules as an organizer fills them in.

    Units: `counts` questions of a paper by kind, in the order of `KINDS`; without any, `any_kind`
    questions of every kind. `divisions` has one title a line.
    """

    papers_per_day: int
    papers_total: int | None
    counts: tuple[int, int, int]
    any_kind: int
    cover_topics: bool
    points_per_question: int
    timer: Timer
    paper_seconds: int
    seconds_per_question: int | None
    season: Season
    divisions: str
    warm_up_questions: int


def write_body(fields: RuleFields, base: Mapping[str, Any]) -> dict[str, Any]:
    """Write the body of a rule set with these fields; everything else is taken from `base`."""
    body = {name: value for name, value in base.items() if name not in _WRITTEN}
    body |= {
        "papers_per_day": fields.papers_per_day,
        "points_per_question": fields.points_per_question,
        "cover_topics": fields.cover_topics,
        "timer": fields.timer.value,
        "paper_seconds": fields.paper_seconds,
        "season_score": fields.season.value,
        **_write_blueprint(fields, base),
    }
    if fields.papers_total:
        body["papers_total"] = fields.papers_total
    if fields.timer is Timer.ITEM and fields.seconds_per_question:
        body["seconds_per_question"] = fields.seconds_per_question
    if fields.warm_up_questions:
        body["warm_up_questions"] = fields.warm_up_questions
    divisions = list(_read_divisions(fields.divisions, base.get("divisions", [])))
    if divisions:
        body["divisions"] = divisions
    return body


def read_fields(body: Mapping[str, Any]) -> RuleFields:
    """The fields that show this body."""
    mix = _mix_of(body)
    counts = tuple(int(mix.get(kind.value, 0)) for kind in KINDS)
    seconds = int(body.get("paper_seconds") or 0)
    per_question = body.get("seconds_per_question")
    total = int(body.get("questions_per_paper") or 0)
    if not seconds:
        seconds = int(per_question or 0) * total
    return RuleFields(
        papers_per_day=int(body.get("papers_per_day") or 1),
        papers_total=body.get("papers_total"),
        counts=(counts[0], counts[1], counts[2]),
        any_kind=0 if any(counts) else total,
        cover_topics=bool(body.get("cover_topics")),
        points_per_question=int(body.get("points_per_question") or 0),
        timer=Timer(body.get("timer", Timer.PAPER.value)),
        paper_seconds=seconds,
        seconds_per_question=per_question,
        season=Season(body.get("season_score", Season.BEST.value)),
        divisions="\n".join(one["title"] for one in body.get("divisions", [])),
        warm_up_questions=int(body.get("warm_up_questions") or 0),
    )


def has_detailed_parts(body: Mapping[str, Any]) -> bool:
    """Whether the blueprint says more than numbers by kind, which the form cannot show."""
    return any(set(part) - {"kind", "count"} for part in body.get("parts", []))


def _mix_of(body: Mapping[str, Any]) -> dict[str, int]:
    mix = dict(body.get("mix", {}))
    for part in body.get("parts", []):
        if part.get("kind"):
            mix[part["kind"]] = mix.get(part["kind"], 0) + part["count"]
    return mix


def _write_blueprint(fields: RuleFields, base: Mapping[str, Any]) -> dict[str, Any]:
    mix = {kind.value: n for kind, n in zip(KINDS, fields.counts, strict=True) if n}
    if mix and mix == _mix_of(base):
        # The blueprint of `base` keeps its order, and the parts that the form does not show.
        kept = ("mix", "parts", "questions_per_paper")
        return {name: base[name] for name in kept if name in base}
    if mix:
        return {"mix": mix, "questions_per_paper": sum(mix.values())}
    return {"questions_per_paper": fields.any_kind}


def _read_divisions(lines: str, known: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One division per line; an existing title keeps its key and its own blueprint."""
    by_title = {one["title"]: dict(one) for one in known}
    used = {one["key"] for one in known}
    number = 0
    for line in lines.splitlines():
        title = line.strip()
        if not title:
            continue
        if title in by_title:
            yield by_title[title]
            continue
        number += 1
        while f"g{number}" in used:
            number += 1
        used.add(f"g{number}")
        yield {"key": f"g{number}", "title": title}


_WRITTEN = frozenset(
    {
        "papers_per_day",
        "papers_total",
        "points_per_question",
        "cover_topics",
        "timer",
        "paper_seconds",
        "seconds_per_question",
        "season_score",
        "questions_per_paper",
        "mix",
        "parts",
        "divisions",
        "warm_up_questions",
        "ranking",
        "ours",
    }
)
