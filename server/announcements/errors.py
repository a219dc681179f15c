"""Refusals of the slice of announcements."""

from __future__ import annotations

from server.base.errors import AlreadyDone, Conflict


class WrongAnnouncementState(AlreadyDone):
    """The announcement is not in the state that this step needs."""

    code = "wrong_announcement_state"


class OwnAnnouncement(Conflict):
    """The author of an announcement does not approve it."""

    code = "own_announcement"
