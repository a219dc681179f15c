"""Draws the sheet of a certificate as a PNG and as a PDF."""

from __future__ import annotations

import io

import msgspec
from PIL import Image, ImageDraw

from server.base.lettering import font_sized
from server.base.pdf.document import A4_LANDSCAPE, PdfDocument
from server.certificates.content import CertificateContent
from server.certificates.sheet import SIZE, Shape, TextLine, lay_out

_SCALE = A4_LANDSCAPE[0] / SIZE[0]
_COLOURS = 64


def name_content(form: str, content: CertificateContent) -> str:
    """A name of a drawing in the cache: its form and everything that is drawn."""
    return f"certificate {form} {msgspec.json.encode(content).decode()}"


def draw_picture(content: CertificateContent) -> bytes:
    """The certificate as a PNG. Units: 1754 by 1240 pixels."""
    picture = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(picture)
    for mark in lay_out(content):
        if isinstance(mark, Shape):
            _paint_shape(draw, mark)
        else:
            _paint_line(draw, mark)
    out = io.BytesIO()
    # Few colours and smooth edges: a palette makes the file a third as large.
    few = picture.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(out, "PNG")
    return out.getvalue()


def _paint_shape(draw: ImageDraw.ImageDraw, shape: Shape) -> None:
    if shape.fill is not None:
        # Pillow includes the last pixel; neighbouring modules of a code must not overlap.
        (left, top), _, (right, bottom), _ = shape.corners
        if left == shape.corners[3][0]:
            draw.rectangle((left, top, right - 1, bottom - 1), fill=shape.fill)
        else:
            draw.polygon(shape.corners, fill=shape.fill)
    if shape.line is not None:
        path = [*shape.corners, shape.corners[0], shape.corners[1]]
        draw.line(path, fill=shape.line, width=round(shape.line_width), joint="curve")


def _paint_line(draw: ImageDraw.ImageDraw, line: TextLine) -> None:
    font = font_sized(line.size, line.face)
    x = line.x - font.getlength(line.text) / 2 if line.centred else line.x
    draw.text((x, line.y), line.text, font=font, fill=line.colour, anchor="ls")


def write_document(content: CertificateContent) -> bytes:
    """Write the certificate as a PDF of one page, A4 landscape."""
    title = f"{content.heading} {content.serial}"
    marks = lay_out(content)
    texts = "".join(mark.text for mark in marks if isinstance(mark, TextLine))
    with PdfDocument(
        A4_LANDSCAPE, title=title, made_at=content.issued_at, characters=texts
    ) as document:
        for mark in marks:
            if isinstance(mark, Shape):
                document.add_polygon(
                    [(x * _SCALE, y * _SCALE) for x, y in mark.corners],
                    fill=mark.fill,
                    line=mark.line,
                    line_width=mark.line_width * _SCALE,
                )
            else:
                _write_line(document, mark)
        return document.finish_document()


def _write_line(document: PdfDocument, line: TextLine) -> None:
    x, y, size = line.x * _SCALE, line.y * _SCALE, line.size * _SCALE
    if line.centred:
        x -= document.measure_text(line.text, face=line.face, size=size) / 2
    document.add_text((x, y), line.text, face=line.face, size=size, colour=line.colour)
