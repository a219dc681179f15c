"""Callbacks as WeChat sends them in safe mode, every one new, and the check of what comes back.

Made with the emulator's own cryptography, which shares no code with the server.
"""

from __future__ import annotations

import random
import re
import secrets
import string
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from server.emulator.crypto import decrypt_push, encrypt_push, sign_push
from tests.bench.floors import CALLBACK

_ALNUM = string.ascii_letters + string.digits
_FIELD = re.compile(
    r"<(Encrypt|MsgSignature|TimeStamp|Nonce|Content)>"
    r"(?:<!\[CDATA\[(.*?)\]\]>|(.*?))</\1>",
    re.DOTALL,
)
_SENDERS = 500


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account of this run alone."""

    appid: str
    token: str
    aes_key: str
    original_id: str

    @classmethod
    def fresh(cls) -> Account:
        """Values nobody else has."""
        return cls(
            appid="wx" + secrets.token_hex(8),
            token=_word(24),
            aes_key=_word(43),
            original_id="gh_" + secrets.token_hex(6),
        )


def _word(length: int) -> str:
    return "".join(secrets.choice(_ALNUM) for _ in range(length))


class Letters:
    """Writes messages that were never sent before."""

    def __init__(self, account: Account, text: str) -> None:
        self._account = account
        self._text = text
        self._numbers = count(secrets.randbits(61))
        self._senders = ["o" + _word(27) for _ in range(_SENDERS)]

    def write(self, many: int) -> Iterator[bytes]:
        """So many requests, each with a message, a nonce and signatures of its own."""
        return (self._request() for _ in range(many))

    def forged(self) -> bytes:
        """A request whose content is not what its signature was made for."""
        request = self._request()
        at = request.rindex(b"]]></Encrypt>") - 40
        return request[:at] + (b"A" if request[at : at + 1] != b"A" else b"B") + request[at + 1 :]

    def _request(self) -> bytes:
        number, timestamp = next(self._numbers), str(int(time.time()))
        sender = random.choice(self._senders)
        inner = (
            f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{self._text}]]></Content>"
            f"<MsgId>{number}</MsgId>"
        )
        return seal_request(self._account, sender, timestamp, inner)

    def said(self, body: bytes) -> str:
        """The text of an answer, after its signature and its envelope.

        Raises: ValueError when it is signed or sealed wrongly.
        """
        outer = _fields(body.decode())
        made = sign_push(self._account.token, outer["TimeStamp"], outer["Nonce"], outer["Encrypt"])
        if made != outer["MsgSignature"]:
            raise ValueError("the reply's signature is wrong")
        inner = decrypt_push(
            self._account.aes_key, appid=self._account.appid, encrypted=outer["Encrypt"]
        )
        return _fields(inner)["Content"]


def seal_request(account: Account, sender: str, timestamp: str, inner: str) -> bytes:
    """A message in safe mode as WeChat sends it; `inner` are its elements after `CreateTime`."""
    nonce = _quick_word()
    message = (
        f"<xml><ToUserName><![CDATA[{account.original_id}]]></ToUserName>"
        f"<FromUserName><![CDATA[{sender}]]></FromUserName>"
        f"<CreateTime>{timestamp}</CreateTime>{inner}</xml>"
    )
    sealed = encrypt_push(
        account.aes_key, appid=account.appid, message=message, prefix=random.randbytes(16)
    )
    query = (
        f"signature={sign_push(account.token, timestamp, nonce)}"
        f"&timestamp={timestamp}&nonce={nonce}"
        f"&openid={sender}&encrypt_type=aes"
        f"&msg_signature={sign_push(account.token, timestamp, nonce, sealed)}"
    )
    body = (
        f"<xml><ToUserName><![CDATA[{account.original_id}]]></ToUserName>"
        f"<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    ).encode()
    return http_request("POST", f"{CALLBACK}?{query}", body, "text/xml")


def _quick_word() -> str:
    return f"{random.getrandbits(52):013x}"


def _fields(document: str) -> dict[str, str]:
    return {found[1]: found[2] or found[3] or "" for found in _FIELD.finditer(document)}


def http_request(
    method: str, target: str, body: bytes = b"", kind: str = "application/json", token: str = "",
    key: str = "",
) -> bytes:  # fmt: skip
    """One HTTP/1.1 request as bytes; `key` is its Idempotency-Key, empty for none."""
    head = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*"]
    if token:
        head.append(f"Authorization: Bearer {token}")
    if key:
        head.append(f"Idempotency-Key: {key}")
    if body:
        head += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body
