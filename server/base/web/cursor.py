"""Pagination cursors: the key of the last row, opaque to clients."""

from __future__ import annotations

import base64
import binascii
import json

from server.base.errors import Invalid

_BIGGEST = 2**63 - 1


def encode_cursor(*parts: str | int) -> str:
    """Encode the cursor after the row with this key."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(text: str, *kinds: type) -> list[str | int]:
    """Decode a cursor to its key.

    Raises: Invalid (422) for a cursor that was not created here.
    """
    try:
        parts = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        parts = None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise Invalid((("query", "after"), "an unreadable cursor"))
    if not all(_is_storable(part) for part in parts):
        raise Invalid((("query", "after"), "an unreadable cursor"))
    return parts


def _is_storable(part: str | int) -> bool:
    # A value that no column can hold would cause a database error instead of a 422.
    if isinstance(part, str):
        return "\0" not in part
    return -_BIGGEST <= part <= _BIGGEST
