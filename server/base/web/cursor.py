"""Cursors of lists: the position of the last row, opaque to clients."""

from __future__ import annotations

import base64
import binascii
import json

from server.base.errors import Invalid


def encode_cursor(*parts: str | int) -> str:
    """A cursor that stands after the row with this key."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(text: str, *kinds: type) -> list[str | int]:
    """The key that a cursor stands for.

    Raises: Invalid (422) when nobody here made it.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        parts = None
    fits = isinstance(parts, list) and [type(part) for part in parts] == list(kinds)
    if not fits:
        raise Invalid((("query", "after"), "an unreadable cursor"))
    return list(parts)
