"""How fast one caller may go: an even pace with a burst, refused with the time to wait."""

from __future__ import annotations

from server.base.errors import TooManyRequests
from server.base.kv.limiter import Limiter
from server.base.work import Tools


def hold_pace(limiter: Limiter, name: str, who: str, per_minute: float) -> None:
    """Let a call through, half of a minute's share at once.

    Raises: TooManyRequests (429).
    """
    _hold(limiter, name, who, per_minute, per_minute / 2)


def count_own_words(tools: Tools, citizen_id: int) -> None:
    """Count words or a picture that a citizen wants others to see; each costs a check by WeChat.

    Raises: TooManyRequests (429).
    """
    an_hour = tools.settings.limits.own_words_per_hour
    _hold(tools.kv.limiter, "own_words", str(citizen_id), an_hour / 60, an_hour / 2)


def _hold(limiter: Limiter, name: str, who: str, per_minute: float, burst: float) -> None:
    wait = limiter.allow(name, who, per_minute=per_minute, burst=max(1.0, burst))
    if wait > 0:
        raise TooManyRequests(int(wait) + 1)
