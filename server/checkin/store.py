"""Statements on halls, attendance and scans, for the hot path of the gate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update

from server.base.sql.prepared import run_by_commit, run_statement
from server.base.sql.tables import insert_of, table_of
from server.base.uow import UnitOfWork
from server.checkin.kinds import AdmissionWay, ScanDirection
from server.checkin.models import Admission, HallTally, ScannerGrant, ScanRecord
from server.checkin.rules import Passage

_hall, _attendance = table_of(HallTally), table_of(Admission)
_scan, _grant = table_of(ScanRecord), table_of(ScannerGrant)
_OPEN_HALL = {
    name: insert_of(name, _hall).on_conflict_do_nothing() for name in ("sqlite", "postgresql")
}
_HAS_HALL = select(_hall.c.activity_id).where(_hall.c.activity_id == bindparam("of_activity"))
_LOCK_HALL = (
    select(_hall.c.activity_id, _hall.c.admitted, _hall.c.inside, _hall.c.walk_ins)
    .where(_hall.c.activity_id == bindparam("of_activity"))
    .with_for_update()
)
_STORE_HALL = (
    update(_hall)
    .where(_hall.c.activity_id == bindparam("of_activity"))
    .values(
        admitted=bindparam("new_admitted"),
        inside=bindparam("new_inside"),
        walk_ins=bindparam("new_walk_ins"),
    )
)
_SCAN_COLUMNS = (
    _scan.c.nonce,
    _scan.c.signup_id,
    _scan.c.grant_id,
    _scan.c.gate,
    _scan.c.way,
    _scan.c.direction,
    _scan.c.result,
    _scan.c.said_at,
    _scan.c.said_gate,
    _scan.c.at,
    _scan.c.device_at,
    _scan.c.is_passage,
    _scan.c.is_conflict,
)
_SCANS = (
    select(*_SCAN_COLUMNS)
    .where(
        _scan.c.activity_id == bindparam("of_activity"),
        or_(
            _scan.c.nonce.in_(bindparam("nonces", expanding=True)),
            _scan.c.signup_id.in_(bindparam("signups", expanding=True)),
        ),
    )
    .order_by(_scan.c.id)
)
_ADMISSIONS = select(
    _attendance.c.id,
    _attendance.c.signup_id,
    _attendance.c.people,
    _attendance.c.holds,
    _attendance.c.way,
    _attendance.c.first_in_at,
    _attendance.c.inside_since,
    _attendance.c.last_out_at,
    _attendance.c.stayed_seconds,
    _attendance.c.undone_at,
).where(_attendance.c.signup_id.in_(bindparam("signups", expanding=True)))
_ADD_ADMISSION = insert(_attendance)
_STORE_ADMISSION = (
    update(_attendance)
    .where(_attendance.c.id == bindparam("of_id"))
    .values(
        {name: bindparam(f"new_{name}") for name in
         ("people", "holds", "way", "gate", "first_in_at", "device_at", "inside_since",
          "last_out_at", "stayed_seconds")}
    )
)  # fmt: skip
_ADD_SCAN = insert(_scan)
_FLAG_SCAN = (
    update(_scan)
    .where(_scan.c.activity_id == bindparam("of_activity"), _scan.c.nonce == bindparam("of_nonce"))
    .values(is_conflict=bindparam("flag"))
)
_ATTENDED = select(_attendance.c.signup_id).where(
    _attendance.c.activity_id == bindparam("of_activity"), _attendance.c.holds.is_(True)
)
_GRANT_OF = (
    select(
        _grant.c.id,
        _grant.c.ref,
        _grant.c.activity_id,
        _grant.c.gate,
        _grant.c.expires_at,
        _grant.c.revoked_at,
        _grant.c.taken_at,
    )
    .where(_grant.c.taken_by == bindparam("of_citizen"))
    .order_by(_grant.c.taken_at.desc(), _grant.c.id.desc())
)
_NOTHING = -1


@dataclass(kw_only=True, slots=True)
class LockedHall:
    """A locked hall with its counters, which the holder of the lock changes."""

    activity_id: int
    admitted: int
    inside: int
    walk_ins: int


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptAdmission:
    """The attendance of a sign-up as stored."""

    id: int
    signup_id: int
    people: int
    holds: bool
    way: AdmissionWay
    first_in_at: datetime
    inside_since: datetime | None
    last_out_at: datetime | None
    stayed_seconds: int
    undone_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldGrant:
    """A grant that a citizen has redeemed."""

    id: int
    ref: str
    activity_id: int
    gate: str
    expires_at: datetime
    revoked_at: datetime | None
    taken_at: datetime


def open_hall(uow: UnitOfWork, activity_id: int) -> None:
    """Add the hall of an activity, if it has none.

    Locks: the activity, shared, when the hall is added; so call it before anything is locked.
    """
    values = {"of_activity": activity_id}
    if run_statement(uow, _HAS_HALL, values).first_value() is None:
        added = {"activity_id": activity_id, "admitted": 0, "inside": 0, "walk_ins": 0}
        run_statement(uow, _OPEN_HALL[uow.transaction.dialect.name], added)


def lock_hall(uow: UnitOfWork, activity_id: int) -> LockedHall:
    """Lock an open hall until the commit.

    Locks: the hall.
    """
    row = run_statement(uow, _LOCK_HALL, {"of_activity": activity_id}).only_row()
    return LockedHall(**row._asdict())


def store_hall(uow: UnitOfWork, hall: LockedHall) -> None:
    """Write the counters of a locked hall."""
    values = {
        "of_activity": hall.activity_id,
        "new_admitted": hall.admitted,
        "new_inside": hall.inside,
        "new_walk_ins": hall.walk_ins,
    }
    run_by_commit(uow, _STORE_HALL, values)


def read_scans(
    uow: UnitOfWork, activity_id: int, nonces: Collection[str], signup_ids: Collection[int]
) -> Sequence[Any]:
    """The scans of an activity with these nonces, and all of these sign-ups, as they arrived."""
    values = {
        "of_activity": activity_id,
        "nonces": list(nonces) or [""],
        "signups": list(signup_ids) or [_NOTHING],
    }
    return run_statement(uow, _SCANS, values).rows


def read_admissions(uow: UnitOfWork, signup_ids: Collection[int]) -> dict[int, KeptAdmission]:
    """The attendance of sign-ups, by the sign-up's id."""
    if not signup_ids:
        return {}
    rows = run_statement(uow, _ADMISSIONS, {"signups": list(signup_ids)})
    return {row.signup_id: KeptAdmission(**row._asdict()) for row in rows}


