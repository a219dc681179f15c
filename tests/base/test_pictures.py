"""Strangers' pictures come out small, square and with nothing beside their pixels."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from server.base.errors import Invalid
from server.base.pictures import MOST_PIXELS, square_jpeg
from tests.kit.pictures import a_picture, opened


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_each_common_kind_becomes_a_square_jpeg(kind: str) -> None:
    made = opened(square_jpeg(a_picture(kind), 256))
    assert (made.format, made.size, made.mode) == ("JPEG", (256, 256), "RGB")
    red, green, blue = made.getpixel((128, 128))  # type: ignore[misc]
    assert abs(red - 200) < 12
    assert abs(green - 30) < 12
    assert abs(blue - 40) < 12


def test_nothing_of_the_file_but_its_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010F] = "canary-maker"
    exif[0x8825] = {1: "N", 2: (22.0, 49.0, 0.0)}
    raw = a_picture("JPEG", exif=exif.tobytes(), comment=b"canary-comment")
    assert b"canary" in raw
    made = square_jpeg(raw + b"canary-tail", 256)
    assert b"canary" not in made
    assert not opened(made).getexif()


def test_a_picture_stands_upright_and_what_shines_through_is_white() -> None:
    out = io.BytesIO()
    picture = Image.new("RGB", (40, 20), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by a quarter, clockwise
    picture.save(out, "JPEG", exif=exif.tobytes(), quality=95)
    made = opened(square_jpeg(out.getvalue(), 20))
    top, bottom = made.getpixel((10, 2)), made.getpixel((10, 17))
    assert top[0] > 200 > 50 > bottom[0]  # type: ignore[index]
    clear = a_picture("PNG", mode="RGBA", colour=(0, 0, 0, 0))
    assert opened(square_jpeg(clear, 32)).getpixel((16, 16)) == (255, 255, 255)


def a_png_that_says(width: int, height: int) -> bytes:
    """A few bytes that would unfold to so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.4",
        a_picture("PNG")[:60],
        a_picture("JPEG")[:300],
        a_picture("BMP"),
        a_picture("TIFF"),
        a_png_that_says(4001, 3000),
        a_png_that_says(30_000, 30_000),
        a_png_that_says(2**31 - 1, 2**31 - 1),
        a_png_that_says(100, 100),
        a_png_that_says(0, 0),
    ],
)
def test_what_is_no_picture_of_ours_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        square_jpeg(raw, 256)


def test_twelve_million_pixels_are_enough() -> None:
    assert MOST_PIXELS == 12_000_000
    raw = a_picture("PNG", size=(4000, 3000), mode="1", colour=1)
    assert opened(square_jpeg(raw, 256)).size == (256, 256)
