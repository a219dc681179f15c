"""The sheet of a certificate as marks at positions, for the picture and the PDF alike; pure.

Units: pixels of a picture of A4 landscape at 150 dots per inch; a PDF scales them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.base.lettering import Face, drawable_text, fold_text
from server.base.pdf.codes import dark_bars
from server.certificates.content import CertificateContent

SIZE = (1754, 1240)
Colour = tuple[int, int, int]
_GREEN, _GOLD = (11, 92, 68), (166, 124, 48)
_PAPER, _INK, _QUIET, _WHITE = (253, 251, 244), (28, 34, 31), (84, 92, 87), (255, 255, 255)
_MIDDLE = SIZE[0] // 2
_TEXT_WIDE = 1300
_CODE_SIDE, _CODE_AT = 236, (1370, 852)
_LEFT = 148
_FACT_WIDE = _CODE_AT[0] - _LEFT - 60
_NAME_WIDE = 640
_STEP = 80


@dataclass(frozen=True, kw_only=True)
class TextLine:
    """One line of text; `x` is its left end, or its middle, and `y` its base line."""

    x: float
    y: float
    text: str
    face: Face
    size: int
    colour: Colour
    centred: bool = False


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A closed polygon, filled or outlined."""

    corners: tuple[tuple[float, float], ...]
    fill: Colour | None = None
    line: Colour | None = None
    line_width: float = 1


Mark = TextLine | Shape


def lay_out(content: CertificateContent) -> list[Mark]:
    """The marks of a certificate, the lowest first."""
    return [
        *_frame_marks(),
        *_head_marks(content),
        *_body_marks(content),
        *_foot_marks(content),
        *_code_marks(content.address),
    ]


def _frame_marks() -> Iterator[Mark]:
    wide, high = SIZE
    yield _draw_box(0, 0, wide, high, fill=_PAPER)
    yield _draw_box(44, 44, wide - 88, high - 88, line=_GREEN, line_width=7)
    yield _draw_box(62, 62, wide - 124, high - 124, line=_GOLD, line_width=2)
    # A band of diamonds, a pattern of Guangxi's brocade, along both long sides.
    for top in (84, high - 84 - 24):
        for left in range(121, wide - 121, 48):
            middle = (left + 12, top + 12)
            yield _draw_diamond(middle, 20, 12, line=_GOLD)
            yield _draw_diamond(middle, 7, 5, fill=_GREEN)


def _head_marks(content: CertificateContent) -> Iterator[Mark]:
    name, *others = content.campaign
    size = _fitting_size(name, (34, 28, 24), _TEXT_WIDE)
    yield _centred_line(_fold_lines(name, size, 1)[0], 172, size, _GREEN)
    for number, text in enumerate(_fold_lines(" ".join(others), 24, 2)):
        yield _centred_line(text, 222 + 34 * number, 24, _QUIET)
    yield _centred_line(" ".join(content.heading), 378, 92, _GREEN)
    yield _draw_box(_MIDDLE - 160, 420, 320, 3, fill=_GOLD)


def _body_marks(content: CertificateContent) -> Iterator[Mark]:
    size = _fitting_size(content.name, (60, 48, 38, 30), _NAME_WIDE)
    yield _centred_line(_fold_lines(content.name, size, 1, _NAME_WIDE)[0], 522, size, _INK)
    yield _draw_box(_MIDDLE - 330, 546, 660, 2, fill=_GOLD)
    for number, text in enumerate(_balance_lines(content.sentence, 36, 3)):
        yield _centred_line(text, 626 + 58 * number, 36, _INK)
    for number, detail in enumerate(content.details):
        text = f"{detail.label}：{detail.value}"
        shown = fold_text(text, 28, 1, wide=_FACT_WIDE, face=Face.SANS)[0]
        y = 806 + 40 * number
        yield TextLine(x=_LEFT, y=y, text=shown, face=Face.SANS, size=28, colour=_QUIET)


def _balance_lines(text: str, size: int, most: int) -> Sequence[str]:
    """The lines of a text at about equal widths, so that no single character is left for one."""
    lines, wide = _fold_lines(text, size, most), _TEXT_WIDE
    while len(lines) > 1:
        wide -= _STEP
        narrower = _fold_lines(text, size, most, wide)
        if len(narrower) > len(lines) or "".join(narrower) != "".join(lines):
            break
        lines = narrower
    return lines


def _fitting_size(text: str, sizes: tuple[int, ...], wide: float) -> int:
    """The greatest size at which a text is one whole line, or the smallest."""
    whole = drawable_text(text, Face.SERIF)
    fits = (one for one in sizes if _fold_lines(text, one, 1, wide)[0] == whole)
    return next(fits, sizes[-1])


def _fold_lines(text: str, size: int, most: int, wide: float = _TEXT_WIDE) -> Sequence[str]:
    return fold_text(text, size, most, wide=wide, face=Face.SERIF)


def _foot_marks(content: CertificateContent) -> Iterator[Mark]:
    issuer = _fold_lines(content.issuer, 28, 1, _FACT_WIDE)[0]
    yield TextLine(x=_LEFT, y=1030, text=issuer, face=Face.SERIF, size=28, colour=_INK)
    yield TextLine(x=_LEFT, y=1074, text=content.issued_on, face=Face.SERIF, size=28, colour=_INK)
    yield TextLine(
        x=_LEFT, y=1116, text=content.serial_line, face=Face.SANS, size=24, colour=_QUIET
    )
    middle = _CODE_AT[0] + _CODE_SIDE / 2
    yield TextLine(
        x=middle, y=1116, text=content.how_to_verify, face=Face.SANS, size=22, colour=_QUIET,
        centred=True,
    )  # fmt: skip


def _code_marks(address: str) -> Iterator[Mark]:
    """The QR code, its dark modules of a row joined, with the quiet zone of four modules."""
    count, bars = dark_bars(address)
    left, top = _CODE_AT
    side = _CODE_SIDE // (count + 8)
    whole = side * (count + 8)
    left, top = left + (_CODE_SIDE - whole) // 2, top + _CODE_SIDE - whole
    yield _draw_box(left, top, whole, whole, fill=_WHITE)
    for row, start, end in bars:
        x, y = left + side * (4 + start), top + side * (4 + row)
        yield _draw_box(x, y, side * (end - start), side, fill=(0, 0, 0))


def _centred_line(text: str, y: int, size: int, colour: Colour) -> TextLine:
    return TextLine(
        x=_MIDDLE, y=y, text=text, face=Face.SERIF, size=size, colour=colour, centred=True
    )


def _draw_box(  # noqa: PLR0913 - a rectangle and its look
    x: float, y: float, wide: float, high: float, *, fill: Colour | None = None,
    line: Colour | None = None, line_width: float = 1,
) -> Shape:  # fmt: skip
    corners = ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))
    return Shape(corners=corners, fill=fill, line=line, line_width=line_width)


def _draw_diamond(
    middle: tuple[float, float], across: float, up: float, *, fill: Colour | None = None,
    line: Colour | None = None,
) -> Shape:  # fmt: skip
    x, y = middle
    corners = ((x - across, y), (x, y - up), (x + across, y), (x, y + up))
    return Shape(corners=corners, fill=fill, line=line, line_width=1.5)
