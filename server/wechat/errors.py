"""What can go wrong with WeChat, in classes of meaning instead of numbers.

The numbers are known here and nowhere else; nobody outside this floor compares an errcode. A class
says what the caller may do: wait, log in again, use another channel, give up.
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
    """A callback that WeChat did not sign, or not for this account."""

    code = "signature_refused"


class StaleTimestamp(Forbidden):
    """A callback signed too long ago, or in the future."""

    code = "stale_timestamp"


class OpenDataRefused(Invalid):
    """Sealed data of the mini-program that its session key does not open, or not for us."""

    def __init__(self) -> None:
        super().__init__((("body", "encrypted_data"), "not sealed under the session of this code"))


class WeChatError(AppError):
    """WeChat said no or said nothing; `errcode` and `rid` are for logs, never for callers."""

    code = "wechat_error"
    status = 503
    kind: ClassVar[str] = "unknown"

    def __init__(self, *, errcode: int | None = None, rid: str = "", **facts: object) -> None:
        super().__init__(**facts)
        self.errcode = errcode
        self.rid = rid


class WeChatAway(WeChatError, Unavailable):
    """WeChat cannot be used at this moment; nothing is wrong with the request."""

    code = "wechat_away"
    kind = "retry"


class NotSent(WeChatAway):
    """WeChat cannot be reached, and the call surely did not leave us."""


class InDoubt(WeChatAway):
    """The call may have reached WeChat and no whole answer came back."""

    code = "wechat_in_doubt"
    kind = "in_doubt"


class TryLater(WeChatAway):
    """WeChat is busy or asks for a slower pace.

    Units: `after_seconds` whole seconds.
    """

    code = "wechat_busy"

    def __init__(self, after_seconds: int = 2, **facts: object) -> None:
        super().__init__(retry_after_seconds=after_seconds, **facts)  # type: ignore[arg-type]
        self.after_seconds = after_seconds


class SlowDown(TryLater):
    """The minute's or second's share of this call is used up."""

    kind = "rate"


class BusyRecipient(TryLater):
    """Another message to the same person is under way; one at a time."""

    kind = "busy_user"


class TokenRefused(WeChatAway):
    """WeChat does not take our access token."""

    kind = "auth"


class ConfigWrong(WeChatAway):
    """The account, its rights or our settings are wrong: an operator has to act."""

    code = "wechat_misconfigured"
    kind = "config"


class QuotaSpent(WeChatAway):
    """The day's or month's share of this call is used up."""

    code = "wechat_quota_spent"
    kind = "quota"


class Unclassified(WeChatAway):
    """An errcode that this house does not know."""

    code = "wechat_unclassified"
    kind = "unknown"


# Every reason why a call made for a citizen stays unanswered: what its route declares.
AWAY: tuple[type[WeChatAway], ...] = (
    WeChatAway,
    InDoubt,
    TryLater,
    ConfigWrong,
    QuotaSpent,
    Unclassified,
)


class NoGrant(WeChatError, Conflict):
    """The citizen has not allowed this message, or the permission is used up."""

    code = "no_grant"
    status = 409
    kind = "no_grant"


class RecipientGone(WeChatError, Conflict):
    """This citizen cannot be reached by this way any more."""

    code = "recipient_gone"
    status = 409
    kind = "gone"


class BadContent(WeChatError, Conflict):
    """WeChat refuses what the message says; `field` names the place when WeChat does."""

    code = "content_refused"
    status = 409
    kind = "content"

    def __init__(self, *, field: str = "", **facts: object) -> None:
        super().__init__(**facts)  # type: ignore[arg-type]
        self.field = field


class TemplateRefused(WeChatError, Conflict):
    """The template or the page behind it is not usable."""

    code = "template_refused"
    status = 409
    kind = "template"


class AlreadySent(WeChatError, Conflict):
    """WeChat knows this send already; `message_id` is the one it gave then."""

    code = "already_sent"
    status = 409
    kind = "duplicate"

    def __init__(self, *, message_id: str = "", **facts: object) -> None:
        super().__init__(**facts)  # type: ignore[arg-type]
        self.message_id = message_id


class BadLoginCode(WeChatError, NotAuthenticated):
    """The log-in code is wrong, used or too old: the client logs in again."""

    code = "bad_login_code"
    status = 401
    kind = "code"


class LoginRefused(WeChatError, Forbidden):
    """WeChat holds this person for a high risk and lets nobody log in as them."""

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
            *(50001, 50002, 50004, 50007, 61004, 89503, 89504, 89505, 89506, 89507),
        ),
    ),
    (SlowDown, (45011, 44990, 44991)),
    (QuotaSpent, (45009, 44993, 48006, 45028)),
    (NoGrant, (43101,)),
    (
        RecipientGone,
        (40003, 43004, 43019, 43104, 46004, 48002, 49003, 45015, 45047, 70000, 61010),
    ),
    (BusyRecipient, (43108, 43117)),
    (
        BadContent,
        (
            *(47003, 45168, 87014, 40033, 45002, 45003, 45005, 45008, 47001, 44002),
            # Bad parameters: of a scene or a check, and of a menu.
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

# Seconds to wait before the same call makes sense again.
_PAUSES: Mapping[int, int] = MappingProxyType({45011: 60, 44990: 60, 44991: 60, 45066: 60})


def class_of(errcode: int) -> type[WeChatError]:
    """What an errcode means to us; an unknown one has a class too.

    Source: the pages of every call; collected under "global return codes".
    """
    return CLASSES.get(errcode, Unclassified)


def error_of(errcode: int, *, rid: str = "", field: str = "", message_id: str = "") -> WeChatError:
    """The error that a failed answer stands for."""
    kind = class_of(errcode)
    if issubclass(kind, TryLater):
        return kind(_PAUSES.get(errcode, 2), errcode=errcode, rid=rid)
    if issubclass(kind, BadContent):
        return kind(field=field, errcode=errcode, rid=rid)
    if issubclass(kind, AlreadySent):
        return kind(message_id=message_id, errcode=errcode, rid=rid)
    return kind(errcode=errcode, rid=rid)
