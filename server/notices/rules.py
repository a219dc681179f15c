"""What WeChat's words about subscription messages mean; its word lists are open. Pure.

Source: wx.requestSubscribeMessage, "success callback": accept, reject, ban, filter; long-term
templates also answer acceptWithAudio, acceptWithAlert and acceptWithForcePush.
"""

from __future__ import annotations

from enum import Enum, auto

_NO_GRANT = frozenset({"ban", "filter"})


class Meaning(Enum):
    """What a word does to the ledger."""

    GRANT = auto()
    REFUSAL = auto()
    NO_GRANT = auto()
    UNKNOWN = auto()


def meaning_of(word: str) -> Meaning:
    """What a word means: `accept…` is a grant, `reject…` a refusal, an unknown word no grant."""
    if word.startswith("accept"):
        return Meaning.GRANT
    if word.startswith("reject"):
        return Meaning.REFUSAL
    return Meaning.NO_GRANT if word in _NO_GRANT else Meaning.UNKNOWN
