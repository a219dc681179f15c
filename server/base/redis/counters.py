"""Counters that several processes increment and any process reads, such as those of workers.

After a flush they start at zero, which Prometheus treats as a restart.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import cast

from server.base.redis.client import RedisClient

_log = logging.getLogger(__name__)
_PREFIX = "counters:"


class Counters:
    """Named groups of counters; the name of a counter is any text."""

    def __init__(self, kv: RedisClient) -> None:
        self._kv = kv

    def add_counts(self, group: str, grown: Mapping[str, float]) -> None:
        """Increment counters of a group.

        Raises: RedisUnavailable.
        """
        key = _PREFIX + group
        self._kv.run_pipeline(
            [("HINCRBYFLOAT", key, name, repr(amount)) for name, amount in grown.items()]
        )

    def read_counts(self, group: str) -> dict[str, float]:
        """All counters of a group; values that are not numbers are ignored.

        Raises: RedisUnavailable.
        """
        reply = cast("list[bytes]", self._kv.run_command("HGETALL", _PREFIX + group))
        found: dict[str, float] = {}
        for name, value in zip(reply[::2], reply[1::2], strict=True):
            try:
                number = float(value)
                if math.isfinite(number):
                    found[name.decode()] = number
            except ValueError:
                _log.error("foreign counter in redis ignored")
        return found
