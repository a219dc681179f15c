"""Common parts of all emulated API calls: request, refusal, response."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from ..apps import MINI, OFFICIAL, App
from ..letters import Letter
from ..receipt_orders import Manner
from ..world import World

ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\u([0-9a-fA-F]{4})")

ERRORS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40007: "invalid media_id",
    40004: "invalid media type",
    40005: "invalid file type",
    40006: "invalid meida size",
    40008: "invalid message type",
    40009: "invalid image size",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40025: "invalid sub button name size",
    40029: "invalid code",
    40032: "invalid openid list size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40037: "invalid template_id",
    40048: "invalid url domain",
    40052: "invalid action name",
    40053: "invalid action info",
    40059: "invalid message id",
    40097: "invalid args",
    40125: "invalid appsecret",
    40130: "invalid openid list size, at least two openid",
    40132: "invalid weixin name",
    40114: "invalid index value",
    40129: "invalid scene",
    40163: "code been used",
    40164: "invalid ip {0} ipv6 ::ffff:{0}, not in whitelist",
    40165: "invalid weapp pagepath",
    40166: "invalid weapp appid",
    40169: "invalid length for scene, or the data is not json string",
    40226: "code blocked",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41006: "media_id missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    43104: "appid and openid not match",
    43107: "template is banned",
    43116: "this template is banned because it has been used",
    43108: "concurrent send to the same user",
    44001: "empty media data",
    44002: "empty post data",
    44004: "empty content",
    44991: "reach max api minute frequency limit",
    45002: "content size out of limit",
    45003: "title size out of limit",
    45004: "description size out of limit",
    45005: "url size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45028: "has no masssend quota",
    45047: "out of response count limit",
    45064: "no permission to use weapp in menu",
    45065: "clientmsgid exist",
    45066: "same clientmsgid retry too fast",
    45067: "clientmsgid size out of limit",
    45080: "can not send typing command",
    45081: "already in typing state",
    45103: "this api is not for this account",
    45110: "author size out of limit",
    45159: "invalid tag id",
    45168: "the content has sensitive word",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    48002: "user blocks messages",
    48006: "forbid to clear quota because of reaching the limit",
    61010: "code is expired",
    70000: "refused to protect a minor",
    76021: "cgi_path not found, please check",
    76022: "could not use this cgi_path, no permission",
}

ONLY_OFFICIAL = frozenset({OFFICIAL})
ONLY_MINI = frozenset({MINI})
BOTH = frozenset({OFFICIAL, MINI})
NO_TOKEN: frozenset[str] = frozenset()
JSON, TEXT = "application/json; encoding=utf-8", "text/plain"


class ApiError(Exception):
    """A call that WeChat refuses with an errcode."""

    def __init__(self, errcode: int, detail: str = "", **more: object) -> None:
        super().__init__(errcode)
        self.errcode = errcode
        self.detail = detail
        self.more = more

    def errmsg_for(self, rid: str) -> str:
        """The errmsg: free wording followed by the request id; clients must not parse it."""
        words = ERRORS.get(self.errcode, "error")
        named = words.format(self.detail) if "{0}" in words else f"{words} {self.detail}".strip()
        return f"{named} rid: {rid}"


@dataclass(frozen=True)
class Picture:
    """A binary response."""

    content: bytes
    mime: str = "image/jpeg"


@dataclass(frozen=True)
class Receipt:
    """A report that is due after an accepted call, and how it is pushed."""

    letter: Letter
    manner: Manner


Answer: TypeAlias = "dict[str, Any] | Picture"


@dataclass(frozen=True)
class Upload:
    """The file in the field `media` of a multipart body."""

    name: str
    content: bytes


@dataclass(kw_only=True)
class Call:
    """A received API call; `app` is the owner of its token."""

    path: str
    method: str
    query: dict[str, str]
    raw: str
    ip: str
    chunked: bool = False
    upload: Upload | None = None
    form: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    caller: App | None = None
    receipts: list[Receipt] = field(default_factory=list)

    @cached_property
    def loose(self) -> dict[str, Any]:
        """The body if it is an object, otherwise empty; the endpoint refuses other bodies."""
        try:
            body = json.loads(self.raw) if self.raw else {}
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def app(self) -> App:
        """The calling app; set only for endpoints that require a token."""
        if self.caller is None:
            raise ApiError(41001)
        return self.caller

    def text_field(self, name: str, *, missing: int = 47001) -> str:
        """A text field of the body; raises `missing` when it is not text."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise ApiError(missing, name)
        return value


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One path of api.weixin.qq.com: its method, the accounts whose token it accepts, its function.

    `escapes` says what happens to `\\uXXXX` text: decoded, refused (40033) or kept as it is; `mime`
    is the content type of its JSON, `takes` whether a POST has JSON or a file.
    """

    path: str
    method: str
    accounts: frozenset[str]
    answer: Callable[[World, Call], Answer]
    escapes: str = "read"
    one_at_a_time_by: str | None = None
    mime: str = JSON
    takes: Literal["json", "file"] = "json"


def ok_answer(**more: Any) -> dict[str, Any]:
    """The response to a successful call."""
    return {"errcode": 0, "errmsg": "ok", **more}


def read_body(call: Call, escapes: str) -> dict[str, Any]:
    """Read the JSON object of a POST.

    Raises: ApiError 44002 for an empty body, 47001 for another form, 40033 for refused escapes.
    """
    if not call.raw.strip():
        raise ApiError(44002)
    text = call.raw
    if escapes == "refused" and any(int(m[2], 16) >= 0x80 for m in ESCAPE.finditer(text)):
        raise ApiError(40033)
    if escapes == "kept":
        text = ESCAPE.sub(r"\1\\\\u\2", text)
    try:
        body = json.loads(text)
    except ValueError as error:
        raise ApiError(47001) from error
    if not isinstance(body, dict):
        raise ApiError(47001)
    return body
