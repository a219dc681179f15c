"""Refusals of the slice of announcements."""

from __future__ import annotations

from server.base.errors import AlreadyDone, Conflict, Invalid


class WrongAnnouncementState(AlreadyDone):
    """The announcement is not in the state that this step needs."""

    code = "wrong_announcement_state"


class OwnAnnouncement(Conflict):
    """The author of an announcement does not approve it."""

    code = "own_announcement"


class WrongAudienceRule(Invalid):
    """The rule of an audience cannot be used; the field is the wrong part."""

    code = "wrong_audience_rule"

    def __init__(self, part: str) -> None:
        super().__init__(((part,), "wrong"))
        self.part = part


class UnknownUnit(Invalid):
    """A name that no unit of the place has, or several; `near` are similar names."""

    code = "unknown_unit"

    def __init__(self, name: str, near: list[str]) -> None:
        super().__init__((("unit_names",), "unknown"), name=name, near="、".join(near) or "无")


class TooManyDays(Conflict):
    """The split of an audience over days would take too long."""

    code = "too_many_days"


class SplitNeeded(Conflict):
    """One day's messages exceed WeChat's daily quota; `most` people a day fit."""

    code = "split_needed"


class NoGroundForTemplate(Conflict):
    """Template messages need an act of the recipients that asked for them."""

    code = "no_ground_for_template"


class AlreadyApproved(AlreadyDone):
    """The organizer has approved this announcement before."""

    code = "already_approved"


class ContentChanged(Conflict):
    """The announcement was changed after the organizer looked at it."""

    code = "content_changed"


class AudienceMoved(Conflict):
    """The count of the audience differs by more than one percent from the confirmed one."""

    code = "audience_moved"


class MassNeedsRegion(Conflict):
    """Only approvers of the region approve a mass message."""

    code = "mass_needs_region"


class NothingToCorrect(Conflict):
    """Nobody has got the announcement that is to be corrected."""

    code = "nothing_to_correct"


class FixedAudience(Conflict):
    """A correction goes to those who got the announcement that it corrects, and to nobody else."""

    code = "fixed_audience"


class RecipientsLeft(Conflict):
    """The recipients of an earlier approval are still being deleted in the background."""

    code = "recipients_left"
