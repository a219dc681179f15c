"""Stored answers by Idempotency-Key, so that a repeated request has no second effect.

Only answers of successful changes are stored; a refused request runs again. Rows expire after two
days.

There are two ways. A route that runs in one transaction stores its answer in it (`find_answer`,
`keep_answer`): effect and answer are committed together, and a process that dies leaves neither. A
route that calls WeChat before its transaction claims the key in an earlier transaction
(`claim_key`, `keep_claimed_answer`, `release_key`), because otherwise a concurrent repeat would
call WeChat too.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    String,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from server.base.errors import Conflict, Invalid
from server.base.personal_data import Keep, Personal
from server.base.sql.prepared import insert_at_commit, run_statement
from server.base.sql.tables import Base, BigId, UtcDateTime, table_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory

KEPT = timedelta(hours=48)
# The key of a request that died with its process is released after this time.
IN_FLIGHT = timedelta(seconds=60)
_KEY = re.compile(r"[\x21-\x7e]{1,64}")


class IdempotencyKeyReused(Conflict):
    """The same key was used for another request."""

    code = "idempotency_key_reused"


class IdempotencyInFlight(Conflict):
    """The first request with this key is still running."""

    code = "idempotency_in_flight"


class KeptAnswer(Base):
    """One key of one caller, with the stored answer."""

    __tablename__ = "kept_answer"
    __table_args__ = (UniqueConstraint("caller", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    caller: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    claimed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AnsweredMeanwhile(Exception):
    """A concurrent repeat of this request committed first; this transaction must be rolled back."""


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """A request with its key.

    `print_of` is the fingerprint of the request.
    """

    caller: str
    key: str
    print_of: str

    @property
    def lock(self) -> int:
        """The number of the advisory lock for this caller and key."""
        named = f"{self.caller}\0{self.key}".encode()
        return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True, kw_only=True)
class KeyClaim:
    """The right to run a request under its key, or the stored answer.

    It names its row by caller and key, because SQLite may reuse the id of a deleted row.
    """

    caller: str
    key: str
    status: int | None = None
    body: str | None = None


_kept = table_of(KeptAnswer)
_TOLD = (_kept.c.fingerprint, _kept.c.status, _kept.c.body, _kept.c.claimed_at)
_OURS = and_(_kept.c.caller == bindparam("of_caller"), _kept.c.key == bindparam("of_key"))
_FIND: dict[str, Select[Any]] = {
    # A writer holds the whole file, so a concurrent repeat waits and then finds the answer.
    "sqlite": select(true().label("free"), *_TOLD).where(_OURS),
    # The query always returns one row, so that the lock is taken exactly once. It is released with
    # the transaction.
    "postgresql": select(
        func.pg_try_advisory_xact_lock(
            bindparam("lock", type_=BigInteger), type_=Boolean
        ).label("free"),
        *_TOLD,
    ).select_from(select(literal(1)).subquery().outerjoin(_kept, _OURS)),
}  # fmt: skip


_KEEP = insert(_kept)
_DROP_EXPIRED = delete(_kept).where(_OURS, _kept.c.status.is_(None))


def checked_key(header: str | None) -> str | None:
    """The key of a request, or None.

    Raises: Invalid (422).
    """
    if header is None:
        return None
    if not _KEY.fullmatch(header):
        raise Invalid((("header", "Idempotency-Key"), "1 to 64 visible characters"))
    return header


def fingerprint_request(method: str, path: str, body: bytes) -> str:
    """A hash that is equal for identical requests."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


def find_answer(uow: UnitOfWork, asked: Keyed) -> tuple[int, str] | None:
    """The stored answer; None when this transaction must run the request.

    On PostgreSQL the key is locked until the end of the transaction.
    Raises: IdempotencyKeyReused, IdempotencyInFlight (409).
    """
    dialect = uow.transaction.dialect.name
    facts: dict[str, Any] = {"of_caller": asked.caller, "of_key": asked.key}
    if dialect == "postgresql":
        facts["lock"] = asked.lock
    row = run_statement(uow, _FIND[dialect], facts).one_or_none()
    if row is None:
        return None
    if row.fingerprint is not None and row.fingerprint != asked.print_of:
        raise IdempotencyKeyReused
    if row.status is not None:
        return row.status, row.body or ""
    if not row.free:
        raise IdempotencyInFlight
    if row.claimed_at is not None:
        _drop_expired_claim(uow, asked, row.claimed_at)
    return None


