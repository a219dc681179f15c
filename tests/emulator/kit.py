"""A server's side of the push protocol, for the answers that tests give."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from server.emulator.apps import App
from server.emulator.crypto import decrypt_push, encrypt_push, sign
from server.emulator.xml import read, write
from tests.emulator.conftest import Push


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
    return read(text)


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
    return write(list(fields.items()))


def sealed(app: App, push: Push, plain: str, **changed: Any) -> str:
    """A reply wrapped as safe mode wants it."""
    cipher = encrypt_push(app.aes_key, appid=app.appid, message=plain, prefix=b"0" * 16)
    nonce, stamp = push.query["nonce"], 1_780_000_001
    fields = {
        "Encrypt": cipher,
        "MsgSignature": sign(app.token, str(stamp), nonce, cipher),
        "TimeStamp": stamp,
        "Nonce": nonce,
        **changed,
    }
    if app.format == "json":
        return json.dumps(fields, ensure_ascii=False)
    return write(list(fields.items()))


def replying(app: Callable[[], App], content: str) -> Callable[[Push], tuple[int, bytes]]:
    """A server that answers every push with this text, wrapped as the app's mode wants it."""

    def answer(push: Push) -> tuple[int, bytes]:
        plain = text_reply(app(), push, content)
        return 200, (plain if app().mode == "plain" else sealed(app(), push, plain)).encode()

    return answer
