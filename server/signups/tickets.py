"""Ticket codes: short, signed, and checked without a database.

A code is `K1`, the sign-up's number in base 32 and 80 bits of a keyed hash, all in characters of
QR's alphanumeric mode, so that it fits a small code that old scanners read. A code with one changed
character is refused. Whether the sign-up still holds is read from its row.
"""

from __future__ import annotations

import base64
import hmac

from server.base.signing import Keys

_VERSION = "K1"
_PURPOSE = "ticket"
_NUMBER_BYTES, _MARK_BYTES = 5, 10
LENGTH = len(_VERSION) + _NUMBER_BYTES * 8 // 5 + _MARK_BYTES * 8 // 5


def spell_ticket(keys: Keys, signup_id: int) -> str:
    """The code of a sign-up's ticket.

    Raises: OverflowError for numbers over 40 bits.
    """
    number = signup_id.to_bytes(_NUMBER_BYTES, "big")
    return _VERSION + _spell_bytes(number) + _spell_bytes(_mark_of(keys, number))


def read_ticket(keys: Keys, code: str) -> int | None:
    """The sign-up of a ticket code; None for a code that was not made here."""
    plain = code.strip().upper()
    if len(plain) != LENGTH or not plain.startswith(_VERSION):
        return None
    try:
        raw = base64.b32decode(plain[len(_VERSION) :])
    except ValueError:
        return None
    number, mark = raw[:_NUMBER_BYTES], raw[_NUMBER_BYTES:]
    if not hmac.compare_digest(mark, _mark_of(keys, number)):
        return None
    return int.from_bytes(number, "big")


def _mark_of(keys: Keys, number: bytes) -> bytes:
    return bytes.fromhex(keys.blind_hash(number.hex(), _PURPOSE))[:_MARK_BYTES]


def _spell_bytes(raw: bytes) -> str:
    return base64.b32encode(raw).decode()
