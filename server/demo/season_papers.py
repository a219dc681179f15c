"""Times at which the people of the demo's season take papers, and their answers.

Pure, from a fixed seed. A few questions are planted that people with more knowledge answer worse,
and one player is a planted cheat: every answer right, in a second each.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from server.base.clock import BEIJING, beijing_day
from server.demo.season_people import SeasonPerson
from server.quiz import service as quiz

if TYPE_CHECKING:
    from random import Random  # noqa: TID251 - only the type of an argument; creates no generator

# The planted questions, by their refs in the demo's bank.
DOUBTFUL = ("KX0012", "KX0037", "KX0052")
# The cheat's seconds for ten questions: below the limit of the rule about speed.
CHEAT_SECONDS = 6.0
_EXPIRED = 0.035
_LONGEST = 285.0


@dataclass(frozen=True, kw_only=True)
class SeasonPlan:
    """The sittings of a season, and the positions of the players and of the cheat."""

    sittings: tuple[quiz.Sitting, ...]
    cheat: int


def plan_sittings(
    people: Sequence[SeasonPerson],
    hours: Mapping[int, int],
    chance: Random,
    span: tuple[datetime, datetime],
    papers: int,
) -> SeasonPlan:
    """About `papers` sittings of the people who logged in, at most one a day each.

    `span` is from the opening to now; every paper is closed by its end.
    """
    players = [n for n, one in enumerate(people) if one.logged_in_at is not None]
    # Some people log in and never start.
    starting = [n for n in players if chance.random() < 0.9]
    # The cheat is the player who logged in first.
    cheat = min(starting, key=lambda n: people[n].logged_in_at or span[1])
    free = {n: _free_days(people[n], span) for n in starting}
    # Most people take part once, a few every day.
    zeal = {n: chance.random() ** 3 for n in starting}
    zeal[cheat] = 50.0
    wanted = _share_papers({n: len(days) for n, days in free.items()}, zeal, papers)
    # A sitting later today than now is left out, and the cheat needs one at least.
    wanted[cheat] = max(wanted[cheat], min(2, len(free[cheat])))
    sittings = [
        sitting
        for n in starting
        for day in sorted(chance.sample(free[n], wanted[n]))
        for sitting in _sit_down(n, people[n], day, hours, chance, span, cheats=n == cheat)
    ]
    return SeasonPlan(sittings=tuple(sittings), cheat=cheat)


def _free_days(person: SeasonPerson, span: tuple[datetime, datetime]) -> list[datetime]:
    """The midnights of the days on which a person may take a paper."""
    first = max(beijing_day(person.logged_in_at or span[0]), beijing_day(span[0]))
    days = (beijing_day(span[1]) - first).days + 1
    begin = datetime.combine(first, time(), BEIJING)
    return [begin + timedelta(days=n) for n in range(days)]


def _share_papers(
    most: Mapping[int, int], zeal: Mapping[int, float], papers: int
) -> dict[int, int]:
    """Distribute papers in proportion to `zeal`, at most `most[n]` to person `n`."""
    low, high = 0.0, float(papers)
    for _ in range(60):
        scale = (low + high) / 2
        total = sum(min(most[n], max(1, int(zeal[n] * scale))) for n in most)
        low, high = (scale, high) if total < papers else (low, scale)
    return {n: min(most[n], max(1, int(zeal[n] * high))) for n in most}


def _sit_down(  # noqa: PLR0913 - one fact of the sitting each
    number: int,
    person: SeasonPerson,
    day: datetime,
    hours: Mapping[int, int],
    chance: Random,
    span: tuple[datetime, datetime],
    *,
    cheats: bool,
) -> list[quiz.Sitting]:
    hour = chance.choices(list(hours), list(hours.values()))[0]
    at = day + timedelta(hours=hour, seconds=chance.uniform(0, 3600))
    started_at = max(at, span[0], (person.logged_in_at or at) + timedelta(minutes=1))
    seconds = min(_LONGEST, max(20.0, 10 * person.speed * chance.uniform(0.75, 1.3)))
    took: timedelta | None = timedelta(seconds=CHEAT_SECONDS if cheats else seconds)
    if not cheats and chance.random() < _EXPIRED:
        took = None
    # The longest paper, with its grace period, is over.
    if started_at > span[1] - timedelta(seconds=_LONGEST + 30):
        return []
    return [quiz.Sitting(player=number, started_at=started_at, took=took)]


class AnsweringModel:
    """Chooses options by a person's knowledge and a question's difficulty."""

    def __init__(self, people: Sequence[SeasonPerson], cheat: int, chance: Random) -> None:
        self._people = people
        self._cheat = cheat
        self._chance = chance

    def choose_options(self, player: int, item: quiz.Item) -> list[int]:
        """The option positions that a player chooses."""
        if player == self._cheat or self._chance.random() < self._right_chance(player, item):
            return list(item.answer)
        return self._choose_wrong(item)

    def _right_chance(self, player: int, item: quiz.Item) -> float:
        knowledge = self._people[player].knowledge
        hardness = (item.difficulty - 2) * 0.9 - 0.7 + _spread_of(item.ref)
        if item.ref in DOUBTFUL:
            return 1 / (1 + math.exp(1.4 * (knowledge + 0.2)))
        guessed = 0.1 if item.kind is quiz.QuestionKind.MULTIPLE else 1 / (1 + len(item.options))
        return guessed + (1 - guessed) / (1 + math.exp(-1.3 * (knowledge - hardness)))

    def _choose_wrong(self, item: quiz.Item) -> list[int]:
        if self._chance.random() < 0.03:
            return []
        others = [n for n in range(len(item.options)) if n not in item.answer]
        if item.kind is not quiz.QuestionKind.MULTIPLE:
            return [self._chance.choice(others)]
        kept = [n for n in item.answer if self._chance.random() < 0.6][: len(item.answer) - 1]
        return sorted({*kept, self._chance.choice(others)} if others else kept)


def _spread_of(ref: str) -> float:
    """A fixed number from -0.6 to 0.6 for each question, so that no two are equally hard."""
    return hashlib.sha256(ref.encode()).digest()[0] / 255 * 1.2 - 0.6
