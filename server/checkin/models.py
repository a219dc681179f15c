"""Tables of scanner grants, halls, admissions and scans."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.base.sql.tables import Base, BigId, UtcDateTime, enum_column
from server.checkin.kinds import (
    GATE_LENGTH,
    NONCE_LENGTH,
    REASON_LENGTH,
    AdmissionWay,
    ScanDirection,
    ScanResult,
)


class ScannerGrant(Base):
    """The right of one citizen to scan tickets of one activity, until it expires or is revoked.

    Its code is in a QR for single use: the first citizen who redeems it holds the grant, and only
    that citizen may redeem it again. `made_by` and `revoked_by` are organizers, None for a command.
    """

    __tablename__ = "scanner_grant"
    __table_args__ = (Index("ix_scanner_grant_taken_by_activity_id", "taken_by", "activity_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    activity_id: Mapped[int] = mapped_column(BigId, ForeignKey("activity.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    gate: Mapped[str] = mapped_column(String(GATE_LENGTH))
    made_by: Mapped[int | None] = mapped_column(BigId)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_by: Mapped[int | None] = mapped_column(BigId)
    taken_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("citizen.id"))
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HallTally(Base):
    """Counters of the people of one activity: admitted ones, those now inside, walk-ins.

    Locked before the hall's rows are read for a decision. A party counts with all its people.
    The counters equal the rows of `attendance` at all times.
    """

    __tablename__ = "hall"
    __table_args__ = (
        CheckConstraint("inside >= 0 AND inside <= admitted", name="inside"),
        CheckConstraint("walk_ins >= 0 AND walk_ins <= admitted", name="walk_ins"),
    )

    activity_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("activity.id"), primary_key=True, autoincrement=False
    )
    admitted: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    inside: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    walk_ins: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class Admission(Base):
    """The attendance of one sign-up, computed from its scans (`rules.follow_passages`).

    `holds` (it is valid) is False after an undo, until a later scan admits the person again; after
    an undo, scans before `undone_at` are ignored. `inside_since` is set while the people are
    inside. `stayed_seconds` is the sum of the stays that ended with a check-out. Way, gate and
    device time are those of the first admission.
    """

    __tablename__ = "attendance"
    __table_args__ = (
        # This key refers to the hall and not to the activity, which PostgreSQL would lock after its
        # hall.
        Index("ix_attendance_activity_id_first_in_at", "activity_id", "first_in_at"),
        CheckConstraint("people >= 1", name="people"),
        CheckConstraint("stayed_seconds >= 0", name="stayed_seconds"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    signup_id: Mapped[int] = mapped_column(BigId, ForeignKey("signup.id"), unique=True)
    activity_id: Mapped[int] = mapped_column(BigId, ForeignKey("hall.activity_id"))
    people: Mapped[int] = mapped_column(SmallInteger)
    holds: Mapped[bool] = mapped_column()
    way: Mapped[AdmissionWay] = mapped_column(enum_column(AdmissionWay, "way"))
    gate: Mapped[str] = mapped_column(String(GATE_LENGTH))
    first_in_at: Mapped[datetime] = mapped_column(UtcDateTime)
    device_at: Mapped[datetime] = mapped_column(UtcDateTime)
    inside_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_out_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stayed_seconds: Mapped[int] = mapped_column(Integer)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undo_reason: Mapped[str | None] = mapped_column(String(REASON_LENGTH))


class ScanRecord(Base):
    """One scan, self check-in or act by hand, with the answer that its nonce gets again.

    `at` is the device's time, corrected by the difference of the clocks and kept within the time of
    the check-in; `device_at` is the uncorrected one, `arrived_at` the server's. `is_passage` marks
    those that count for the attendance of the sign-up. `is_conflict` marks those that a person
    should check: a ticket that entered by two gates, or one that an offline scanner let in although
    it had ended. Scans of another activity's tickets name no sign-up.
    """

    __tablename__ = "scan"
    __table_args__ = (
        Index("uq_scan_activity_id_nonce", "activity_id", "nonce", unique=True),
        Index("ix_scan_signup_id", "signup_id"),
        Index(
            "ix_scan_conflict_activity_id",
            "activity_id",
            sqlite_where=text("is_conflict"),
            postgresql_where=text("is_conflict"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigId, ForeignKey("hall.activity_id"))
    nonce: Mapped[str] = mapped_column(String(NONCE_LENGTH))
    signup_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("signup.id"))
    grant_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("scanner_grant.id"))
    # The organizer who acted in the console.
    organizer_id: Mapped[int | None] = mapped_column(BigId)
    gate: Mapped[str] = mapped_column(String(GATE_LENGTH))
    way: Mapped[AdmissionWay] = mapped_column(enum_column(AdmissionWay, "way"))
    direction: Mapped[ScanDirection] = mapped_column(enum_column(ScanDirection, "direction"))
    result: Mapped[ScanResult] = mapped_column(enum_column(ScanResult, "result"))
    # Instant and gate in the answer.
    said_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    said_gate: Mapped[str] = mapped_column(String(GATE_LENGTH))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    device_at: Mapped[datetime] = mapped_column(UtcDateTime)
    arrived_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_passage: Mapped[bool] = mapped_column()
    is_conflict: Mapped[bool] = mapped_column()


class HallScreen(Base):
    """The address of an activity's projector page; a new one replaces it.

    The key in the address is derived from `ref`, and found by its hash. `day` is the day of the
    activity when the address was made; moved to another day, the activity needs a new one.
    """

    __tablename__ = "hall_screen"

    activity_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("activity.id"), primary_key=True, autoincrement=False
    )
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    day: Mapped[date] = mapped_column(Date)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
