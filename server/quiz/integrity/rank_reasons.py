"""Reasons why an entry has no rank, or not every rank: pure rules over its facts.

The reasons are in the order in which an organizer should read them: first the one that removes the
entry from every board.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# The mini-program lists this many (miniprogram/api/quiz.ts); a later rank is shown to its owner.
LISTED = 50


class RankReason(StrEnum):
    """One reason; the text key is `quiz.rank_reason.<value>`."""

    ERASED = "erased"
    MERGED = "merged"
    HELD = "held"
    UPHELD = "upheld"
    OPEN_PAPER = "open_paper"
    NO_PAPER = "no_paper"
    FROZEN = "frozen"
    COUNTING = "counting"
    NO_CITY = "no_city"
    NO_COUNTY = "no_county"
    NO_UNIT = "no_unit"
    NOT_LISTED = "not_listed"


@dataclass(frozen=True, kw_only=True)
class EntryFacts:
    """The facts that decide an entry's ranks.

    `upheld`: the hold was reviewed and confirmed. `shown`: citizens see the entry's total standing.
    `last_closed_at` is the instant of the newest closed paper.
    """

    erased: bool
    merged: bool
    held: bool
    upheld: bool
    closed_papers: int
    open_paper: bool
    city: str | None
    county: str | None
    unit_id: int | None
    shown: bool
    frozen_at: datetime | None
    last_closed_at: datetime | None
    region_rank: int | None


def explain_rank(facts: EntryFacts) -> list[RankReason]:
    """Every reason that applies."""
    if facts.erased:
        return [RankReason.ERASED]
    if facts.merged:
        return [RankReason.MERGED]
    found = [RankReason.UPHELD if facts.upheld else RankReason.HELD] if facts.held else []
    if not facts.closed_papers:
        return [*found, RankReason.OPEN_PAPER if facts.open_paper else RankReason.NO_PAPER]
    if _is_behind_freeze(facts):
        found.append(RankReason.FROZEN)
    elif not facts.shown and not facts.held:
        found.append(RankReason.COUNTING)
    return [*found, *_missing_places(facts)]


def _is_behind_freeze(facts: EntryFacts) -> bool:
    """Whether the newest paper was closed after the boards were frozen."""
    if facts.frozen_at is None or facts.last_closed_at is None:
        return False
    return facts.last_closed_at >= facts.frozen_at


def _missing_places(facts: EntryFacts) -> Iterator[RankReason]:
    if facts.city is None:
        yield RankReason.NO_CITY
    elif facts.county is None:
        yield RankReason.NO_COUNTY
    if facts.unit_id is None:
        yield RankReason.NO_UNIT
    if facts.region_rank is not None and facts.region_rank > LISTED:
        yield RankReason.NOT_LISTED
