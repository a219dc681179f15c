"""Pictures from strangers, made into small harmless ones: nothing of the file itself is kept.

A request looks at the first bytes only. Decoding is for the worker: in a child process of its own,
one at a time in each worker.
"""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from server.base import picture_process
from server.base.errors import AppError

_log = logging.getLogger(__name__)

# A phone's camera of 12 megapixels makes up to 4096 by 3072. Such a picture is decoded as a whole.
MOST_PIXELS = 13_000_000
# A JPEG that is not progressive is decoded at an eighth of its size, whatever the camera.
MOST_PIXELS_REDUCED = 65_000_000
_SECONDS = 20.0
# Kinds that phones and computers make and that we do not read, by their first bytes.
_OTHER_KINDS = (
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"\xff\x0a",
    b"\0\0\0\x0cJXL ",
    b"%PDF",
    b"<svg",
    b"<?xml",
)
_BOXED, _BOXED_AT = b"ftyp", 4  # HEIC and AVIF, and films
_one_at_a_time = threading.Lock()


class PictureRefused(AppError):
    """A file that does not become a picture of ours."""

    code = "picture_unreadable"
    status = 422


class PictureKindUnsupported(PictureRefused):
    """A picture of a kind that we do not read, such as HEIC."""

    code = "picture_kind_unsupported"


class PictureTooLarge(PictureRefused):
    """A picture with more pixels than we decode."""

    code = "picture_too_large"


def check_picture(raw: bytes) -> None:
    """Refuse by its first bytes what will not become a picture; nothing is decoded.

    Raises: PictureRefused, PictureKindUnsupported, PictureTooLarge (422).
    """
    if raw.startswith(_OTHER_KINDS) or raw[_BOXED_AT:].startswith(_BOXED):
        raise PictureKindUnsupported
    try:
        with Image.open(io.BytesIO(raw), formats=picture_process.KINDS) as picture:
            pixels = picture.width * picture.height
            reducible = picture.format in ("JPEG", "MPO") and "progressive" not in picture.info
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise PictureRefused from None
    if pixels > (MOST_PIXELS_REDUCED if reducible else MOST_PIXELS):
        raise PictureTooLarge


@contextmanager
def only_one() -> Iterator[bool]:
    """True for the one thread of this process that may decode pictures until the block ends."""
    free = _one_at_a_time.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            _one_at_a_time.release()


def make_small(raw: bytes, side: int) -> bytes:
    """The middle of a picture that was checked, as a square JPEG; call it in no UnitOfWork.

    Raises: PictureRefused (422) for what cannot be decoded in bounded memory and time.
    """
    command = [sys.executable, "-I", picture_process.__file__, str(side)]
    try:
        done = subprocess.run(  # noqa: S603 - our own fixed command
            command, input=raw, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        _log.warning("a picture took too long")
        raise PictureRefused from None
    if done.returncode not in (0, picture_process.UNREADABLE):
        # A decoder that broke, or a limit that was reached.
        _log.warning("a picture ended its process", extra={"status": done.returncode})
    if done.returncode != 0 or not done.stdout:
        raise PictureRefused
    return done.stdout
