"""Assembles HTTP requests from received bytes; uses no socket and never blocks.

gunicorn's request decides about the body's framing, also where the headers were parsed by us, so
that both agree on where a request ends. The body is received completely before the application
runs.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from gunicorn.http.body import ChunkedReader  # type: ignore[import-untyped]
from gunicorn.http.errors import (  # type: ignore[import-untyped]
    ChunkMissingTerminator,
    InvalidChunkSize,
    LimitRequestHeaders,
)

from server.base.errors import BodyTooLarge
from server.base.web.request_head import RequestOfPeer
from server.base.web.uploads import BODY_LIMIT_BYTES

HEAD_LIMIT_BYTES = 64 * 1024
# Longer bodies go to a temporary file, so that many slow uploads do not fill the memory.
_MEMORY_BYTES = 64 * 1024
_CHUNK_LINE_BYTES, _TRAILER_BYTES = 1024, 8192
# Chunks of one byte each would keep the loop busy; normal clients send some hundred.
_CHUNKS = 20_000
_END = b"\r\n\r\n"
_ACCEPTS_PAGE = re.compile(rb"^accept:[^\r\n]*text/html", re.IGNORECASE | re.MULTILINE)
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t -~\x80-\xff]*)?")


def wants_page(request: Any) -> bool:
    """Whether the client of a gunicorn request accepts HTML, as browsers do for pages and forms."""
    return any(name == "ACCEPT" and "text/html" in value for name, value in request.headers)


class KeptSettings:
    """gunicorn's settings, each looked up once: its own object searches a table at each access."""

    def __init__(self, cfg: Any) -> None:
        self._cfg = cfg

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._cfg, name)
        setattr(self, name, value)
        return value


class Receiver:
    """The requests of one connection, one at a time; later bytes stay in its buffer.

    `settings` are gunicorn's, as `KeptSettings`.
    """

    def __init__(self, settings: Any, peer: Any) -> None:
        self.settings = settings
        self.peer = peer
        # Known after the first request.
        self.peer_is_trusted: bool | None = None
        self._buffer = bytearray()
        self._searched = 0
        self._count = 0
        self._request: Any = None
        # Headers that the parser has refused, or not read yet.
        self._unparsed_head = b""
        self._body: _Sized | _Chunked | None = None

    @property
    def begun(self) -> bool:
        """Whether a part of a request has arrived."""
        return bool(self._buffer) or self._request is not None

    @property
    def expected_bytes(self) -> int:
        """Maximum length of the body being received."""
        return self._body.expected_bytes if self._body is not None else 0

    @property
    def wants_page(self) -> bool:
        """Whether a browser waits for a page: it sent a form or opened an address."""
        if self._request is not None:
            return wants_page(self._request)
        return _ACCEPTS_PAGE.search(self._unparsed_head) is not None

    def add_bytes(self, data: bytes) -> Any:
        """Add bytes; return the complete gunicorn request with its body in a file, else None."""
        self._buffer += data
        if self._request is None and not self._read_head():
            return None
        assert self._body is not None  # noqa: S101 - narrows for the type checker
        if not self._body.take_body(self._buffer):
            return None
        request, self._request = self._request, None
        # A client that has already sent the body needs no 100 Continue.
        request._expected_100_continue = False
        request.body = self._body.file
        request.body.seek(0)
        self._body = None
        return request

    def take_expectation(self) -> bool:
        """Whether the client waits for 100 Continue; true at most once per request."""
        if self._request is None or not self._request._expected_100_continue:
            return False
        self._request._expected_100_continue = False
        return True

    def drop_received(self) -> None:
        """Discard what has arrived, and free the space of an incomplete body."""
        self._buffer.clear()
        if self._body is not None:
            # Closing flushes the rest; on a full disk that fails again, without consequences.
            with suppress(OSError):
                self._body.file.close()
        self._request = self._body = None

    def _read_head(self) -> bool:
        at = self._buffer.find(_END, max(0, self._searched - len(_END) + 1))
        self._searched = len(self._buffer)
        if max(at, 0 if at >= 0 else self._searched) > HEAD_LIMIT_BYTES:
            self._unparsed_head = bytes(self._buffer[:HEAD_LIMIT_BYTES])
            raise LimitRequestHeaders("the head is too long")
        if at < 0:
            return False
        head = bytes(self._buffer[: at + len(_END)])
        del self._buffer[: at + len(_END)]
        self._searched = 0
        self._count += 1
        self._unparsed_head = head
        request = RequestOfPeer(self, head, self._count)
        # Stored before the body can be refused, so that a browser gets a page as the refusal.
        self._request, self._unparsed_head = request, b""
        reader = request.body.reader
        self._body = _Chunked() if isinstance(reader, ChunkedReader) else _Sized(reader.length)
        return True


