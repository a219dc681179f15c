"""Paths of the sources that tests read, and a free port of this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import server

SERVER = Path(server.__file__).parent
ROOT = SERVER.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
