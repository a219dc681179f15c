"""Codes of grants and venues, in characters of QR's alphanumeric mode.

A grant's code is `G1` and 128 random bits; only its hash is stored. A venue's code is `V1`, the
activity's number and 80 bits of a keyed hash over the activity and a window of twelve seconds. The
present window and the one before are accepted, so a photo of a code is refused after 24 seconds at
the latest. Tickets begin with `K1` (signups/tickets.py), so the three kinds cannot be confused.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime

from server.base.signing import Keys, token_hash

VENUE_SECONDS = 12
_GRANT, _VENUE, _TICKET = "G1", "V1", "K1"
_GRANT_BYTES, _NUMBER_BYTES, _MARK_BYTES = 16, 5, 10
_PURPOSE = "venue code"
_VENUE_LENGTH = len(_VENUE) + _NUMBER_BYTES * 8 // 5 + _MARK_BYTES * 8 // 5


def make_grant_code() -> str:
    """Make a new code of a grant, with 128 random bits in 28 characters."""
    return _GRANT + _spell_bytes(secrets.token_bytes(_GRANT_BYTES))


def hash_grant_code(code: str) -> str:
    """The stored hash of a grant's code."""
    return token_hash(code.strip().upper())


def venue_code_at(keys: Keys, activity_id: int, now: datetime) -> str:
    """The venue's code of an activity at an instant; it changes every `VENUE_SECONDS` seconds.

    Raises: OverflowError for numbers over 40 bits.
    """
    return _spell_venue(keys, activity_id.to_bytes(_NUMBER_BYTES, "big"), _window_at(now))


def read_venue_code(keys: Keys, code: str, now: datetime) -> int | None:
    """The activity of a venue's code that is valid now; None for any other text."""
    plain = code.strip().upper()
    if len(plain) != _VENUE_LENGTH or not plain.startswith(_VENUE):
        return None
    try:
        number = base64.b32decode(plain[len(_VENUE) :])[:_NUMBER_BYTES]
    except ValueError:
        return None
    window = _window_at(now)
    known = [_spell_venue(keys, number, one) for one in (window, window - 1)]
    valid = [hmac.compare_digest(plain.encode(), one.encode()) for one in known]
    return int.from_bytes(number, "big") if any(valid) else None


def name_other_code(code: str) -> str | None:
    """The kind of a scanned text that is no venue's code: nothing, ticket, grant or foreign.

    None for a text of the right form, which may have expired.
    """
    plain = code.strip().upper()
    if not plain:
        return "nothing"
    if len(plain) == _VENUE_LENGTH and plain.startswith(_VENUE):
        return None
    named = {_TICKET: "ticket", _GRANT: "grant"}
    return named.get(plain[: len(_VENUE)], "foreign")


def _window_at(now: datetime) -> int:
    return int(now.timestamp()) // VENUE_SECONDS


def _spell_venue(keys: Keys, number: bytes, window: int) -> str:
    mark = bytes.fromhex(keys.blind_hash(f"{number.hex()}:{window}", _PURPOSE))[:_MARK_BYTES]
    return _VENUE + _spell_bytes(number) + _spell_bytes(mark)


def _spell_bytes(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")