def attended_ids(uow: UnitOfWork, activity_id: int) -> set[int]:
    """The sign-ups of an activity whose people came."""
    return set(run_statement(uow, _ATTENDED, {"of_activity": activity_id}).first_values())


def has_come(uow: UnitOfWork, signup_id: int) -> bool:
    """Whether the people of a sign-up came."""
    return any(one.holds for one in read_admissions(uow, [signup_id]).values())


def add_admission(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert the attendance of a sign-up."""
    run_by_commit(uow, _ADD_ADMISSION, values)


def store_admission(uow: UnitOfWork, admission_id: int, values: Mapping[str, Any]) -> None:
    """Write the computed columns of an attendance."""
    given = {f"new_{name}": value for name, value in values.items()}
    run_by_commit(uow, _STORE_ADMISSION, {"of_id": admission_id, **given})


def add_scan(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Insert a scan."""
    run_by_commit(uow, _ADD_SCAN, values)


def flag_scan(uow: UnitOfWork, activity_id: int, nonce: str, *, flag: bool) -> None:
    """Store whether a scan is a conflict."""
    run_by_commit(uow, _FLAG_SCAN, {"of_activity": activity_id, "of_nonce": nonce, "flag": flag})


def grants_of(uow: UnitOfWork, citizen_id: int) -> list[HeldGrant]:
    """The grants that a citizen has redeemed, the last redeemed first, also ended ones."""
    rows = run_statement(uow, _GRANT_OF, {"of_citizen": citizen_id})
    return [HeldGrant(**row._asdict()) for row in rows]


def passage_of(row: Any) -> Passage:
    """The passage that a scan's row describes."""
    return Passage(
        nonce=row.nonce,
        at=row.at,
        device_at=row.device_at,
        inward=row.direction is ScanDirection.IN,
        way=row.way,
        grant_id=row.grant_id,
        gate=row.gate,
    )
