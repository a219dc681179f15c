"""The interface to WeChat for the slices; http_gateway.py implements it.

A call may take seconds, so none may run while a transaction is open. Each raises a `WeChatError`
whose class says what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol, Self

from server.wechat.errors import WeChatError
from server.wechat.letters import (
    Accepted,
    MassAccepted,
    MassArticle,
    MassSend,
    Material,
    MessageTemplate,
    OfficialSubscription,
    PushLetter,
    SubscriptionMessage,
    TemplateKind,
    TemplateMessage,
)


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


# The result of a letter, as a value: an error is handed over, never raised.
FanOutResult = Accepted | WeChatError


class FanOut(Protocol):
    """Many concurrent sends on a thread of their own; a context manager that closes itself.

    Each submitted letter gets exactly one result. The callback runs on that thread: it may only put
    the result into a queue, because while it runs no call proceeds.
    """

    def submit(self, key: int, letter: PushLetter) -> None:
        """Queue a letter; its result comes under `key`. Callable from every thread, never blocks.

        Raises: RuntimeError after `close`.
        """
        ...

    def pending(self) -> int:
        """Number of letters without a result."""
        ...

    def drain(self, timeout: float) -> bool:
        """Wait for all results; False when some are missing after `timeout` seconds."""
        ...

    def close(self) -> None:
        """Report letters without a connection as NotSent, wait for the others, end the thread."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *trouble: object) -> None: ...


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

    def send_template(self, message: TemplateMessage) -> str:
        """Send one template message to a follower; return WeChat's id of it.

        Never retried automatically; the caller may repeat it with the same `client_msg_id`, within
        ten minutes of the first try, also after InDoubt and TryLater.
        Raises: as `send_subscription`; RecipientGone (43004) for a person that does not follow.
        """
        ...

    def send_official_subscription(self, message: OfficialSubscription) -> str:
        """Send one subscription notice of the official account; return WeChat's id of it.

        Never retried automatically. Raises: as `send_subscription`.
        """
        ...

    def send_mass(self, message: MassSend) -> MassAccepted:
        """Send a draft to 2 to 10,000 followers in one call; uses the draft up.

        Never retried automatically; the caller repeats it with the same `client_msg_id`.
        Raises: AlreadySent with the id of the first time, TryLater (45066) while that one still
        runs, QuotaSpent, BadContent, InDoubt.
        """
        ...

    def open_fan_out(
        self, connections: int, on_result: Callable[[int, FanOutResult], None]
    ) -> FanOut:
        """Open a fan-out of at most `connections` concurrent sends.

        Calls have the rules of the single ones: no send is retried automatically, unless WeChat
        refused the token.
        """
        ...

    def preview_mass(self, openid: str, media_id: str) -> None:
        """Send a draft to one follower as a preview; the draft stays.

        Units: WeChat allows a hundred a day. Never retried automatically.
        """
        ...

    def mass_status(self, msg_id: str) -> str:
        """WeChat's word for the state of a mass message.

        SEND_SUCCESS, SENDING, SEND_FAIL or DELETE.
        """
        ...

    def delete_mass(self, msg_id: str) -> None:
        """Delete the article of a mass message; its card stays with the recipients."""
        ...

    def add_draft(self, article: MassArticle) -> str:
        """Add a draft of one article; return its media id. Never retried automatically.

        Raises: BadContent.
        """
        ...

    def delete_draft(self, media_id: str) -> None:
        """Delete a draft.

        Raises: BadContent when there is none.
        """
        ...

    def upload_picture(self, picture: bytes, name: str) -> Material:
        """Keep a JPEG or PNG picture as permanent material, for a cover.

        Units: at most 10 MB; an account holds 100,000. Never retried automatically.
        """
        ...

    def upload_article_picture(self, picture: bytes, name: str) -> str:
        """Upload a picture for the text of an article; return its address.

        Units: JPEG or PNG, at most 1 MB. WeChat removes pictures of other hosts from an article.
        """
        ...

    def list_templates(self, kind: TemplateKind) -> list[MessageTemplate]:
        """The templates of one of the three lists; WeChat allows few such calls a day."""
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