class _Sized:
    """A body with Content-Length."""

    def __init__(self, length: int) -> None:
        if length > BODY_LIMIT_BYTES:
            raise BodyTooLarge
        self.expected_bytes = length
        self.file = _new_file(length)

    def take_body(self, buffer: bytearray) -> bool:
        """Move the body's bytes out of the buffer; return whether the body is complete."""
        if self.expected_bytes and buffer:
            piece = buffer[: self.expected_bytes]
            self.file.write(piece)
            del buffer[: len(piece)]
            self.expected_bytes -= len(piece)
        return self.expected_bytes == 0


class _Chunked:
    """A chunked body (RFC 9112 section 7.1); trailers and extensions are dropped."""

    def __init__(self) -> None:
        self.file = _new_file(BODY_LIMIT_BYTES)
        self.expected_bytes = BODY_LIMIT_BYTES
        self._left = 0
        self._chunks = self._trailer_bytes = 0
        self._read_line: Callable[[bytes], None] = self._read_size

    def take_body(self, buffer: bytearray) -> bool:
        """Move the body's bytes out of the buffer; return whether the body is complete."""
        while self._read_line != self._refuse_more:
            if self._left:
                if not buffer:
                    return False
                self._take_data(buffer)
                continue
            line = _line_of(buffer)
            if line is None:
                return False
            self._read_line(line)
        return True

    def _take_data(self, buffer: bytearray) -> None:
        piece = buffer[: self._left]
        self.file.write(piece)
        del buffer[: len(piece)]
        self._left -= len(piece)

    def _read_size(self, line: bytes) -> None:
        stated = _SIZE_LINE.fullmatch(line)
        if stated is None:
            raise InvalidChunkSize(line)
        self._left = int(stated[1], 16)
        self.expected_bytes -= self._left
        self._chunks += 1
        if self.expected_bytes < 0 or self._chunks > _CHUNKS:
            raise BodyTooLarge
        self._read_line = self._read_end if self._left else self._read_trailer

    def _read_end(self, line: bytes) -> None:
        if line:
            raise ChunkMissingTerminator(line)
        self._read_line = self._read_size

    def _read_trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if self._trailer_bytes > _TRAILER_BYTES:
            raise LimitRequestHeaders("the trailers are too long")
        if not line:
            self._read_line = self._refuse_more

    def _refuse_more(self, line: bytes) -> None:
        raise ChunkMissingTerminator(line)


def _new_file(expected_bytes: int) -> IO[bytes]:
    if expected_bytes <= _MEMORY_BYTES:
        return io.BytesIO()
    return tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES)


def _line_of(buffer: bytearray) -> bytes | None:
    """Remove the next line from the buffer, without its end; None when it is incomplete."""
    at = buffer.find(b"\n", 0, _CHUNK_LINE_BYTES)
    if at < 0:
        if len(buffer) >= _CHUNK_LINE_BYTES:
            raise InvalidChunkSize("a line is too long")
        return None
    line = bytes(buffer[: at + 1])
    if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
        raise InvalidChunkSize("a line does not end with CRLF")
    del buffer[: at + 1]
    return line[:-2]
