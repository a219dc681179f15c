"""The refusals of the accounts slice."""

from __future__ import annotations

from server.base.errors import Conflict, NotFound, Unavailable


class NicknameRefused(Conflict):
    """WeChat's content check holds this nickname for unfit."""

    code = "nickname_refused"


class PolicyVersionOutdated(Conflict):
    """The consent is to another text than the one in force."""

    code = "policy_version_outdated"


class GuardianConsentRequired(Conflict):
    """A person under 14 takes part only with a guardian's consent."""

    code = "guardian_consent_required"


class PicturesWaiting(Unavailable):
    """So many pictures wait to be made small that no other is taken now."""

    code = "pictures_waiting"


class NoSuchCitizen(NotFound):
    """An operator named nobody who is alive here."""

    code = "no_such_citizen"
