"""The note that tells where the embedded server listens: `kv.json` in the folder of running state.

Its owner writes it, everybody who attaches reads it again at each new connection.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

_NAME = "kv.json"


@dataclass(frozen=True)
class Address:
    """Where one run of the embedded server listens, and its process."""

    socket: str
    pid: int


def read_address(var: Path) -> Address | None:
    """The address that the owner left, or None when there is none to read."""
    try:
        note = json.loads((var / _NAME).read_text(encoding="utf-8"))
        return Address(socket=str(note["socket"]), pid=int(note["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_address(var: Path, address: Address) -> None:
    """Leave the address for others; a reader sees the old note or the new one, never half."""
    draft = var / f"{_NAME}.{os.getpid()}"
    note = {"socket": address.socket, "pid": address.pid}
    draft.write_text(json.dumps(note), encoding="utf-8")
    draft.replace(var / _NAME)


def remove_address(var: Path) -> None:
    """Take the note away: nobody listens any more."""
    (var / _NAME).unlink(missing_ok=True)
