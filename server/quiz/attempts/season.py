"""Plays weeks of a contest in memory, by the contest's own rules; pure.

Papers are drawn, dealt and marked by the functions that serve citizens, and ranked in the order in
which they were closed. `bulk.py` stores the result.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from server.base.clock import beijing_day, beijing_week
from server.quiz.attempts import papers
from server.quiz.bank.drawing import Item, Past, draw_paper
from server.quiz.bank.service import LoadedBank
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState
from server.quiz.leaderboards.board_keys import CountedPlace
from server.quiz.leaderboards.rank_order import rank_key, to_millisecond
from server.quiz.leaderboards.standings_queries import Stand
from server.quiz.rules import Paper, RuleSet, deadline_of_paper, season_total, whole_milliseconds

if TYPE_CHECKING:
    from random import Random  # noqa: TID251 - only the type of an argument; creates no generator

# The chosen options of a player for a question; empty for no answer.
Answer = Callable[[int, Item], list[int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sitting:
    """A paper that a player takes.

    Units: `took` is the time from start to submission, None when it was left to its deadline.
    """

    player: int
    started_at: datetime
    took: timedelta | None


@dataclass(kw_only=True, slots=True)
class PlayedPaper:
    """A closed paper; `dealt` are the refs of its questions, `shard` the deck they came from."""

    player: int
    started_at: datetime
    deadline_at: datetime
    closed_at: datetime
    state: AttemptState
    on_day: date
    try_no: int
    shard: int
    dealt: list[str]
    paper: list[dict[str, Any]]
    answers: dict[str, list[int]]
    score: int
    correct_count: int
    duration_ms: int
    rank_region: int = 0
    rank_city: int | None = None

    @property
    def on_week(self) -> str:
        """The ISO week it counts for."""
        return beijing_week(self.on_day)


@dataclass(frozen=True, kw_only=True)
class PlayedSeason:
    """The closed papers of each player, the earliest first; player `n` counts for `places[n]`."""

    contest: ContestView
    places: Sequence[CountedPlace]
    papers: dict[int, list[PlayedPaper]]


@dataclass(kw_only=True)
class _Table:
    """Input and progress of the draw while the season is played."""

    contest: ContestView
    bank: LoadedBank
    places: Sequence[CountedPlace]
    answer: Answer
    chance: Random
    shards: int
    counts: dict[int, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    played: dict[int, list[PlayedPaper]] = field(default_factory=lambda: defaultdict(list))


def play_season(  # noqa: PLR0913 - one fact of the season each, all by name
    contest: ContestView,
    bank: LoadedBank,
    places: Sequence[CountedPlace],
    sittings: Iterable[Sitting],
    answer: Answer,
    *,
    chance: Random,
    shards: int,
) -> PlayedSeason:
    """Play all sittings; player `n` counts for `places[n]`.

    Sittings beyond a day's limit are left out. Raises: PoolTooSmall.
    """
    table = _Table(
        contest=contest, bank=bank, places=places, answer=answer, chance=chance, shards=shards
    )
    for sitting in sorted(sittings, key=lambda one: (one.started_at, one.player)):
        _play_sitting(table, sitting)
    _rank_papers(contest.rules, table.played, places)
    return PlayedSeason(contest=contest, places=places, papers=dict(table.played))


def _play_sitting(table: _Table, sitting: Sitting) -> None:
    rules, earlier = table.contest.rules, table.played[sitting.player]
    day = beijing_day(sitting.started_at)
    try_no = 1 + sum(one.on_day == day for one in earlier)
    if try_no > rules.papers_per_day:
        return
    shard = table.chance.randrange(table.shards)
    items = _draw_items(table, sitting.player, shard)
    dealt = papers.deal_paper(items, table.chance)
    deadline_at = deadline_of_paper(rules, sitting.started_at)
    closed_at = deadline_at if sitting.took is None else sitting.started_at + sitting.took
    # A paper that was never submitted has the answers of its first half.
    answered = items if sitting.took is not None else items[: len(items) // 2]
    chosen = {item.ref: table.answer(sitting.player, item) for item in answered}
    answers = {ref: options for ref, options in chosen.items() if options}
    slots = papers.slots_of_paper(
        dealt, table.bank.by_id, rules.timer, sitting.started_at, deadline_at
    )
    score, correct_count = papers.score_paper(slots, rules, answers)
    earlier.append(
        PlayedPaper(
            player=sitting.player,
            started_at=sitting.started_at,
            deadline_at=deadline_at,
            closed_at=closed_at,
            state=AttemptState.EXPIRED if sitting.took is None else AttemptState.SUBMITTED,
            on_day=day,
            try_no=try_no,
            shard=shard,
            dealt=[item.ref for item in items],
            paper=dealt,
            answers=answers,
            score=score,
            correct_count=correct_count,
            duration_ms=whole_milliseconds(closed_at - sitting.started_at),
        )
    )


def _draw_items(table: _Table, player: int, shard: int) -> list[Item]:
    rules, counts = table.contest.rules, table.counts[shard]
    seen = {ref: number for number, one in enumerate(table.played[player]) for ref in one.dealt}
    parts = rules.parts_for(table.places[player].division)
    pools = [(part, table.bank.pool_for_part(part, table.contest.left_out)) for part in parts]
    past = Past(seen=seen, counts=counts)
    items = draw_paper(pools, past, table.chance, cover_topics=rules.cover_topics)
    for item in items:
        counts[item.ref] = counts.get(item.ref, 0) + 1
    return items


def _rank_papers(
    rules: RuleSet, played: dict[int, list[PlayedPaper]], places: Sequence[CountedPlace]
) -> None:
    """Set the ranks that each paper had at its closing."""
    closed = sorted(
        (one for some in played.values() for one in some),
        key=lambda one: (one.closed_at, one.player),
    )
    totals: dict[int, list[Paper]] = defaultdict(list)
    boards: dict[str | None, list[tuple[Any, ...]]] = defaultdict(list)
    for number, one in enumerate(closed):
        city, mine = places[one.player].city, totals[one.player]
        before = _board_key(rules, one.player, mine)
        mine.append(
            Paper(
                id=number,
                on_day=one.on_day,
                score=one.score,
                time_ms=one.duration_ms,
                closed_at=one.closed_at,
            )
        )
        key = _board_key(rules, one.player, mine)
        for board in {None, city}:
            _move_on_board(boards[board], before, key)
        one.rank_region = bisect_left(boards[None], key) + 1
        one.rank_city = None if city is None else bisect_left(boards[city], key) + 1


def _board_key(rules: RuleSet, player: int, mine: Sequence[Paper]) -> tuple[Any, ...]:
    total = season_total(rules.season, mine)
    if total is None:
        return ()
    reached_at = to_millisecond(total.reached_at)
    return rank_key(Stand(player, total.points, total.time_ms, reached_at, version=0))


def _move_on_board(
    board: list[tuple[Any, ...]], before: tuple[Any, ...], key: tuple[Any, ...]
) -> None:
    if before:
        del board[bisect_left(board, before)]
    insort(board, key)
