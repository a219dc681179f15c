"""Statistics of one question version and the signs of doubt; pure.

All input is whole numbers, and fractions are exact up to the last division and root, so that a
figure has no rounding error of its own. A figure that cannot be computed has a reason instead.

An omitted question counts as wrong. The rest score is the share of right answers among the other
questions of the same paper; discrimination is its correlation with being right (the item-rest or
corrected point-biserial correlation, which leaves the question itself out of the score).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

from server.quiz.enums import DoubtSign, QuestionKind


@dataclass(frozen=True, kw_only=True)
class DoubtRules:
    """The thresholds of doubt.toml.  Units: `strong_share` of the other questions of a paper."""

    fewest_papers: int
    strong_share: Fraction
    fewest_strong: int
    many_reports: int


@dataclass(frozen=True, kw_only=True)
class AskedItem:
    """The question version as input of the rules.  Units: `answer` positions of options."""

    kind: QuestionKind
    option_count: int
    answer: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ItemCounts:
    """Counts of a question in papers of one length; see `ItemTally`."""

    paper_size: int
    dealt: int
    omitted: int
    correct: int
    strong: int
    rest_sum: int
    rest_squares: int
    rest_right: int
    time_ms: int


@dataclass(frozen=True, kw_only=True)
class OptionCounts:
    """Counts of one option in papers of one length; see `OptionTally`."""

    paper_size: int
    option_no: int
    chosen: int
    strong: int
    rest_sum: int


class ItemValue(NamedTuple):
    """A figure, or the code of the reason why there is none."""

    value: float | None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class OptionFigures:
    """One option.  Units: `share` of the papers; `rest` the mean rest score of papers with it."""

    option_no: int
    is_key: bool
    chosen: int
    strong: int
    share: ItemValue
    rest: ItemValue


@dataclass(frozen=True, kw_only=True)
class ItemFigures:
    """The figures of a question version.

    Units: shares from 0 to 1, `discrimination` from -1 to 1, `seconds` per paper or question.
    `strong` are papers with a high rest score. `chance` is the share of right answers that guessing
    gives; `above_chance` is (facility - chance) / (1 - chance).
    """

    dealt: int
    answered: int
    omitted: int
    strong: int
    facility: ItemValue
    discrimination: ItemValue
    chance: float
    above_chance: ItemValue
    seconds: ItemValue
    options: tuple[OptionFigures, ...]


@cache
def read_doubt_rules() -> DoubtRules:
    """The thresholds that are in force."""
    tree = tomllib.loads(Path(__file__).with_name("doubt.toml").read_text(encoding="utf-8"))
    return DoubtRules(
        fewest_papers=tree["fewest_papers"],
        strong_share=Fraction(str(tree["strong_share"])),
        fewest_strong=tree["fewest_strong"],
        many_reports=tree["many_reports"],
    )


# Cached, because every question of every paper asks, and fractions are slow.
@cache
def is_strong(rest: int, paper_size: int) -> bool:
    """Whether a rest score is high.  Units: `rest` right answers to the other questions."""
    others = paper_size - 1
    return others > 0 and Fraction(rest, others) >= read_doubt_rules().strong_share


def chance_of(item: AskedItem) -> Fraction:
    """The share of right answers that blind guessing gives: one of all possible answers."""
    if item.kind is QuestionKind.MULTIPLE:
        # Any choice of one option or more.
        return Fraction(1, 2**item.option_count - 1)
    return Fraction(1, item.option_count)


def compute_figures(
    item: AskedItem, counts: Sequence[ItemCounts], options: Iterable[OptionCounts]
) -> ItemFigures:
    """The figures of a question from its counts in papers of any length."""
    dealt, omitted = sum(one.dealt for one in counts), sum(one.omitted for one in counts)
    correct = sum(one.correct for one in counts)
    facility = ItemValue(correct / dealt) if dealt else ItemValue(None, "nobody")
    chance = chance_of(item)
    above = ItemValue(None, "nobody")
    if dealt:
        above = ItemValue(float((Fraction(correct, dealt) - chance) / (1 - chance)))
    return ItemFigures(
        dealt=dealt,
        answered=dealt - omitted,
        omitted=omitted,
        strong=sum(one.strong for one in counts),
        facility=facility,
        discrimination=_discrimination_of(counts),
        chance=float(chance),
        above_chance=above,
        seconds=_mean_of(sum(one.time_ms for one in counts), dealt * 1000),
        options=_option_figures(item, dealt, list(options)),
    )


def _discrimination_of(counts: Sequence[ItemCounts]) -> ItemValue:
    """Pearson's correlation of right (0 or 1) and rest score, from exact sums."""
    used = [one for one in counts if one.paper_size > 1 and one.dealt]
    papers, right = sum(one.dealt for one in used), sum(one.correct for one in used)
    if not papers:
        return ItemValue(None, "single" if any(one.dealt for one in counts) else "nobody")
    if right in (0, papers):
        return ItemValue(None, "all_right" if right else "nobody_right")
    rest = sum(Fraction(one.rest_sum, one.paper_size - 1) for one in used)
    squares = sum(Fraction(one.rest_squares, (one.paper_size - 1) ** 2) for one in used)
    together = sum(Fraction(one.rest_right, one.paper_size - 1) for one in used)
    spread = papers * squares - rest * rest
    if spread == 0:
        return ItemValue(None, "rest_equal")
    covariance = papers * together - right * rest
    # The square is exact, so that only the root and the last division round.
    share = covariance * covariance / (right * (papers - right) * spread)
    return ItemValue(math.copysign(math.sqrt(share), covariance) if covariance else 0.0)


def _mean_of(total: int | Fraction, count: int) -> ItemValue:
    return ItemValue(float(Fraction(total) / count)) if count else ItemValue(None, "nobody")


def _option_figures(
    item: AskedItem, dealt: int, options: Sequence[OptionCounts]
) -> tuple[OptionFigures, ...]:
    found = []
    for number in range(item.option_count):
        mine = [one for one in options if one.option_no == number]
        rested = [one for one in mine if one.paper_size > 1]
        chosen = sum(one.chosen for one in mine)
        rest = sum((Fraction(one.rest_sum, one.paper_size - 1) for one in rested), Fraction())
        found.append(
            OptionFigures(
                option_no=number,
                is_key=number in item.answer,
                chosen=chosen,
                strong=sum(one.strong for one in mine),
                share=_mean_of(chosen, dealt),
                rest=_mean_of(rest, sum(one.chosen for one in rested)),
            )
        )
    return tuple(found)


def find_signs(figures: ItemFigures) -> list[DoubtSign]:
    """The signs of doubt; none below the fewest papers."""
    rules = read_doubt_rules()
    if figures.dealt < rules.fewest_papers:
        return []
    signs = []
    value = figures.discrimination.value
    if value is not None and value < 0:
        signs.append(DoubtSign.NEGATIVE)
    if figures.strong >= rules.fewest_strong and _misleads_strong(figures.options):
        signs.append(DoubtSign.DISTRACTOR)
    if figures.above_chance.value is not None and figures.above_chance.value <= 0:
        signs.append(DoubtSign.GUESSED)
    return signs


def _misleads_strong(options: Sequence[OptionFigures]) -> bool:
    """Whether strong papers chose a wrong option more often than some right one."""
    right = [one.strong for one in options if one.is_key]
    wrong = [one.strong for one in options if not one.is_key]
    return bool(right and wrong) and max(wrong) > min(right)
