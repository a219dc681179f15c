"""The made-up people of the demo's season: where they live, who they are, how much they know.

Pure, from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from server.units import service as units

if TYPE_CHECKING:
    from random import Random  # noqa: TID251 - only the type of an argument; creates no generator

_DATA = Path(__file__).with_name("data") / "season.json"
SCENE = "contest"
# Years of birth of each audience; the first years of five-year bands.
_BORN = {
    "youth": (2005, 2010),
    "farmer": (1960, 1990),
    "worker": (1970, 2000),
    "official": (1970, 1995),
    "elder": (1940, 1960),
}
_SCHOOLING = {
    "youth": ("primary", "junior", "senior"),
    "farmer": ("none", "primary", "junior", "junior", "senior"),
    "worker": ("junior", "senior", "senior", "college"),
    "official": ("college", "bachelor", "bachelor"),
    "elder": ("none", "primary", "junior", "senior"),
}
# Mean knowledge of each audience, in standard deviations of the whole.
_KNOWLEDGE = {"youth": 0.0, "farmer": -0.5, "worker": 0.1, "official": 0.8, "elder": -0.3}
_UNITS_A_CITY = 3


@dataclass(frozen=True, kw_only=True)
class UnitPattern:
    """A member unit of every city."""

    name: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class SeasonFacts:
    """The data file. Units: `hours` and `audiences` are relative weights."""

    source: str
    surnames: str
    given: tuple[str, ...]
    units: tuple[UnitPattern, ...]
    report_reasons: tuple[str, ...]
    hours: Mapping[int, int]
    audiences: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class SeasonPerson:
    """A made-up person; followers who never logged in have no `logged_in_at`.

    Units: `knowledge` in standard deviations, `speed` seconds per question, `unit` the position in
    the city's units.
    """

    name: str
    city: str
    county: str | None
    unit: int | None
    audience: str | None
    sex: str | None
    birth_band: str | None
    schooling: str | None
    residence: str | None
    public_rank: bool
    under_14: bool
    followed_at: datetime | None
    left_at: datetime | None
    logged_in_at: datetime | None
    grants: int
    knowledge: float
    speed: float

    @property
    def came_at(self) -> datetime:
        """The instant of the person's first follow or login."""
        return min(at for at in (self.followed_at, self.logged_in_at) if at is not None)


_READ = msgspec.json.Decoder(SeasonFacts)


def read_season_facts() -> SeasonFacts:
    """The data file of the season."""
    return _READ.decode(_DATA.read_bytes())


def make_people(
    facts: SeasonFacts,
    chance: Random,
    opened: datetime,
    now: datetime,
    counts: tuple[int, int],
) -> list[SeasonPerson]:
    """Make the season's people; `counts` are those who log in, and followers who never did."""
    logging_in, following_only = counts
    made = [_make_person(facts, chance, opened, now, logs_in=True) for _ in range(logging_in)]
    made += [_make_person(facts, chance, opened, now, logs_in=False) for _ in range(following_only)]
    # Rows are written in this order, so that both kinds appear in every part.
    chance.shuffle(made)
    return made


def _make_person(
    facts: SeasonFacts, chance: Random, opened: datetime, now: datetime, *, logs_in: bool
) -> SeasonPerson:
    city = _weighted_choice(chance, units.load_residents().residents)
    audience = _weighted_choice(chance, facts.audiences) or None
    came_at = opened + (now - opened) * chance.random() ** 1.6
    follows = not logs_in or chance.random() < 0.72
    left = follows and chance.random() < 0.05
    logged_in_at = came_at + timedelta(minutes=chance.uniform(1, 90)) if logs_in else None
    return SeasonPerson(
        name=chance.choice(facts.surnames) + chance.choice(facts.given),
        city=city,
        county=_choose_county(chance, city, now),
        unit=chance.randrange(_UNITS_A_CITY) if chance.random() < 0.22 else None,
        audience=audience,
        **_draw_traits(chance, audience),
        public_rank=chance.random() < 0.3,
        under_14=audience == "youth" and chance.random() < 0.1,
        followed_at=came_at if follows else None,
        left_at=min(now, came_at + timedelta(days=chance.uniform(1, 9))) if left else None,
        logged_in_at=min(now, logged_in_at) if logged_in_at else None,
        grants=chance.choice((0, 1, 1, 2)) if logs_in and follows and not left else 0,
        knowledge=chance.gauss(_KNOWLEDGE.get(audience or "", 0.0), 1.0),
        speed=min(28.0, max(4.0, chance.lognormvariate(2.3, 0.45))),
    )


def _draw_traits(chance: Random, audience: str | None) -> dict[str, str | None]:
    told = audience is not None and chance.random() < 0.6
    if audience is None or not told:
        return dict.fromkeys(("sex", "birth_band", "schooling", "residence"))
    first, last = _BORN[audience]
    rural = 0.85 if audience == "farmer" else 0.35
    return {
        "sex": chance.choice(("male", "female")),
        "birth_band": str(chance.randrange(first, last + 1, 5)),
        "schooling": chance.choice(_SCHOOLING[audience]),
        "residence": "rural" if chance.random() < rural else "urban",
    }


def _choose_county(chance: Random, city: str, now: datetime) -> str | None:
    found = units.load_regions().find_city(city)
    if found is None or chance.random() < 0.06:
        return None
    counties = found.counties_on(now.date())
    # The first districts of the list are the city's own; more people live there.
    weights = [1.0 / (2 + place) for place in range(len(counties))]
    return chance.choices([county.code for county in counties], weights)[0]


def _weighted_choice(chance: Random, weights: Mapping[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


def unit_ref(city: str, place: int) -> str:
    """The public id of a member unit of the season."""
    return f"season-{city}-{place}"


def unit_rows(facts: SeasonFacts, cities: Sequence[units.City]) -> list[units.UnitRow]:
    """The season's member units, in the order of `SeasonPerson.unit`, city by city."""
    return [
        units.UnitRow(
            ref=unit_ref(city.code, place),
            name=pattern.name.format(city=city.name),
            kind=pattern.kind,
            level=units.Level.COUNTY,
            city=city.code,
            county=city.counties[place].code,
            assumed=True,
        )
        for city in cities
        for place, pattern in enumerate(facts.units)
    ]
