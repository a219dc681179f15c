"""Splits a text into characters as a reader counts them: a letter with accents, a whole emoji."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"


def split_characters(text: str) -> Iterator[str]:
    """The user-perceived characters of a text in order; joined they are the whole text."""
    cluster = ""
    for char in text:
        if cluster and not _belongs_to_cluster(cluster, char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def _belongs_to_cluster(cluster: str, char: str) -> bool:
    if char == _JOINER or cluster[-1] == _JOINER or _skin_tone(char):
        return True
    if unicodedata.category(char)[0] == "M" or _is_flag_tag(char):
        return True
    return _flag_letter(char) and len(cluster) == 1 and _flag_letter(cluster)


def _skin_tone(char: str) -> bool:
    return "\U0001f3fb" <= char <= "\U0001f3ff"


def _flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_flag_tag(char: str) -> bool:
    """Whether a character is part of a regional flag, such as Scotland's."""
    return "\U000e0020" <= char <= "\U000e007f"
