"""Strangers' pictures come out small, square and with nothing beside their pixels.

They are decoded in a child process whose memory is bounded.
"""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from functools import partial

import pytest
from PIL import Image

from server.base import picture_process, pictures
from server.base.pictures import (
    PictureKindUnsupported,
    PictureRefused,
    PictureTooLarge,
    check_picture,
    make_small,
    only_one,
)
from tests.kit.pictures import a_heic, a_picture, opened


def square_jpeg(raw: bytes, side: int) -> bytes:
    """The whole way of a file: looked at by a request, decoded by a worker."""
    check_picture(raw)
    return make_small(raw, side)


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
    ("raw", "kind"),
    [
        (b"", PictureRefused),
        (b"GIF89a", PictureRefused),
        (b"not a picture", PictureRefused),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", PictureKindUnsupported),
        (b"%PDF-1.4", PictureKindUnsupported),
        (a_heic(), PictureKindUnsupported),
        (a_heic(b"avif"), PictureKindUnsupported),
        (a_picture("BMP"), PictureKindUnsupported),
        (a_picture("TIFF"), PictureKindUnsupported),
        (a_png_that_says(4334, 3000), PictureTooLarge),
        (a_png_that_says(30_000, 30_000), PictureTooLarge),
        (a_png_that_says(2**31 - 1, 2**31 - 1), PictureTooLarge),
        (a_png_that_says(0, 0), PictureRefused),
    ],
)
def test_what_is_no_picture_of_ours_is_refused_before_it_is_decoded(
    raw: bytes, kind: type[PictureRefused]
) -> None:
    with pytest.raises(PictureRefused) as refusal:
        check_picture(raw)
    assert type(refusal.value) is kind


@pytest.mark.parametrize(
    "raw", [a_picture("PNG")[:60], a_picture("JPEG")[:300], a_png_that_says(100, 100), b""]
)
def test_what_turns_out_to_be_broken_is_refused_by_the_child(raw: bytes) -> None:
    with pytest.raises(PictureRefused):
        make_small(raw, 256)


# As phones make them.
TWELVE_MEGAPIXELS = [(4032, 3024), (4096, 3072), (3000, 4000)]


@pytest.mark.parametrize("size", TWELVE_MEGAPIXELS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_photo_of_twelve_megapixels_gets_in(kind: str, size: tuple[int, int]) -> None:
    raw = a_picture(kind, size=size, mode="L", colour=100)
    assert opened(square_jpeg(raw, 256)).size == (256, 256)


def test_a_jpeg_of_any_phone_gets_in_and_a_progressive_one_is_bounded_like_others() -> None:
    check_picture(a_picture("JPEG", size=(9248, 6936)))
    big = {"kind": "JPEG", "size": (5000, 4000), "mode": "L", "colour": 1}
    check_picture(a_picture(**big))
    with pytest.raises(PictureTooLarge):
        check_picture(a_picture(**big, progressive=True))
    with pytest.raises(PictureTooLarge):
        check_picture(a_picture("JPEG", size=(9300, 7000), mode="L", colour=1))


# The child as it is, and what it took at most when it was done.
_TOLD = """
import runpy, sys
path, sys.argv = sys.argv[1], sys.argv[1:]
try:
    runpy.run_path(path, run_name="__main__")
except SystemExit as end:
    with open("/proc/self/status") as told:
        most = next(line for line in told if line.startswith("VmHWM"))
    sys.stderr.write(f"{end.code} {most.split()[1]}")
"""


def taken_kb(raw: bytes, side: int, shape: str) -> tuple[int, int]:
    """The exit status of the child, and the most memory that it took."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _TOLD, picture_process.__file__, str(side), shape],
        input=raw, capture_output=True, check=True,
    )  # fmt: skip
    status, most = done.stderr.split()
    return int(status), int(most)


@pytest.mark.parametrize(
    ("draw_picture", "most_mb"),
    [
        (partial(a_picture, "PNG", size=(3464, 3464)), 90),
        (partial(a_picture, "PNG", size=(3605, 3605), mode="RGBA", colour=(1, 2, 3, 4)), 160),
        (partial(a_picture, "PNG", size=(3605, 3605), mode="P", colour=3), 170),
        (partial(a_picture, "GIF", size=(3605, 3605), mode="P", colour=3), 170),
        (partial(a_picture, "WEBP", size=(3605, 3605), mode="RGBA", colour=(1, 2, 3, 4)), 260),
        (partial(a_picture, "JPEG", size=(9248, 6936)), 50),
        (partial(a_picture, "JPEG", size=(4096, 3072), progressive=True, subsampling=0), 130),
    ],
    ids=["a colour of 3464²", "PNG with alpha", "PNG of 256 colours", "GIF", "WebP", "JPEG of 64"
         " megapixels", "progressive JPEG"],
)  # fmt: skip
def test_the_largest_pictures_take_no_more_memory_than_is_promised(
    draw_picture: Callable[[], bytes], most_mb: int
) -> None:
    # Drawn here and not at collection, which every process of a run does.
    raw = draw_picture()
    check_picture(raw)
    for side, shape in ((256, picture_process.SQUARE), (1080, picture_process.WHOLE)):
        status, most = taken_kb(raw, side, shape)
        # A larger result, and the encoder's buffers.
        allowed = most_mb + (40 if shape == picture_process.WHOLE else 0)
        assert (status, most // 1024 < allowed) == (0, True), (shape, most)


def a_webp_that_says(side: int) -> bytes:
    """A canvas of so many pixels around a small picture."""
    small = a_picture("WEBP", size=(16, 16))
    canvas = struct.pack("<I", side - 1)[:3] * 2
    body = b"VP8X" + struct.pack("<I", 10) + b"\2\0\0\0" + canvas + small[12:]
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def test_a_picture_that_would_take_more_ends_its_own_process_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(PictureRefused):
        make_small(a_webp_that_says(16_383), 256)
    # The bound is what refuses: with a tenth of it a picture that is fine does not get through.
    raw = a_picture("PNG", size=(3464, 3464))
    assert make_small(raw, 256)
    bound = picture_process.MEMORY_BYTES
    script = picture_process.__file__
    with open(script, encoding="utf-8") as source:
        words = source.read()
    assert str(bound // 2**20) + " * 2**20" in words
    tight = words.replace(f"{bound // 2**20} * 2**20", "40 * 2**20")
    done = subprocess.run(
        [sys.executable, "-I", "-c", tight, "256", "square"],
        input=raw,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (picture_process.UNREADABLE, b"")


def test_a_picture_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_SECONDS", 0.0)
    with pytest.raises(PictureRefused):
        make_small(a_picture("PNG"), 256)


def test_one_thread_of_a_process_decodes_at_a_time() -> None:
    with only_one() as first:
        with only_one() as second:
            assert (first, second) == (True, False)
        with only_one() as third:
            assert not third
    with only_one() as again:
        assert again
