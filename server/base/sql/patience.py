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
_SERVER_SHARE = 0.8
_GRACE_SECONDS = 5.0
# No writer of SQLite keeps it so long: whoever does is no neighbour who is about to end.
_LOCKED_SHARE = 0.5
# One exchange may last so long when all else is spent: a database that is only slow, or a process
# that is only busy, must not cost the connection, and a rollback can still be said.
_LEAST_SECONDS = 0.3
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
    """What is left to the transaction that this thread is in; None outside of one.

    `since`: when a wait began that is taken off as a whole; `tries`: it asks for all the others.
    """

    left: float | None = None
    since: float | None = None
    tries: bool = False


class Patience:
    """The waits of one engine: measured, bounded, and after one in vain not begun for a while."""

    def __init__(self, bounds: Bounds, monotonic: Callable[[], float] | None = None) -> None:
        self.bounds = bounds
        self.monotonic = monotonic or SystemClock().monotonic
        self._spell = _Spell()
        self._lock = threading.Lock()
        self._closed_until: float | None = None
        self._answered_at = self.monotonic()

    @contextmanager
    def spell(self, seconds: float | None = None) -> Iterator[None]:
        """The waits of one transaction, which share what one may wait.

        Units: `seconds` asks for less; a spell within another cannot give more than is left there.
        """
        before, tried = self._spell.left, self._spell.tries
        self._spell.tries = False
        whole = self.bounds.client if self.bounds.whole else None
        given = [share for share in (whole, seconds, before) if share is not None]
        self._spell.left = min(given) if given else None
        try:
            yield
        finally:
            self._spell.left, self._spell.tries = before, tried

    def allowed(self) -> float:
        """Seconds that the next exchange of this thread with the database may last."""
        return max(self._left(), _LEAST_SECONDS)

    def allowed_for_lock(self) -> float:
        """Seconds that the next wait of this thread for a lock may last."""
        return max(self._left(), 0.0) if self.bounds.whole else self.bounds.lock

    @property
    def usual_for_lock(self) -> float:
        """Seconds that a wait for a lock may last when nothing of a transaction's is spent."""
        return self.bounds.client if self.bounds.whole else self.bounds.lock

    def _left(self) -> float:
        left, since = self._spell.left, self._spell.since
        if left is None:
            return self.bounds.client
        return left if since is None else left - (self.monotonic() - since)

    def spend(self, seconds: float) -> None:
        """Take a wait off what is left to this thread's transaction."""
        spell = self._spell
        # Inside of `spending` it is taken off already.
        if spell.left is not None and spell.since is None:
            spell.left -= seconds

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Take off how long the block lasts: waiting for a place and for the database within it."""
        spell = self._spell
        begun = spell.since = self.monotonic()
        try:
            yield
        finally:
            spell.since = None
            if spell.left is not None:
                spell.left -= self.monotonic() - begun

    @property
    def exhausted(self) -> bool:
        """Whether the database is not being asked at this moment."""
        until = self._closed_until
        return until is not None and self.monotonic() < until

    @property
    def refuses(self) -> bool:
        """Whether this thread, which was admitted before, must not ask any more."""
        return self.exhausted and not self._spell.tries

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
            self._spell.tries = True

    def failed(self) -> None:
        """A transaction has met no database; if it was the one that tried, others may try soon."""
        with self._lock:
            if self._closed_until is not None:
                self._closed_until = self.monotonic() + PAUSE_SECONDS

    def unanswered(self, seconds: float) -> None:
        """A wait of so many seconds for the server was in vain."""
        # A shorter one may have met a lock that others hold: the server would have said so later.
        if seconds >= self.bounds.client * _SERVER_SHARE:
            self._close()

    def locked_out(self, seconds: float) -> None:
        """The one who had this process's turn to write has waited in vain for another process."""
        if seconds >= self.bounds.client * _LOCKED_SHARE:
            self._close()

    def no_place(self) -> None:
        """A wait for a place in the pool was in vain: all of it is busy, or nobody is answered."""
        if self.monotonic() - self._answered_at >= self.bounds.client * _SERVER_SHARE:
            self._close()

    def answered(self) -> None:
        """The database has just answered."""
        self._answered_at = self.monotonic()
        if self._closed_until is None:
            return
        with self._lock:
            self._closed_until = None
        _log.info("the database answers again")

    def _close(self) -> None:
        if not self.bounds.whole:
            return
        with self._lock:
            if self._closed_until is None:
                _log.error("the database does not answer")
            self._closed_until = self.monotonic() + PAUSE_SECONDS
