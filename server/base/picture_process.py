"""The child process that decodes one picture of a stranger, with bounded memory and CPU time.

Run by its path with the picture on standard input; the square JPEG comes on standard output. It
imports nothing of ours, so that a child starts in a tenth of a second. What it took is given back
to the system when it ends, and a file that breaks a decoder ends the child alone.
"""

from __future__ import annotations

import io
import resource
import sys

from PIL import ExifTags, Image, ImageOps

KINDS = ("JPEG", "PNG", "WEBP", "GIF")
UNREADABLE = 3
# The largest picture that is accepted needs 250 MB in the costliest format, WebP.
MEMORY_BYTES, CPU_SECONDS = 320 * 2**20, 10
_WHITE = (255, 255, 255)

# Pixels are counted before a picture comes here, by a stricter rule.
Image.MAX_IMAGE_PIXELS = None


def square_jpeg(raw: bytes, side: int) -> bytes:
    """The middle of a picture as a square JPEG without anything beside its pixels.

    Raises: OSError, ValueError, SyntaxError or EOFError for what cannot be decoded.
    """
    with Image.open(io.BytesIO(raw), formats=KINDS) as picture:
        # JPEG is decoded at an eighth, a quarter or half of its size where that is enough.
        picture.draft("RGB", (side, side))
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
        small = _middle(picture, side)
    out = io.BytesIO()
    _turned(_on_white(small), orientation).save(out, "JPEG", quality=85)
    return out.getvalue()


def _middle(picture: Image.Image, side: int) -> Image.Image:
    """The largest square in the middle, made small before anything else is done to it."""
    wide, high = picture.size
    edge = min(wide, high)
    left, top = (wide - edge) // 2, (high - edge) // 2
    plain = picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGBA")
    box = (left, top, left + edge, top + edge)
    return plain.resize((side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)


def _on_white(picture: Image.Image) -> Image.Image:
    """The picture without transparency and without what its file says beside the pixels."""
    coloured = picture.convert("RGBA")
    ground = Image.new("RGB", coloured.size, _WHITE)
    ground.paste(coloured, mask=coloured.getchannel("A"))
    return ground


def _turned(picture: Image.Image, orientation: int | None) -> Image.Image:
    """The picture as it is meant to be seen."""
    exif = Image.Exif()
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    picture.info["exif"] = exif.tobytes()
    upright = ImageOps.exif_transpose(picture)
    upright.info.clear()
    return upright


def main(side: int) -> int:
    """Decode standard input; the exit status tells whether it could be read."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        made = square_jpeg(sys.stdin.buffer.read(), side)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError):
        return UNREADABLE
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
