"""Bounds on the waits for the database, and what happens after one was exceeded.

A stopped or disconnected server leaves its sockets open; no setting of the server and none of libpq
bounds that. So the driver's own poll bounds every wait here.
"""

from __future__ import annotations

import enum
import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from server.base.clock import SystemClock
from server.base.settings import Database

_log = logging.getLogger(__name__)
# The server's timeouts are shorter than the client's: then the client receives an error, and the
# connection stays usable.
_SERVER_SHARE = 0.8
_GRACE_SECONDS = 5.0
# No writer of SQLite normally holds its lock this long, so the holder is probably hanging.
_LOCKED_SHARE = 0.5
# Minimum for one exchange when the rest is used up: a slow database or a busy process must not cost
# the connection, and a rollback must still be possible.
_LEAST_SECONDS = 0.3
# Time without attempts after a timeout; then a single caller tries.
PAUSE_SECONDS = 1.0


class Use(enum.Enum):
    """Users of the database, each with its own bounds."""

    REQUESTS = "requests"
    JOBS = "jobs"
    COMMANDS = "commands"
    MIGRATIONS = "migrations"


@dataclass(frozen=True, kw_only=True)
class WaitBounds:
    """Maximum seconds for one lock wait, one statement and one wait of the client.

    `whole`: the client's seconds apply to the whole transaction, including the wait for a
    connection.
    """

    lock: float
    statement: float
    client: float
    whole: bool = False


def bounds_for(use: Use, given: Database) -> WaitBounds:
    """The bounds of one kind of user."""
    if use is Use.REQUESTS:
        share = given.request_seconds * _SERVER_SHARE
        return WaitBounds(lock=share, statement=share, client=given.request_seconds, whole=True)
    lock, statement = {
        Use.JOBS: (given.job_lock_seconds, given.job_statement_seconds),
        Use.COMMANDS: (given.command_lock_seconds, given.command_statement_seconds),
        Use.MIGRATIONS: (given.migration_lock_seconds, given.migration_statement_seconds),
    }[use]
    return WaitBounds(lock=lock, statement=statement, client=statement + _GRACE_SECONDS)


class NotAsked(Exception):
    """The database did not respond recently, so transactions are refused."""


class _Spell(threading.local):
    """Remaining time of this thread's transaction; None outside of one.

    `since`: start of a wait that is subtracted as a whole; `tries`: this thread is the single
    trial.
    """

    left: float | None = None
    since: float | None = None
    tries: bool = False


class _SharedBudget:
    """One budget for the waits inside the block; a class, as every transaction enters one."""

    __slots__ = ("_bounds", "_left", "_seconds", "_spell", "_tries")

    def __init__(self, spell: _Spell, bounds: WaitBounds, seconds: float | None) -> None:
        self._spell, self._bounds, self._seconds = spell, bounds, seconds

    def __enter__(self) -> None:
        spell, bounds = self._spell, self._bounds
        before = self._left = spell.left
        self._tries = spell.tries
        spell.tries = False
        whole = bounds.client if bounds.whole else None
        if self._seconds is None and before is None:
            spell.left = whole
            return
        given = [share for share in (whole, self._seconds, before) if share is not None]
        spell.left = min(given)

    def __exit__(self, *_trouble: object) -> None:
        self._spell.left, self._spell.tries = self._left, self._tries


class _SpentBlock:
    """Subtracts the duration of the block from the budget of this thread's transaction."""

    __slots__ = ("_begun", "_monotonic", "_spell")

    def __init__(self, spell: _Spell, monotonic: Callable[[], float]) -> None:
        self._spell, self._monotonic = spell, monotonic

    def __enter__(self) -> None:
        self._begun = self._spell.since = self._monotonic()

    def __exit__(self, *_trouble: object) -> None:
        spell = self._spell
        spell.since = None
        if spell.left is not None:
            spell.left -= self._monotonic() - self._begun


