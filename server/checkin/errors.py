"""Refusals of the slice of check-in."""

from __future__ import annotations

from server.base.errors import AlreadyDone, Conflict, Forbidden, NotFound


class GrantEnded(Forbidden):
    """The scanner grant has expired or was revoked."""

    code = "grant_ended"


class GrantTaken(Conflict):
    """Another citizen has redeemed this scanner grant."""

    code = "grant_taken"


class CodeExpired(Conflict):
    """The code is not the venue's present one: it has changed, or was never valid."""

    code = "code_expired"


class NotSignedUp(Conflict):
    """The citizen has no place in this activity."""

    code = "not_signed_up"


class WaitlistedOnly(Conflict):
    """The person is on the waitlist and has no seat."""

    code = "waitlisted"


class TooEarly(Conflict):
    """The check-in has not begun; it opens `minutes` before the start."""

    code = "too_early"


class TooLate(Conflict):
    """The activity is over."""

    code = "too_late"


class HallFull(Conflict):
    """No seat is free, no absent person's seat may be given away, and the room holds no more."""

    code = "hall_full"


class NoPlaceToAdmit(Conflict):
    """The sign-up has no seat, so nobody can be admitted with it."""

    code = "no_place_to_admit"


class AlreadyAdmitted(AlreadyDone):
    """This person has been admitted already."""

    code = "already_admitted"


class NotAdmitted(AlreadyDone):
    """The person is not admitted, so there is nothing to undo."""

    code = "not_admitted"


class GrantOver(AlreadyDone):
    """The scanner grant was revoked before."""

    code = "grant_over"


class ScreenEnded(NotFound):
    """The address of a projector page was replaced, or its day is over."""

    code = "screen_ended"


class NotAttended(Conflict):
    """The citizen was not checked in to this activity."""

    code = "not_attended"


class FeedbackTooEarly(Conflict):
    """The activity has not begun."""

    code = "feedback_too_early"


class FeedbackGiven(Conflict):
    """The citizen has given feedback about this activity already."""

    code = "feedback_given"


class FeedbackRefused(Conflict):
    """WeChat's content check refuses the words."""

    code = "feedback_refused"
