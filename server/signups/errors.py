"""Refusals of the slice of sign-ups."""

from __future__ import annotations

from server.base.errors import AlreadyDone, Conflict


class SignUpNotOpen(Conflict):
    """The sign-up has not begun; `opens_at` says when."""

    code = "signup_not_open"


class SignUpClosed(Conflict):
    """The sign-up is over: its time has passed, or the activity is postponed, cancelled or over."""

    code = "signup_closed"


class ActivityFull(Conflict):
    """No seat is free, and there is no place on the waitlist."""

    code = "activity_full"


class ClashesWithOther(Conflict):
    """The citizen has a place in an activity at the same time; `title` and `activity` name it."""

    code = "clashes_with_other_activity"


class SignUpLimitReached(Conflict):
    """The citizen has as many places as one person may have."""

    code = "signup_limit_reached"


class NoShowPause(Conflict):
    """The citizen was absent too often and cannot sign up until `until`."""

    code = "no_show_pause"


class DrawInProgress(Conflict):
    """The lottery is being drawn; a try a few seconds later succeeds."""

    code = "draw_in_progress"


class OfferExpired(Conflict):
    """The offer has expired, and its seats were given to the waitlist."""

    code = "offer_expired"


class PhoneNeeded(Conflict):
    """This activity asks for a telephone number, and the citizen has given none."""

    code = "phone_needed"


class AlreadyStarted(Conflict):
    """The activity has begun, so places cannot be given back any more."""

    code = "activity_started"


class SeatsTaken(Conflict):
    """More seats are taken than the new number; `taken` says how many."""

    code = "seats_taken"


class AlreadyCheckedIn(Conflict):
    """The people of the sign-up have come, so it cannot end; an admission can be taken back."""

    code = "already_checked_in"


class AboveRoomLimit(Conflict):
    """The room holds fewer people than the new number of seats; `most` says how many."""

    code = "above_room_limit"


class SignUpOver(AlreadyDone):
    """The sign-up has ended, so nothing can be changed in it."""

    code = "signup_over"


class GuestKnown(Conflict):
    """A guest with this name and number is in the list already; `name` is that name."""

    code = "guest_known"


class GroupGuestKnown(Conflict):
    """A guest in a line of a list is known already; `line` is its number, `name` that name."""

    code = "group_guest_known"


class GroupPhoneNeeded(Conflict):
    """A guest in a line of a list has no number, which the activity asks for."""

    code = "group_phone_needed"


class AnswerNeeded(Conflict):
    """A question that needs an answer has none; `question` says which."""

    code = "answer_needed"


class NothingToPrint(Conflict):
    """No entered guest has a seat, so there is no ticket to print."""

    code = "nothing_to_print"
