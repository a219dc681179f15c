"""The greatest value that any process has reported of a counter."""

from __future__ import annotations

from typing import cast

from server.base.redis.client import RedisClient, Script

_PREFIX = "high_mark:"

_RAISE = Script("""
local kept = tonumber(redis.call('GET', KEYS[1]))
if not kept or kept < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
end
return 1
""")


class HighMark:
    """Greatest values by name; they are lost with Redis."""

    def __init__(self, kv: RedisClient) -> None:
        self._kv = kv

    def read_mark(self, name: str) -> int | None:
        """The greatest reported value, or None when there is none.

        Raises: RedisUnavailable.
        """
        kept = cast("bytes | None", self._kv.run_command("GET", _PREFIX + name))
        return int(kept) if kept is not None and kept.isdigit() else None

    def raise_mark(self, name: str, value: int) -> None:
        """Report a value; a smaller one than before changes nothing.

        Raises: RedisUnavailable.
        """
        self._kv.run_script(_RAISE, [_PREFIX + name], (value,))
