"""Hashes: a bounded number at once, and a stored hash that is not readable is no match."""

from __future__ import annotations

import threading

import pytest
from argon2 import PasswordHasher, extract_parameters

from server.organizers.errors import PasswordsBusy
from server.organizers.passwords import HASHES, UNKNOWN, PasswordHashes
from tests.kit.organizers import PASSWORD, PASSWORD_HASH

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Waiting(PasswordHasher):
    """A hasher that waits until the test lets it go on."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.begun, self.go_on = threading.Semaphore(0), threading.Event()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.begun.release()
        self.go_on.wait(60)
        return super().hash(password, salt=salt)


def test_a_hash_uses_64_mib_and_the_one_for_unknown_names_too() -> None:
    assert HASHES.matches_password(PASSWORD_HASH, PASSWORD)
    assert not HASHES.matches_password(PASSWORD_HASH, "another")
    stored = HASHES.hash_password("x")
    assert extract_parameters(stored) == extract_parameters(UNKNOWN)
    assert extract_parameters(UNKNOWN).memory_cost == 64 * 1024


def test_without_a_readable_hash_nothing_matches() -> None:
    hashes = PasswordHashes(CHEAP, at_once=1, wait_seconds=0)
    for stored in (None, "", "no hash at all"):
        assert not hashes.matches_password(stored, PASSWORD)
    # Every place was given back.
    assert hashes.matches_password(CHEAP.hash("x"), "x")


def test_more_hashes_than_places_are_refused_and_the_place_is_given_back() -> None:
    waiting = Waiting()
    hashes = PasswordHashes(waiting, at_once=2, wait_seconds=0)
    threads = [threading.Thread(target=hashes.hash_password, args=("x",)) for _ in range(2)]
    for thread in threads:
        thread.start()
        waiting.begun.acquire()
    with pytest.raises(PasswordsBusy):
        hashes.hash_password("x")
    waiting.go_on.set()
    for thread in threads:
        thread.join()
    assert hashes.hash_password("x")
