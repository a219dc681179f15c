"""What this house asks of WeChat, in its own words; how it is done is `live.py`'s matter.

A call may take seconds, so none is made while a transaction is open; each raises a `WeChatError` of
the class that says what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who logs in: one openid for each app, one unionid over both when they are bound."""

    openid: str = field(repr=False)
    unionid: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """What WeChat tells of a follower of the official account.

    Units: `subscribed_at` epoch seconds; `scene` the way that led here, as WeChat names it.
    """

    openid: str = field(repr=False)
    subscribed: bool
    unionid: str | None = field(default=None, repr=False)
    subscribed_at: int | None = None
    scene: str = ""
    code_scene: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerPage:
    """A part of the list of followers; `following` is the cursor of the next, empty at the end."""

    openids: tuple[str, ...] = field(repr=False)
    following: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneCode:
    """A QR code of the official account that carries a scene."""

    ticket: str
    url: str
    picture_url: str
    expires_in_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEntry:
    """Who opened the mini-program from which WeChat group."""

    openid: str = field(repr=False)
    opengid: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """A phone number that WeChat vouches for.  Units: digits, the country's code apart."""

    country: str
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionMessage:
    """One subscription message of the mini-program.

    Units: `page` without a leading slash, with its query; `fields` by the template's keys, each
    within the limits of its type.
    """

    openid: str = field(repr=False)
    template_id: str
    page: str
    fields: Mapping[str, str] = field(repr=False)


class Verdict(StrEnum):
    """What the content check says of a citizen's words."""

    PASS = "pass"  # noqa: S105 - WeChat's word for a clean text
    REVIEW = "review"
    RISKY = "risky"


class TextPlace(IntEnum):
    """Where the words would be shown. Source: security.msgSecCheck, `scene`."""

    PROFILE = 1
    COMMENT = 2
    FORUM = 3
    SOCIAL_LOG = 4


class Gateway(Protocol):
    """WeChat, as far as the slices use it."""

    def well(self) -> bool:
        """Whether WeChat is being asked at this moment."""
        ...

    def token_age_seconds(self) -> float | None:
        """Age of the official account's token; None before the first."""
        ...

    def try_credentials(self, account: str) -> None:
        """Ask WeChat for a token of `official_account` or `mini_program`, and leave it unused.

        Raises: WeChatError; its `errcode` tells an operator what WeChat does not accept.
        """
        ...

    def code_to_identity(self, code: str) -> Identity:
        """Who stands behind a wx.login code; the code is used up by this.

        Raises: BadLoginCode (401), LoginRefused (403), WeChatAway (503).
        """
        ...

    def follower(self, openid: str) -> Follower:
        """Whether a citizen follows the official account, and since when."""
        ...

    def followers(self, openids: Sequence[str]) -> list[Follower]:
        """The same of up to a hundred followers.

        Raises: RecipientGone when one of them has no account any more.
        """
        ...

    def follower_page(self, after: str = "") -> FollowerPage:
        """The next followers of the official account after a cursor.

        Raises: RecipientGone when the cursor's owner has no account any more.
        """
        ...

    def push_menu(self, menu: Mapping[str, object]) -> None:
        """Replace the menu of the official account. Units: WeChat's own menu JSON."""
        ...

    def current_menu(self) -> Mapping[str, object] | None:
        """The menu that WeChat shows now; None without one."""
        ...

    def scene_code(self, scene: str, *, permanent: bool = False) -> SceneCode:
        """A QR code of the official account for a scene of 1 to 64 characters."""
        ...

    def say(self, openid: str, text: str) -> None:
        """Say a sentence in the chat; never repeated by itself.

        Raises: RecipientGone when no window is open, InDoubt when it may have been said.
        """
        ...

    def send_subscription(self, message: SubscriptionMessage) -> str:
        """Send one subscription message; the id that WeChat gave it, empty where it gives none.

        Never repeated by itself. Raises: NoGrant without a permission, RecipientGone, BadContent
        (with the field), TemplateRefused, InDoubt when it may have been sent.
        """
        ...

    def check_text(self, openid: str, text: str, place: TextPlace) -> Verdict:
        """WeChat's verdict on a citizen's words; on any WeChatError the words stay pending.

        Units: the openid is that of the mini-program, used within two hours; 2,500 characters.
        """
        ...

    def mini_program_code(self, scene: str, page: str) -> bytes:
        """The picture of a mini-program code. Units: 1 to 32 characters of WeChat's set."""
        ...

    def group_entry(self, code: str, encrypted_data: str, iv: str) -> GroupEntry:
        """The WeChat group behind what wx.getGroupEnterInfo gave; the code is used up by this.

        Raises: OpenDataRefused (422), BadLoginCode (401), LoginRefused (403), WeChatAway (503).
        """
        ...

    def phone_number(self, openid: str, code: str) -> PhoneNumber:
        """The number behind a code of the phone-number button, for this person alone.

        Raises: BadLoginCode (401), WeChatAway (503).
        """
        ...

    def check_picture(self, openid: str, address: str) -> str:
        """Have a picture judged; WeChat fetches it and tells its verdict later under this name.

        Units: the openid is that of the mini-program, used within two hours.
        """
        ...
