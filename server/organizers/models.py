"""Tables of organizers: accounts, sessions, one-time links, codes, browsers, files of units.

Secrets are stored as hashes, or sealed where they must be read again.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from server.base.access import Role
from server.base.outbox_rows import Outgoing, outbox_index
from server.base.ownership import Owned
from server.base.sql.tables import Base, BigId, UtcDateTime, enum_column
from server.console.models import CheckedFile, RememberedHeading


class AccountState(StrEnum):
    """State of an organizer's account: INVITED → ACTIVE → CLOSED; a closed one stays closed."""

    INVITED = "invited"
    ACTIVE = "active"
    CLOSED = "closed"


class LinkPurpose(StrEnum):
    """The purpose of a one-time link."""

    INVITE = "invite"
    RECOVER = "recover"
    WECHAT = "wechat"


class OrganizerAccount(Owned, Base):
    """One organizer; the owner columns are the scope.

    `totp_secret` is sealed; `totp_step` is the last accepted step, so that no code works twice.
    `no_approvals_until` is a day after the password was recovered.
    """

    __tablename__ = "organizer"
    __table_args__ = (UniqueConstraint("ref"), UniqueConstraint("username"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40))
    username: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(40))
    role: Mapped[Role] = mapped_column(enum_column(Role, "role"))
    state: Mapped[AccountState] = mapped_column(enum_column(AccountState, "state"))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    totp_secret: Mapped[str | None] = mapped_column(String(200))
    totp_step: Mapped[int | None] = mapped_column(BigId)
    no_approvals_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OrganizerSession(Base):
    """One session; deleting the row ends it at the next request."""

    __tablename__ = "organizer_session"
    __table_args__ = (
        UniqueConstraint("ref"),
        UniqueConstraint("token_hash"),
        Index("ix_organizer_session_organizer_id", "organizer_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40))
    organizer_id: Mapped[int] = mapped_column(BigId, ForeignKey("organizer.id"))
    token_hash: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    network: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(300))


class OrganizerLink(Base):
    """A one-time link; a new one of the same purpose replaces it."""

    __tablename__ = "organizer_link"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        UniqueConstraint("organizer_id", "purpose"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organizer_id: Mapped[int] = mapped_column(BigId, ForeignKey("organizer.id"))
    purpose: Mapped[LinkPurpose] = mapped_column(enum_column(LinkPurpose, "purpose"))
    token_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """One unused recovery code; using it deletes the row."""

    __tablename__ = "organizer_recovery_code"
    __table_args__ = (UniqueConstraint("organizer_id", "code_hash"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organizer_id: Mapped[int] = mapped_column(BigId, ForeignKey("organizer.id"))
    code_hash: Mapped[str] = mapped_column(String(64))


class LoginTries(Base):
    """Failed log-ins under one key: a hash of account and address, or of account and browser."""

    __tablename__ = "organizer_login_tries"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    tries: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    barred_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class KnownBrowser(Base):
    """A browser that has logged in to an account; tries of others never bar it."""

    __tablename__ = "organizer_browser"
    __table_args__ = (UniqueConstraint("organizer_id", "browser_hash"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organizer_id: Mapped[int] = mapped_column(BigId, ForeignKey("organizer.id"))
    browser_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OrganizerWeChat(Base):
    """The WeChat account of an organizer, for test messages and notices; `openid` is sealed."""

    __tablename__ = "organizer_wechat"
    __table_args__ = (UniqueConstraint("openid_hash"),)

    organizer_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("organizer.id"), primary_key=True, autoincrement=False
    )
    openid: Mapped[str] = mapped_column(String(300))
    openid_hash: Mapped[str] = mapped_column(String(64))
    bound_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Whether the organizer wants a daily notice of pending tasks.
    notices_on: Mapped[bool] = mapped_column(server_default=true())


class OrganizerNotice(Outgoing, Base):
    """The notice of one Beijing day to one organizer: the pending tasks.

    A customer-service message, which WeChat accepts within 48 hours of the organizer's own last
    message; outside, the row is given up. The text is written when it is sent.
    """

    __tablename__ = "organizer_notice"
    __table_args__ = (UniqueConstraint("organizer_id", "day"), outbox_index("organizer_notice"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organizer_id: Mapped[int] = mapped_column(BigId, ForeignKey("organizer.id"))
    day: Mapped[date]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UnitFile(CheckedFile, Base):
    """A file of units that an administrator uploaded."""

    __tablename__ = "unit_file"


class UnitHeading(RememberedHeading, Base):
    """The meaning of a heading as assigned by hand, remembered for later files of this place."""

    __tablename__ = "unit_heading"
