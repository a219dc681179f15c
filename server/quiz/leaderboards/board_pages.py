"""The first rows of boards, cached for a second: every reader requests the same hundred.

They are kept as the structs of the response and as its JSON, so that they are encoded once.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec

from server.quiz.leaderboards.schemas import BoardLineOut

Line: TypeAlias = BoardLineOut
# The contest, the board and the number of rows.
PageKey: TypeAlias = tuple[int, str, int]
NAMES_LAST = timedelta(seconds=1)
MOST_PAGES = 200

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class BoardPage:
    """The first rows of a board for a mark, with names as of `read_at`.

    `encoded` is the JSON of each row.
    """

    mark: bytes
    lines: list[Line]
    encoded: list[bytes]
    read_at: datetime

    def items_for(self, rank: int | None) -> tuple[list[Line], msgspec.Raw]:
        """The rows with that of a rank marked as the caller's own, and their JSON as one value."""
        at = _index_of_rank(self.lines, rank)
        if at is None:
            return self.lines, _join_rows(self.encoded)
        lines = mark_own_row(self.lines, rank)
        return lines, _join_rows([*self.encoded[:at], _encode(lines[at]), *self.encoded[at + 1 :]])


def encode_page(lines: list[Line], mark: bytes, read_at: datetime) -> BoardPage:
    """A page of these rows.

    Units: `read_at` is an instant before all reads of the rows.
    """
    return BoardPage(mark, lines, [_encode(line) for line in lines], read_at)


def mark_own_row(lines: list[Line], rank: int | None) -> list[Line]:
    """Copy the shared rows and mark that of the caller's rank, if it is one of them."""
    at = _index_of_rank(lines, rank)
    if at is None:
        return lines
    return [*lines[:at], msgspec.structs.replace(lines[at], me=True), *lines[at + 1 :]]


def _index_of_rank(lines: list[Line], rank: int | None) -> int | None:
    at = -1 if rank is None or not lines else rank - lines[0].rank
    return at if 0 <= at < len(lines) else None


def _join_rows(encoded: list[bytes]) -> msgspec.Raw:
    return msgspec.Raw(b"[%b]" % b",".join(encoded))


class BoardPages:
    """Cached pages: ranks are valid while the mark is unchanged, names for `NAMES_LAST`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[PageKey, BoardPage] = {}

    def get_page(self, key: PageKey, now: datetime) -> BoardPage | None:
        """The page of a board, if its names are still valid."""
        page = self._kept.get(key)
        # After the clock was set back, old names must still expire.
        if page is None or not page.read_at <= now < page.read_at + NAMES_LAST:
            return None
        return page

    def keep_page(self, key: PageKey, page: BoardPage) -> None:
        """Cache a page; one without a mark could not be found valid again."""
        if not page.mark:
            return
        with self._lock:
            while len(self._kept) >= MOST_PAGES:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = page

    def clear_pages(self) -> None:
        """Drop all pages."""
        with self._lock:
            self._kept.clear()
