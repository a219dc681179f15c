"""Errors of WeChat, classified by what the caller can do.

Error numbers are compared only in this file. A class means: wait, log in again, use another
channel, or give up.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from server.base.errors import (
    AppError,
    Conflict,
    Forbidden,
    Invalid,
    NotAuthenticated,
    Unavailable,
)


class SignatureRefused(Forbidden):
    """A callback with a wrong signature, or for another account."""

    code = "signature_refused"


class StaleTimestamp(Forbidden):
    """A callback signed too long ago, or in the future."""

    code = "stale_timestamp"


class OpenDataRefused(Invalid):
    """Encrypted data of the mini-program that cannot be decrypted, or is for another app."""

    def __init__(self) -> None:
        super().__init__((("body", "encrypted_data"), "not sealed under the session of this code"))


class WeChatError(AppError):
    """WeChat refused or did not respond; `errcode` and `rid` are for logs, never for callers."""

    code = "wechat_error"
    status = 503
    kind: ClassVar[str] = "unknown"

    def __init__(self, *, errcode: int | None = None, rid: str = "", **facts: object) -> None:
        super().__init__(**facts)
        self.errcode = errcode
        self.rid = rid


class WeChatAway(WeChatError, Unavailable):
    """WeChat is unavailable at this moment; the request itself is correct."""

    code = "wechat_away"
    kind = "retry"


class NotSent(WeChatAway):
    """WeChat is unreachable, and the call was certainly not sent."""


class CallInDoubt(WeChatAway):
    """The call may have reached WeChat, but no complete response was received."""

    code = "wechat_in_doubt"
    kind = "in_doubt"


class TryLater(WeChatAway):
    """WeChat is busy or requests a lower rate.

    Units: `after_seconds` whole seconds.
    """

    code = "wechat_busy"

    def __init__(self, after_seconds: int = 2, **facts: object) -> None:
        super().__init__(retry_after_seconds=after_seconds, **facts)  # type: ignore[arg-type]
        self.after_seconds = after_seconds


class SlowDown(TryLater):
    """The rate limit per minute or second of this call is reached."""

    kind = "rate"


class BusyRecipient(TryLater):
    """Another message to the same person is being sent; WeChat allows one at a time."""

    kind = "busy_user"


class TokenRefused(WeChatAway):
    """WeChat refused our access token."""

    kind = "auth"


class ConfigWrong(WeChatAway):
    """The account, its permissions or our settings are wrong: an operator must act."""

    code = "wechat_misconfigured"
    kind = "config"


class QuotaSpent(WeChatAway):
    """The daily or monthly limit of this call is reached."""

    code = "wechat_quota_spent"
    kind = "quota"


class Unclassified(WeChatAway):
    """An errcode that is not classified here."""

    code = "wechat_unclassified"
    kind = "unknown"


# The errors that a route with a call to WeChat declares.
AWAY: tuple[type[WeChatAway], ...] = (
    WeChatAway,
    CallInDoubt,
    TryLater,
    ConfigWrong,
    QuotaSpent,
    Unclassified,
)


class NoGrant(WeChatError, Conflict):
    """The citizen gave no permission for this message, or it is used up."""

    code = "no_grant"
    status = 409
    kind = "no_grant"


class RecipientGone(WeChatError, Conflict):
    """This citizen can no longer be reached through this channel."""

    code = "recipient_gone"
    status = 409
    kind = "gone"


class Unfollowed(RecipientGone):
    """This citizen does not follow the official account."""


class UnknownRecipient(RecipientGone):
    """The openid is none of this app's; many of them mean a wrong audience or a wrong app."""


class BadContent(WeChatError, Conflict):
    """WeChat refused the content; `field` names the template field when WeChat does."""

    code = "content_refused"
    status = 409
    kind = "content"

    def __init__(self, *, field: str = "", **facts: object) -> None:
        super().__init__(**facts)  # type: ignore[arg-type]
        self.field = field


