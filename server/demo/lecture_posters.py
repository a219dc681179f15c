"""Posters of the demo's lectures, drawn as the product draws its other pictures."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from enum import StrEnum

from PIL import Image, ImageDraw

from server.activities.service import MadePoster, measured_picture
from server.base.lettering import fold_text, font_sized

SIZE = (1440, 810)
SMALL_SIDE = 240
_GREEN, _DEEP, _PALE = (14, 116, 88), (8, 74, 58), (226, 240, 233)
_BLUE, _NIGHT, _SKY = (28, 96, 140), (18, 44, 74), (221, 235, 244)
_CLAY, _BROWN, _SAND = (168, 92, 40), (92, 48, 22), (246, 234, 218)
_WHITE, _GOLD = (255, 255, 255), (236, 190, 92)
_MARGIN, _TEXT_WIDTH, _TITLE, _SUBTITLE, _SPEAKER = 96, 700, 84, 56, 44
_CENTRE, _RADIUS = (1130, 405), 250
_BAND = 40

Colour = tuple[int, int, int]


class Motif(StrEnum):
    """The figure beside the title of a poster."""

    SUN = "sun"
    WAVES = "waves"
    LEAF = "leaf"
    LIGHT = "light"


_COLOURS: Mapping[Motif, tuple[Colour, Colour, Colour]] = {
    Motif.SUN: (_BROWN, _CLAY, _SAND),
    Motif.WAVES: (_NIGHT, _BLUE, _SKY),
    Motif.LEAF: (_DEEP, _GREEN, _PALE),
    Motif.LIGHT: (_NIGHT, _CLAY, _SAND),
}


def draw_lecture_poster(motif: Motif, title: str, speaker: str) -> MadePoster:
    """Draw a poster; equal arguments give an identical one. Units: 1440 by 810 pixels."""
    dark, middle, pale = _COLOURS[motif]
    picture = Image.new("RGB", SIZE, dark)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, SIZE[1] - 2 * _BAND, SIZE[0], SIZE[1]), fill=middle)
    _draw_diamonds(draw, SIZE[1] - 2 * _BAND, pale)
    _FIGURES[motif](draw, middle, pale)
    _draw_words(draw, title, speaker)
    # In the list the square of the figure is recognised, and the title stands beside it.
    x, y = _CENTRE
    box = (x - _RADIUS - 40, y - _RADIUS - 40, x + _RADIUS + 40, y + _RADIUS + 40)
    small = picture.crop(box).resize((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
    return MadePoster(picture=measured_picture(_as_jpeg(picture)), small=_as_jpeg(small))


def _draw_words(draw: ImageDraw.ImageDraw, title: str, speaker: str) -> None:
    """The title, what follows its colon in smaller letters, and the speaker."""
    name, _, more = title.partition("：")
    parts = ((name, _TITLE, 3, _WHITE), (more, _SUBTITLE, 2, _WHITE), (speaker, _SPEAKER, 1, _GOLD))
    folded = [
        (line, size, colour)
        for text, size, most, colour in parts
        for line in fold_text(text, size, most, wide=_TEXT_WIDTH)
        if line
    ]
    top = (SIZE[1] - 2 * _BAND - sum(size * 3 // 2 for _, size, _ in folded)) // 2
    for line, size, colour in folded:
        draw.text((_MARGIN, top), line, font=font_sized(size), fill=colour)
        top += size * 3 // 2


def _as_jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def _draw_diamonds(draw: ImageDraw.ImageDraw, top: int, colour: Colour) -> None:
    """A band of diamonds, a pattern of Guangxi's brocade."""
    for left in range(0, SIZE[0] + _BAND, 2 * _BAND):
        middle = top + _BAND
        for reach in (_BAND - 4, _BAND // 3):
            corners = [(left - reach, middle), (left, middle - reach), (left + reach, middle),
                       (left, middle + reach)]  # fmt: skip
            draw.polygon(corners, outline=colour, fill=colour if reach < _BAND // 2 else None)


def _draw_ring(draw: ImageDraw.ImageDraw, radius: int, colour: Colour, width: int) -> None:
    x, y = _CENTRE
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=colour, width=width)


def _draw_sun(draw: ImageDraw.ImageDraw, middle: Colour, pale: Colour) -> None:
    """The star with twelve rays in the middle of a bronze drum."""
    for radius in (_RADIUS, _RADIUS - 30, _RADIUS - 90):
        _draw_ring(draw, radius, middle, 6)
    x, y = _CENTRE
    corners = []
    for step in range(24):
        reach = 150 if step % 2 == 0 else 62
        angle = math.tau * step / 24
        corners.append((x + reach * math.sin(angle), y - reach * math.cos(angle)))
    draw.polygon(corners, fill=_GOLD)
    for step in range(36):
        angle = math.tau * step / 36
        at = (x + 190 * math.sin(angle), y - 190 * math.cos(angle))
        draw.ellipse((at[0] - 8, at[1] - 8, at[0] + 8, at[1] + 8), fill=pale)


def _draw_waves(draw: ImageDraw.ImageDraw, middle: Colour, pale: Colour) -> None:
    """A river with hills behind it."""
    x, y = _CENTRE
    for left, height in ((-240, 210), (-90, 300), (60, 240)):
        foot = y + 60
        draw.pieslice(
            (x + left, foot - height, x + left + 180, foot + height), 180, 360, fill=middle
        )
    for line in range(5):
        level = y + 90 + line * 34
        points = [
            (x - _RADIUS + step * 10, level + 10 * math.sin(step * math.pi / 6 + line))
            for step in range(2 * _RADIUS // 10 + 1)
        ]
        draw.line(points, fill=pale, width=7, joint="curve")


def _draw_leaf(draw: ImageDraw.ImageDraw, middle: Colour, pale: Colour) -> None:
    """A leaf with its veins."""
    x, y = _CENTRE
    right = [(x + 150 * math.sin(t), y + 250 * math.cos(t)) for t in _steps(0, math.pi)]
    left = [(x - 150 * math.sin(t), y + 250 * math.cos(t)) for t in _steps(math.pi, 0)]
    draw.polygon(right + left, fill=middle)
    draw.line((x, y + 290, x, y - 235), fill=pale, width=9)
    for level in range(-150, 200, 70):
        for side in (-1, 1):
            draw.line((x, y + level + 40, x + side * 105, y + level - 30), fill=pale, width=6)


def _draw_light(draw: ImageDraw.ImageDraw, middle: Colour, pale: Colour) -> None:
    """A lamp with rays."""
    x, y = _CENTRE
    for step in range(16):
        angle = math.tau * step / 16
        if math.cos(angle) < -0.9:
            # The socket is there.
            continue
        near, far = (
            (x + reach * math.sin(angle), y - 30 - reach * math.cos(angle)) for reach in (185, 240)
        )
        draw.line((near, far), fill=_GOLD, width=12)
    draw.ellipse((x - 140, y - 170, x + 140, y + 110), fill=pale)
    draw.rounded_rectangle((x - 62, y + 100, x + 62, y + 200), 18, fill=middle)
    for level in (130, 160):
        draw.line((x - 62, y + level, x + 62, y + level), fill=pale, width=8)


def _steps(first: float, last: float) -> list[float]:
    return [first + (last - first) * step / 40 for step in range(41)]


_FIGURES: Mapping[Motif, Callable[[ImageDraw.ImageDraw, Colour, Colour], None]] = {
    Motif.SUN: _draw_sun,
    Motif.WAVES: _draw_waves,
    Motif.LEAF: _draw_leaf,
    Motif.LIGHT: _draw_light,
}
