"""Compares a blueprint with the bank: its supply, and after how many papers questions repeat.

Pure; the caller passes the questions that may be dealt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.quiz.bank.drawing import Item, find_shortages, fits_part
from server.quiz.rules import Division, Part, RuleSet


@dataclass(frozen=True, kw_only=True)
class BlueprintLine:
    """One part of a blueprint with its supply.

    Units: `supply` questions that fit, `papers` that one citizen can take before a question of this
    part repeats, `repeats_on_day` the day of the contest on which that happens to a citizen who
    takes every paper, None when the contest ends before. `enough` accounts for questions that
    other parts of the paper need, too.
    """

    division: Division | None
    part: Part
    supply: int
    papers: int
    repeats_on_day: int | None
    enough: bool


def check_blueprint(rules: RuleSet, items: Sequence[Item], days: int) -> list[BlueprintLine]:
    """Every part of every blueprint of a contest, the contest's own first."""
    lines = []
    for division in (None, *(one for one in rules.divisions if one.parts)):
        parts = rules.parts if division is None else division.parts
        lacking = {id(part) for part, _ in find_shortages(parts, items)}
        for part in parts:
            supply = sum(fits_part(item, part) for item in items)
            papers = supply // part.count
            lines.append(
                BlueprintLine(
                    division=division,
                    part=part,
                    supply=supply,
                    papers=papers,
                    repeats_on_day=_day_of_repeat(rules, papers, days),
                    enough=id(part) not in lacking,
                )
            )
    return lines


def _day_of_repeat(rules: RuleSet, papers: int, days: int) -> int | None:
    """The day on which the first paper with a repeated question is dealt, from 1."""
    if rules.papers_total is not None and rules.papers_total <= papers:
        return None
    day = papers // rules.papers_per_day + 1
    return day if day <= days else None
