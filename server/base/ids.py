"""Opaque public names of things; a numeric id never leaves the server."""

from __future__ import annotations

import secrets

_LETTERS = b"0123456789abcdefghjkmnpqrstvwxyz"
# A random byte is one of 256, so each of the 32 letters is as likely as the others.
_OF_BYTE = _LETTERS * 8


def new_ref(prefix: str) -> str:
    """A fresh public id such as `att_…`, with 100 random bits."""
    return f"{prefix}_{secrets.token_bytes(20).translate(_OF_BYTE).decode()}"


def new_token() -> str:
    """A bearer token with 256 random bits."""
    return secrets.token_urlsafe(32)
