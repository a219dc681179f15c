"""API types of final ranks."""

from __future__ import annotations

from server.base.web.schema import Instant, Out


class SigningKeyOut(Out, frozen=True, kw_only=True):
    """The public key of final ranks: raw Ed25519 in URL-safe base64."""

    algorithm: str
    public_key: str


class FinalVersionOut(Out, frozen=True, kw_only=True):
    """The published version; `signature` is over the UTF-8 bytes of `document`.

    `document` is canonical JSON and holds the SHA-256 of the rank file and of the document before.
    """

    version: int
    published_at: Instant
    total: int
    document: str
    signature: str
    public_key: str
