"""The chain's arithmetic: the digest of an entry, canonical JSON, hashes of personal values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

# The digest before the first entry.
GENESIS = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Link:
    """The content of one entry, as the chain protects it.

    `before`, `after` and `personal` are canonical JSON texts: the digest covers the stored text, so
    that no database and no decoder can change its spelling.
    """

    number: int
    previous_digest: str
    at: datetime
    organizer_id: int | None
    organizer_name: str
    role: str
    scope: str
    network: str
    act: str
    subject_kind: str
    subject_ref: str
    owner: str
    owner_city: str | None
    owner_county: str | None
    before: str
    after: str
    personal: str
    reason: str

    def digest(self) -> str:
        """SHA-256 over every field, in the order of this class, as a JSON array."""
        facts = [getattr(self, name) for name in self.__dataclass_fields__]
        # Both databases store microseconds.
        facts[2] = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def canonical_json(value: Mapping[str, object] | None) -> str:
    """JSON with sorted keys; an empty text for None.

    Raises: TypeError for a value that JSON cannot express.
    """
    if value is None:
        return ""
    return msgspec.json.encode(value, order="sorted").decode()


def storable_text(text: str, longest: int) -> str:
    """The text without characters that a database refuses (NUL, lone surrogates), cut to length."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:longest]


def head_message(number: int, digest: str) -> bytes:
    """The message that is signed for a head or a checkpoint of the chain."""
    return f"audit head {number} {digest}".encode()
