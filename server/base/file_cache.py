"""Made things kept as files for a while: what is missing or broken is made again.

The processes of a host share one folder. A full disk costs the work of making, nothing else.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from server.base.clock import SystemClock

_log = logging.getLogger(__name__)
_DIGEST_BYTES = 32
_TRIM_EVERY = 32  # files written by one process


@dataclass(frozen=True)
class _Kept:
    path: Path
    at: float
    size: int


class FileCache:
    """A folder of files by the names of their contents.

    Units: `most_bytes` of all files together, overstepped by a few files at most; `keep_seconds`
    after a file was written.
    """

    def __init__(self, folder: Path, *, most_bytes: int, keep_seconds: float) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._keep_seconds = keep_seconds
        self._written = 0

    def get(self, name: str) -> bytes | None:
        """What was kept under a name; None when it is not there, too old or not whole."""
        path = self._path(name)
        try:
            if path.stat().st_mtime <= _now() - self._keep_seconds:
                return None
            raw = path.read_bytes()
        except OSError:
            return None
        digest, content = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        # A machine that lost its power may have left half a file.
        return content if hashlib.sha256(content).digest() == digest else None

    def put(self, name: str, content: bytes) -> None:
        """Keep something under a name."""
        path = self._path(name)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            fresh.replace(path)
        except OSError as trouble:
            _log.warning("nothing was kept", extra={"outcome": type(trouble).__name__})
            with suppress(OSError):  # what cannot be deleted now is deleted when it is old
                fresh.unlink()
            return
        self._written += 1
        if self._written % _TRIM_EVERY == 0:
            self.trim()

    def trim(self) -> int:
        """Delete what is too old and, beyond the bound, the oldest; how many files."""
        old = _now() - self._keep_seconds
        kept = sorted(self._all(), key=lambda file: file.at, reverse=True)
        total, gone = 0, 0
        for file in kept:
            total += file.size
            if file.at <= old or total > self._most_bytes:
                file.path.unlink(missing_ok=True)
                gone += 1
        return gone

    def _all(self) -> list[_Kept]:
        found = []
        for path in self._folder.glob("*"):
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue  # another process was faster
            found.append(_Kept(path, facts.st_mtime, facts.st_size))
        return found

    def _path(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()


def _now() -> float:
    # Files have the machine's time, also while the demo's clock is moved.
    return SystemClock().now().timestamp()
