"""Tables of citizens: person, WeChat identities, sessions, consents."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from server.accounts.shown_numbers import number_of
from server.base.outbox_rows import Outgoing, outbox_index
from server.base.sql.tables import Base, BigId, Json, UtcDateTime, enum_column


class App(StrEnum):
    """The two WeChat apps."""

    OFFICIAL_ACCOUNT = "official_account"
    MINI_PROGRAM = "mini_program"


class NicknameState(StrEnum):
    """State of a citizen's nickname in the content check.

    `checking` waits for WeChat, `review` for a person; `unchecked` was not checked in time.
    """

    NONE = "none"
    SHOWN = "shown"
    CHECKING = "checking"
    REVIEW = "review"
    REFUSED = "refused"
    UNCHECKED = "unchecked"


class AvatarState(StrEnum):
    """State of a citizen's picture in the content check.

    `waiting` is not submitted yet, `asked` waits for WeChat, `review` for a person; `unchecked` was
    not checked in time.
    """

    WAITING = "waiting"
    ASKED = "asked"
    SHOWN = "shown"
    REVIEW = "review"
    REFUSED = "refused"
    UNCHECKED = "unchecked"


class PictureVerdict(StrEnum):
    """WeChat's verdict on a picture; `failed` when WeChat could not fetch it."""

    PASS = "pass"  # noqa: S105 - WeChat's word for a clean picture
    REVIEW = "review"
    RISKY = "risky"
    FAILED = "failed"


class Audience(StrEnum):
    """The target audiences of the campaign."""

    YOUTH = "youth"
    FARMER = "farmer"
    WORKER = "worker"
    OFFICIAL = "official"
    ELDER = "elder"


class Sex(StrEnum):
    """Optional, for statistics."""

    MALE = "male"
    FEMALE = "female"


class Schooling(StrEnum):
    """Highest completed school, for statistics."""

    NONE = "none"
    PRIMARY = "primary"
    JUNIOR = "junior"
    SENIOR = "senior"
    COLLEGE = "college"
    BACHELOR = "bachelor"


class Residence(StrEnum):
    """Urban or rural, for statistics."""

    URBAN = "urban"
    RURAL = "rural"


class Language(StrEnum):
    """The languages of the campaign."""

    ZH = "zh"
    ZA = "za"


def _number_of_row(context: Any) -> str:
    """The default of `shown_number`, computed from the `ref` of the inserted row."""
    return number_of(context.get_current_parameters()["ref"])


