"""Keys for every purpose, derived from the master key: hashes, sealed fields, signatures.

Nothing is stored here; a separate key per purpose keeps values of one purpose useless for another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Unreadable(Exception):
    """A sealed value that cannot be decrypted: another key, another row or column, or damaged."""


class Keys:
    """All derived keys of this installation."""

    def __init__(self, master_key: str) -> None:
        self._master = master_key.encode()
        self._hashing = self._derive_key("hash")
        self._blinding: dict[str, bytes] = {}
        self._sealing = AESGCM(self._derive_key("seal"))
        self._signing = Ed25519PrivateKey.from_private_bytes(self._derive_key("sign"))
        self._sealing_ranks = Ed25519PrivateKey.from_private_bytes(self._derive_key("final ranks"))

    def _derive_key(self, purpose: str) -> bytes:
        kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=b"bagui-kepu", info=purpose.encode())
        return kdf.derive(self._master)

    def pseudonym_of(self, text: str) -> str:
        """A short keyed hash in place of an openid, for logs and counters."""
        return hmac.digest(self._hashing, text.encode(), "sha256").hex()[:16]

    def blind_hash(self, text: str, purpose: str) -> str:
        """A keyed hash for looking a value up without storing it; one key per purpose."""
        key = self._blinding.get(purpose)
        if key is None:
            key = self._blinding[purpose] = self._derive_key(f"blind:{purpose}")
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def seal_text(self, text: str, place: str) -> str:
        """Encrypt a text, bound to its place (column and row), so that it cannot be moved."""
        nonce = secrets.token_bytes(12)
        box = self._sealing.encrypt(nonce, text.encode(), place.encode())
        return "v1." + base64.urlsafe_b64encode(nonce + box).decode()

    def unseal_text(self, sealed: str, place: str) -> str:
        """Decrypt what `seal_text` returned.

        Raises: Unreadable.
        """
        try:
            version, _, body = sealed.partition(".")
            raw = base64.urlsafe_b64decode(body)
            if version != "v1":
                raise Unreadable
            return self._sealing.decrypt(raw[:12], raw[12:], place.encode()).decode()
        except (ValueError, InvalidTag):
            raise Unreadable from None

    def sign_message(self, message: bytes) -> str:
        """An Ed25519 signature, verifiable with `public_key`."""
        return base64.urlsafe_b64encode(self._signing.sign(message)).decode()

    @property
    def public_key(self) -> str:
        """The raw Ed25519 public key, URL-safe base64."""
        return _spell_public_key(self._signing)

    def sign_final_ranks(self, document: bytes) -> str:
        """An Ed25519 signature under final ranks, verifiable with `final_ranks_key`.

        Uses a separate key, because its public half is published.
        """
        return base64.urlsafe_b64encode(self._sealing_ranks.sign(document)).decode()

    @property
    def final_ranks_key(self) -> str:
        """The public key of final ranks, raw Ed25519 in URL-safe base64."""
        return _spell_public_key(self._sealing_ranks)


def _spell_public_key(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.urlsafe_b64encode(raw).decode()


def is_signed(message: bytes, signature: str, public_key: str) -> bool:
    """Whether an Ed25519 signature fits a message and a public key, both URL-safe base64."""
    try:
        known = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(public_key))
        known.verify(base64.urlsafe_b64decode(signature), message)
    except (ValueError, InvalidSignature):
        return False
    return True


def token_hash(token: str) -> str:
    """The stored hash of a bearer token; 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
