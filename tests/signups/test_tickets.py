"""Ticket codes."""

from __future__ import annotations

import re

import pytest

from server.base.signing import Keys
from server.signups.tickets import LENGTH, read_ticket, spell_ticket

KEYS = Keys("k" * 48)


@pytest.mark.parametrize("number", [1, 31, 32, 10**6, 2**40 - 1])
def test_a_ticket_names_its_sign_up(number: int) -> None:
    code = spell_ticket(KEYS, number)
    assert read_ticket(KEYS, code) == number
    assert read_ticket(KEYS, f" {code.lower()}\n") == number


def test_a_ticket_has_only_characters_of_the_small_qr_mode() -> None:
    code = spell_ticket(KEYS, 123_456)
    assert len(code) == LENGTH == 26
    assert re.fullmatch(r"[0-9A-Z]+", code)


def test_every_edited_character_is_refused_without_a_database() -> None:
    code = spell_ticket(KEYS, 77)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    for at in range(len(code)):
        for letter in letters:
            edited = code[:at] + letter + code[at + 1 :]
            assert (read_ticket(KEYS, edited) == 77) is (edited == code)


@pytest.mark.parametrize("code", ["", "K1", "K1" + "!" * 24, "K2" + "A" * 24, "É" * 26, "1" * 26])
def test_what_is_no_ticket_is_refused(code: str) -> None:
    assert read_ticket(KEYS, code) is None


def test_another_installation_has_other_tickets() -> None:
    assert read_ticket(Keys("m" * 48), spell_ticket(KEYS, 5)) is None
