"""Draws a paper: exactly the blueprint, unseen questions first, evenly used.

Pure; the caller passes what was dealt before and how often.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.quiz.enums import QuestionKind
from server.quiz.rules import Part

if TYPE_CHECKING:
    from random import Random  # noqa: TID251 - only the type of an argument; creates no generator


class PoolTooSmall(Exception):
    """The bank has too few questions for a part of the blueprint."""

    def __init__(self, part: Part, supply: int) -> None:
        super().__init__(f"{part.count} wanted, {supply} there")
        self.part = part
        self.supply = supply


@dataclass(frozen=True, kw_only=True)
class ItemPicture:
    """The picture of a question: its address and its text for screen readers. Units: pixels."""

    url: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Item:
    """One version of a question, for papers and reviews.

    Units: `answer` are positions in `options`.
    """

    id: int
    ref: str
    kind: QuestionKind
    topic: str
    benchmark_no: int | None
    difficulty: int
    audience: str | None
    stem: str
    options: tuple[str, ...]
    answer: tuple[int, ...]
    explanation: str
    picture: ItemPicture | None = None


def fits_part(item: Item, part: Part) -> bool:
    """Whether a question fits a part; a question without audience fits every audience."""
    return (
        part.kind in (None, item.kind)
        and part.difficulty in (None, item.difficulty)
        and (not part.benchmarks or item.benchmark_no in part.benchmarks)
        and (part.audience is None or item.audience in (None, part.audience))
    )


def find_shortages(parts: Sequence[Part], items: Iterable[Item]) -> list[tuple[Part, int]]:
    """The parts with too few questions, and how many each has."""
    pools = [(part, [item for item in items if fits_part(item, part)]) for part in parts]
    taken: set[str] = set()
    lacking = []
    for part, pool in _scarcest_first(pools):
        free = [item.ref for item in pool if item.ref not in taken]
        taken.update(free[: part.count])
        if len(free) < part.count:
            lacking.append((part, len(free)))
    return lacking


@dataclass(frozen=True, kw_only=True)
class Past:
    """The history for a draw: this citizen's papers, and how often each question was used.

    `seen` maps a question's ref to a number that is greater for a later paper.
    """

    seen: Mapping[str, int]
    counts: Mapping[str, int]


def draw_paper(
    pools: Sequence[tuple[Part, Sequence[Item]]],
    past: Past,
    chance: Random,
    *,
    cover_topics: bool,
) -> list[Item]:
    """Draw a paper in the order of its blueprint.

    Raises: PoolTooSmall.
    """
    dealt: dict[Part, list[Item]] = {}
    taken: set[str] = set()
    topics: set[str] = set()
    for part, pool in _scarcest_first(pools):
        free = [item for item in pool if item.ref not in taken]
        if len(free) < part.count:
            raise PoolTooSmall(part, len(free))
        chosen = _deal_items(free, part.count, past, chance, topics if cover_topics else None)
        taken.update(item.ref for item in chosen)
        dealt[part] = dealt.get(part, []) + chosen
    return [item for part, _ in pools for item in dealt.pop(part, [])]


def deal_options(item: Item, chance: Random) -> list[int]:
    """The order of the options on a paper; true/false questions keep theirs."""
    order = list(range(len(item.options)))
    if item.kind is not QuestionKind.JUDGE:
        chance.shuffle(order)
    return order


def _scarcest_first(
    pools: Sequence[tuple[Part, Sequence[Item]]],
) -> list[tuple[Part, Sequence[Item]]]:
    return sorted(pools, key=lambda pool: len(pool[1]) - pool[0].count)


def _deal_items(
    free: Sequence[Item], count: int, past: Past, chance: Random, topics: set[str] | None
) -> list[Item]:
    unseen = [item for item in free if item.ref not in past.seen]
    if len(unseen) >= count:
        return _least_used(unseen, count, past, chance, topics)
    back = [item for item in free if item.ref in past.seen]
    chance.shuffle(back)
    back.sort(key=lambda item: past.seen[item.ref])
    chosen = unseen + back[: count - len(unseen)]
    chance.shuffle(chosen)
    return chosen


def _least_used(
    pool: Sequence[Item], count: int, past: Past, chance: Random, topics: set[str] | None
) -> list[Item]:
    used = [(past.counts.get(item.ref, 0), item) for item in pool]
    chosen: list[Item] = []
    eligible: list[Item] = []
    # The eligible ones whose topic is not on the paper yet.
    new: list[Item] = []
    while len(chosen) < count:
        if not eligible:
            limit = min(times for times, _ in used) + 1
            eligible = [item for times, item in used if times <= limit]
            used = [(times, item) for times, item in used if times > limit]
            if topics is not None:
                new = [item for item in eligible if item.topic not in topics]
        item = chance.choice(new or eligible)
        # Compared by identity, because `==` would compare all fields of two items.
        eligible = [one for one in eligible if one is not item]
        chosen.append(item)
        if topics is not None:
            topics.add(item.topic)
            new = [one for one in new if one.topic != item.topic]
    return chosen
