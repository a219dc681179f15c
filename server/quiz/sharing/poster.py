"""The pictures of a card, for a chat and as a poster; equal content gives an identical picture.

A character that the font cannot draw is left out completely, never shown as a box or in parts.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import msgspec
from PIL import Image, ImageDraw

from server.base.lettering import drawable_text, fold_text, font_sized

SIZE = (750, 1334)
# A chat shows a picture with the ratio 5:4.
CARD_SIZE = (750, 600)
_GREEN, _DEEP, _GOLD = (14, 116, 88), (8, 74, 58), (178, 92, 0)
_SAND = (200, 205, 150)
_WHITE, _INK, _QUIET = (255, 255, 255), (28, 38, 34), (84, 96, 91)
_MARGIN, _CODE_SIDE = 56, 280
_HEAD, _GAP, _BAND = 420, 22, 24
_CARD_HEAD = 320
_WIDE = SIZE[0] - 2 * _MARGIN


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
    return drawable_text(name).strip("* ") != ""


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
        len(fold_text(name, size, most, wide=_WIDE)) * size * 3 // 2 for name, size, most in names
    )
    contest = len(fold_text(title, 32, 2, wide=_WIDE)) * 32 * 3 // 2
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
    for line in fold_text(text, size, most, wide=_WIDE):
        _draw_centred(draw, line, top, size, colour)
        top += size * 3 // 2
    return top


def _draw_centred(
    draw: ImageDraw.ImageDraw, text: str, top: int, size: int, colour: tuple[int, int, int]
) -> None:
    line = fold_text(text, size, 1, wide=_WIDE)[0]
    font = font_sized(size)
    left = (SIZE[0] - font.getlength(line)) / 2
    draw.text((left, top), line, font=font, fill=colour)
