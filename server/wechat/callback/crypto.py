"""Signatures and AES encryption of WeChat's callbacks, as the protocol defines them.

Every defect of an encrypted message raises the same error without detail, so that an attacker
learns nothing from attempts. No XML, no JSON, no clock here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher as AesCipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from server.wechat.errors import SignatureRefused

PREFIX_BYTES = 16
_AES_BLOCK = 16
_PAD_BLOCK = 32
_HEADER = PREFIX_BYTES + 4


def sign_parts(*parts: str) -> str:
    """The SHA-1 in hex over the sorted parts.

    Source: message push, "verify the message comes from WeChat".
    """
    joined = "".join(sorted(parts)).encode("utf-8", "surrogatepass")
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def equal_signatures(ours: str, theirs: str) -> bool:
    """Compare two signatures in constant time."""
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogatepass"))


class Cipher:
    """Encryption of one account under one EncodingAESKey."""

    def __init__(self, aes_key: str, appid: str) -> None:
        try:
            key = base64.b64decode(aes_key + "=", validate=True)
        except (ValueError, binascii.Error):
            key = b""
        if len(key) != _PAD_BLOCK or not appid:
            raise ValueError("an EncodingAESKey has 43 letters and digits and belongs to an appid")
        self._appid = appid.encode()
        self._aes = AesCipher(AES(key), CBC(key[:_AES_BLOCK]))

    def decrypt_message(self, encrypted: str) -> bytes:
        """Decrypt a message.

        Raises: SignatureRefused (403) for any defect.
        """
        padded = self._decrypt_bytes(encrypted)
        pad = padded[-1]
        if not 1 <= pad <= _PAD_BLOCK or padded[-pad:] != bytes((pad,)) * pad:
            raise SignatureRefused
        content = padded[:-pad]
        length = int.from_bytes(content[PREFIX_BYTES:_HEADER], "big")
        if len(content) < _HEADER or _HEADER + length > len(content):
            raise SignatureRefused
        if not hmac.compare_digest(content[_HEADER + length :], self._appid):
            raise SignatureRefused
        return content[_HEADER : _HEADER + length]

    def encrypt_message(self, plain: bytes, prefix: bytes) -> str:
        """Encrypt a message, as base64 text.

        Units: `prefix` is 16 unpredictable bytes.
        """
        if len(prefix) != PREFIX_BYTES:
            raise ValueError("the random prefix has 16 bytes")
        content = prefix + len(plain).to_bytes(4, "big") + plain + self._appid
        pad = _PAD_BLOCK - len(content) % _PAD_BLOCK
        encryptor = self._aes.encryptor()
        sealed = encryptor.update(content + bytes((pad,)) * pad) + encryptor.finalize()
        return base64.b64encode(sealed).decode("ascii")

    def _decrypt_bytes(self, encrypted: str) -> bytes:
        try:
            sealed = base64.b64decode(encrypted, validate=True)
        except (ValueError, binascii.Error):
            sealed = b""
        if not sealed or len(sealed) % _AES_BLOCK:
            raise SignatureRefused
        decryptor = self._aes.decryptor()
        return decryptor.update(sealed) + decryptor.finalize()
