"""Validates a server's response to a push: decrypts it, checks it and words the verdict.

A verdict that begins with `ok` means that WeChat would accept the response.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from .apps import App
from .crypto import CryptoError, decrypt_push, sign_push
from .letters import Letter
from .sender import Outcome
from .xml import XmlError, read_xml

TEXT_BYTES, ARTICLES = 2048, 8
KINDS = {"text", "image", "voice", "video", "music", "news", "transfer_customer_service"}


# (media id, kinds) -> whether the app has uploaded it as one of these kinds
HasMedia: TypeAlias = Callable[[object, tuple[str, ...]], bool]
MEDIA_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "image": {"MediaId": ("image",)},
    "voice": {"MediaId": ("voice",)},
    "video": {"MediaId": ("video",)},
    "music": {"ThumbMediaId": ("thumb", "image")},
}


class _BadReplyError(Exception):
    """A reply that WeChat would refuse, with the verdict."""


@dataclass(frozen=True)
class Judgement:
    """The verdict on one attempt, the decrypted reply, and whether WeChat repeats the push."""

    verdict: str
    reply: dict[str, Any] | None = None
    again: bool = False


def judge_reply(app: App, letter: Letter, outcome: Outcome, has_media: HasMedia) -> Judgement:
    """Evaluate a response; `has_media` returns whether the app uploaded a file."""
    if outcome.trouble is not None:
        return Judgement(outcome.trouble, again=True)
    if outcome.status != 200:
        return Judgement("http-not-200", again=True)
    try:
        text = outcome.body.decode().strip()
        if text in ("", "success"):
            return Judgement("ok-success" if text else "ok-empty")
        reply = _check_fields(app, letter, _open_sealed(app, text))
        _check_media(reply, has_media)
    except UnicodeDecodeError:
        return Judgement("bad-xml")
    except _BadReplyError as error:
        return Judgement(str(error))
    if not letter.may_reply:
        return Judgement("reply-not-allowed")
    return Judgement("ok-reply", reply)


def _check_media(reply: dict[str, Any], has_media: HasMedia) -> None:
    for name, kinds in MEDIA_OF.get(str(reply["kind"]), {}).items():
        if not has_media(reply["part"].get(name), kinds):
            raise _BadReplyError("unknown-media")


def _open_sealed(app: App, text: str) -> dict[str, Any]:
    outer = _parse_xml(app, text)
    if "Encrypt" not in outer:
        if app.mode == "safe":
            raise _BadReplyError("reply-not-encrypted")
        return outer
    if app.mode == "plain":
        raise _BadReplyError("reply-encrypted")
    encrypted = str(outer["Encrypt"])
    stamp, nonce = str(outer.get("TimeStamp", "")), str(outer.get("Nonce", ""))
    if sign_push(app.token, stamp, nonce, encrypted) != outer.get("MsgSignature"):
        raise _BadReplyError("bad-signature-in-reply")
    try:
        inner = decrypt_push(app.aes_key, appid=app.appid, encrypted=encrypted)
    except CryptoError as error:
        raise _BadReplyError("bad-cipher-in-reply") from error
    return _parse_xml(app, inner)


def _parse_xml(app: App, text: str) -> dict[str, Any]:
    if text.startswith("{"):
        if app.format != "json":
            raise _BadReplyError("json-to-user")
        try:
            value: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise _BadReplyError("bad-json") from error
        return value
    try:
        return read_xml(text)
    except XmlError as error:
        raise _BadReplyError("bad-xml") from error


def _check_fields(app: App, letter: Letter, fields: dict[str, Any]) -> dict[str, Any]:
    if fields.get("FromUserName") != app.original_id or fields.get("ToUserName") != letter.openid:
        raise _BadReplyError("reply-to-the-wrong-person")
    if not str(fields.get("CreateTime", "")).isdigit():
        raise _BadReplyError("bad-create-time")
    kind = fields.get("MsgType")
    if kind not in KINDS:
        raise _BadReplyError("unknown-reply")
    if kind == "text":
        return _read_text(fields)
    if kind == "news":
        return _read_news(letter, fields)
    if kind == "transfer_customer_service":
        return {"kind": kind, "content": ""}
    part = fields.get(str(kind).capitalize())
    if not isinstance(part, dict):
        raise _BadReplyError("bad-xml")
    return {"kind": kind, "content": str(part.get("MediaId", part.get("Title", ""))), "part": part}


def _read_text(fields: dict[str, Any]) -> dict[str, Any]:
    content = fields.get("Content")
    if not isinstance(content, str) or not content:
        raise _BadReplyError("empty-text")
    if len(content.encode()) > TEXT_BYTES:
        raise _BadReplyError("text-too-long")
    return {"kind": "text", "content": content}


def _read_news(letter: Letter, fields: dict[str, Any]) -> dict[str, Any]:
    inner = fields.get("Articles")
    items = inner.get("item") if isinstance(inner, dict) else inner
    articles = items if isinstance(items, list) else [items]
    most = 1 if letter.is_message else ARTICLES
    shown = [
        {str(key).lower(): value for key, value in article.items()}
        for article in articles
        if isinstance(article, dict)
    ]
    counts = {str(len(articles)), str(len(shown)), str(fields.get("ArticleCount"))}
    if len(counts) > 1 or len(shown) > most:
        raise _BadReplyError("bad-articles")
    return {"kind": "news", "content": str(shown[0].get("title", "")), "articles": shown}
