"""The pictures of a card, for a chat and as a poster; equal content gives an identical picture.

A character that the font cannot draw is left out completely, never shown as a box or in parts.
"""

from __future__ import annotations

import io
import re
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources

import msgspec
from PIL import Image, ImageDraw, ImageFont

from server.base.characters import split_characters

SIZE = (750, 1334)
# A chat shows a picture with the ratio 5:4.
CARD_SIZE = (750, 600)
_FONT = "NotoSansSC-Regular.otf"
_GREEN, _DEEP, _GOLD = (14, 116, 88), (8, 74, 58), (178, 92, 0)
_SAND = (200, 205, 150)
_WHITE, _INK, _QUIET = (255, 255, 255), (28, 38, 34), (84, 96, 91)
_MARGIN, _CODE_SIDE = 56, 280
_HEAD, _GAP, _BAND = 420, 22, 24
_CARD_HEAD = 320
# A line may break after any Chinese character except an opening mark, but not inside a Latin word.
_MARKS = "\u0300-\u036f\u20d0-\u20ff"
_WORDS = re.compile(
    rf"(?:[A-Za-z'’-][{_MARKS}]*)+|[“‘《（][^ ]?[，。、”’》）]*|[^ ][{_MARKS}]*[，。、”’》）]*| "
)
_NO_LETTER = "\U0010ffff"


# A font face is not thread-safe, so each thread has its own.
class _Faces(threading.local):
    def __init__(self) -> None:
        self.by_size: dict[int, ImageFont.FreeTypeFont] = {}


_faces = _Faces()


@dataclass(frozen=True, kw_only=True)
class Card:
    """The content of the picture in a chat."""

    campaign: tuple[str, ...]
    contest: str
    name: str
    score: str
    score_note: str


@dataclass(frozen=True, kw_only=True)
class Poster(Card):
    """The content of a poster."""

    lines: tuple[str, ...]
    invitation: str
    code: bytes = field(repr=False)


def content_name(card: Card) -> str:
    """A name of a picture in the cache: its kind and everything that is drawn."""
    return f"{type(card).__name__} {msgspec.json.encode(card).decode()}"


def draw_poster(poster: Poster) -> bytes:
    """Draw the poster as a PNG. Units: 750 by 1334 pixels."""
    picture = Image.new("RGB", SIZE, _WHITE)
    draw = ImageDraw.Draw(picture)
    _draw_head(draw, poster.campaign, poster.contest, _HEAD)
    _draw_result(draw, poster)
    _draw_foot(picture, draw, poster)
    return _as_png(picture)


def drawn_card(card: Card) -> bytes:
    """Draw the picture for a chat as a PNG. Units: 750 by 600 pixels."""
    picture = Image.new("RGB", CARD_SIZE, _WHITE)
    draw = ImageDraw.Draw(picture)
    # In a chat it is small, and the second name would not be legible.
    _draw_head(draw, card.campaign[:1], card.contest, _CARD_HEAD)
    _draw_centred(draw, card.name, 338, 40, _INK)
    _draw_centred(draw, card.score, 384, 130, _GOLD)
    _draw_centred(draw, card.score_note, 540, 30, _QUIET)
    return _as_png(picture)


def can_draw_name(name: str) -> bool:
    """Whether at least one character of a name can be drawn beside the mask."""
    return _drawable_text(name).strip("* ") != ""


def _as_png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _draw_head(
    draw: ImageDraw.ImageDraw, campaign: tuple[str, ...], title: str, height: int
) -> None:
    """Draw the campaign's names and the contest's, centred on the green area."""
    draw.rectangle((0, 0, SIZE[0], height), fill=_GREEN)
    draw.rectangle((0, height - 12, SIZE[0], height), fill=_DEEP)
    # The Zhuang name is the longer one.
    names = [(name, *((40, 2) if at == 0 else (24, 3))) for at, name in enumerate(campaign)]
    high = sum(
        len(list(_fold_text(name, size, most))) * size * 3 // 2 for name, size, most in names
    )
    contest = len(list(_fold_text(title, 32, 2))) * 32 * 3 // 2
    top = (height - 12 - high - contest - 2 * _GAP - _BAND) // 2
    for name, size, most in names:
        top = _draw_block(draw, name, top, size, _WHITE, most=most)
    _draw_brocade(draw, top + _GAP)
    _draw_block(draw, title, top + 2 * _GAP + _BAND, 32, _WHITE, most=2)


