"""HTTP to WeChat's API host: limited in time and size, strict parsing, secrets never logged.

Addresses and bodies contain AppSecrets, tokens and codes. No exception or log line of this file
includes them; errors are raised outside of `except`, so that they keep no context with them. There
are no retries here: only the caller knows what may be repeated.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import msgspec
import requests
from requests.adapters import BaseAdapter
from requests.exceptions import RequestException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util import Timeout

from server.base.clock import Clock
from server.wechat.bulkhead import Bulkhead
from server.wechat.deadline_adapter import WatchedAdapter
from server.wechat.errors import CallInDoubt, NotSent
from server.wechat.judgement import Count, Judge, parse_object

_log = logging.getLogger(__name__)

Alarm = Callable[[str], None]

POOL = 32
ANSWER_LIMIT = 4 * 1024 * 1024
_PIECE = 64 * 1024
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_NEVER_LEFT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.SSLError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is sent as the form field `media`."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One API call, without host and token; with a body or an upload."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, object] | None = field(default=None, repr=False)
    upload: Upload | None = field(default=None, repr=False)

    def with_token(self, token: str) -> ApiCall:
        """The same call with the account's token."""
        return ApiCall(
            method=self.method,
            path=self.path,
            params={**self.params, "access_token": token},
            body=self.body,
            upload=self.upload,
        )


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """Timeouts of a caller: for the connection, for the whole call, before a retry.

    Units: `calls_at_once` is the number of concurrent calls of one process; `place_seconds` is how
    long a further call waits for one of them to end.
    """

    connect_seconds: float = 2.0
    total_seconds: float = 4.0
    rest_seconds: float = 0.1
    place_seconds: float = 1.0
    calls_at_once: int = 8


class Transport:
    """The connections of one process to WeChat's API host.

    Units: `count` receives path and outcome of every call, `alarm` what an operator must see.
    """

    def __init__(
        self,
        base: str,
        clock: Clock,
        *,
        patience: Patience = Patience(),
        count: Count = lambda _path, _outcome: None,
        alarm: Alarm = lambda _what: None,
        adapter: BaseAdapter | None = None,
    ) -> None:
        self.total_seconds = patience.total_seconds
        self.alarm = alarm
        self.base = base.rstrip("/")
        self.patience = patience
        self.judge = Judge(clock, count)
        self._clock = clock
        self._bulkhead = Bulkhead(patience.calls_at_once, patience.place_seconds)
        self._session = _open_session(adapter)
        _hush_addresses()

    def new_deadline(self) -> float:
        """The deadline, on the monotonic clock, of a call that begins now."""
        return self._clock.monotonic() + self.total_seconds

    def is_available(self) -> bool:
        """Whether the circuit breaker is closed."""
        return self.judge.breaker.is_closed()

    @contextmanager
    def place_for(self, path: str) -> Iterator[None]:
        """Hold one of the slots for calls, for all attempts of a call together.

        Raises: NotSent (503) when none becomes free in time.
        """
        with ExitStack() as held:
            try:
                held.enter_context(self._bulkhead.hold_place())
            except NotSent:
                self.judge.count(path, "no_place")
                raise
            yield

    def rest_briefly(self) -> None:
        """Wait a moment before the retry after a busy response."""
        time.sleep(self.patience.rest_seconds)

    def call_api(self, call: ApiCall, until: float) -> dict[str, Any]:
        """Make a call and return its response, an object without an error.

        Raises: WeChatError of the class for the errcode or the failure.
        """
        return self.judge.judge_body(call.path, self._exchange_call(call, until))

    def fetch_picture(self, call: ApiCall, until: float) -> bytes:
        """Make a call and return its picture.

        Raises: WeChatError as `call_api`.
        """
        body = self._exchange_call(call, until)
        if body.startswith(_PICTURES):
            self.judge.note_outcome(call.path, "ok", worked=True)
            return body
        answer = parse_object(body)
        # Neither a picture nor an error: whether WeChat did its work is unknown, so it is in doubt.
        self.judge.judge_answer(call.path, answer if answer and answer.get("errcode") else None)
        raise CallInDoubt

    def _exchange_call(self, call: ApiCall, until: float) -> bytes:
        left = until - self._clock.monotonic()
        self.judge.admit_call(call.path, left)
        never_left: bool | None = None
        raw = _Raw(0, b"")
        try:
            raw = self._send_call(call, left, until)
        except (RequestException, HTTPError, OSError) as trouble:
            never_left = _never_left(trouble)
        if never_left is not None:
            self.judge.break_off(call.path, never_left=never_left)
        self.judge.check_status(call.path, raw.status)
        return raw.body

    def _send_call(self, call: ApiCall, left: float, until: float) -> _Raw:
        body = None if call.body is None else encode_body(call.body)
        files = None
        if call.upload is not None:
            sent = call.upload
            files = {"media": (sent.name, sent.content, sent.content_type)}
        with self._session.request(
            call.method,
            f"{self.base}{call.path}",
            params=dict(call.params),
            data=body,
            files=files,
            headers={"Content-Type": "application/json"} if body is not None else None,
            timeout=Timeout(connect=self.patience.connect_seconds, total=left),  # type: ignore[arg-type]
            allow_redirects=False,
            stream=True,
        ) as response:
            return _Raw(response.status_code, self._read_content(response, until))

    def _read_content(self, response: requests.Response, until: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := response.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > ANSWER_LIMIT or self._clock.monotonic() > until:
                raise requests.exceptions.ReadTimeout
        return b"".join(pieces)


def encode_body(body: Mapping[str, object]) -> bytes:
    """The JSON of a body, in UTF-8: WeChat refuses or displays `\\u` escapes of Chinese."""
    return msgspec.json.encode(body)


def _open_session(adapter: BaseAdapter | None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    mounted = adapter or WatchedAdapter(pool_connections=4, pool_maxsize=POOL, max_retries=0)
    session.mount("https://", mounted)
    session.mount("http://", mounted)
    return session


def _never_left(trouble: Exception) -> bool:
    """Whether a call broke off before it had a connection."""
    if isinstance(trouble, _NEVER_LEFT):
        return True
    reason = getattr(trouble.args[0], "reason", None) if trouble.args else None
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


class _NoAddresses(logging.Filter):
    """Drops debug lines of the HTTP library, which contain complete addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


_NO_ADDRESSES = _NoAddresses()


def _hush_addresses() -> None:
    # addFilter ignores a filter that is already present.
    logging.getLogger("urllib3.connectionpool").addFilter(_NO_ADDRESSES)
