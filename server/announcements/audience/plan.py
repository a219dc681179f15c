"""The forecast of an announcement from counted facts. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from server.announcements.audience.choice import (
    MASS_PER_MONTH,
    Obstacle,
    PersonFacts,
    choose_channel,
)
from server.announcements.enums import Channel

# Source: mass messages by a list of openids, "2 to 10,000".
FEWEST_IN_MASS, MOST_IN_MASS = 2, 10_000


class PlanProblem(StrEnum):
    """A reason against sending an announcement as it is.

    `over_quota`: one day's messages exceed what WeChat accepts, so it must be split over days.
    `no_ground`: template messages need an act of the recipients that asked for them, and neither a
    topic nor an activity, contest or programme is chosen.
    """

    NOBODY = "nobody"
    NOBODY_PUSHED = "nobody_pushed"
    OVER_QUOTA = "over_quota"
    NO_GROUND = "no_ground"
    MASS_SIZE = "mass_size"


@dataclass(frozen=True, kw_only=True)
class QuotaLeft:
    """A daily quota of a channel at WeChat.

    Units: calls; `wanted` are those of the largest day.
    """

    channel: Channel
    limit: int
    used: int
    wanted: int

    @property
    def left(self) -> int:
        """Calls left on the first day."""
        return max(0, self.limit - self.used)

    @property
    def is_exceeded(self) -> bool:
        """Whether the largest day wants more calls than are left."""
        return self.wanted > self.left


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """Number of people of the audience with each permission, whatever the ladder is."""

    follows: int = 0
    mini_grants: int = 0
    official_grants: int = 0
    windows: int = 0
    asked_for: int = 0
    mass_left: int = 0


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The expected result of sending an announcement now, by the same choice as the ledger's.

    Everybody in `reached` or `unreached` gets a copy in the inbox. `days` is the number of days
    with the chosen split, `fitting_per_day` the largest split within the quotas when the present
    one exceeds them; None otherwise.
    Units: `seconds` is the time for the largest day at the usual rate.
    """

    people: int
    reached: Mapping[Channel, int]
    unreached: Mapping[Obstacle, int]
    permissions: Permissions
    quotas: Sequence[QuotaLeft]
    days: int
    seconds: int
    fitting_per_day: int | None
    problems: Sequence[PlanProblem] = field(default_factory=tuple)
    # Whether the counts are those of a sample, scaled to all people.
    sampled: bool = False

    @property
    def pushed(self) -> int:
        """Number of people who get a message outside of the inbox."""
        return sum(count for channel, count in self.reached.items() if channel is not Channel.INBOX)


@dataclass(frozen=True, kw_only=True)
class SendingPlan:
    """Everything about an announcement that decides its forecast, besides the people's facts.

    `used` are today's calls by channel, `limits` those that WeChat accepts in a day.
    Units: `rate` in messages per second; `per_day` in people, None for all on the first day.
    """

    ladder: Sequence[Channel]
    limits: Mapping[Channel, int]
    used: Mapping[Channel, int]
    rate: float
    per_day: int | None = None
    has_ground: bool = True


def forecast_of(groups: Sequence[tuple[PersonFacts, int]], plan: SendingPlan) -> Forecast:
    """The forecast for people grouped by equal facts, each group with its size."""
    reached: Counter[Channel] = Counter()
    unreached: Counter[Obstacle] = Counter()
    for facts, size in groups:
        chosen = choose_channel(plan.ladder, facts)
        if isinstance(chosen, Channel):
            reached[chosen] += size
        else:
            unreached[chosen] += size
    people = sum(size for _, size in groups)
    on_largest_day = people if plan.per_day is None else min(people, plan.per_day)
    quotas = _count_quotas(reached, plan, on_largest_day, people)
    pushes = sum(one.wanted for one in quotas)
    return Forecast(
        people=people,
        reached={channel: reached[channel] for channel in Channel if reached[channel]},
        unreached={reason: unreached[reason] for reason in Obstacle if unreached[reason]},
        permissions=_count_permissions(groups),
        quotas=quotas,
        days=1 if plan.per_day is None else max(1, -(-people // plan.per_day)),
        seconds=math.ceil(pushes / plan.rate),
        fitting_per_day=_fitting_per_day(reached, quotas, people),
        problems=tuple(_find_problems(plan, people, reached, quotas)),
    )


def _count_quotas(
    reached: Mapping[Channel, int], plan: SendingPlan, on_largest_day: int, people: int
) -> list[QuotaLeft]:
    found = []
    for channel in plan.ladder:
        if channel is Channel.INBOX:
            continue
        share = _share_of(reached.get(channel, 0), on_largest_day, people)
        calls = -(-share // MOST_IN_MASS) if channel is Channel.MASS else share
        limit, used = plan.limits.get(channel, 0), plan.used.get(channel, 0)
        found.append(QuotaLeft(channel=channel, limit=limit, used=used, wanted=calls))
    return found


def _share_of(count: int, on_day: int, people: int) -> int:
    """Messages of a day with `on_day` people, when they are spread evenly; rounded up."""
    return -(-count * on_day // people) if people else 0


def _fitting_per_day(
    reached: Mapping[Channel, int], quotas: Sequence[QuotaLeft], people: int
) -> int | None:
    if not any(one.is_exceeded for one in quotas):
        return None
    fitting = people
    for one in quotas:
        per_call = MOST_IN_MASS if one.channel is Channel.MASS else 1
        count = reached.get(one.channel, 0)
        if count:
            # The first day has what is left of today's quota.
            fitting = min(fitting, people * one.left * per_call // count)
    return max(1, fitting)


def _count_permissions(groups: Sequence[tuple[PersonFacts, int]]) -> Permissions:
    def count(holds: Sequence[bool]) -> int:
        return sum(size for (_, size), held in zip(groups, holds, strict=True) if held)

    people = [facts for facts, _ in groups]
    return Permissions(
        follows=count([one.follows for one in people]),
        mini_grants=count([one.mini_grant for one in people]),
        official_grants=count([one.official_grant for one in people]),
        windows=count([one.window for one in people]),
        asked_for=count([one.asked_for for one in people]),
        mass_left=count([one.follows and one.mass_count < MASS_PER_MONTH for one in people]),
    )


def _find_problems(
    plan: SendingPlan, people: int, reached: Mapping[Channel, int], quotas: Sequence[QuotaLeft]
) -> list[PlanProblem]:
    pushed = sum(reached.get(one.channel, 0) for one in quotas)
    mass = reached.get(Channel.MASS, 0)
    found = {
        PlanProblem.NOBODY: people == 0,
        PlanProblem.NOBODY_PUSHED: people > 0 and pushed == 0 and bool(quotas),
        PlanProblem.OVER_QUOTA: any(one.is_exceeded for one in quotas),
        PlanProblem.NO_GROUND: Channel.TEMPLATE in plan.ladder and not plan.has_ground,
        PlanProblem.MASS_SIZE: Channel.MASS in plan.ladder
        and not FEWEST_IN_MASS <= mass <= MOST_IN_MASS,
    }
    return [problem for problem, is_found in found.items() if is_found]
