"""Shapes of log-in, profile, consent and export on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from server.base.web.schema import In, Instant, Out

Code = Annotated[str, Meta(min_length=6, max_length=6, pattern=r"^[0-9]+$")]
Hour = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM, Beijing")
]
BirthBand = Annotated[
    str,
    Meta(
        pattern=r"^(19[1-9][05]|20[0-2][05])$",
        description="first year of five, such as 1985 for 1985 to 1989",
    ),
]
Topic = Annotated[str, Meta(pattern=r"^[\w-]{1,20}$")]
Audience = Literal["youth", "farmer", "worker", "official", "elder"]
Sex = Literal["male", "female"]
Schooling = Literal["none", "primary", "junior", "senior", "college", "bachelor"]
Residence = Literal["urban", "rural"]
Language = Literal["zh", "za"]
NicknameState = Literal["none", "shown", "checking", "refused", "unchecked"]

AvatarState = Literal["none", "shown", "checking", "refused", "unchecked", "unreadable"]


class LoginIn(In, frozen=True, kw_only=True):
    """The code that wx.login gave."""

    code: Annotated[str, Meta(min_length=1, max_length=256)]


class CitizenOut(Out, frozen=True, kw_only=True):
    """The citizen who has just logged in; `policy_version` is the text in force.

    `is_new` at the first log-in from the mini-program, also of somebody who follows the account.
    """

    id: str
    nickname: str | None
    nickname_state: NicknameState
    avatar_url: str | None
    is_new: bool
    elder_mode: bool
    consented: bool
    policy_version: str


class LoginOut(Out, frozen=True, kw_only=True):
    """A session."""

    token: str
    expires_at: Instant
    citizen: CitizenOut


class ProfileOut(Out, frozen=True, kw_only=True):
    """The profile; `pending_nickname` is shown to nobody else before it passes the check.

    `avatar_preview_url` shows the picture that waits for its check, for ten minutes.
    """

    id: str
    nickname: str | None
    nickname_state: NicknameState
    pending_nickname: str | None
    avatar_url: str | None
    avatar_state: AvatarState
    avatar_preview_url: str | None
    phone_masked: str | None
    city: str | None
    city_name: str | None
    county: str | None
    county_name: str | None
    unit: str | None
    unit_name: str | None
    audience: Audience | None
    sex: Sex | None
    birth_band: str | None
    schooling: Schooling | None
    residence: Residence | None
    language: Language
    elder_mode: bool
    public_rank: bool
    topics: list[str]
    quiet_from: str | None
    quiet_to: str | None
    under_14: bool | None
    consented: bool
    policy_version: str
    created_at: Instant


class ProfileIn(In, frozen=True, kw_only=True):
    """What to change; what is not named stays, null takes a thing back."""

    nickname: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType | None = UNSET
    city: Code | UnsetType | None = UNSET
    county: Code | UnsetType | None = UNSET
    unit: Annotated[str, Meta(min_length=1, max_length=40)] | UnsetType | None = UNSET
    audience: Audience | UnsetType | None = UNSET
    sex: Sex | UnsetType | None = UNSET
    birth_band: BirthBand | UnsetType | None = UNSET
    schooling: Schooling | UnsetType | None = UNSET
    residence: Residence | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    elder_mode: bool | UnsetType | None = UNSET
    public_rank: bool | UnsetType | None = UNSET
    topics: Annotated[list[Topic], Meta(max_length=20)] | UnsetType | None = UNSET
    quiet_from: Hour | UnsetType | None = UNSET
    quiet_to: Hour | UnsetType | None = UNSET
    # Given by ways of their own; null takes them back here.
    avatar: UnsetType | None = UNSET
    phone: UnsetType | None = UNSET

    def changes(self) -> dict[str, Any]:
        """The named fields alone."""
        every = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in every.items() if value is not UNSET}


class ConsentIn(In, frozen=True, kw_only=True):
    """A consent to a version of the privacy policy; the age question stands beside it."""

    policy_version: Annotated[str, Meta(min_length=1, max_length=40)]
    guardian: bool = False
    under_14: bool = False
    guardian_name: Annotated[str, Meta(max_length=100)] | None = None
    guardian_relation: Annotated[str, Meta(max_length=100)] | None = None


class ConsentOut(Out, frozen=True, kw_only=True):
    """The consent as it stands in the ledger."""

    policy_version: str
    guardian: bool
    under_14: bool
    given_at: Instant


class ExportOut(Out, frozen=True, kw_only=True):
    """Everything held about the citizen, by kind."""

    exported_at: Instant
    held: dict[str, Any]
