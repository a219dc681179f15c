"""Decryption of the mini-program's open data: AES-128 under the session key.

Source: mini-program, open ability, "signature check and decryption of open data".
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from server.wechat.callback.documents import read_answer
from server.wechat.errors import OpenDataRefused

_BLOCK = 16
_MOST_BYTES = 16 * 1024


def open_data(encrypted: str, *, session_key: str, iv: str, appid: str) -> dict[str, Any]:
    """Decrypt WeChat's data for the mini-program with this appid.

    Raises: OpenDataRefused (422) for any defect of it.
    """
    key, start, sealed = _decode_base64(session_key), _decode_base64(iv), _decode_base64(encrypted)
    if len(key) != _BLOCK or len(start) != _BLOCK:
        raise OpenDataRefused
    if not sealed or len(sealed) % _BLOCK or len(sealed) > _MOST_BYTES:
        raise OpenDataRefused
    box = Cipher(AES(key), CBC(start)).decryptor()
    data = _parse_json(_remove_padding(box.update(sealed) + box.finalize()))
    watermark = data.get("watermark")
    whose = watermark.get("appid") if isinstance(watermark, dict) else None
    if not isinstance(whose, str) or not hmac.compare_digest(whose.encode(), appid.encode()):
        raise OpenDataRefused
    return data


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise OpenDataRefused from None


def _remove_padding(padded: bytes) -> bytes:
    pad = padded[-1]
    if not 1 <= pad <= _BLOCK or padded[-pad:] != bytes((pad,)) * pad:
        raise OpenDataRefused
    return padded[:-pad]


def _parse_json(raw: bytes) -> dict[str, Any]:
    try:
        data = read_answer(raw)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise OpenDataRefused
    return data
