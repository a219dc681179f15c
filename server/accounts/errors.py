"""Errors of the accounts slice."""

from __future__ import annotations

from server.base.errors import Conflict, NotFound, Unavailable


class NicknameRefused(Conflict):
    """WeChat's content check refused this nickname."""

    code = "nickname_refused"


class PolicyVersionOutdated(Conflict):
    """The consent is to another version of the policy than the current one."""

    code = "policy_version_outdated"


class GuardianConsentRequired(Conflict):
    """A person under 14 needs a guardian's consent."""

    code = "guardian_consent_required"


class PicturesWaiting(Unavailable):
    """Too many pictures are waiting to be processed."""

    code = "pictures_waiting"


class NoSuchPicture(NotFound):
    """No picture of this name waits for a manual review."""

    code = "no_such_picture"


class NoSuchCitizen(NotFound):
    """No living citizen has this id."""

    code = "no_such_citizen"
