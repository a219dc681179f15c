"""Characters as a reader counts and sees them, and the names of people and units made of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
_PICTURE_SELECTOR = "\ufe0f"
# Controls, format characters (also those that turn the direction of writing), lone surrogates,
# private characters, line and paragraph separators.
_LEFT_OUT = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Unicode letters that display nothing.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")

# Remains of a text that was copied from the source of a web page, or escaped twice.
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")


def find_web_code(text: str) -> str | None:
    """The first character reference of HTML in a text, such as `&amp;`; None without one."""
    found = _ENTITY.search(text)
    return None if found is None else found[0]


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


def clean_name(text: str) -> str:
    """Normalise a name: no control or format characters, single spaces, NFC.

    Every entry that takes a name calls this, so that no name contains what nobody sees, or turns
    the direction of the text around it. A joiner between two parts of one emoji is kept. Empty
    when nothing visible remains.
    """
    normal = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if char in "\t\n\r\u2028\u2029" else char for char in normal)
    kept = "".join(c for i, c in enumerate(spaced) if _is_kept(spaced, i))
    return " ".join(kept.split()) if any(map(_is_visible, kept)) else ""


def _is_kept(text: str, at: int) -> bool:
    if text[at] == _JOINER:
        before = text[:at].rstrip(_PICTURE_SELECTOR)
        return bool(before) and _is_picture(before[-1]) and _is_picture(text[at + 1 : at + 2])
    return unicodedata.category(text[at]) not in _LEFT_OUT


def _is_picture(char: str) -> bool:
    return bool(char) and (
        unicodedata.category(char) == "So" or "\U0001f000" <= char <= "\U0001faff"
    )


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "ZMC" and char not in _BLANK
