"""Reads WeChat's JSON responses; a missing or mistyped field leaves the call in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.wechat.errors import CallInDoubt
from server.wechat.gateway import FollowerDetails


def follower_of(answer: Mapping[str, Any]) -> FollowerDetails:
    """Parse the response of "get user information".

    Raises: CallInDoubt for a response without an openid.
    """
    since = answer.get("subscribe_time")
    return FollowerDetails(
        openid=word_of(answer, "openid"),
        subscribed=answer.get("subscribe") == 1,
        unionid=str(answer["unionid"]) if answer.get("unionid") else None,
        subscribed_at=since if isinstance(since, int) else None,
        scene=str(answer.get("subscribe_scene", "")),
        code_scene=str(answer.get("qr_scene_str") or answer.get("qr_scene") or ""),
    )


def objects_of(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Read a list of objects.

    Raises: CallInDoubt when it is not one.
    """
    found = answer.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise CallInDoubt
    return found


def word_of(answer: Mapping[str, Any], name: str) -> str:
    """Read a non-empty text.

    Raises: CallInDoubt when it is missing, because then it is unknown whether WeChat executed the
    call.
    """
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise CallInDoubt
    return value
