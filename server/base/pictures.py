"""Uploaded pictures, converted to small safe ones: no byte of the original file is kept.

A request checks only the first bytes. A worker decodes, one picture at a time, in a child process.
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

# A 12-megapixel phone camera produces up to 4096 by 3072. Such a picture is decoded as a whole.
MOST_PIXELS = 13_000_000
# A JPEG that is not progressive can be decoded at an eighth of its size, so more pixels are
# allowed.
MOST_PIXELS_REDUCED = 65_000_000
_SECONDS = 20.0
# Common formats that are not supported, by their first bytes.
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
_BOXED, _BOXED_AT = b"ftyp", 4  # HEIC, AVIF and videos
_one_at_a_time = threading.Lock()


class PictureRefused(AppError):
    """A file that cannot be used as a picture."""

    code = "picture_unreadable"
    status = 422


class PictureKindUnsupported(PictureRefused):
    """A picture in an unsupported format, such as HEIC."""

    code = "picture_kind_unsupported"


class PictureTooLarge(PictureRefused):
    """A picture with too many pixels."""

    code = "picture_too_large"


def check_picture(raw: bytes) -> None:
    """Check a file by its first bytes, without decoding.

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
    """Yield True if this thread may decode; only one thread per process may at a time."""
    free = _one_at_a_time.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            _one_at_a_time.release()


@contextmanager
def wait_for_turn() -> Iterator[None]:
    """Wait until no other thread of this process decodes; a decoding ends within `_SECONDS`."""
    with _one_at_a_time:
        yield


def make_small(raw: bytes, side: int) -> bytes:
    """Make a square JPEG of the centre of a checked picture; never call it inside a transaction.

    Raises: PictureRefused (422) for what cannot be decoded within the limits of memory and time.
    """
    return _run_process(raw, side, picture_process.SQUARE)


def make_whole(raw: bytes, side: int) -> bytes:
    """Make a JPEG of a checked picture, its longer side at most `side`; not inside a transaction.

    Raises: PictureRefused (422) for what cannot be decoded within the limits of memory and time.
    """
    return _run_process(raw, side, picture_process.WHOLE)


def measure_jpeg(made: bytes) -> tuple[int, int]:
    """Width and height of a JPEG that `make_small` or `make_whole` returned, without decoding."""
    with Image.open(io.BytesIO(made), formats=("JPEG",)) as picture:
        return picture.size


def _run_process(raw: bytes, side: int, shape: str) -> bytes:
    command = [sys.executable, "-I", picture_process.__file__, str(side), shape]
    try:
        done = subprocess.run(  # noqa: S603 - our own fixed command
            command, input=raw, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        _log.warning("picture decoding timed out")
        raise PictureRefused from None
    if done.returncode not in (0, picture_process.UNREADABLE):
        # The decoder crashed, or hit a limit.
        _log.warning("picture process failed", extra={"status": done.returncode})
    if done.returncode != 0 or not done.stdout:
        raise PictureRefused
    return done.stdout
