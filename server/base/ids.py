"""Opaque public ids; a numeric row id never leaves the server."""

from __future__ import annotations

import hashlib
import secrets

_LETTERS = b"0123456789abcdefghjkmnpqrstvwxyz"
# 256 is a multiple of 32, so each letter is equally likely.
_OF_BYTE = _LETTERS * 8


def new_ref(prefix: str) -> str:
    """Create a public id such as `att_…`, with 100 random bits."""
    return f"{prefix}_{secrets.token_bytes(20).translate(_OF_BYTE).decode()}"


def new_token() -> str:
    """Create a bearer token with 256 random bits."""
    return secrets.token_urlsafe(32)


def derived_ref(prefix: str, key: str) -> str:
    """A public id that is always the same for a key; guessable, so for sample data only."""
    return f"{prefix}_{hashlib.sha256(key.encode()).digest()[:20].translate(_OF_BYTE).decode()}"
