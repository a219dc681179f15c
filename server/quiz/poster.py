"""The pictures of a card, for a chat and as a poster: the same picture for the same words.

Letters that the font does not have are left out instead of being shown as boxes.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources

from PIL import Image, ImageDraw, ImageFont

SIZE = (750, 1334)
# A chat shows five parts of width to four of height.
CARD_SIZE = (750, 600)
_FONT = "NotoSansSC-Regular.otf"
_GREEN, _DEEP, _GOLD = (14, 116, 88), (8, 74, 58), (178, 92, 0)
_SAND = (200, 205, 150)
_WHITE, _INK, _QUIET = (255, 255, 255), (28, 38, 34), (84, 96, 91)
_MARGIN, _CODE_SIDE = 56, 280
_HEAD, _GAP, _BAND = 420, 22, 24
_CARD_HEAD = 320
# Latin words stay whole, a Chinese line may end after any letter but an opening mark.
_WORDS = re.compile(r"[A-Za-z'’-]+|[“‘《（][^ ]?[，。、”’》）]*|[^ ][，。、”’》）]*| ")
_NO_LETTER = "\U0010ffff"
# One face must not be used by two threads at once.
_drawing = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything that stands on the picture that a chat shows."""

    campaign: tuple[str, ...]
    contest: str
    name: str
    score: str
    score_note: str


@dataclass(frozen=True, kw_only=True)
class Poster(Card):
    """Everything that stands on a poster."""

    lines: tuple[str, ...]
    invitation: str
    code: bytes = field(repr=False)


@lru_cache(maxsize=64)
def drawn(poster: Poster) -> bytes:
    """The poster as a PNG.  Units: 750 by 1334 pixels."""
    with _drawing:
        picture = Image.new("RGB", SIZE, _WHITE)
        draw = ImageDraw.Draw(picture)
        _head(draw, poster.campaign, poster.contest, _HEAD)
        _result(draw, poster)
        _foot(picture, draw, poster)
        return _png(picture)


@lru_cache(maxsize=64)
def drawn_card(card: Card) -> bytes:
    """The picture of a chat as a PNG.  Units: 750 by 600 pixels."""
    with _drawing:
        picture = Image.new("RGB", CARD_SIZE, _WHITE)
        draw = ImageDraw.Draw(picture)
        # A chat shows it small: there the second name could not be read.
        _head(draw, card.campaign[:1], card.contest, _CARD_HEAD)
        _centred(draw, card.name, 338, 40, _INK)
        _centred(draw, card.score, 384, 130, _GOLD)
        _centred(draw, card.score_note, 540, 30, _QUIET)
        return _png(picture)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _head(draw: ImageDraw.ImageDraw, campaign: tuple[str, ...], title: str, height: int) -> None:
    """The campaign's names and the contest's, as one group in the middle of the green."""
    draw.rectangle((0, 0, SIZE[0], height), fill=_GREEN)
    draw.rectangle((0, height - 12, SIZE[0], height), fill=_DEEP)
    # The Zhuang name is the longer one.
    names = [(name, *((40, 2) if at == 0 else (24, 3))) for at, name in enumerate(campaign)]
    high = sum(len(list(_folded(name, size, most))) * size * 3 // 2 for name, size, most in names)
    contest = len(list(_folded(title, 32, 2))) * 32 * 3 // 2
    top = (height - 12 - high - contest - 2 * _GAP - _BAND) // 2
    for name, size, most in names:
        top = _block(draw, name, top, size, _WHITE, most=most)
    _brocade(draw, top + _GAP)
    _block(draw, title, top + 2 * _GAP + _BAND, 32, _WHITE, most=2)


def _brocade(draw: ImageDraw.ImageDraw, top: int) -> None:
    """A band of diamonds, as the brocade of Guangxi has them."""
    wide, half = 2 * _BAND, _BAND // 2
    for left in range(-_BAND, SIZE[0], wide):
        middle = (left + _BAND, top + half)
        for across, up, fill in ((_BAND - 2, half, None), (_BAND // 3, half // 2, _SAND)):
            x, y = middle
            corners = [(x - across, y), (x, y - up), (x + across, y), (x, y + up)]
            draw.polygon(corners, fill=fill, outline=_SAND)


def _result(draw: ImageDraw.ImageDraw, poster: Poster) -> None:
    _centred(draw, poster.name, 462, 44, _INK)
    _centred(draw, poster.score, 530, 170, _GOLD)
    _centred(draw, poster.score_note, 740, 30, _QUIET)
    for at, line in enumerate(poster.lines):
        _centred(draw, line, 800 + at * 52, 34, _INK)


def _foot(picture: Image.Image, draw: ImageDraw.ImageDraw, poster: Poster) -> None:
    with Image.open(io.BytesIO(poster.code)) as code:
        square = code.convert("RGB").resize((_CODE_SIDE, _CODE_SIDE), Image.Resampling.LANCZOS)
    picture.paste(square, ((SIZE[0] - _CODE_SIDE) // 2, 970))
    _centred(draw, poster.invitation, 1268, 28, _QUIET)


def _block(
    draw: ImageDraw.ImageDraw,
    text: str,
    top: int,
    size: int,
    colour: tuple[int, int, int],
    *,
    most: int,
) -> int:
    """So many centred lines of a text at most; where the next one may begin."""
    for line in _folded(text, size, most):
        _centred(draw, line, top, size, colour)
        top += size * 3 // 2
    return top


def _centred(
    draw: ImageDraw.ImageDraw, text: str, top: int, size: int, colour: tuple[int, int, int]
) -> None:
    line = next(iter(_folded(text, size, 1)), "")
    font = _font(size)
    left = (SIZE[0] - font.getlength(line)) / 2
    draw.text((left, top), line, font=font, fill=colour)


def _folded(text: str, size: int, most: int) -> Iterable[str]:
    """A text in lines that fit between the margins; what is too long ends in three dots."""
    wide, font = SIZE[0] - 2 * _MARGIN, _font(size)
    lines = [""]
    for word in _WORDS.findall(_shown(text)):
        if font.getlength(lines[-1] + word) <= wide:
            lines[-1] += word
        elif len(lines) < most and font.getlength(word) <= wide:
            lines.append(word.lstrip())
        else:
            lines[-1] = _ended(lines[-1] + word, font, wide)
            break
    return lines


def _ended(line: str, font: ImageFont.FreeTypeFont, wide: int) -> str:
    while line and font.getlength(line + "…") > wide:
        line = line[:-1]
    return line + "…"


def _shown(text: str) -> str:
    return "".join(letter for letter in text if letter == " " or _has(letter)).strip()


@lru_cache(maxsize=4096)
def _has(letter: str) -> bool:
    """Whether the font has a letter: one that it lacks looks like the letter that nobody has."""
    font = _font(24)
    return bytes(font.getmask(letter)) != bytes(font.getmask(_NO_LETTER))


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(resources.files("pylopdf_fonts_zh_cn") / _FONT), size)
