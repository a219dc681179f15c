"""A server's side of the push protocol, for the answers that tests give."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from server.emulator.apps import OFFICIAL, App
from server.emulator.crypto import decrypt_push, encrypt_push, sign_push
from server.emulator.xml import read_xml, write_xml
from tests.emulator.conftest import Api, Push

JPEG = b"\xff\xd8\xff\xe0" + bytes(64)


def a_file(
    api: Api,
    kind: str,
    content: bytes,
    account: str = OFFICIAL,
    field: str = "media",
    *,
    path: str = "/cgi-bin/media/upload",
    form: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What WeChat answers to a multipart upload."""
    edge = "3f1a"
    fields = "".join(
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (form or {}).items()
    )
    head = fields + (
        f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="f"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{edge}--\r\n".encode()
    query = urllib.parse.urlencode({"access_token": api.token(account), "type": kind})
    asked = urllib.request.Request(
        f"{api.emulator.api_base}{path}?{query}",
        data=body,
        headers={"Content-Type": f"multipart/form-data; boundary={edge}"},
    )
    with urllib.request.urlopen(asked) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def opened(app: App, push: Push) -> dict[str, Any]:
    """The fields of a push, from its cipher when it has one."""
    outer = _fields(push.body)
    if "Encrypt" not in outer:
        return outer
    return _fields(decrypt_push(app.aes_key, appid=app.appid, encrypted=outer["Encrypt"]))


def _fields(text: str) -> dict[str, Any]:
    if text.startswith("{"):
        value: dict[str, Any] = json.loads(text)
        return value
    return read_xml(text)


def text_reply(app: App, push: Push, content: str, **changed: Any) -> str:
    """An unencrypted text reply to a push."""
    asked = opened(app, push)
    fields = {
        "ToUserName": asked["FromUserName"],
        "FromUserName": asked["ToUserName"],
        "CreateTime": 1_780_000_000,
        "MsgType": "text",
        "Content": content,
        **changed,
    }
    if app.format == "json":
        return json.dumps(fields, ensure_ascii=False)
    return write_xml(list(fields.items()))


def sealed(app: App, push: Push, plain: str, **changed: Any) -> str:
    """A reply wrapped as safe mode wants it."""
    cipher = encrypt_push(app.aes_key, appid=app.appid, message=plain, prefix=b"0" * 16)
    nonce, stamp = push.query["nonce"], 1_780_000_001
    fields = {
        "Encrypt": cipher,
        "MsgSignature": sign_push(app.token, str(stamp), nonce, cipher),
        "TimeStamp": stamp,
        "Nonce": nonce,
        **changed,
    }
    if app.format == "json":
        return json.dumps(fields, ensure_ascii=False)
    return write_xml(list(fields.items()))


def replying(app: Callable[[], App], content: str) -> Callable[[Push], tuple[int, bytes]]:
    """A server that answers every push with this text, wrapped as the app's mode wants it."""

    def answer(push: Push) -> tuple[int, bytes]:
        plain = text_reply(app(), push, content)
        return 200, (plain if app().mode == "plain" else sealed(app(), push, plain)).encode()

    return answer
