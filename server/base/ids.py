"""Opaque public names of things; a numeric id never leaves the server."""

from __future__ import annotations

import secrets

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def new_ref(prefix: str) -> str:
    """A fresh public id such as `att_…`, with 100 random bits."""
    return f"{prefix}_" + "".join(secrets.choice(_LETTERS) for _ in range(20))


def new_token() -> str:
    """A bearer token with 256 random bits."""
    return secrets.token_urlsafe(32)
