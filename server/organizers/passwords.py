"""Password hashes: argon2id, a bounded number at once, and the same work for unknown accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.base.fair_slots import FairSlots
from server.organizers.errors import PasswordsBusy

# Each check uses 64 MiB. Source: RFC 9106, section 4; OWASP, password storage.
_MEMORY_KIB = 64 * 1024
_PASSES = 2
_AT_ONCE = 2
_WAIT_SECONDS = 10.0
# A hash of a password that nobody knows, with the parameters above.
UNKNOWN = (
    "$argon2id$v=19$m=65536,t=2,p=1$"
    "9T0Um9gHTkUaJCzBWc92Pw$f5XdnKlwPFjzM9CdTXxde4FmH6VE9BY1wkw/fhKe4aE"
)


class PasswordHashes:
    """Creates and checks hashes; further calls wait, so that log-ins cannot fill the memory."""

    def __init__(self, hasher: PasswordHasher, *, at_once: int, wait_seconds: float) -> None:
        self._hasher = hasher
        self._slots = FairSlots(at_once)
        self._wait_seconds = wait_seconds

    def hash_password(self, password: str) -> str:
        """The hash to store.

        Raises: PasswordsBusy (503).
        """
        with self._hold_place():
            return self._hasher.hash(password)

    def matches_password(self, stored: str | None, password: str) -> bool:
        """Whether a password belongs to a hash; without one, the hash UNKNOWN costs the same.

        Raises: PasswordsBusy (503).
        """
        with self._hold_place():
            try:
                right = self._hasher.verify(stored or UNKNOWN, password)
            except (VerificationError, InvalidHashError):
                return False
        return right and stored is not None

    @contextmanager
    def _hold_place(self) -> Iterator[None]:
        if not self._slots.take_slot(self._wait_seconds):
            raise PasswordsBusy
        try:
            yield
        finally:
            self._slots.return_slot()


HASHES = PasswordHashes(
    PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=1),
    at_once=_AT_ONCE,
    wait_seconds=_WAIT_SECONDS,
)
