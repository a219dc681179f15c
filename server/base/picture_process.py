"""The child process that decodes one uploaded picture, with limits on memory and CPU time.

Run by path with the picture on standard input; writes a small JPEG to standard output. It
imports none of our modules, so that it starts in a tenth of a second. Its memory is freed when it
ends, and a file that crashes a decoder only kills this process.
"""

from __future__ import annotations

import io
import resource
import sys

from PIL import ExifTags, Image, ImageOps

KINDS = ("JPEG", "PNG", "WEBP", "GIF")
UNREADABLE = 3
# The largest accepted picture needs 250 MB in the most expensive format, WebP.
MEMORY_BYTES, CPU_SECONDS = 320 * 2**20, 10
_WHITE = (255, 255, 255)
SQUARE, WHOLE = "square", "whole"
# A whole picture is encoded with the first of these qualities at which it has at most this size.
_QUALITIES, _MOST_BYTES = (85, 75, 65, 50), 200 * 2**10

# The parent has already checked the number of pixels, by a stricter rule.
Image.MAX_IMAGE_PIXELS = None


def square_jpeg(raw: bytes, side: int) -> bytes:
    """The centre of a picture as a square JPEG without metadata.

    Raises: OSError, ValueError, SyntaxError or EOFError for what cannot be decoded.
    """
    with Image.open(io.BytesIO(raw), formats=KINDS) as picture:
        # A JPEG is decoded at an eighth, a quarter or half of its size where that suffices.
        picture.draft("RGB", (side, side))
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
        small = _crop_middle(picture, side)
    out = io.BytesIO()
    _turn_upright(_on_white(small), orientation).save(out, "JPEG", quality=85)
    return out.getvalue()


def whole_jpeg(raw: bytes, side: int) -> bytes:
    """A picture as a JPEG without metadata, its longer side at most `side`.

    Raises: OSError, ValueError, SyntaxError or EOFError for what cannot be decoded.
    """
    with Image.open(io.BytesIO(raw), formats=KINDS) as picture:
        wide, high = picture.size
        share = min(1.0, side / max(wide, high))
        size = (max(1, round(wide * share)), max(1, round(high * share)))
        picture.draft("RGB", size)
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
        plain = picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGBA")
        small = plain.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    upright = _turn_upright(_on_white(small), orientation)
    made = b""
    for quality in _QUALITIES:
        out = io.BytesIO()
        upright.save(out, "JPEG", quality=quality)
        made = out.getvalue()
        if len(made) <= _MOST_BYTES:
            break
    return made


def _crop_middle(picture: Image.Image, side: int) -> Image.Image:
    """The largest centred square, scaled down before any further processing."""
    wide, high = picture.size
    edge = min(wide, high)
    left, top = (wide - edge) // 2, (high - edge) // 2
    plain = picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGBA")
    box = (left, top, left + edge, top + edge)
    return plain.resize((side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)


def _on_white(picture: Image.Image) -> Image.Image:
    """The picture on white instead of transparency, and without metadata."""
    coloured = picture.convert("RGBA")
    ground = Image.new("RGB", coloured.size, _WHITE)
    ground.paste(coloured, mask=coloured.getchannel("A"))
    return ground


def _turn_upright(picture: Image.Image, orientation: int | None) -> Image.Image:
    """The picture rotated according to its EXIF orientation."""
    exif = Image.Exif()
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    picture.info["exif"] = exif.tobytes()
    upright = ImageOps.exif_transpose(picture)
    upright.info.clear()
    return upright


def main(side: int, shape: str) -> int:
    """Decode standard input; the exit status says whether it could be decoded."""
    convert = whole_jpeg if shape == WHOLE else square_jpeg
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        made = convert(sys.stdin.buffer.read(), side)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError):
        return UNREADABLE
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
