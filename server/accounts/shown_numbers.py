"""The number by which a citizen without a nickname is shown to others."""

from __future__ import annotations

from hashlib import sha256


def number_of(ref: str) -> str:
    """Four digits that are stable per citizen and do not reveal the public id."""
    return f"{int.from_bytes(sha256(ref.encode()).digest()[:4]) % 10_000:04d}"
