"""Refuses requests for other host names than the service's own, in production.

A name that is not ours comes from a copied or rebound DNS entry or from a forged header. No address
is made of the header, so this is a second line of defence.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from server.base import ids
from server.base.errors import UnknownHost
from server.base.settings import Settings
from server.base.web.bad_requests import refusal_content

_log = logging.getLogger(__name__)
# Load balancers and monitors ask for these by the address of the machine.
UNCHECKED = frozenset({"/healthz", "/readyz", "/metrics"})
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]/@\s]+)(?::\d{1,5})?")


def own_host_names(settings: Settings) -> frozenset[str]:
    """The names under which production is asked for: that of `public_url`, and `allowed_hosts`."""
    given = (one.strip() for one in settings.allowed_hosts.split(","))
    public = urlsplit(settings.public_url).netloc
    return frozenset(read_host_name(one) for one in (public, *given) if one)


def read_host_name(host: str) -> str:
    """The name in a Host header, without port and last dot; empty when it cannot be read."""
    found = _HOST.fullmatch(host.lower())
    return "" if found is None else found[1].removesuffix(".")


class HostCheck:
    """WSGI middleware, outside of all others."""

    def __init__(self, app: Any, names: frozenset[str]) -> None:
        self._app = app
        self._names = names

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer 400 `unknown_host` for a foreign name, else call the app."""
        if environ.get("PATH_INFO") in UNCHECKED or self._is_own(environ.get("HTTP_HOST", "")):
            answer: Iterable[bytes] = self._app(environ, start_response)
            return answer
        rid = ids.new_ref("req")
        _log.warning("host name is not ours", extra={"code": UnknownHost.code, "rid": rid})
        as_page = "text/html" in environ.get("HTTP_ACCEPT", "")
        media, body = refusal_content(UnknownHost(), rid, as_page=as_page)
        status = HTTPStatus(UnknownHost.status)
        headers = [
            ("Content-Type", media),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", "default-src 'none'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            ("X-Request-Id", rid),
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    def _is_own(self, host: str) -> bool:
        return read_host_name(host) in self._names