def _draw_brocade(draw: ImageDraw.ImageDraw, top: int) -> None:
    """Draw a band of diamonds, a pattern of Guangxi's brocade."""
    wide, half = 2 * _BAND, _BAND // 2
    for left in range(-_BAND, SIZE[0], wide):
        middle = (left + _BAND, top + half)
        for across, up, fill in ((_BAND - 2, half, None), (_BAND // 3, half // 2, _SAND)):
            x, y = middle
            corners = [(x - across, y), (x, y - up), (x + across, y), (x, y + up)]
            draw.polygon(corners, fill=fill, outline=_SAND)


def _draw_result(draw: ImageDraw.ImageDraw, poster: Poster) -> None:
    _draw_centred(draw, poster.name, 462, 44, _INK)
    _draw_centred(draw, poster.score, 530, 170, _GOLD)
    _draw_centred(draw, poster.score_note, 740, 30, _QUIET)
    for at, line in enumerate(poster.lines):
        _draw_centred(draw, line, 800 + at * 52, 34, _INK)


def _draw_foot(picture: Image.Image, draw: ImageDraw.ImageDraw, poster: Poster) -> None:
    with Image.open(io.BytesIO(poster.code)) as code:
        square = code.convert("RGB").resize((_CODE_SIDE, _CODE_SIDE), Image.Resampling.LANCZOS)
    picture.paste(square, ((SIZE[0] - _CODE_SIDE) // 2, 970))
    _draw_centred(draw, poster.invitation, 1268, 28, _QUIET)


def _draw_block(
    draw: ImageDraw.ImageDraw,
    text: str,
    top: int,
    size: int,
    colour: tuple[int, int, int],
    *,
    most: int,
) -> int:
    """Draw at most `most` centred lines of a text; return the next line's position."""
    for line in _fold_text(text, size, most):
        _draw_centred(draw, line, top, size, colour)
        top += size * 3 // 2
    return top


def _draw_centred(
    draw: ImageDraw.ImageDraw, text: str, top: int, size: int, colour: tuple[int, int, int]
) -> None:
    line = next(iter(_fold_text(text, size, 1)), "")
    font = _font_sized(size)
    left = (SIZE[0] - font.getlength(line)) / 2
    draw.text((left, top), line, font=font, fill=colour)


def _fold_text(text: str, size: int, most: int) -> Iterable[str]:
    """Break a text into lines within the margins; an overlong text ends in an ellipsis."""
    wide, font = SIZE[0] - 2 * _MARGIN, _font_sized(size)
    lines = [""]
    for word in _WORDS.findall(_drawable_text(text)):
        if font.getlength(lines[-1] + word) <= wide:
            lines[-1] += word
        elif len(lines) < most and font.getlength(word) <= wide:
            lines.append(word.lstrip())
        else:
            lines[-1] = _end_with_ellipsis(lines[-1] + word, font, wide)
            break
    return lines


def _end_with_ellipsis(line: str, font: ImageFont.FreeTypeFont, wide: int) -> str:
    kept = list(split_characters(line))
    while kept and font.getlength("".join(kept) + "…") > wide:
        kept.pop()
    return "".join(kept) + "…"


def _drawable_text(text: str) -> str:
    """The drawable characters of a text, with single spaces."""
    normal = unicodedata.normalize("NFC", text)
    return " ".join("".join(map(_drawable_form, split_characters(normal))).split())


@lru_cache(maxsize=4096)
def _drawable_form(character: str) -> str:
    """The drawable form of a character, or nothing.

    Variation selectors are not drawn. Emoji joined by a joiner would be drawn as several, so they
    are left out.
    """
    seen = [part for part in character if not _is_selector(part)]
    if any(unicodedata.category(part)[0] in "CZ" for part in seen):
        blank = all(unicodedata.category(part) in ("Zs", "Zl", "Zp") for part in seen)
        return " " if blank or seen[0] in "\t\n\r" else ""
    base, marks = seen[:1], seen[1:]
    whole = all(map(_font_has, seen)) and all(
        _font_sized(24).getlength(mark) == 0 for mark in marks
    )
    return "".join(seen) if base and whole else ""


def _is_selector(part: str) -> bool:
    return "\ufe00" <= part <= "\ufe0f" or "\U000e0100" <= part <= "\U000e01ef"


def _font_has(part: str) -> bool:
    """Whether the font has a glyph: a missing one renders like an unassigned code point."""
    font = _font_sized(24)
    return bytes(font.getmask(part)) != bytes(font.getmask(_NO_LETTER))


def _font_sized(size: int) -> ImageFont.FreeTypeFont:
    """The font face of this thread.

    Without the shaping library, which replaces missing code points by others.
    """
    faces = _faces.by_size
    if size not in faces:
        path = str(resources.files("pylopdf_fonts_zh_cn") / _FONT)
        faces[size] = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    return faces[size]
