"""State that the worker processes of one gunicorn share in memory.

The memory is anonymous, so a full disk cannot affect it. It is created at this module's first
import, in gunicorn's master, and inherited by every worker.
"""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import suppress

SLOTS = 64
_RECORD = struct.Struct("<qqq")
_FREE, _STARTING, _SERVING = range(3)


class Fleet:
    """One slot per worker: its age (gunicorn's counter), process id, and progress."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SLOTS * _RECORD.size)

    def take_slot(self, age: int) -> int | None:
        """Assign a slot to a worker that the master is about to start; None when all are used."""
        for slot in range(SLOTS):
            if not self._is_alive(slot):
                self._write_slot(slot, age, 0, _STARTING)
                return slot
        return None

    def note_started(self, slot: int) -> None:
        """Called in the worker's process when it runs; from now on its end is detected."""
        age, _, state = self._read_slot(slot)
        self._write_slot(slot, age, os.getpid(), state)

    def note_serving(self, slot: int) -> None:
        """Called in the worker's process when it accepts connections."""
        age, pid, _ = self._read_slot(slot)
        self._write_slot(slot, age, pid, _SERVING)

    def count_younger(self, age: int) -> int:
        """Number of living workers started after the one with this age."""
        return sum(self._is_alive(slot) and self._read_slot(slot)[0] > age for slot in range(SLOTS))

    def younger_are_starting(self, age: int) -> bool:
        """Whether a younger worker is alive and does not accept connections yet."""
        return any(
            self._read_slot(slot)[0] > age
            and self._read_slot(slot)[2] == _STARTING
            and self._is_alive(slot)
            for slot in range(SLOTS)
        )

    def _is_alive(self, slot: int) -> bool:
        _, pid, state = self._read_slot(slot)
        if state == _FREE:
            return False
        # The master has assigned the slot, and the process has not written its id yet.
        if pid == 0:
            return True
        with suppress(PermissionError):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return False
        return True

    def _read_slot(self, slot: int) -> tuple[int, int, int]:
        age, pid, state = _RECORD.unpack_from(self._memory, slot * _RECORD.size)
        return int(age), int(pid), int(state)

    def _write_slot(self, slot: int, age: int, pid: int, state: int) -> None:
        _RECORD.pack_into(self._memory, slot * _RECORD.size, age, pid, state)


FLEET = Fleet()
