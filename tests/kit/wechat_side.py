"""Sends callbacks as WeChat does, with separate implementations of signatures and AES."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.ciphers import Cipher as Aes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from server.base.settings import WeChatApp
from server.wechat.callback.inbound import Envelope, Message
from tests.kit.clock import FakeClock

OPENID = "oCitizen_0123456789abcdefghij"
ACCOUNT = "gh_0123456789ab"
NONCE = "486452656"


def an_app(mode: str = "safe", **changes: str) -> WeChatApp:
    return replace(
        WeChatApp(
            appid="wx0123456789abcdef",
            secret="s" * 32,
            token="Token7Token7Token7",
            aes_key="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0",
            mode=mode,
            original_id=ACCOUNT,
        ),
        **changes,
    )


def sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def raw_encrypt(aes_key: str, padded: bytes) -> str:
    key = base64.b64decode(aes_key + "=")
    box = Aes(AES(key), CBC(key[:16])).encryptor()
    return base64.b64encode(box.update(padded) + box.finalize()).decode()


def pad(content: bytes) -> bytes:
    missing = 32 - len(content) % 32
    return content + bytes([missing]) * missing


def encrypt(aes_key: str, appid: str, plain: bytes) -> str:
    content = b"r" * 16 + len(plain).to_bytes(4, "big") + plain + appid.encode()
    return raw_encrypt(aes_key, pad(content))


def decrypt(aes_key: str, appid: str, encrypted: str) -> bytes:
    key = base64.b64decode(aes_key + "=")
    box = Aes(AES(key), CBC(key[:16])).decryptor()
    padded = box.update(base64.b64decode(encrypted)) + box.finalize()
    content = padded[: -padded[-1]]
    length = int.from_bytes(content[16:20], "big")
    assert content[20 + length :] == appid.encode()
    return content[20 : 20 + length]


def xml_text(
    content: str = "hello", *, msg_id: str = "6054768590064713728", extra: str = ""
) -> bytes:
    return (
        f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>"
        f"<FromUserName><![CDATA[{OPENID}]]></FromUserName><CreateTime>1777608000</CreateTime>"
        f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{content}]]></Content>"
        f"<MsgId>{msg_id}</MsgId>{extra}</xml>"
    ).encode()


def xml_event(event: str, inside: str = "", *, created: int = 1777608000) -> bytes:
    return (
        f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>"
        f"<FromUserName><![CDATA[{OPENID}]]></FromUserName><CreateTime>{created}</CreateTime>"
        f"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>{inside}</xml>"
    ).encode()


def as_json(**members: Any) -> bytes:
    whole = {
        "ToUserName": ACCOUNT,
        "FromUserName": OPENID,
        "CreateTime": 1777608000,
        "MsgType": "text",
        "Content": "hello",
        "MsgId": 6054768590064713728,
    }
    whole.update(members)
    return json.dumps({k: v for k, v in whole.items() if v is not None}).encode()


@dataclass
class WeChatSide:
    """Sends to one app's callback."""

    app: WeChatApp
    clock: FakeClock
    nonce: str = NONCE

    @property
    def envelope(self) -> Envelope:
        return Envelope("official_account", self.app, self.clock)

    def stamp(self, offset: float = 0) -> str:
        return str(int(self.clock.now().timestamp() + offset))

    def query(self, encrypted: str | None = None, *, offset: float = 0) -> dict[str, str]:
        stamp = self.stamp(offset)
        query = {
            "signature": sha1(self.app.token, stamp, self.nonce),
            "timestamp": stamp,
            "nonce": self.nonce,
            "openid": OPENID,
        }
        if encrypted is not None:
            query["encrypt_type"] = "aes"
            query["msg_signature"] = sha1(self.app.token, stamp, self.nonce, encrypted)
        return query

    def push(
        self, plain: bytes, *, offset: float = 0, form: str = "xml"
    ) -> tuple[dict[str, str], bytes]:
        """Query and body of a push in the mode of the app."""
        if self.app.mode == "plain":
            return self.query(offset=offset), plain
        encrypted = encrypt(self.app.aes_key, self.app.appid, plain)
        return self.query(encrypted, offset=offset), self.outside(encrypted, plain, form)

    def outside(self, encrypted: str, plain: bytes, form: str = "xml") -> bytes:
        if form == "json":
            return json.dumps({"ToUserName": ACCOUNT, "Encrypt": encrypted}).encode()
        wrapped = f"<Encrypt><![CDATA[{encrypted}]]></Encrypt>".encode()
        if self.app.mode == "compatible" and plain.endswith(b"</xml>"):
            return plain[:-6] + wrapped + b"</xml>"
        return f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName>".encode() + wrapped + b"</xml>"

    def opened(self, plain: bytes, *, form: str = "xml") -> Message:
        return self.envelope.open_message(*self.push(plain, form=form))


@dataclass
class Reached:
    """The response of a WSGI callable."""

    status: int
    headers: dict[str, str]
    body: bytes


def knock(
    app: Callable[..., Any],
    path: str,
    query: dict[str, str] | str,
    body: bytes | None = None,
    **environ: Any,
) -> Reached:
    """One request to a WSGI callable; a body makes it a POST."""
    told: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_rest: Any) -> None:
        told.update(status=int(status.split()[0]), headers=dict(headers))

    whole = {
        "REQUEST_METHOD": "GET" if body is None else "POST",
        "PATH_INFO": path,
        "QUERY_STRING": query if isinstance(query, str) else urlencode(query),
        "wsgi.input": io.BytesIO(body or b""),
        **({} if body is None else {"CONTENT_LENGTH": str(len(body))}),
        **environ,
    }
    pieces = b"".join(app({k: v for k, v in whole.items() if v is not None}, start_response))
    return Reached(told["status"], told["headers"], pieces)


@dataclass
class Heard:
    """Records the arguments of its calls."""

    told: list[tuple[Any, ...]] = field(default_factory=list)

    def __call__(self, *words: Any) -> None:
        self.told.append(words)
