"""A cache of generated files; missing or damaged files are generated again.

The processes of a host share one folder. A full disk only means that files are not cached.
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
    """A folder of files, named by the hash of what they were generated from.

    Units: `most_bytes` is the total size, exceeded by a few files at most; `keep_seconds` is the
    life of a file after it was written.
    """

    def __init__(self, folder: Path, *, most_bytes: int, keep_seconds: float) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._keep_seconds = keep_seconds
        self._written = 0

    def get_content(self, name: str) -> bytes | None:
        """The cached content; None when missing, expired or damaged."""
        path = self._path_of(name)
        try:
            if path.stat().st_mtime <= _read_clock() - self._keep_seconds:
                return None
            raw = path.read_bytes()
        except OSError:
            return None
        digest, content = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        # A power failure may have left half a file.
        return content if hashlib.sha256(content).digest() == digest else None

    def put_content(self, name: str, content: bytes) -> None:
        """Cache a content under a name."""
        path = self._path_of(name)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            fresh.replace(path)
        except OSError as trouble:
            _log.warning("file not cached", extra={"outcome": type(trouble).__name__})
            with suppress(OSError):  # a file that cannot be deleted now is deleted by a later trim
                fresh.unlink()
            return
        self._written += 1
        if self._written % _TRIM_EVERY == 0:
            self.trim_files()

    def trim_files(self) -> int:
        """Delete expired files and, above the size limit, the oldest; return how many."""
        old = _read_clock() - self._keep_seconds
        kept = sorted(self._list_kept(), key=lambda file: file.at, reverse=True)
        total, gone = 0, 0
        for file in kept:
            total += file.size
            if file.at <= old or total > self._most_bytes:
                file.path.unlink(missing_ok=True)
                gone += 1
        return gone

    def _list_kept(self) -> list[_Kept]:
        found = []
        for path in self._folder.glob("*"):
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue  # another process deleted it first
            found.append(_Kept(path, facts.st_mtime, facts.st_size))
        return found

    def _path_of(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()


def _read_clock() -> float:
    # File times are system time, even when the demo's clock is shifted.
    return SystemClock().now().timestamp()
