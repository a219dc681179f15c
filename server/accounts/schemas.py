"""API types of login, profile, consent and export."""

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
    """The code from wx.login."""

    code: Annotated[str, Meta(min_length=1, max_length=256)]


class CitizenOut(Out, frozen=True, kw_only=True):
    """The citizen who has just logged in; `policy_version` is the current version.

    `is_new` is true at the first login from the mini-program, also for a follower of the account.
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
    """The profile; only its owner sees `pending_nickname` before it passes the check.

    `avatar_preview_url` shows the picture under check, for ten minutes.
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
    muted_topics: list[str]
    announcements_off: bool
    quiet_from: str | None
    quiet_to: str | None
    under_14: bool | None
    consented: bool
    policy_version: str
    created_at: Instant


class ProfileIn(In, frozen=True, kw_only=True):
    """Changes: omitted fields stay, null clears a field.

    A topic in `topics` is chosen, one in `muted_topics` is turned off; GET /campaign lists them.
    """

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
    muted_topics: Annotated[list[Topic], Meta(max_length=50)] | UnsetType | None = UNSET
    announcements_off: bool | UnsetType | None = UNSET
    quiet_from: Hour | UnsetType | None = UNSET
    quiet_to: Hour | UnsetType | None = UNSET
    # Set through endpoints of their own; null clears them here.
    avatar: UnsetType | None = UNSET
    phone: UnsetType | None = UNSET

    def sent_fields(self) -> dict[str, Any]:
        """Only the fields that were sent."""
        every = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in every.items() if value is not UNSET}


class ConsentIn(In, frozen=True, kw_only=True):
    """A consent to a version of the privacy policy, with the age declaration."""

    policy_version: Annotated[str, Meta(min_length=1, max_length=40)]
    guardian: bool = False
    under_14: bool = False
    guardian_name: Annotated[str, Meta(max_length=100)] | None = None
    guardian_relation: Annotated[str, Meta(max_length=100)] | None = None


class ConsentOut(Out, frozen=True, kw_only=True):
    """The stored consent."""

    policy_version: str
    guardian: bool
    under_14: bool
    given_at: Instant


class ExportOut(Out, frozen=True, kw_only=True):
    """All data about the citizen, by kind."""

    exported_at: Instant
    held: dict[str, Any]
