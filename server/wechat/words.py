"""Words of WeChat's lists that this version does not know: WeChat adds some, and no call may fail.

Each reader decides what an unknown word means, always the safe way; here it is counted, so that
somebody notices.
"""

from __future__ import annotations

import logging

from server.base.web import metrics

_log = logging.getLogger(__name__)
_LONGEST = 40


def count_unknown_word(place: str, word: str) -> None:
    """Count a word that a list of WeChat's does not have here.

    Units: `place` names the list; the word itself is only logged, a label would have no bound.
    """
    metrics.UNKNOWN_WORDS.labels(place).inc()
    _log.info("an unknown word of wechat", extra={"path": place, "outcome": word[:_LONGEST]})
