"""Reading WeChat's JSON answers: what is missing or of another type leaves the call in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.wechat.errors import InDoubt
from server.wechat.gateway import Follower


def follower_of(answer: Mapping[str, Any]) -> Follower:
    """A follower as "get user information" tells one.

    Raises: InDoubt for an answer without an openid.
    """
    since = answer.get("subscribe_time")
    return Follower(
        openid=word_of(answer, "openid"),
        subscribed=answer.get("subscribe") == 1,
        unionid=str(answer["unionid"]) if answer.get("unionid") else None,
        subscribed_at=since if isinstance(since, int) else None,
        scene=str(answer.get("subscribe_scene", "")),
        code_scene=str(answer.get("qr_scene_str") or answer.get("qr_scene") or ""),
    )


def objects_of(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects in an answer.

    Raises: InDoubt when it is none.
    """
    found = answer.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InDoubt
    return found


def word_of(answer: Mapping[str, Any], name: str) -> str:
    """A text in an answer that may not be empty.

    Raises: InDoubt when it is missing: whether WeChat did what was asked is not known then.
    """
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise InDoubt
    return value
