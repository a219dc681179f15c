"""Answers kept under the client's Idempotency-Key: a repeated request changes nothing twice.

Only answers that changed something are kept; a refusal is asked again. Rows die after two days.

There are two ways. A route that runs in one transaction keeps its answer there (`find_answer`,
`keep_answer`): effect and answer are committed together, and a process that dies leaves neither.
A route that calls WeChat before its transaction claims the key beforehand in a transaction of its
own (`claim`, `keep`, `release`), because nothing else would stop a twin from calling too.
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
    literal,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from server.base.errors import Conflict, Invalid
from server.base.personal_data import Keep, Personal
from server.base.sql.prepared import run, table
from server.base.sql.tables import Base, BigId, UtcDateTime, insert_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory

KEPT = timedelta(hours=48)
# A request that died with its process gives its key free after this time.
IN_FLIGHT = timedelta(seconds=60)
_KEY = re.compile(r"[\x21-\x7e]{1,64}")


class IdempotencyKeyReused(Conflict):
    """The same key came with another request."""

    code = "idempotency_key_reused"


class IdempotencyInFlight(Conflict):
    """The first request with this key is still running."""

    code = "idempotency_in_flight"


class KeptAnswer(Base):
    """One key of one caller, and what he was answered."""

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
    """A twin of this request was committed first; this transaction must be rolled back."""


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """A request under its key.

    Units: `print_of` is the fingerprint of what is asked.
    """

    caller: str
    key: str
    print_of: str

    @property
    def lock(self) -> int:
        """The number of the advisory lock that stands for this caller and key."""
        named = f"{self.caller}\0{self.key}".encode()
        return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to run a request under its key, or the answer it had.

    It names its row by caller and key: SQLite gives the number of a deleted row to the next one.
    """

    caller: str
    key: str
    status: int | None = None
    body: str | None = None


_kept = table(KeptAnswer)
_TOLD = (_kept.c.fingerprint, _kept.c.status, _kept.c.body, _kept.c.claimed_at)
_OURS = and_(_kept.c.caller == bindparam("of_caller"), _kept.c.key == bindparam("of_key"))
_FIND: dict[str, Select[Any]] = {
    # Who writes holds the whole file: a twin waits for its turn and finds the answer.
    "sqlite": select(true().label("free"), *_TOLD).where(_OURS),
    # One row in any case, so that the lock is asked for exactly once. It ends with the transaction.
    "postgresql": select(
        func.pg_try_advisory_xact_lock(
            bindparam("lock", type_=BigInteger), type_=Boolean
        ).label("free"),
        *_TOLD,
    ).select_from(select(literal(1)).subquery().outerjoin(_kept, _OURS)),
}  # fmt: skip


def _keeping(dialect: str) -> Any:
    fresh = insert_of(dialect, KeptAnswer)
    told = ("fingerprint", "status", "body", "claimed_at")
    return fresh.on_conflict_do_update(
        index_elements=["caller", "key"],
        set_={name: fresh.excluded[name] for name in told},
        # A claim whose process died; an answer is never written over.
        where=_kept.c.status.is_(None),
    )


_KEEP = {dialect: _keeping(dialect) for dialect in _FIND}


def checked_key(header: str | None) -> str | None:
    """The key of a request, when there is one.

    Raises: Invalid (422).
    """
    if header is None:
        return None
    if not _KEY.fullmatch(header):
        raise Invalid((("header", "Idempotency-Key"), "1 to 64 visible characters"))
    return header


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


def find_answer(uow: UnitOfWork, asked: Keyed) -> tuple[int, str] | None:
    """The answer that a request was given before; None when this transaction may do its work.

    On PostgreSQL the key is held until the end of the transaction.
    Raises: IdempotencyKeyReused, IdempotencyInFlight (409).
    """
    dialect = uow.transaction.dialect.name
    facts: dict[str, Any] = {"of_caller": asked.caller, "of_key": asked.key}
    if dialect == "postgresql":
        facts["lock"] = asked.lock
    row = run(uow, _FIND[dialect], facts).one_or_none()
    if row is None:
        return None
    if row.fingerprint is not None and row.fingerprint != asked.print_of:
        raise IdempotencyKeyReused
    if row.status is not None:
        return row.status, row.body or ""
    if not row.free or _runs_still(uow, row.claimed_at):
        raise IdempotencyInFlight
    return None


def _runs_still(uow: UnitOfWork, claimed_at: datetime | None) -> bool:
    return claimed_at is not None and uow.now - claimed_at < IN_FLIGHT


def keep_answer(uow: UnitOfWork, asked: Keyed, status: int, body: str) -> None:
    """Keep the answer in the transaction that does what it says.

    Raises: AnsweredMeanwhile.
    """
    if asked.caller in uow.forgotten:
        # Erased by this very request: nothing under this number may be kept.
        return
    facts = {
        "caller": asked.caller,
        "key": asked.key,
        "fingerprint": asked.print_of,
        "status": status,
        "body": body,
        "claimed_at": uow.now,
    }
    if run(uow, _KEEP[uow.transaction.dialect.name], facts).rowcount != 1:
        raise AnsweredMeanwhile


def claim(uow_factory: UnitOfWorkFactory, caller: str, key: str, print_of: str) -> Claim:
    """Take a key for a request, or find the answer it was given.

    Raises: IdempotencyKeyReused, IdempotencyInFlight (409).
    """
    try:
        return _claim(uow_factory, caller, key, print_of)
    except IntegrityError:
        # A twin took the key between our look and our insert: it is running now.
        raise IdempotencyInFlight from None


def _claim(uow_factory: UnitOfWorkFactory, caller: str, key: str, print_of: str) -> Claim:
    with uow_factory.begin() as uow:
        row = uow.session.scalar(
            select(KeptAnswer)
            .where(KeptAnswer.caller == caller, KeptAnswer.key == key)
            .with_for_update()
        )
        if row is None:
            row = KeptAnswer(caller=caller, key=key, fingerprint=print_of, claimed_at=uow.now)
            uow.session.add(row)
            uow.session.flush()  # the twin must be seen here
            return Claim(caller=caller, key=key)
        if row.fingerprint != print_of:
            raise IdempotencyKeyReused
        if row.status is None:
            if uow.now - row.claimed_at < IN_FLIGHT:
                raise IdempotencyInFlight
            row.claimed_at = uow.now
        return Claim(caller=caller, key=key, status=row.status, body=row.body)


def keep(uow: UnitOfWork, taken: Claim, status: int, body: str) -> None:
    """Keep the answer in the transaction that did what it says."""
    uow.session.execute(update(KeptAnswer).where(*_row_of(taken)).values(status=status, body=body))


def release(uow_factory: UnitOfWorkFactory, taken: Claim) -> None:
    """Give a key free whose request was refused or failed."""
    with uow_factory.begin() as uow:
        uow.session.execute(delete(KeptAnswer).where(*_row_of(taken), KeptAnswer.status.is_(None)))


def _row_of(taken: Claim) -> tuple[ColumnElement[bool], ...]:
    return KeptAnswer.caller == taken.caller, KeptAnswer.key == taken.key


def drop_answers_of(uow: UnitOfWork, citizen_id: int) -> None:
    """Drop every kept answer of a citizen, that of this request included: they may name them."""
    caller = f"citizen:{citizen_id}"
    uow.forgotten.append(caller)
    uow.session.execute(delete(KeptAnswer).where(KeptAnswer.caller == caller))


def _drop_answers_of_double(uow: UnitOfWork, _keep: int, gone: int) -> None:
    # Nobody asks under the number of a double again.
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
