"""Refusals of the slice of certificates."""

from __future__ import annotations

from server.base.errors import AlreadyDone, Conflict, Unavailable


class NotEarned(Conflict):
    """The citizen has no right to this certificate; `reason` is a code, `why` a sentence."""

    code = "certificate_not_earned"


class RevokedBefore(Conflict):
    """The organizer revoked this certificate, and did not allow another one."""

    code = "certificate_revoked"


class NameNeeded(Conflict):
    """No name was sent, and the citizen has none that can stand on a certificate."""

    code = "certificate_name_needed"


class NameFixed(Conflict):
    """The certificate exists with another name, which cannot be changed."""

    code = "certificate_name_fixed"


class NameRefused(Conflict):
    """WeChat's content check refuses the name."""

    code = "certificate_name_refused"


class NameUnprintable(Conflict):
    """The font has no glyph for some characters of the name; `characters` has these."""

    code = "certificate_name_unprintable"


class NameUnchecked(Unavailable):
    """The content check cannot be reached, so a typed name is not accepted now."""

    code = "certificate_name_unchecked"


class AlreadyEnded(AlreadyDone):
    """The certificate is no longer valid, so it cannot be revoked."""

    code = "certificate_ended"
