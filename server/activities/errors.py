"""Refusals of the slice of activities."""

from __future__ import annotations

from server.base.errors import AlreadyDone, Conflict


class WrongActivityState(AlreadyDone):
    """The activity is not in the state that this step needs."""

    code = "wrong_activity_state"


class CityPublishes(Conflict):
    """An activity of a county or unit is published by an approver of its city or the region."""

    code = "city_publishes"


class OwnActivity(Conflict):
    """The author of an activity does not publish it."""

    code = "own_activity"


class ActivityBegun(Conflict):
    """The activity has begun or is over, so its date cannot be changed any more."""

    code = "activity_begun"
