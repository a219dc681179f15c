"""Parses the head of a request: the usual ones here, all others by gunicorn.

gunicorn's parser checks each line on its own and accepts many options. Nearly all requests have a
head that two regular expressions can check as a whole; the result is the same. Whatever they do not
match is parsed, or refused, by gunicorn.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from gunicorn.http.message import Request  # type: ignore[import-untyped]
from gunicorn.http.unreader import IterUnreader  # type: ignore[import-untyped]

# A path on this server without fragment; `//` at its start would name a host.
_REQUEST_LINE = re.compile(r"([A-Z]{3,20}) (/(?!/)[!\"$-~]*) HTTP/1\.([01])\r\n")
# No underscore in a name, because gunicorn has rules for it; no continued line.
_HEADERS = re.compile(r"(?:[!#$%&'*+.^`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)+\r\n")
_HEADER = re.compile(r"([^:]+):([^\r]*)\r\n")
# gunicorn refuses a second one.
_SINGLE = ("HOST", "CONTENT-TYPE")


class Peer(Protocol):
    """The client of a connection."""

    peer: Any
    settings: Any
    # None until the first request.
    peer_is_trusted: bool | None


class _NoBytes:
    """Replaces gunicorn's source of bytes, because a head is complete."""

    def unread(self, _data: bytes) -> None:
        """Do nothing: nothing is left over."""


_NO_BYTES = _NoBytes()


class RequestOfPeer(Request):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn's request, made from a complete head; its body is received elsewhere.

    Raises: gunicorn's ParseException.
    """

    def __init__(self, peer: Peer, head: bytes, number: int) -> None:
        self._peer = peer
        self._head = head
        super().__init__(peer.settings, _NO_BYTES, peer.peer, number)

    def parse(self, _unreader: object) -> bytes:
        """Set method, address, version and headers; return what follows the head."""
        if self._parse_usual(self._head.decode("latin-1")):
            return b""
        self.unreader = IterUnreader([self._head])
        rest: bytes = super().parse(self.unreader)
        return rest

    def _parse_usual(self, head: str) -> bool:
        line = _REQUEST_LINE.match(head)
        if line is None or line.end() - 2 > self.limit_request_line > 0:
            return False
        if self.cfg.proxy_protocol != "off" or not _HEADERS.fullmatch(head, line.end()):
            return False
        # The version is set before the headers are read: an expectation counts from HTTP/1.1 on.
        self.method, self.uri, self.version = line[1], line[2], (1, int(line[3]))
        path, _, query = line[2].partition("?")
        self.path, self.query, self.fragment = path, query, ""
        headers = self._usual_headers(head, line.end())
        if headers is not None:
            self.headers = headers
        return headers is not None

    def _usual_headers(self, head: str, at: int) -> list[tuple[str, str]] | None:
        """Checked headers; None when gunicorn must decide.

        Raises: ParseException.
        """
        found = _HEADER.findall(head, at)
        if len(found) > self.limit_request_fields or len(head) - at > self.limit_request_field_size:
            return None
        secure, _ = self._peer_trusted_for_forwarded()
        headers = [(name.upper(), value.strip(" \t")) for name, value in found]
        scheme_state, seen = [False], set()
        for name, value in headers:
            if name in _SINGLE:
                if name in seen:
                    return None
                seen.add(name)
            elif name == "EXPECT" or name in secure:
                self._apply_header_policy(name, value, scheme_state, seen, secure, ())
        return headers

    def _peer_is_trusted_proxy(self) -> bool:
        """Whether the peer may set the scheme, checked once per connection."""
        if self._peer.peer_is_trusted is None:
            self._peer.peer_is_trusted = bool(super()._peer_is_trusted_proxy())
        return self._peer.peer_is_trusted
