"""QR codes as pictures, in WeChat's formats and sizes."""

from __future__ import annotations

import io

import segno
from PIL import Image

USUAL_WIDTH = 430


def draw_jpeg(content: str, width: int = USUAL_WIDTH) -> bytes:
    """Draw a code as JPEG.  Units: `width` in pixels, equal to the height."""
    out = io.BytesIO()
    _draw_code(content, width).convert("RGB").save(out, "JPEG", quality=90)
    return out.getvalue()


def transparent_png(content: str, width: int = USUAL_WIDTH) -> bytes:
    """Draw a code as PNG with transparent light modules."""
    dark = _draw_code(content, width).convert("L")
    picture = Image.new("RGBA", dark.size, (0, 0, 0, 0))
    picture.putalpha(dark.point(lambda light: 255 - light))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _draw_code(content: str, width: int) -> Image.Image:
    code = segno.make(content, error="m", micro=False)
    scale = max(1, width // code.symbol_size()[0])
    drawn = io.BytesIO()
    code.save(drawn, kind="png", scale=scale)
    with Image.open(drawn) as picture:
        # Scale by whole modules: an unevenly stretched code is hard to read.
        sheet = Image.new("L", (width, width), 255)
        at = (width - picture.width) // 2
        sheet.paste(picture.convert("L"), (at, at))
    return sheet
