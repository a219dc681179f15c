"""Pictures as phones send them."""

from __future__ import annotations

import io
from typing import Any

import segno
from PIL import Image


def a_picture(
    kind: str = "PNG",
    size: tuple[int, int] = (400, 300),
    colour: Any = (200, 30, 40),
    mode: str = "RGB",
    **how: Any,
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind, **how)
    return out.getvalue()


def a_heic(brand: bytes = b"heic") -> bytes:
    """The first bytes of an iPhone's photo (HEIC)."""
    return b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + brand + b"\0" * 64


def a_code() -> bytes:
    """A code as WeChat sends it."""
    out = io.BytesIO()
    segno.make("https://wxaurl.cn/x", error="m", micro=False).save(out, kind="png", scale=10)
    return out.getvalue()


def opened(raw: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(raw))
    picture.load()
    return picture


def as_form(*files: bytes) -> dict[str, Any]:
    """What the test client sends as a multipart form; one part for each file."""
    edge = "edge-of-the-form"
    parts = [
        b'--%b\r\nContent-Disposition: form-data; name="file%d"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n%b\r\n" % (edge.encode(), at, raw)
        for at, raw in enumerate(files)
    ]
    body = b"".join(parts) + b"--%b--\r\n" % edge.encode()
    return {"data": body, "content_type": f"multipart/form-data; boundary={edge}"}
