"""Answers kept under the client's Idempotency-Key: a repeated request changes nothing twice.

Only answers that changed something are kept; a refusal is asked again. Rows die after two days.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String, Text, UniqueConstraint, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from server.base.errors import Conflict, Invalid
from server.base.tables import Base, BigId, UtcDateTime
from server.base.work import Desk, Work

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


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to run a request under its key, or the answer it had.

    It names its row by caller and key: SQLite gives the number of a deleted row to the next one.
    """

    caller: str
    key: str
    status: int | None = None
    body: str | None = None


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


def claim(desk: Desk, caller: str, key: str, print_of: str) -> Claim:
    """Take a key for a request, or find the answer it was given.

    Raises: IdempotencyKeyReused, IdempotencyInFlight (409).
    """
    try:
        return _claim(desk, caller, key, print_of)
    except IntegrityError:
        # A twin took the key between our look and our insert: it is running now.
        raise IdempotencyInFlight from None


def _claim(desk: Desk, caller: str, key: str, print_of: str) -> Claim:
    with desk.work() as work:
        row = work.session.scalar(
            select(KeptAnswer)
            .where(KeptAnswer.caller == caller, KeptAnswer.key == key)
            .with_for_update()
        )
        if row is None:
            row = KeptAnswer(caller=caller, key=key, fingerprint=print_of, claimed_at=work.now)
            work.session.add(row)
            work.session.flush()  # the twin must be seen here
            return Claim(caller=caller, key=key)
        if row.fingerprint != print_of:
            raise IdempotencyKeyReused
        if row.status is None:
            if work.now - row.claimed_at < IN_FLIGHT:
                raise IdempotencyInFlight
            row.claimed_at = work.now
        return Claim(caller=caller, key=key, status=row.status, body=row.body)


def keep(work: Work, taken: Claim, status: int, body: str) -> None:
    """Keep the answer in the transaction that did what it says."""
    work.session.execute(update(KeptAnswer).where(*_row_of(taken)).values(status=status, body=body))


def release(desk: Desk, taken: Claim) -> None:
    """Give a key free whose request was refused or failed."""
    with desk.work() as work:
        work.session.execute(delete(KeptAnswer).where(*_row_of(taken), KeptAnswer.status.is_(None)))


def _row_of(taken: Claim) -> tuple[ColumnElement[bool], ...]:
    return KeptAnswer.caller == taken.caller, KeptAnswer.key == taken.key


def forget_caller(work: Work, caller: str) -> None:
    """Drop every kept answer of a caller who is erased."""
    work.session.execute(delete(KeptAnswer).where(KeptAnswer.caller == caller))


def drop_old(work: Work) -> int:
    """Drop answers older than two days; how many."""
    old = (
        select(KeptAnswer.id)
        .where(KeptAnswer.claimed_at < work.now - KEPT)
        # An erasure that holds some of them has others to take: nobody waits here.
        .with_for_update(skip_locked=True)
    )
    gone = work.session.execute(
        delete(KeptAnswer)
        .where(KeptAnswer.id.in_(old))
        .execution_options(synchronize_session=False)
    )
    return int(getattr(gone, "rowcount", 0))
