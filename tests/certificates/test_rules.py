"""Numbers of certificates: no slip of a finger makes another number."""

from __future__ import annotations

import random

import pytest

from server.certificates.rules import RANDOM_BITS, read_serial, spell_serial
from tests.kit.effort import repeat_count

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def some_serials(count: int) -> list[str]:
    chance = random.Random(7)
    return [spell_serial(chance.getrandbits(RANDOM_BITS)) for _ in range(count)]


def test_a_number_is_read_with_and_without_gaps_in_any_case() -> None:
    for serial in some_serials(20):
        plain = serial.replace("-", "")
        for typed in (serial, plain, serial.lower(), f"  {serial} ", serial.replace("-", " ")):
            assert read_serial(typed) == serial
        assert len(plain) == 20


def test_one_other_character_at_any_position_is_no_number() -> None:
    for serial in some_serials(repeat_count(50, 5)):
        for at, was in enumerate(serial):
            for other in ALPHABET:
                if other != was:
                    assert read_serial(serial[:at] + other + serial[at + 1 :]) is None


def test_exchanged_neighbours_are_no_number() -> None:
    for serial in some_serials(50):
        plain = serial.replace("-", "")
        for at in range(len(plain) - 1):
            if plain[at] != plain[at + 1]:
                swapped = plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :]
                assert read_serial(swapped) is None


@pytest.mark.parametrize(
    "typed", ["", "-", "KP", "KP-", "KP-0000", "X" * 60, "证书", "\0", "１" * 20]
)
def test_what_is_no_number_is_read_as_none(typed: str) -> None:
    assert read_serial(typed) is None


def test_the_numbers_of_many_certificates_differ() -> None:
    assert len(set(some_serials(2000))) == 2000
