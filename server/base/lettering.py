"""Lettering on pictures and documents: fonts, line breaks, and what a font can draw.

A character that the font cannot draw is left out completely, never shown as a box or in parts.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from pathlib import Path

from PIL import ImageFont

from server.base.characters import split_characters

_FONTS = "pylopdf_fonts_zh_cn"
# A line may break after any Chinese character except an opening mark, but not inside a Latin word.
_MARKS = "\u0300-\u036f\u20d0-\u20ff"
_WORDS = re.compile(
    rf"(?:[A-Za-z'’-][{_MARKS}]*)+|[“‘《（][^ ]?[，。、”’》）]*|[^ ][{_MARKS}]*[，。、”’》）]*| "
)
_NO_LETTER = "\U0010ffff"


class Face(StrEnum):
    """The fonts of the product; the values are the names of their files."""

    SANS = "NotoSansSC-Regular"
    SERIF = "NotoSerifSC-Regular"


# A font face is not thread-safe, so each thread has its own.
class _Faces(threading.local):
    def __init__(self) -> None:
        self.by_size: dict[tuple[int, Face], ImageFont.FreeTypeFont] = {}


_faces = _Faces()


def path_of_face(face: Face) -> Path:
    """The file of a font."""
    return Path(str(resources.files(_FONTS) / f"{face.value}.otf"))


def font_sized(size: int, face: Face = Face.SANS) -> ImageFont.FreeTypeFont:
    """The font face of this thread. Units: `size` in pixels.

    Without the shaping library, which replaces missing code points by others.
    """
    faces = _faces.by_size
    if (size, face) not in faces:
        path = str(path_of_face(face))
        faces[size, face] = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    return faces[size, face]


def fold_text(
    text: str, size: int, most: int, *, wide: float, face: Face = Face.SANS
) -> Sequence[str]:
    """Break a text into at most `most` lines of a width; an overlong text ends in an ellipsis."""
    font = font_sized(size, face)
    lines = [""]
    for word in _WORDS.findall(drawable_text(text, face)):
        if font.getlength(lines[-1] + word) <= wide:
            lines[-1] += word
        elif len(lines) < most and font.getlength(word) <= wide:
            lines.append(word.lstrip())
        else:
            lines[-1] = _end_with_ellipsis(lines[-1] + word, font, wide)
            break
    return lines


def _end_with_ellipsis(line: str, font: ImageFont.FreeTypeFont, wide: float) -> str:
    kept = list(split_characters(line))
    while kept and font.getlength("".join(kept) + "…") > wide:
        kept.pop()
    return "".join(kept) + "…"


def drawable_text(text: str, face: Face = Face.SANS) -> str:
    """The drawable characters of a text, with single spaces."""
    normal = unicodedata.normalize("NFC", text)
    drawn = (_drawable_form(one, face) for one in split_characters(normal))
    return " ".join("".join(drawn).split())


@lru_cache(maxsize=4096)
def _drawable_form(character: str, face: Face) -> str:
    """The drawable form of a character, or nothing.

    Variation selectors are not drawn. Emoji joined by a joiner would be drawn as several, so they
    are left out.
    """
    seen = [part for part in character if not _is_selector(part)]
    if any(unicodedata.category(part)[0] in "CZ" for part in seen):
        blank = all(unicodedata.category(part) in ("Zs", "Zl", "Zp") for part in seen)
        return " " if blank or seen[0] in "\t\n\r" else ""
    base, marks = seen[:1], seen[1:]
    whole = all(_font_has(part, face) for part in seen) and all(
        font_sized(24, face).getlength(mark) == 0 for mark in marks
    )
    return "".join(seen) if base and whole else ""


def _is_selector(part: str) -> bool:
    return "\ufe00" <= part <= "\ufe0f" or "\U000e0100" <= part <= "\U000e01ef"


def _font_has(part: str, face: Face) -> bool:
    """Whether the font has a glyph: a missing one renders like an unassigned code point."""
    font = font_sized(24, face)
    return bytes(font.getmask(part)) != bytes(font.getmask(_NO_LETTER))
