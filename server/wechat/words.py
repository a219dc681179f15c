"""Counts unknown values in WeChat's enumerations: WeChat extends them without notice.

No call may fail because of an unknown value: each reader chooses a safe meaning for it, and the
counter makes it visible.
"""

from __future__ import annotations

import logging

from server.base.web import metrics

_log = logging.getLogger(__name__)
_LONGEST = 40


def count_unknown_word(place: str, word: str) -> None:
    """Count a value that is missing in our list.

    `place` names the list. The value is only logged, because a metric label must be bounded.
    """
    metrics.UNKNOWN_WORDS.labels(place).inc()
    _log.info("unknown wechat value", extra={"path": place, "outcome": word[:_LONGEST]})
