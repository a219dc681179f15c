"""An API request, read from its WSGI environment; unused parts are not parsed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import werkzeug.urls  # noqa: F401 - registers the name below
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length, get_input_stream

from server.base.errors import BodyTooLarge

JSON_LIMIT_BYTES = 64 * 1024
# Invalid UTF-8 bytes stay percent-encoded, as in Flask's own query.
_AS_SENT = "werkzeug.url_quote"
# Characters that encode another one in a query.
_ENCODED = re.compile("[%+]")


class Incoming:
    """One request.

    `path` is decoded; `query` is the raw query string.
    """

    __slots__ = ("environ", "path", "query")

    def __init__(self, environ: dict[str, Any], path: str) -> None:
        self.environ = environ
        self.path = path
        self.query: str = environ.get("QUERY_STRING", "")

    @property
    def authorization(self) -> str | None:
        """The Authorization header."""
        found: str | None = self.environ.get("HTTP_AUTHORIZATION")
        return found

    @property
    def idempotency_key(self) -> str | None:
        """The Idempotency-Key header."""
        found: str | None = self.environ.get("HTTP_IDEMPOTENCY_KEY")
        return found

    @property
    def device(self) -> str | None:
        """The X-Device-Id header: a random id that the mini-program keeps."""
        found: str | None = self.environ.get("HTTP_X_DEVICE_ID")
        return found

    @property
    def address(self) -> str | None:
        """The client's address, as reported by trusted proxies."""
        found: str | None = self.environ.get("REMOTE_ADDR")
        return found

    @property
    def media_type(self) -> str:
        """The content type of the body without its parameters."""
        stated: str = self.environ.get("CONTENT_TYPE", "")
        return stated if stated == "application/json" else parse_options_header(stated)[0].lower()

    def query_arguments(self) -> dict[str, str]:
        """The query parameters, the first value of each name."""
        made: dict[str, str] = {}
        if self.query.isascii() and not _ENCODED.search(self.query):
            for pair in self.query.split("&"):
                if pair:
                    name, _, value = pair.partition("=")
                    made.setdefault(name, value)
        elif self.query:
            sent = self.query.encode("latin-1").decode("utf-8", "replace")
            for name, value in parse_qsl(sent, keep_blank_values=True, errors=_AS_SENT):
                made.setdefault(name, value)
        return made

    def read_body(self) -> bytes:
        """The complete body.

        Raises: BodyTooLarge (413), werkzeug's RequestEntityTooLarge and ClientDisconnected.
        """
        environ = self.environ
        raw: bytes = get_input_stream(environ, max_content_length=JSON_LIMIT_BYTES).read()
        if len(raw) >= JSON_LIMIT_BYTES and get_content_length(environ) is None:
            # A body without a stated length was read up to the limit and may have been cut there.
            raise BodyTooLarge
        return raw
