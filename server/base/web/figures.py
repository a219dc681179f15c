"""Storage of metrics: memory shared by all worker processes of one gunicorn, without files.

A mapped file on a full disk kills the process that writes to it (SIGBUS). This memory is anonymous,
so it needs neither disk nor /dev/shm. gunicorn's master creates it and workers inherit it. Each
worker writes to its own arena, so no two processes change one figure; a scrape adds all arenas up.
A dead worker's arena keeps its sums, and the next worker continues with it. Figures that no longer
fit are dropped.
"""

from __future__ import annotations

import json
import mmap
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from server.base.web.fleet import SLOTS

# Pages that are never written take no memory; the figures of all routes fit into half of it.
ARENA_BYTES = 4 * 1024 * 1024
_HEAD = struct.Struct("<Q")
_KEY_LENGTH = struct.Struct("<Q")
_CELL = 8

# Name of the metric, name of the sample, names and values of its labels.
Key = tuple[str, str, tuple[str, ...], tuple[str, ...]]


class Arena:
    """Consecutive entries (length of the name, name, number); written by a single process."""

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self._cells = memory.cast("d")
        self._places: dict[bytes, int] = {}

    def load_entries(self) -> None:
        """Read the entries of a previous process, to continue with them."""
        self._places = dict(self._scan_entries())

    def place_of(self, key: bytes) -> int | None:
        """The offset of a number, created if new; None when the arena is full."""
        place = self._places.get(key)
        if place is None:
            place = self._append_entry(key)
            if place is not None:
                self._places[key] = place
        return place

    def add_amount(self, place: int, amount: float) -> None:
        """Add to a number; the caller ensures that only one thread does so."""
        self._cells[place] += amount

    def read_number(self, place: int) -> float:
        """Read a number."""
        return float(self._cells[place])

    def read_all(self) -> Iterator[tuple[bytes, float]]:
        """Read all names and numbers, also while their process writes."""
        for key, place in self._scan_entries():
            yield key, self.read_number(place)

    def _append_entry(self, key: bytes) -> int | None:
        padded = key.ljust(-(-len(key) // _CELL) * _CELL)
        begin = self._bytes_used()
        at = begin + _KEY_LENGTH.size + len(padded)
        if at + _CELL > len(self._memory):
            return None
        _KEY_LENGTH.pack_into(self._memory, begin, len(padded))
        self._memory[begin + _KEY_LENGTH.size : at] = padded
        self._cells[at // _CELL] = 0.0
        # Readers stop at this length, so they never see a half-written entry.
        _HEAD.pack_into(self._memory, 0, at + _CELL)
        return at // _CELL

    def _scan_entries(self) -> Iterator[tuple[bytes, int]]:
        at, used = _HEAD.size, self._bytes_used()
        while at < used:
            (length,) = _KEY_LENGTH.unpack_from(self._memory, at)
            at += _KEY_LENGTH.size
            yield bytes(self._memory[at : at + length]).rstrip(b" "), (at + length) // _CELL
            at += length + _CELL

    def _bytes_used(self) -> int:
        return int(_HEAD.unpack_from(self._memory)[0]) or _HEAD.size


class Book:
    """The figures of this process, and for scrapes those of all processes."""

    def __init__(self, arenas: int = SLOTS, arena_bytes: int = ARENA_BYTES) -> None:
        shared = memoryview(mmap.mmap(-1, arenas * arena_bytes))
        self._arenas = [
            Arena(shared[at : at + arena_bytes])
            for at in range(0, arenas * arena_bytes, arena_bytes)
        ]
        # Until an arena is assigned, and in a single process, the figures are local.
        self._mine = Arena(memoryview(bytearray(arena_bytes)))
        self._shared = False
        self._lock = threading.Lock()
        self._figures: list[Figure] = []

    def use_arena(self, arena: int) -> None:
        """Use the shared arena with this number; no other process may use it."""
        with self._lock:
            self._mine = self._arenas[arena]
            self._mine.load_entries()
            self._shared = True
            for figure in self._figures:
                figure.place = self._mine.place_of(figure.key)

    def enter_figure(self, figure: Figure) -> None:
        """Assign a figure its position in the arena."""
        with self._lock:
            figure.place = self._mine.place_of(figure.key)
            self._figures.append(figure)

    def add_amount(self, figure: Figure, amount: float) -> None:
        """Add to a figure; one without a position is dropped."""
        with self._lock:
            if figure.place is not None:
                self._mine.add_amount(figure.place, amount)

    def own_value(self, figure: Figure) -> float:
        """This process's value of a figure."""
        with self._lock:
            return 0.0 if figure.place is None else self._mine.read_number(figure.place)

    def sum_processes(self) -> dict[Key, float]:
        """Every figure, summed over all processes."""
        found: defaultdict[bytes, float] = defaultdict(float)
        for arena in self._arenas if self._shared else [self._mine]:
            for key, value in arena.read_all():
                found[key] += value
        return {_key_of(raw): value for raw, value in found.items()}


class Figure:
    """One number, with the interface of prometheus_client's value classes."""

    # Only counters and histograms are stored here; exemplars are not used.
    _multiprocess = False

    def __init__(
        self, _type: str, metric: str, name: str, labels: Sequence[str], values: Sequence[str],
        _help: str, **_more: Any,
    ) -> None:  # fmt: skip
        self.key = json.dumps([metric, name, list(labels), list(values)]).encode()
        self.place: int | None = None
        BOOK.enter_figure(self)

    def inc(self, amount: float) -> None:
        """Add to the number."""
        BOOK.add_amount(self, amount)

    def get(self) -> float:
        """This process's value of the number."""
        return BOOK.own_value(self)

    def get_exemplar(self) -> None:
        """None: exemplars are not kept."""


def _key_of(raw: bytes) -> Key:
    metric, name, labels, values = json.loads(raw)
    return metric, name, tuple(labels), tuple(values)


BOOK = Book()
