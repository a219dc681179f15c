"""Small values shared by all processes, such as a platform token; each can be fetched again.

It is only a cache: when Redis is unavailable, callers get RedisUnavailable.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import cast

from server.base.redis.client import RedisClient, Script

_log = logging.getLogger(__name__)
_PREFIX = "shared:"

_SET_NEWER = Script("""
local kept = redis.call('GET', KEYS[1])
if kept and tonumber(string.match(kept, '^(%d+):')) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2], 'EX', ARGV[3])
return 1
""")


@dataclass(frozen=True)
class Versioned:
    """A shared value with its stored version."""

    version: int
    value: object


class Shared:
    """Values by key, each with an expiry."""

    def __init__(self, kv: RedisClient) -> None:
        self._kv = kv

    def get_json(self, key: str) -> object | None:
        """The value, or None when there is none.

        Raises: RedisUnavailable.
        """
        found = self.get_versioned(key)
        return None if found is None else found.value

    def get_versioned(self, key: str) -> Versioned | None:
        """The value with its version; one stored by `set_json` has version 0.

        Raises: RedisUnavailable.
        """
        kept = cast("bytes | None", self._kv.run_command("GET", _PREFIX + key))
        if kept is None:
            return None
        version, _, text = kept.partition(b":")
        try:
            return Versioned(version=int(version), value=json.loads(text))
        except (ValueError, RecursionError):
            # A foreign value is treated as missing, so that the next write replaces it.
            _log.error("foreign value in redis ignored", extra={"count": len(kept)})
            return None

    def set_json(self, key: str, value: object, seconds: int) -> None:
        """Store a value unconditionally.

        Raises: RedisUnavailable.
        """
        self._kv.run_command("SET", _PREFIX + key, f"0:{_encode_text(value)}", "EX", seconds)

    def compare_and_set_newer(
        self, key: str, value_json: object, version: int, seconds: int
    ) -> bool:
        """Store a value unless the stored version is equal or later; return whether it was stored.

        `value_json` is the value itself, as `get_json` returns it; `version` is from 1 to 2**53.
        Raises: RedisUnavailable.
        """
        if not 0 < version <= 2**53:
            raise ValueError(f"no version: {version}")
        arguments = (version, _encode_text(value_json), seconds)
        return self._kv.run_script(_SET_NEWER, [_PREFIX + key], arguments) == 1

    def delete_value(self, key: str) -> None:
        """Delete a value.

        Raises: RedisUnavailable.
        """
        self._kv.run_command("DEL", _PREFIX + key)


def _encode_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