class TemplateRefused(WeChatError, Conflict):
    """The template or its page is not usable."""

    code = "template_refused"
    status = 409
    kind = "template"


class AlreadySent(WeChatError, Conflict):
    """WeChat has executed this send before; `message_id` is the id of that time."""

    code = "already_sent"
    status = 409
    kind = "duplicate"

    def __init__(self, *, message_id: str = "", **facts: object) -> None:
        super().__init__(**facts)  # type: ignore[arg-type]
        self.message_id = message_id


class BadLoginCode(WeChatError, NotAuthenticated):
    """The login code is wrong, used or expired: the client must log in again."""

    code = "bad_login_code"
    status = 401
    kind = "code"


class LoginRefused(WeChatError, Forbidden):
    """WeChat rates this person as high risk and refuses the login."""

    code = "login_refused"
    status = 403
    kind = "code"


_BY_KIND: tuple[tuple[type[WeChatError], tuple[int, ...]], ...] = (
    (TryLater, (-1, 45066)),
    (TokenRefused, (40001, 40014, 41001, 42001)),
    (
        ConfigWrong,
        (
            *(40002, 40013, 40125, 40164, 40243, 41002, 41004, 43001, 43002, 48001, 48004),
            *(
                40166,
                48003,
                50001,
                50002,
                50004,
                50007,
                61004,
                45103,
                89503,
                89504,
                89505,
                89506,
                89507,
            ),
        ),
    ),
    (SlowDown, (45011, 44990, 44991)),
    (QuotaSpent, (45009, 44993, 48006, 45028)),
    (NoGrant, (43101,)),
    (
        RecipientGone,
        (43019, 43104, 46004, 48002, 49003, 45015, 45047, 70000, 61010),
    ),
    (Unfollowed, (43004, 50005)),
    (UnknownRecipient, (40003,)),
    (BusyRecipient, (43108, 43117)),
    (
        BadContent,
        (
            *(47003, 45168, 87014, 40033, 45002, 45003, 45005, 45008, 47001, 44002),
            # A picture, a draft, or the parameters of a mass message.
            *(40004, 40005, 40006, 40007, 40008, 40009, 40031, 40032, 40048, 40059, 40114, 40130),
            *(40132, 40137, 41005, 41006, 44001, 44004, 45001, 45004, 45067, 45110, 46001),
            # Bad parameters of a scene, a check or a menu.
            *(40129, 40169, 40097, 40016, 40017, 40018, 40023, 40025, 40054, 40055, 45064),
        ),
    ),
    (TemplateRefused, (40037, 40165, 41030, 43107, 43116)),
    (AlreadySent, (45065,)),
    (BadLoginCode, (40029, 40163, 42003, 41008, 87007, 87009)),
    (LoginRefused, (40226,)),
)

CLASSES: Mapping[int, type[WeChatError]] = MappingProxyType(
    {errcode: kind for kind, errcodes in _BY_KIND for errcode in errcodes}
)

# Seconds before a retry can succeed.
_PAUSES: Mapping[int, int] = MappingProxyType({45011: 60, 44990: 60, 44991: 60, 45066: 60})


def class_of(errcode: int) -> type[WeChatError]:
    """The class of an errcode; `Unclassified` for an unknown one.

    Source: the page of each call, collected under "global return codes".
    """
    return CLASSES.get(errcode, Unclassified)


def error_of(errcode: int, *, rid: str = "", field: str = "", message_id: str = "") -> WeChatError:
    """The error for a failed response."""
    kind = class_of(errcode)
    if issubclass(kind, TryLater):
        return kind(_PAUSES.get(errcode, 2), errcode=errcode, rid=rid)
    if issubclass(kind, BadContent):
        return kind(field=field, errcode=errcode, rid=rid)
    if issubclass(kind, AlreadySent):
        return kind(message_id=message_id, errcode=errcode, rid=rid)
    return kind(errcode=errcode, rid=rid)
