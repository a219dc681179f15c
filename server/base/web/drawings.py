"""Drawn pictures: rendered outside of any transaction, few at a time, cached by content.

Only a limited number of threads wait for drawings, and only for a limited time; further readers get
a 503 for the picture alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass

from server.base.errors import Unavailable
from server.base.file_cache import FileCache
from server.base.settings import Settings

# Per process: concurrent drawings, waiting readers, and the wait of one reader.
AT_ONCE, MOST_WAITING, PATIENCE_SECONDS = 1, 12, 2.0
# Limits of the cache. Cached cards of erased citizens cannot be requested, and expire in an hour.
_MOST_BYTES, _KEEP_SECONDS = 64 * 2**20, 3600.0


class PictureBusy(Unavailable):
    """Too many pictures are being drawn; the client may retry."""

    code = "picture_busy"


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """The response of a route with `media` that is drawn after the transaction.

    `content_name` contains everything that is drawn, so that equal names mean equal pictures;
    `keep_seconds` is as in `Picture`.
    """

    content_name: str
    draw: Callable[[], bytes]
    keep_seconds: int


def kept_drawings(settings: Settings) -> FileCache:
    """The cache folder for drawings, shared by the processes of this host."""
    folder = settings.var / "cache" / "drawings"
    return FileCache(folder, most_bytes=_MOST_BYTES, keep_seconds=_KEEP_SECONDS)


class Drawings:
    """The drawings of one process."""

    def __init__(
        self,
        cache: FileCache,
        *,
        most_waiting: int = MOST_WAITING,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._cache = cache
        self._patience = patience_seconds
        self._places = threading.BoundedSemaphore(most_waiting)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="drawing")
        self._lock = threading.Lock()
        self._begun: dict[str, Future[bytes]] = {}

    def get_picture(self, drawing: Drawing) -> bytes:
        """The cached picture, or a new one; concurrent readers share one drawing.

        Raises: PictureBusy (503). A drawing in progress is still finished and cached.
        """
        kept = self._cache.get_content(drawing.content_name)
        if kept is not None:
            return kept
        if not self._places.acquire(blocking=False):
            raise PictureBusy
        try:
            return self._drawing_of(drawing).result(self._patience)
        except TookTooLong:
            raise PictureBusy from None
        finally:
            self._places.release()

    def _drawing_of(self, drawing: Drawing) -> Future[bytes]:
        name = drawing.content_name
        with self._lock:
            begun = self._begun.get(name)
            if begun is None:
                begun = self._pool.submit(self._draw_picture, drawing)
                self._begun[name] = begun
        return begun

    def _draw_picture(self, drawing: Drawing) -> bytes:
        try:
            # Another process, or an earlier reader, may have drawn it meanwhile.
            kept = self._cache.get_content(drawing.content_name)
            if kept is not None:
                return kept
            made = drawing.draw()
            self._cache.put_content(drawing.content_name, made)
            return made
        finally:
            with self._lock:
                self._begun.pop(drawing.content_name, None)
