"""How long the database may let one of its users wait, and what follows when it does not answer.

A server that is stopped or cut off keeps its sockets open: no setting of the server and none of
libpq bounds that. So every wait is bounded here, by the driver's own poll.
"""

from __future__ import annotations

import enum
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from server.base.clock import SystemClock
from server.base.settings import Database

_log = logging.getLogger(__name__)
# The server gives up a lock or a statement before the client gives up the server: that way an
# error arrives, and the connection lives on.
_SERVER_SHARE = 0.9
_GRACE_SECONDS = 5.0
# What is left for one exchange when the rest is spent, so that a rollback can still be said.
_LEAST_SECONDS = 0.1
# After a wait in vain nobody asks for so long; then one caller tries.
PAUSE_SECONDS = 1.0


class Use(enum.Enum):
    """Who uses the database; each declares how long it may wait."""

    REQUESTS = "requests"
    JOBS = "jobs"
    COMMANDS = "commands"
    MIGRATIONS = "migrations"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Seconds that one wait for a lock, one statement and one wait of the client may last.

    `whole`: the client's seconds are those of a whole transaction, the wait for its connection
    included.
    """

    lock: float
    statement: float
    client: float
    whole: bool = False


def bounds_for(use: Use, given: Database) -> Bounds:
    """The bounds of one kind of user."""
    if use is Use.REQUESTS:
        share = given.request_seconds * _SERVER_SHARE
        return Bounds(lock=share, statement=share, client=given.request_seconds, whole=True)
    lock, statement = {
        Use.JOBS: (given.job_lock_seconds, given.job_statement_seconds),
        Use.COMMANDS: (given.command_lock_seconds, given.command_statement_seconds),
        Use.MIGRATIONS: (given.migration_lock_seconds, given.migration_statement_seconds),
    }[use]
    return Bounds(lock=lock, statement=statement, client=statement + _GRACE_SECONDS)


class NotAsked(Exception):
    """The database did not answer a moment ago; nobody asks it again yet."""


class _Spell(threading.local):
    """What is left to the transaction that this thread is in; None outside of one."""

    left: float | None = None


class Patience:
    """The waits of one engine: measured, bounded, and after one in vain not begun for a while."""

    def __init__(self, bounds: Bounds, monotonic: Callable[[], float] | None = None) -> None:
        self.bounds = bounds
        self.monotonic = monotonic or SystemClock().monotonic
        self._spell = _Spell()
        self._lock = threading.Lock()
        self._closed_until: float | None = None

    @contextmanager
    def spell(self, seconds: float | None = None) -> Iterator[None]:
        """The waits of one transaction, which share what one may wait.

        Units: `seconds` asks for less; a spell within another cannot give more than is left there.
        """
        before = self._spell.left
        whole = self.bounds.client if self.bounds.whole else None
        given = [share for share in (whole, seconds, before) if share is not None]
        self._spell.left = min(given) if given else None
        try:
            yield
        finally:
            self._spell.left = before

    def allowed(self) -> float:
        """Seconds that the next wait of this thread may last."""
        left = self._spell.left
        return self.bounds.client if left is None else max(left, _LEAST_SECONDS)

    def allowed_for_lock(self) -> float:
        """Seconds that the next wait of this thread for a lock may last."""
        return self.allowed() if self.bounds.whole else self.bounds.lock

    def spend(self, seconds: float) -> None:
        """Take a wait off what is left to this thread's transaction."""
        left = self._spell.left
        if left is not None:
            self._spell.left = left - seconds

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Take off how long the block lasts, whatever was taken off inside it."""
        left, begun = self._spell.left, self.monotonic()
        try:
            yield
        finally:
            if left is not None:
                self._spell.left = left - (self.monotonic() - begun)

    @property
    def exhausted(self) -> bool:
        """Whether the database is not being asked at this moment."""
        until = self._closed_until
        return until is not None and self.monotonic() < until

    def admit(self) -> None:
        """Let a transaction begin.

        Raises: NotAsked while the database is not being asked.
        """
        if self._closed_until is None:
            return
        with self._lock:
            if self._closed_until is None:
                return
            now = self.monotonic()
            if now < self._closed_until:
                raise NotAsked
            # This caller tries; the others keep away until it knows.
            self._closed_until = now + self.bounds.client + PAUSE_SECONDS

    def failed(self) -> None:
        """A transaction has met no database; if it was the one that tried, others may try soon."""
        with self._lock:
            if self._closed_until is not None:
                self._closed_until = self.monotonic() + PAUSE_SECONDS

    def unanswered(self, seconds: float) -> None:
        """A wait of so many seconds was in vain."""
        # A shorter one may have met a lock that others hold: the server would have said so later.
        if not self.bounds.whole or seconds < self.bounds.client * _SERVER_SHARE:
            return
        with self._lock:
            if self._closed_until is None:
                _log.error("the database does not answer", extra={"ms": round(seconds * 1000)})
            self._closed_until = self.monotonic() + PAUSE_SECONDS

    def answered(self) -> None:
        """The database has just answered."""
        if self._closed_until is None:
            return
        with self._lock:
            self._closed_until = None
        _log.info("the database answers again")
