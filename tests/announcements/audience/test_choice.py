"""The channel of one person."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from server.announcements.audience.choice import (
    MASS_PER_MONTH,
    Obstacle,
    PersonFacts,
    choose_channel,
    obstacle_to,
)
from server.announcements.enums import Channel

LADDER = (Channel.MINI_SUBSCRIPTION, Channel.TEMPLATE, Channel.CUSTOMER_MESSAGE, Channel.INBOX)
REACHED = PersonFacts(
    asked_for=True,
    follows=True,
    in_mini_program=True,
    in_official_account=True,
    mini_grant=True,
    official_grant=True,
    window=True,
)
# What is taken from a person whom every channel reaches, and what stands in the way then.
MISSING = [
    (Channel.MINI_SUBSCRIPTION, {"in_mini_program": False}, Obstacle.NO_MINI_PROGRAM),
    (Channel.MINI_SUBSCRIPTION, {"mini_grant": False}, Obstacle.NO_GRANT),
    (Channel.OFFICIAL_SUBSCRIPTION, {"in_official_account": False}, Obstacle.NOT_FOLLOWING),
    (Channel.OFFICIAL_SUBSCRIPTION, {"official_grant": False}, Obstacle.NO_GRANT),
    (Channel.TEMPLATE, {"follows": False}, Obstacle.NOT_FOLLOWING),
    (Channel.TEMPLATE, {"in_official_account": False}, Obstacle.NOT_FOLLOWING),
    (Channel.TEMPLATE, {"asked_for": False}, Obstacle.NOT_ASKED_FOR),
    (Channel.CUSTOMER_MESSAGE, {"follows": False}, Obstacle.NOT_FOLLOWING),
    (Channel.CUSTOMER_MESSAGE, {"window": False}, Obstacle.NO_WINDOW),
    (Channel.MASS, {"follows": False}, Obstacle.NOT_FOLLOWING),
    (Channel.MASS, {"mass_count": MASS_PER_MONTH}, Obstacle.QUOTA_SPENT),
]
PUSHED = [channel for channel in Channel if channel is not Channel.INBOX]


def test_who_has_only_an_unread_copy_of_the_wrong_one_gets_no_message() -> None:
    facts = replace(REACHED, never_pushed=True)
    for channel in PUSHED:
        assert obstacle_to(channel, facts) is Obstacle.NEVER_PUSHED
    assert choose_channel(LADDER, facts) is Channel.INBOX


def test_four_people_get_the_first_channel_that_is_permitted_to_each() -> None:
    four = (
        REACHED,
        replace(REACHED, mini_grant=False),
        replace(REACHED, mini_grant=False, asked_for=False),
        replace(REACHED, mini_grant=False, asked_for=False, window=False),
    )
    assert tuple(choose_channel(LADDER, one) for one in four) == LADDER


@pytest.mark.parametrize("channel", list(Channel))
def test_a_person_with_everything_is_reached_by_each_channel(channel: Channel) -> None:
    assert choose_channel((channel,), REACHED) is channel


@pytest.mark.parametrize(("channel", "taken", "reason"), MISSING)
def test_what_a_channel_needs_is_named_when_it_is_missing(
    channel: Channel, taken: dict[str, object], reason: Obstacle
) -> None:
    assert choose_channel((channel,), replace(REACHED, **taken)) is reason  # type: ignore[arg-type]


@pytest.mark.parametrize("channel", PUSHED)
@pytest.mark.parametrize("reason", ["opted_out", "capped"])
def test_nobody_who_opted_out_or_has_had_enough_is_pushed(channel: Channel, reason: str) -> None:
    facts = replace(REACHED, **{reason: True})
    assert choose_channel((channel,), facts) is Obstacle(reason)
    assert choose_channel((channel, Channel.INBOX), facts) is Channel.INBOX


def test_the_last_mass_message_of_a_month_is_permitted() -> None:
    facts = replace(REACHED, mass_count=MASS_PER_MONTH - 1)
    assert choose_channel((Channel.MASS,), facts) is Channel.MASS


def test_a_tried_channel_is_not_chosen_again() -> None:
    tried: list[Channel] = []
    for expected in LADDER:
        assert choose_channel(LADDER, REACHED, tried) is expected
        tried.append(expected)
    assert choose_channel(LADDER, REACHED, tried) is Obstacle.REFUSED


def test_the_reason_is_that_of_the_first_channel_left() -> None:
    nobody = PersonFacts(in_mini_program=True)
    ladder = (Channel.MINI_SUBSCRIPTION, Channel.TEMPLATE)
    assert choose_channel(ladder, nobody) is Obstacle.NO_GRANT
    assert choose_channel(ladder, nobody, [Channel.MINI_SUBSCRIPTION]) is Obstacle.NOT_FOLLOWING


def test_in_every_ladder_the_channels_before_the_chosen_one_are_obstructed() -> None:
    names = [taken for _, taken, _ in MISSING]
    people = [REACHED, *(replace(REACHED, **one) for one in names)]  # type: ignore[arg-type]
    people += [
        replace(REACHED, **(one | other))  # type: ignore[arg-type]
        for one, other in itertools.combinations(names, 2)
    ]
    for ladder in itertools.permutations(Channel, 3):
        for facts in people:
            chosen = choose_channel(ladder, facts)
            obstacles = [obstacle_to(channel, facts) for channel in ladder]
            if isinstance(chosen, Channel):
                place = ladder.index(chosen)
                assert obstacles[place] is None
                assert None not in obstacles[:place]
            else:
                assert None not in obstacles
                assert chosen is obstacles[0]