class WaitPatience:
    """The waits of one engine: bounded; after a timeout new ones are refused for a while."""

    def __init__(self, bounds: WaitBounds, monotonic: Callable[[], float] | None = None) -> None:
        self.bounds = bounds
        self.monotonic = monotonic or SystemClock().monotonic
        self._spell = _Spell()
        self._lock = threading.Lock()
        self._closed_until: float | None = None
        self._answered_at = self.monotonic()

    def share_budget(self, seconds: float | None = None) -> AbstractContextManager[None]:
        """The waits of one transaction, which share one budget.

        Units: `seconds` requests a smaller budget; a nested spell cannot exceed the outer one.
        """
        return _SharedBudget(self._spell, self.bounds, seconds)

    def seconds_allowed(self) -> float:
        """Seconds available for this thread's next exchange with the database."""
        return max(self._seconds_left(), _LEAST_SECONDS)

    def allowed_for_lock(self) -> float:
        """Seconds available for this thread's next lock wait."""
        return max(self._seconds_left(), 0.0) if self.bounds.whole else self.bounds.lock

    @property
    def usual_for_lock(self) -> float:
        """Seconds for a lock wait of a transaction that has used none of its budget."""
        return self.bounds.client if self.bounds.whole else self.bounds.lock

    def _seconds_left(self) -> float:
        left, since = self._spell.left, self._spell.since
        if left is None:
            return self.bounds.client
        return left if since is None else left - (self.monotonic() - since)

    def spend_seconds(self, seconds: float) -> None:
        """Subtract a wait from the budget of this thread's transaction."""
        spell = self._spell
        # Inside of `spend_block` it is subtracted already.
        if spell.left is not None and spell.since is None:
            spell.left -= seconds

    def spend_block(self) -> AbstractContextManager[None]:
        """Subtract the duration of the block: waits for a slot and for the database."""
        return _SpentBlock(self._spell, self.monotonic)

    @property
    def exhausted(self) -> bool:
        """Whether transactions are currently refused."""
        until = self._closed_until
        return until is not None and self.monotonic() < until

    @property
    def refuses(self) -> bool:
        """Whether this thread, although admitted before, must stop now."""
        return self.exhausted and not self._spell.tries

    def admit_transaction(self) -> None:
        """Admit a transaction.

        Raises: NotAsked while transactions are refused.
        """
        if self._closed_until is None:
            return
        with self._lock:
            if self._closed_until is None:
                return
            now = self.monotonic()
            if now < self._closed_until:
                raise NotAsked
            # This caller is the trial; the others are refused until its result is known.
            self._closed_until = now + self.bounds.client + PAUSE_SECONDS
            self._spell.tries = True

    def note_failure(self) -> None:
        """Record that a transaction did not reach the database; allow a new trial soon."""
        with self._lock:
            if self._closed_until is not None:
                self._closed_until = self.monotonic() + PAUSE_SECONDS

    def note_timeout(self, seconds: float) -> None:
        """Record a wait for the server that timed out after `seconds`."""
        # A shorter wait may be one for a lock, whose timeout the server reports only later.
        if seconds >= self.bounds.client * _SERVER_SHARE:
            self._close_admission()

    def locked_out(self, seconds: float) -> None:
        """Record that the process's only writer timed out on another process's lock."""
        if seconds >= self.bounds.client * _LOCKED_SHARE:
            self._close_admission()

    def note_no_slot(self) -> None:
        """Record a timeout for a pool slot: all are in use, or the server does not respond."""
        if self.monotonic() - self._answered_at >= self.bounds.client * _SERVER_SHARE:
            self._close_admission()

    def note_response(self) -> None:
        """Record a response of the database."""
        self._answered_at = self.monotonic()
        if self._closed_until is None:
            return
        with self._lock:
            self._closed_until = None
        _log.info("database responds again")

    def _close_admission(self) -> None:
        if not self.bounds.whole:
            return
        with self._lock:
            if self._closed_until is None:
                _log.error("database does not respond")
            self._closed_until = self.monotonic() + PAUSE_SECONDS
