"""The address file of the embedded server: `kv.json` in the folder of running state.

Its owner writes it; clients read it again at each new connection.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

_NAME = "kv.json"


@dataclass(frozen=True)
class Address:
    """Socket and process id of one run of the embedded server."""

    socket: str
    pid: int


def read_address(var: Path) -> Address | None:
    """Read the address, or None when there is none."""
    try:
        note = json.loads((var / _NAME).read_text(encoding="utf-8"))
        return Address(socket=str(note["socket"]), pid=int(note["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_address(var: Path, address: Address) -> None:
    """Write the address atomically; a reader sees the old content or the new one."""
    draft = var / f"{_NAME}.{os.getpid()}"
    note = {"socket": address.socket, "pid": address.pid}
    draft.write_text(json.dumps(note), encoding="utf-8")
    draft.replace(var / _NAME)


def remove_address(var: Path) -> None:
    """Delete the address file after the server stopped."""
    (var / _NAME).unlink(missing_ok=True)
