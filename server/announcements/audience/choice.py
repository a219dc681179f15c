"""The choice of the channel for one person; forecast and ledger use the same function."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from server.announcements.enums import Channel

# Source: mass messages of a service account, "each user receives at most four a month".
MASS_PER_MONTH = 4


class Obstacle(StrEnum):
    """The reason against a channel for a person; `server/notices/reasons.py` has the sentences.

    `refused`: every channel of the ladder was tried and refused.
    """

    OPTED_OUT = "opted_out"
    NEVER_PUSHED = "never_pushed"
    CAPPED = "capped"
    NO_MINI_PROGRAM = "no_openid"
    NO_GRANT = "no_grant"
    NOT_FOLLOWING = "not_following"
    NOT_ASKED_FOR = "not_asked_for"
    NO_WINDOW = "no_window"
    QUOTA_SPENT = "quota_spent"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """Everything about a person that decides which channels of an announcement are permitted.

    `opted_out` of announcements or of this topic. `never_pushed`: the announcement that is
    corrected is only an unread copy in the inbox. `capped` by the limit over all senders, to which
    a message about the person's own activity and a correction do not count (`uncounted`).
    `asked_for`: an act of the person's own is a ground for template messages. `mini_grant` and
    `official_grant`: a spare grant for the template of that channel; `window`: customer messages
    are possible.
    `mass_count`: mass messages of this calendar month in Beijing.
    """

    opted_out: bool = False
    never_pushed: bool = False
    capped: bool = False
    uncounted: bool = False
    asked_for: bool = False
    follows: bool = False
    in_mini_program: bool = False
    in_official_account: bool = False
    mini_grant: bool = False
    official_grant: bool = False
    window: bool = False
    mass_count: int = 0


def choose_channel(
    ladder: Sequence[Channel], facts: PersonFacts, tried: Collection[Channel] = ()
) -> Channel | Obstacle:
    """The first permitted channel that was not tried; otherwise why there is none.

    Without a permitted channel the reason is that of the first one that was not tried. A copy in
    the inbox is permitted to everybody, so that `Channel.INBOX` in a ladder ends it.
    """
    left = [channel for channel in ladder if channel not in tried]
    if not left:
        return Obstacle.REFUSED
    obstacles = []
    for channel in left:
        obstacle = obstacle_to(channel, facts)
        if obstacle is None:
            return channel
        obstacles.append(obstacle)
    return obstacles[0]


def obstacle_to(channel: Channel, facts: PersonFacts) -> Obstacle | None:
    """The reason against a channel for a person; None when it is permitted."""
    if channel is Channel.INBOX:
        return None
    if facts.opted_out:
        return Obstacle.OPTED_OUT
    if facts.never_pushed:
        return Obstacle.NEVER_PUSHED
    if facts.capped:
        return Obstacle.CAPPED
    return _OBSTACLES[channel](facts)


def _of_mini_subscription(facts: PersonFacts) -> Obstacle | None:
    if not facts.in_mini_program:
        return Obstacle.NO_MINI_PROGRAM
    return None if facts.mini_grant else Obstacle.NO_GRANT


def _of_official_subscription(facts: PersonFacts) -> Obstacle | None:
    if not facts.in_official_account:
        return Obstacle.NOT_FOLLOWING
    return None if facts.official_grant else Obstacle.NO_GRANT


def _of_template(facts: PersonFacts) -> Obstacle | None:
    if not (facts.follows and facts.in_official_account):
        return Obstacle.NOT_FOLLOWING
    return None if facts.asked_for else Obstacle.NOT_ASKED_FOR


def _of_customer_message(facts: PersonFacts) -> Obstacle | None:
    if not (facts.follows and facts.in_official_account):
        return Obstacle.NOT_FOLLOWING
    return None if facts.window else Obstacle.NO_WINDOW


def _of_mass(facts: PersonFacts) -> Obstacle | None:
    if not (facts.follows and facts.in_official_account):
        return Obstacle.NOT_FOLLOWING
    return None if facts.mass_count < MASS_PER_MONTH else Obstacle.QUOTA_SPENT


_OBSTACLES = {
    Channel.MINI_SUBSCRIPTION: _of_mini_subscription,
    Channel.OFFICIAL_SUBSCRIPTION: _of_official_subscription,
    Channel.TEMPLATE: _of_template,
    Channel.CUSTOMER_MESSAGE: _of_customer_message,
    Channel.MASS: _of_mass,
}
