"""The content check of citizens' texts, and the result when WeChat is unavailable."""

from __future__ import annotations

import logging
from typing import Protocol

from server.wechat.errors import WeChatError
from server.wechat.gateway import TextPlace, Verdict

_log = logging.getLogger(__name__)


class TextCheck(Protocol):
    """The part of the gateway that checks texts."""

    def check_text(self, openid: str, text: str, place: TextPlace) -> Verdict: ...


def verdict_or_none(
    gateway: TextCheck, openid: str | None, text: str, place: TextPlace
) -> Verdict | None:
    """WeChat's verdict on a text; None without an openid or while WeChat is unavailable.

    Never call it inside a transaction.
    """
    if openid is None:
        return None
    try:
        return gateway.check_text(openid, text, place)
    except WeChatError as trouble:
        extra = {"code": trouble.code, "place": place.name.lower()}
        _log.warning("text without a content check", extra=extra)
        return None
