"""Pictures from strangers, made into small harmless ones: nothing of the file itself is kept."""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from server.base.errors import Invalid

MOST_PIXELS = 12_000_000
_KINDS = ("JPEG", "PNG", "WEBP", "GIF")
_WHITE = (255, 255, 255)

# The check below is the stricter one, and a refusal of ours is no warning.
Image.MAX_IMAGE_PIXELS = None


def square_jpeg(raw: bytes, side: int) -> bytes:
    """The middle of a picture as a square JPEG without anything beside its pixels.

    Raises: Invalid (422) for what is no picture of a common kind, or has too many pixels.
    """
    try:
        with Image.open(io.BytesIO(raw), formats=_KINDS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Invalid((("body",), f"more than {MOST_PIXELS} pixels"))
            picture.draft("RGB", (side, side))
            square = ImageOps.fit(_flat(picture), (side, side))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise Invalid((("body",), "not a picture that can be read")) from None
    out = io.BytesIO()
    square.save(out, "JPEG", quality=85)
    return out.getvalue()


def _flat(picture: Image.Image) -> Image.Image:
    """The first frame as it is meant to be seen, on white."""
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    ground = Image.new("RGB", upright.size, _WHITE)
    ground.paste(upright, mask=upright.getchannel("A"))
    return ground
