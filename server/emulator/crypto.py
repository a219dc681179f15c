"""WeChat's signatures and ciphers, implemented separately for the emulator.

Shares no code with the server, so that each implementation checks the other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import struct
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PUSH_BLOCK_BYTES = 32
PREFIX_BYTES = 16


class CryptoError(ValueError):
    """A ciphertext that was not made with this key and appid."""


def sign_push(*parts: str) -> str:
    """The signature of a push: SHA-1 over the sorted parts.

    Source: "Message push / URL check and signature".
    """
    joined = "".join(sorted(parts)).encode()
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def raw_data_signature(raw_data: str, session_key: str) -> str:
    """The signature sent with a mini-program's open data."""
    return hashlib.sha1((raw_data + session_key).encode(), usedforsecurity=False).hexdigest()


def login_state_signature(session_key: str, data: str) -> str:
    """The signature of a login state. The key is the session_key's text, not its decoded bytes."""
    return hmac.new(session_key.encode(), data.encode(), hashlib.sha256).hexdigest()


def push_key(aes_key: str) -> bytes:
    """Decode an EncodingAESKey of 43 characters to its 32-byte key.

    Raises: CryptoError for any other text.
    """
    try:
        key = base64.b64decode(aes_key + "=")
    except binascii.Error as error:
        raise CryptoError("the EncodingAESKey is not base64") from error
    if len(aes_key) != 43 or len(key) != 32:
        raise CryptoError("an EncodingAESKey has 43 characters")
    return key


def pad_push(plain: bytes) -> bytes:
    """Pad by PKCS#7 with WeChat's block size of 32 bytes."""
    count = PUSH_BLOCK_BYTES - len(plain) % PUSH_BLOCK_BYTES
    return plain + bytes([count]) * count


def encrypt_raw(aes_key: str, padded: bytes) -> str:
    """Encrypt padded bytes and encode as base64; hostile callbacks use it with wrong padding."""
    key = push_key(aes_key)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def encrypt_push(aes_key: str, *, appid: str, message: str, prefix: bytes) -> str:
    """The Encrypt field of a push or a reply; `prefix` is 16 random bytes."""
    body = message.encode()
    plain = prefix + struct.pack(">I", len(body)) + body + appid.encode()
    return encrypt_raw(aes_key, pad_push(plain))


def decrypt_push(aes_key: str, *, appid: str, encrypted: str) -> str:
    """Decrypt an Encrypt field, with every check of the protocol.

    Raises: CryptoError.
    """
    plain = _open_cbc(push_key(aes_key), encrypted)
    plain = _strip_padding(plain)
    if len(plain) < PREFIX_BYTES + 4:
        raise CryptoError("too short for its own header")
    (length,) = struct.unpack(">I", plain[PREFIX_BYTES : PREFIX_BYTES + 4])
    end = PREFIX_BYTES + 4 + length
    if end > len(plain):
        raise CryptoError("the stated length passes the end")
    if not hmac.compare_digest(plain[end:], appid.encode()):
        raise CryptoError("made for another appid")
    try:
        return plain[PREFIX_BYTES + 4 : end].decode()
    except UnicodeDecodeError as error:
        raise CryptoError("not UTF-8") from error


def _open_cbc(key: bytes, encrypted: str) -> bytes:
    try:
        cipher = base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CryptoError("not base64") from error
    if not cipher or len(cipher) % 16:
        raise CryptoError("not a whole number of blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    return decryptor.update(cipher) + decryptor.finalize()


def _strip_padding(plain: bytes) -> bytes:
    count = plain[-1]
    if not 1 <= count <= PUSH_BLOCK_BYTES or plain[-count:] != bytes([count]) * count:
        raise CryptoError("bad padding")
    return plain[:-count]


def seal_open_data(session_key: str, iv: bytes, data: dict[str, Any]) -> str:
    """Encrypt a mini-program's encryptedData: AES-128-CBC of JSON under a session_key."""
    padder = padding.PKCS7(128).padder()
    body = json.dumps(data, ensure_ascii=False).encode()
    padded = padder.update(body) + padder.finalize()
    key = base64.b64decode(session_key)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
