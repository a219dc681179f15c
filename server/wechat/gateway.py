"""The interface to WeChat for the slices; http_gateway.py implements it.

A call may take seconds, so none may run while a transaction is open. Each raises a `WeChatError`
whose class says what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class WeChatIdentity:
    """A logged-in person: one openid per app, and the unionid when the apps are bound."""

    openid: str = field(repr=False)
    unionid: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerDetails:
    """WeChat's data about a follower of the official account.

    Units: `subscribed_at` epoch seconds; `scene` is WeChat's name for how the person came.
    """

    openid: str = field(repr=False)
    subscribed: bool
    unionid: str | None = field(default=None, repr=False)
    subscribed_at: int | None = None
    scene: str = ""
    code_scene: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerPage:
    """One page of the list of followers; `following` is the next cursor, empty at the end."""

    openids: tuple[str, ...] = field(repr=False)
    following: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSceneCode:
    """A QR code of the official account that carries a scene."""

    ticket: str
    url: str
    picture_url: str
    expires_in_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEntry:
    """The person who opened the mini-program, and the WeChat group it was opened from."""

    openid: str = field(repr=False)
    opengid: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A phone number verified by WeChat.  Units: digits, without the country code."""

    country: str
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionMessage:
    """One subscription message of the mini-program.

    `page` is without a leading slash, with its query; `fields` has values by the template's keys,
    each within the limits of its type.
    """

    openid: str = field(repr=False)
    template_id: str
    page: str
    fields: Mapping[str, str] = field(repr=False)


class Verdict(StrEnum):
    """Verdict of the content check on a citizen's text."""

    PASS = "pass"  # noqa: S105 - WeChat's word for a clean text
    REVIEW = "review"
    RISKY = "risky"


class TextPlace(IntEnum):
    """The place in which the text would be shown. Source: security.msgSecCheck, `scene`."""

    PROFILE = 1
    COMMENT = 2
    FORUM = 3
    SOCIAL_LOG = 4


class Gateway(Protocol):
    """WeChat, as the slices use it."""

    def is_available(self) -> bool:
        """Whether calls are currently sent (circuit breaker closed)."""
        ...

    def token_age_seconds(self) -> float | None:
        """Age of the official account's token; None before the first."""
        ...

    def try_credentials(self, account: str) -> None:
        """Request a token of `official_account` or `mini_program` without using it.

        Raises: WeChatError; its `errcode` shows an operator what WeChat refused.
        """
        ...

    def code_to_identity(self, code: str) -> WeChatIdentity:
        """Exchange a wx.login code for the person's identity; uses the code up.

        Raises: BadLoginCode (401), LoginRefused (403), WeChatAway (503).
        """
        ...

    def fetch_follower(self, openid: str) -> FollowerDetails:
        """Whether a citizen follows the official account, and since when."""
        ...

    def fetch_followers(self, openids: Sequence[str]) -> list[FollowerDetails]:
        """The data of up to a hundred followers, as `fetch_follower` returns it.

        Raises: RecipientGone when one of them has closed the account.
        """
        ...

    def follower_page(self, after: str = "") -> FollowerPage:
        """The followers of the official account after a cursor.

        Raises: RecipientGone when the cursor's owner has closed the account.
        """
        ...

    def push_menu(self, menu: Mapping[str, object]) -> None:
        """Replace the menu of the official account; `menu` is WeChat's menu JSON."""
        ...

    def current_menu(self) -> Mapping[str, object] | None:
        """The menu currently shown; None without one."""
        ...

    def scene_code(self, scene: str, *, permanent: bool = False) -> MadeSceneCode:
        """A QR code of the official account for a scene of 1 to 64 characters."""
        ...

    def send_text(self, openid: str, text: str) -> None:
        """Send a text to the chat; never retried automatically.

        Raises: RecipientGone when no window is open, InDoubt when it may have been sent.
        """
        ...

    def send_subscription(self, message: SubscriptionMessage) -> str:
        """Send one subscription message; return WeChat's id of it, empty when there is none.

        Never retried automatically. Raises: NoGrant without a permission, RecipientGone, BadContent
        (with the field), TemplateRefused, InDoubt when it may have been sent.
        """
        ...

    def check_text(self, openid: str, text: str, place: TextPlace) -> Verdict:
        """Check a citizen's text; on any WeChatError the text stays pending.

        The openid is that of the mini-program; its owner must have used it within two hours.
        Units: `text` has at most 2,500 characters.
        """
        ...

    def mini_program_code(self, scene: str, page: str) -> bytes:
        """Return the picture of a mini-program code.

        Units: `scene` has 1 to 32 characters of WeChat's set.
        """
        ...

    def group_entry(self, code: str, encrypted_data: str, iv: str) -> GroupEntry:
        """Decrypt the result of wx.getGroupEnterInfo to the WeChat group; uses the code up.

        Raises: OpenDataRefused (422), BadLoginCode (401), LoginRefused (403), WeChatAway (503).
        """
        ...

    def phone_number(self, openid: str, code: str) -> PhoneNumber:
        """Exchange a code of the phone-number button, which must belong to this person.

        Raises: BadLoginCode (401), WeChatAway (503).
        """
        ...

    def check_picture(self, openid: str, address: str) -> str:
        """Start a picture check; return the trace id under which WeChat pushes its verdict.

        The openid is that of the mini-program; its owner must have used it within two hours.
        """
        ...