class Citizen(Outgoing, Base):
    """One person; an erased or merged row remains without personal data, for references.

    The columns of the outbox are for the check of the pending nickname.
    """

    __tablename__ = "citizen"
    __table_args__ = (
        UniqueConstraint("ref"),
        UniqueConstraint("unionid"),
        Index("ix_citizen_shown_number", "shown_number"),
        outbox_index("citizen"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40))
    # Follows from `ref`; stored, so that organizers find people by it.
    shown_number: Mapped[str] = mapped_column(String(4), default=_number_of_row, server_default="")
    unionid: Mapped[str | None] = mapped_column(String(128))
    nickname: Mapped[str | None] = mapped_column(String(100))
    nickname_state: Mapped[NicknameState] = mapped_column(
        enum_column(NicknameState, "nickname_state"), default=NicknameState.NONE
    )
    pending_nickname: Mapped[str | None] = mapped_column(String(100))
    pending_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    avatar_url: Mapped[str | None] = mapped_column(String(500))
    city: Mapped[str | None] = mapped_column(String(6))
    county: Mapped[str | None] = mapped_column(String(6))
    unit_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("unit.id"))
    audience: Mapped[Audience | None] = mapped_column(enum_column(Audience, "audience"))
    sex: Mapped[Sex | None] = mapped_column(enum_column(Sex, "sex"))
    birth_band: Mapped[str | None] = mapped_column(String(4))
    schooling: Mapped[Schooling | None] = mapped_column(enum_column(Schooling, "schooling"))
    residence: Mapped[Residence | None] = mapped_column(enum_column(Residence, "residence"))
    language: Mapped[Language] = mapped_column(
        enum_column(Language, "language"), default=Language.ZH
    )
    elder_mode: Mapped[bool] = mapped_column(default=False)
    public_rank: Mapped[bool] = mapped_column(default=False)
    topics: Mapped[list[str]] = mapped_column(Json, default=list)
    # Topics and announcements that the citizen does not want from any sender.
    muted_topics: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    announcements_off: Mapped[bool] = mapped_column(default=False, server_default=false())
    quiet_from: Mapped[str | None] = mapped_column(String(5))
    quiet_to: Mapped[str | None] = mapped_column(String(5))
    under_14: Mapped[bool | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    merged_into: Mapped[int | None] = mapped_column(BigId, ForeignKey("citizen.id"))


class Identity(Base):
    """A citizen's openid in one WeChat app."""

    __tablename__ = "identity"
    __table_args__ = (
        UniqueConstraint("app", "openid"),
        Index("ix_identity_citizen_id", "citizen_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    app: Mapped[App] = mapped_column(enum_column(App, "app"))
    openid: Mapped[str] = mapped_column(String(128))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SessionToken(Base):
    """A session; only the hash of its token is stored."""

    __tablename__ = "session_token"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("ix_session_token_citizen_id", "citizen_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Consent(Base):
    """One consent, never changed; a guardian's name and relation are sealed to its `ref`."""

    __tablename__ = "consent"
    __table_args__ = (
        UniqueConstraint("ref"),
        Index("ix_consent_citizen_id_given_at", "citizen_id", "given_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    policy_version: Mapped[str] = mapped_column(String(40))
    guardian: Mapped[bool]
    guardian_name: Mapped[str | None] = mapped_column(Text)
    guardian_relation: Mapped[str | None] = mapped_column(Text)
    under_14: Mapped[bool]
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Avatar(Outgoing, Base):
    """A citizen's picture under a random name; its bytes are deleted when it is refused.

    The columns of the outbox are for requesting a verdict, which arrives later as an event.
    """

    __tablename__ = "avatar"
    __table_args__ = (
        UniqueConstraint("name"),
        UniqueConstraint("trace_id"),
        Index("ix_avatar_citizen_id", "citizen_id"),
        Index("ix_avatar_state_asked_at", "state", "asked_at"),
        outbox_index("avatar"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    picture: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    state: Mapped[AvatarState] = mapped_column(enum_column(AvatarState, "state"))
    trace_id: Mapped[str | None] = mapped_column(String(128))
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PictureUpload(Outgoing, Base):
    """An uploaded file, until a worker has made a small picture of it; a later upload replaces it.

    An unreadable file is given up and loses its `content`.
    """

    __tablename__ = "picture_upload"
    __table_args__ = (UniqueConstraint("citizen_id"), outbox_index("picture_upload"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MediaVerdict(Base):
    """WeChat's verdict on a picture; it may arrive before we store the trace id."""

    __tablename__ = "media_verdict"

    trace_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    verdict: Mapped[PictureVerdict] = mapped_column(enum_column(PictureVerdict, "verdict"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Phone(Base):
    """A citizen's phone number, sealed to its `ref`; `blind` is the lookup hash."""

    __tablename__ = "phone"
    __table_args__ = (
        UniqueConstraint("ref"),
        UniqueConstraint("citizen_id"),
        Index("ix_phone_blind", "blind"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    sealed: Mapped[str] = mapped_column(Text)
    blind: Mapped[str] = mapped_column(String(64))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LimitTrace(Base):
    """A keyed hash of an erased citizen's WeChat id, so that limits of a season still hold.

    With the WeChat id and the master key it leads to the person's former rows. The sweep deletes it
    at `keep_until`.
    """

    __tablename__ = "limit_trace"
    __table_args__ = (
        UniqueConstraint("hash", "citizen_id"),
        Index("ix_limit_trace_citizen_id", "citizen_id"),
        Index("ix_limit_trace_keep_until", "keep_until"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hash: Mapped[str] = mapped_column(String(64))
    citizen_id: Mapped[int] = mapped_column(BigId, ForeignKey("citizen.id"))
    erased_at: Mapped[datetime] = mapped_column(UtcDateTime)
    keep_until: Mapped[datetime] = mapped_column(UtcDateTime)
