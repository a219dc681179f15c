"""The rule of an audience: conditions that all hold, each with any of its values.

A rule never widens the audience beyond the place of the announcement; see `selecting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from server.announcements.errors import WrongAudienceRule

_Code = Annotated[str, Meta(pattern=r"^[0-9]{6}$")]
_Ref = Annotated[str, Meta(min_length=1, max_length=64)]
_Slug = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,60}$")]
_Rank = Annotated[int, Meta(ge=1, le=10_000_000)]
_Score = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class SignUpBand(StrEnum):
    """A state of sign-ups; a confirmed one whose people came is `attended` too."""

    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    ATTENDED = "attended"
    ABSENT = "absent"


class _Conditions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of the parts of a rule: unknown names are refused, defaults are not stored."""


class TookPartIn(_Conditions, frozen=True, kw_only=True):
    """Participation in a programme, of a kind, within days; both days are included."""

    programme: _Slug | None = None
    kind: _Slug | None = None
    first_day: date | None = None
    last_day: date | None = None


class ContestResult(_Conditions, frozen=True, kw_only=True):
    """An entry in a contest with its result.

    Units: `minimum_score` is in points of the whole season, `best_rank` and `last_rank` count from
    1 in the region, both included.
    """

    contest: _Ref
    completed: bool = False
    minimum_score: _Score | None = None
    best_rank: _Rank | None = None
    last_rank: _Rank | None = None


class SignedUp(_Conditions, frozen=True, kw_only=True):
    """A sign-up for one of the activities; without states, one that has not ended."""

    activities: Annotated[tuple[_Ref, ...], Meta(max_length=50)] = ()
    states: Annotated[tuple[SignUpBand, ...], Meta(max_length=4)] = ()
    first_day: date | None = None
    last_day: date | None = None


class CameBy(_Conditions, frozen=True, kw_only=True):
    """A visit by one of the scenes, within days; both days are included."""

    scenes: Annotated[tuple[_Ref, ...], Meta(min_length=1, max_length=50)]
    first_day: date | None = None
    last_day: date | None = None


class AudienceRule(_Conditions, frozen=True, kw_only=True):
    """The audience of an announcement, stored as JSON in `Announcement.audience`.

    All conditions must hold; an empty rule is everybody in the place of the announcement. `cities`
    and `counties` are one condition: any of these places. `signups`
    selects activities by their refs, or by the days on which they take place. `correction_of` is
    the ref of another announcement: everybody who got it, without any other condition.
    """

    cities: Annotated[tuple[_Code, ...], Meta(max_length=20)] = ()
    counties: Annotated[tuple[_Code, ...], Meta(max_length=150)] = ()
    units: Annotated[tuple[_Ref, ...], Meta(max_length=200)] = ()
    topics: Annotated[tuple[_Slug, ...], Meta(max_length=50)] = ()
    took_part: TookPartIn | None = None
    contest: ContestResult | None = None
    signups: SignedUp | None = None
    came_by: CameBy | None = None
    correction_of: _Ref | None = None


_READ = msgspec.json.Decoder(AudienceRule)


def read_rule(stored: Mapping[str, Any]) -> AudienceRule:
    """Read a rule from JSON.

    Raises: WrongAudienceRule (422), which names the first wrong part.
    """
    try:
        rule = _READ.decode(msgspec.json.encode(stored))
    except msgspec.ValidationError as trouble:
        raise WrongAudienceRule(_part_of(str(trouble))) from None
    wrong = _contradiction_in(rule)
    if wrong is not None:
        raise WrongAudienceRule(wrong)
    return rule


def rule_content(rule: AudienceRule) -> dict[str, Any]:
    """The JSON of a rule, without empty conditions."""
    content: dict[str, Any] = msgspec.to_builtins(rule)
    return content


def _contradiction_in(rule: AudienceRule) -> str | None:
    """The name of a part that no person can meet, or that says nothing."""
    if rule.correction_of is not None and rule != AudienceRule(correction_of=rule.correction_of):
        return "correction_of"
    for name in ("took_part", "signups", "came_by"):
        part = getattr(rule, name)
        if part is not None and _is_backwards(part.first_day, part.last_day):
            return name
    if rule.signups is not None and rule.signups == SignedUp(states=rule.signups.states):
        return "signups"
    result = rule.contest
    if result is not None and _is_backwards(result.best_rank, result.last_rank):
        return "contest"
    return None


def _is_backwards(first: Any, last: Any) -> bool:
    return first is not None and last is not None and first > last


def _part_of(trouble: str) -> str:
    """The first name in the path of a message such as "… - at `$.contest.best_rank`"."""
    _, found, path = trouble.partition("`$.")
    if found:
        return path.rstrip("`").split(".")[0].split("[")[0]
    _, found, name = trouble.partition("unknown field `")
    return name.rstrip("`") if found else "rule"
