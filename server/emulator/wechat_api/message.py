"""Customer-service messages of the official account, within their windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import inbox
from ..people import Person
from ..world import World
from . import media as api_media
from .common import ONLY_OFFICIAL, ApiError, Call, Endpoint, ok_answer
from .user import find_holder

TEXT_BYTES = 2048
# Kinds that need material made in the console or through APIs that are not emulated.
NEEDS_MATERIAL = {"mpnews", "mpnewsarticle", "wxcard"}


def custom_send(world: World, call: Call) -> dict[str, Any]:
    """Send a message to a follower with an open window."""
    person = _find_reachable(world, call)
    kind = call.text_field("msgtype", missing=40008)
    content, extra = _read_content(world, kind, call.body.get(kind))
    errcode = inbox.use_window(world, person.openid_oa)
    if errcode:
        raise ApiError(errcode)
    inbox.put_line(world, person.openid_oa, kind, content, via="custom", **extra)
    return ok_answer()


def custom_typing(world: World, call: Call) -> dict[str, Any]:
    """Show or hide the typing sign; requires an open window but uses no message of it."""
    person = _find_reachable(world, call)
    if call.body.get("command") not in ("Typing", "CancelTyping"):
        raise ApiError(40097)
    sql = "SELECT count(*) FROM windows WHERE openid = ? AND until > ?"
    if not world.store.select_number(sql, person.openid_oa, world.now()):
        raise ApiError(45080)
    return ok_answer()


def _find_reachable(world: World, call: Call) -> Person:
    person = find_holder(world, call.body.get("touser"))
    if not person.subscribed:
        raise ApiError(43004)
    if person.blocks:
        raise ApiError(48002)
    if person.minor:
        raise ApiError(70000)
    return person


def _read_content(world: World, kind: str, part: object) -> tuple[str, dict[str, Any]]:
    if kind in NEEDS_MATERIAL:
        raise ApiError(40007)
    read = READERS.get(kind)
    if read is None:
        raise ApiError(40008)
    if not isinstance(part, dict):
        raise ApiError(44004)
    return read(world, part)


def _read_text(_world: World, part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    content = part.get("content")
    if not isinstance(content, str) or not content:
        raise ApiError(44004)
    if len(content.encode()) > TEXT_BYTES:
        raise ApiError(45002)
    return content, {}


def _read_news(_world: World, part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    articles = part.get("articles")
    if not isinstance(articles, list) or len(articles) != 1:
        raise ApiError(45008)
    article = articles[0]
    if not isinstance(article, dict) or not article.get("title"):
        raise ApiError(45003)
    return str(article["title"]), {"articles": articles}


def _read_menu(_world: World, part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    items = part.get("list")
    if not isinstance(items, list) or not items or not all(_is_choice(item) for item in items):
        raise ApiError(44004)
    return str(part.get("head_content", "")), {"list": items, "tail": part.get("tail_content", "")}


def _read_page(world: World, part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if part.get("appid") != world.mini.appid:
        raise ApiError(40013)
    if not world.can_open(part.get("pagepath")):
        raise ApiError(40165)
    _check_media(world, part, "thumb_media_id", "thumb", "image")
    return str(part.get("title", "")), {"pagepath": part["pagepath"]}


def _is_choice(item: object) -> bool:
    return isinstance(item, dict) and all(
        isinstance(item.get(name), str) and item[name] for name in ("id", "content")
    )


def _read_image(world: World, part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    _check_media(world, part, "media_id", "image")
    return "", {"media_id": part["media_id"]}


def _read_voice(world: World, part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    _check_media(world, part, "media_id", "voice")
    return "", {"media_id": part["media_id"]}


def _read_video(world: World, part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    _check_media(world, part, "media_id", "video")
    _check_media(world, part, "thumb_media_id", "thumb", "image")
    return str(part.get("title", "")), {"media_id": part["media_id"]}


def _read_music(world: World, part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    _check_media(world, part, "thumb_media_id", "thumb", "image")
    return str(part.get("title", "")), {"url": str(part.get("musicurl", ""))}


def _check_media(world: World, part: dict[str, Any], name: str, *kinds: str) -> None:
    if not api_media.knows_media(world, world.official, part.get(name), *kinds):
        raise ApiError(40007)


READERS: dict[str, Callable[[World, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "text": _read_text,
    "image": _read_image,
    "voice": _read_voice,
    "video": _read_video,
    "music": _read_music,
    "news": _read_news,
    "msgmenu": _read_menu,
    "miniprogrampage": _read_page,
}

ENDPOINTS = [
    Endpoint(
        path="/cgi-bin/message/custom/send",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=custom_send,
        escapes="kept",
    ),
    Endpoint(
        path="/cgi-bin/message/custom/typing",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=custom_typing,
    ),
]
