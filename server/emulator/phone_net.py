"""Forwards the mini-program's requests to their hosts.

The mini-program requests `https://…` addresses as in production. WeChat allows only hosts on its
console's list; here the settings name the hosts and the real address behind each.
"""

from __future__ import annotations

import http.client
from urllib.parse import quote, urlsplit

from flask import Response, request

from .http_server import cut_connection
from .world import World

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Headers that WeChat sets; a mini-program cannot change them.
REFERER = "https://servicewechat.com/{appid}/0/page-frame.html"
USER_AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x18003233) NetType/WIFI "
    "Language/zh_CN"
)
_ONE_LINK = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
# Headers of this connection, of the browser, or set by WeChat; all others are forwarded.
_NOT_SENT_ON = _ONE_LINK | {
    *("host", "content-length", "expect", "proxy-authorization"),
    *("accept-encoding", "accept-language", "cache-control", "cookie", "dnt", "origin", "pragma"),
    *("referer", "user-agent"),
}
# Response headers that are dropped, so that a host sets nothing for the emulator's own pages.
_NOT_SENT_BACK = _ONE_LINK | {
    *("content-encoding", "content-length", "proxy-authenticate", "set-cookie"),
}
# Marks a refusal of the phone, so that the runtime can tell it from a response of the host.
REFUSED = "X-Phone-Refused"
LIMIT_BYTES = 6 * 1024 * 1024
ANSWER_LIMIT_BYTES = 50 * 1024 * 1024


def forward_request(world: World, host: str, path: str) -> Response:
    """Forward a request; return the host's response, or a refusal that the runtime understands."""
    if world.cut_off:
        cut_connection(request.environ)
        return Response(b"")
    base = world.settings.net.get(host)
    if base is None:
        return _refuse_request("domain", 403)
    if (request.content_length or 0) > LIMIT_BYTES:
        return _refuse_request("size", 413)
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port or 80, timeout=world.settings.net_patience_s
    )
    try:
        connection.request(
            request.method,
            _target_url(parts.path, path),
            request.get_data() or None,
            _forward_headers(world),
        )
        answer = connection.getresponse()
        body = answer.read(ANSWER_LIMIT_BYTES + 1)
    except TimeoutError:
        return _refuse_request("timeout", 504)
    except (OSError, http.client.HTTPException):
        # The mini-program must see an unreachable host as a broken connection, not as a response.
        cut_connection(request.environ)
        return Response(b"")
    finally:
        connection.close()
    if len(body) > ANSWER_LIMIT_BYTES:
        return _refuse_request("size", 502)
    kept = [(name, value) for name, value in answer.getheaders() if _is_kept(name)]
    return Response(body, status=answer.status, headers=kept)


def _refuse_request(reason: str, status: int) -> Response:
    return Response("", status=status, headers={REFUSED: reason})


def _target_url(base: str, path: str) -> str:
    target = f"{base.rstrip('/')}/{quote(path)}"
    return f"{target}?{request.query_string.decode('latin-1')}" if request.query_string else target


def _forward_headers(world: World) -> dict[str, str]:
    own = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in _NOT_SENT_ON and not name.lower().startswith("sec-")
    }
    return own | {
        "Referer": REFERER.format(appid=world.mini.appid),
        "User-Agent": USER_AGENT,
    }


def _is_kept(name: str) -> bool:
    lower = name.lower()
    return lower not in _NOT_SENT_BACK and not lower.startswith("content-security-policy")
