"""A lease on a name across all processes.

It avoids duplicate work, but guarantees nothing: a holder that pauses longer than its lease
continues beside the next one. A database row must protect whatever may not happen twice.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from server.base.redis.client import RedisClient, RedisUnavailable, Script

log = logging.getLogger(__name__)

_PREFIX = "lock:"

_RELEASE = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
""")


class Lock:
    """Names with one holder at a time."""

    def __init__(self, kv: RedisClient) -> None:
        self._kv = kv

    @contextmanager
    def hold_lock(self, name: str, seconds: float) -> Iterator[bool]:
        """Try to take the name for this block, without waiting; yield whether it succeeded.

        Units: `seconds` after which it is free again even if the block still runs.
        Raises: RedisUnavailable.
        """
        key, token = _PREFIX + name, secrets.token_hex(16)
        held = (
            self._kv.run_command("SET", key, token, "NX", "PX", max(1, round(seconds * 1000)))
            == b"OK"
        )
        try:
            yield held
        finally:
            if held:
                self._release_lock(key, token)

    def _release_lock(self, key: str, token: str) -> None:
        try:
            self._kv.run_script(_RELEASE, [key], [token])
        except RedisUnavailable as away:
            # The block is done and must not fail now; the lease expires by itself.
            log.warning("lock %s not released, it expires by itself: %s", key, away)
