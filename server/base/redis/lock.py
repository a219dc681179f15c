"""A lease on a name across all processes, for work that one of them should do.

It saves double work, it does not order writes: a holder that is paused past its lease goes on
beside the next one. What must not happen twice is held by a row in the database.
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
    """Names that one holder at a time has."""

    def __init__(self, kv: RedisClient) -> None:
        self._kv = kv

    @contextmanager
    def hold(self, name: str, seconds: float) -> Iterator[bool]:
        """Whether the name is ours for this block; nobody waits for it.

        Units: `seconds` after which it is free again even if the block still runs.
        Raises: RedisUnavailable when it cannot be asked for.
        """
        key, token = _PREFIX + name, secrets.token_hex(16)
        held = self._kv.run("SET", key, token, "NX", "PX", max(1, round(seconds * 1000))) == b"OK"
        try:
            yield held
        finally:
            if held:
                self._release(key, token)

    def _release(self, key: str, token: str) -> None:
        try:
            self._kv.eval(_RELEASE, [key], [token])
        except RedisUnavailable as away:
            # The block is done and must not fail for this: the lease runs out by itself.
            log.warning("the lock %s is left to run out: %s", key, away)