def _drop_expired_claim(uow: UnitOfWork, asked: Keyed, claimed_at: datetime) -> None:
    if uow.now - claimed_at < IN_FLIGHT:
        raise IdempotencyInFlight
    run_statement(uow, _DROP_EXPIRED, {"of_caller": asked.caller, "of_key": asked.key})


def keep_answer(uow: UnitOfWork, asked: Keyed, status: int, body: str) -> None:
    """Store the answer in the transaction of its effect, as its last statement.

    Raises: AnsweredMeanwhile, here or at the commit.
    """
    if asked.caller in uow.forgotten:
        # This request erased the citizen: nothing may be stored under this id.
        return
    facts = {
        "caller": asked.caller,
        "key": asked.key,
        "fingerprint": asked.print_of,
        "status": status,
        "body": body,
        "claimed_at": uow.now,
    }
    insert_at_commit(uow, _KEEP, facts, AnsweredMeanwhile())


def claim_key(uow_factory: UnitOfWorkFactory, caller: str, key: str, print_of: str) -> KeyClaim:
    """Claim a key for a request, or find the stored answer.

    Raises: IdempotencyKeyReused, IdempotencyInFlight (409).
    """
    try:
        return _claim_row(uow_factory, caller, key, print_of)
    except IntegrityError:
        # A concurrent repeat claimed the key between our read and our insert.
        raise IdempotencyInFlight from None


def _claim_row(uow_factory: UnitOfWorkFactory, caller: str, key: str, print_of: str) -> KeyClaim:
    with uow_factory.begin() as uow:
        row = uow.session.scalar(
            select(KeptAnswer)
            .where(KeptAnswer.caller == caller, KeptAnswer.key == key)
            .with_for_update()
        )
        if row is None:
            row = KeptAnswer(caller=caller, key=key, fingerprint=print_of, claimed_at=uow.now)
            uow.session.add(row)
            uow.session.flush()  # a concurrent insert must fail here
            return KeyClaim(caller=caller, key=key)
        if row.fingerprint != print_of:
            raise IdempotencyKeyReused
        if row.status is None:
            if uow.now - row.claimed_at < IN_FLIGHT:
                raise IdempotencyInFlight
            row.claimed_at = uow.now
        return KeyClaim(caller=caller, key=key, status=row.status, body=row.body)


def keep_claimed_answer(uow: UnitOfWork, taken: KeyClaim, status: int, body: str) -> None:
    """Store the answer in the transaction of its effect."""
    uow.session.execute(update(KeptAnswer).where(*_row_of(taken)).values(status=status, body=body))


def release_key(uow_factory: UnitOfWorkFactory, taken: KeyClaim) -> None:
    """Release the key of a refused or failed request."""
    with uow_factory.begin() as uow:
        uow.session.execute(delete(KeptAnswer).where(*_row_of(taken), KeptAnswer.status.is_(None)))


def _row_of(taken: KeyClaim) -> tuple[ColumnElement[bool], ...]:
    return KeptAnswer.caller == taken.caller, KeptAnswer.key == taken.key


def drop_answers_of(uow: UnitOfWork, citizen_id: int) -> None:
    """Delete all stored answers of a citizen, the current one included: they may hold names."""
    caller = f"citizen:{citizen_id}"
    uow.forgotten.append(caller)
    uow.session.execute(delete(KeptAnswer).where(KeptAnswer.caller == caller))


def _drop_answers_of_double(uow: UnitOfWork, _keep: int, gone: int) -> None:
    # The id of a merged citizen is never used for a request again.
    drop_answers_of(uow, gone)


PERSONAL = (
    Personal(
        KeptAnswer,
        "caller",
        owner_value="citizen:{}",
        erase=drop_answers_of,
        merge=_drop_answers_of_double,
        untold_because="copies of answers that the citizen got within two days",
        keep=Keep(since="claimed_at", longest=KEPT),
    ),
)
