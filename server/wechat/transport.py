"""HTTP to WeChat's API host: limited in time and size, strict parsing, secrets never logged.

Addresses and bodies contain AppSecrets, tokens and codes. No exception or log line of this file
includes them; errors are raised outside of `except`, so that they keep no context with them. There
are no retries here: only the caller knows what may be repeated.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn

import requests
from requests.adapters import BaseAdapter
from requests.exceptions import RequestException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util import Timeout

from server.base.clock import Clock
from server.wechat.bulkhead import Bulkhead
from server.wechat.callback.documents import read_answer
from server.wechat.deadline_adapter import WatchedAdapter
from server.wechat.errors import CallInDoubt, NotSent, Unclassified, WeChatError, error_of

_log = logging.getLogger(__name__)

Count = Callable[[str, str], None]
Alarm = Callable[[str], None]

POOL = 32
ANSWER_LIMIT = 4 * 1024 * 1024
_PIECE = 64 * 1024
_RID = re.compile(r"rid: ([0-9a-zA-Z-]{1,64})")
_FIELD = re.compile(r"\bdata\.(\w{1,32})\.value")
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


class Breaker:
    """Circuit breaker: opens after consecutive failures; later lets a single call try."""

    def __init__(self, clock: Clock, *, failures: int = 5, pause_seconds: float = 30.0) -> None:
        self._clock = clock
        self._limit = failures
        self._pause = pause_seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._shut_until = 0.0

    def admits_call(self) -> bool:
        """Whether a call may be made now."""
        with self._lock:
            if self._failures < self._limit:
                return True
            now = self._clock.monotonic()
            if now < self._shut_until:
                return False
            self._shut_until = now + self._pause
            return True

    def is_closed(self) -> bool:
        """Whether calls are admitted without restriction."""
        with self._lock:
            return self._failures < self._limit

    def record_result(self, worked: bool) -> None:
        """Record the result of a call."""
        with self._lock:
            if worked:
                self._failures = 0
                return
            self._failures += 1
            if self._failures >= self._limit:
                self._shut_until = self._clock.monotonic() + self._pause


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
        self._base = base.rstrip("/")
        self._clock = clock
        self._patience = patience
        self._count = count
        self._breaker = Breaker(clock)
        self._bulkhead = Bulkhead(patience.calls_at_once, patience.place_seconds)
        self._session = _open_session(adapter)
        _hush_addresses()

    def new_deadline(self) -> float:
        """The deadline, on the monotonic clock, of a call that begins now."""
        return self._clock.monotonic() + self.total_seconds

    def is_available(self) -> bool:
        """Whether the circuit breaker is closed."""
        return self._breaker.is_closed()

    @contextmanager
    def place_for(self, path: str) -> Iterator[None]:
        """Hold one of the slots for calls, for all attempts of a call together.

        Raises: NotSent (503) when none becomes free in time.
        """
        with ExitStack() as held:
            try:
                held.enter_context(self._bulkhead.hold_place())
            except NotSent:
                self._count(path, "no_place")
                raise
            yield

    def rest_briefly(self) -> None:
        """Wait a moment before the retry after a busy response."""
        time.sleep(self._patience.rest_seconds)

    def call_api(self, call: ApiCall, until: float) -> dict[str, Any]:
        """Make a call and return its response, an object without an error.

        Raises: WeChatError of the class for the errcode or the failure.
        """
        raw = self._exchange_call(call, until)
        return self._judge_answer(call, _parse_object(raw.body))

    def fetch_picture(self, call: ApiCall, until: float) -> bytes:
        """Make a call and return its picture.

        Raises: WeChatError as `call_api`.
        """
        raw = self._exchange_call(call, until)
        if raw.body.startswith(_PICTURES):
            self._note_outcome(call, "ok", worked=True)
            return raw.body
        answer = _parse_object(raw.body)
        # Neither a picture nor an error: whether WeChat did its work is unknown, so it is in doubt.
        self._judge_answer(call, answer if answer and answer.get("errcode") else None)
        raise CallInDoubt

    def _exchange_call(self, call: ApiCall, until: float) -> _Raw:
        left = until - self._clock.monotonic()
        if left <= 0 or not self._breaker.admits_call():
            self._count(call.path, "not_asked")
            raise NotSent
        failure: WeChatError | None = None
        raw = _Raw(0, b"")
        try:
            raw = self._send_call(call, left, until)
        except (RequestException, HTTPError, OSError) as trouble:
            failure = _error_of(trouble)
        if failure is not None:
            self._fail_call(call, failure.kind if failure.kind != "retry" else "away", failure)
        if raw.status >= 500:
            self._fail_call(call, f"http_{raw.status}", CallInDoubt())
        if raw.status != 200:
            self._fail_call(call, f"http_{raw.status}", Unclassified())
        return raw

    def _send_call(self, call: ApiCall, left: float, until: float) -> _Raw:
        body = None
        if call.body is not None:
            # Unescaped UTF-8: WeChat refuses or displays `\u` escapes of Chinese.
            body = json.dumps(call.body, ensure_ascii=False).encode()
        files = None
        if call.upload is not None:
            sent = call.upload
            files = {"media": (sent.name, sent.content, sent.content_type)}
        with self._session.request(
            call.method,
            f"{self._base}{call.path}",
            params=dict(call.params),
            data=body,
            files=files,
            headers={"Content-Type": "application/json"} if body is not None else None,
            timeout=Timeout(connect=self._patience.connect_seconds, total=left),  # type: ignore[arg-type]
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

    def _judge_answer(self, call: ApiCall, answer: dict[str, Any] | None) -> dict[str, Any]:
        errcode = answer.get("errcode", 0) if answer is not None else None
        if answer is None or not isinstance(errcode, int) or isinstance(errcode, bool):
            self._fail_call(call, "garbled", CallInDoubt())
        if errcode == 0:
            self._note_outcome(call, "ok", worked=True)
            return answer
        self._note_outcome(call, str(errcode), worked=True)
        text = str(answer.get("errmsg", ""))
        rid, place = _RID.search(text), _FIELD.search(text)
        error = error_of(
            errcode,
            rid=rid.group(1) if rid else "",
            field=place.group(1) if place else "",
            message_id=str(answer.get("msg_id", "")),
        )
        _log.info(
            "wechat refused",
            extra={"path": call.path, "errcode": errcode, "rid": error.rid},
        )
        raise error

    def _fail_call(self, call: ApiCall, outcome: str, error: WeChatError) -> NoReturn:
        self._note_outcome(call, outcome, worked=False)
        _log.warning("wechat failed", extra={"path": call.path, "outcome": outcome})
        raise error

    def _note_outcome(self, call: ApiCall, outcome: str, *, worked: bool) -> None:
        self._breaker.record_result(worked)
        self._count(call.path, outcome)


def _open_session(adapter: BaseAdapter | None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    mounted = adapter or WatchedAdapter(pool_connections=4, pool_maxsize=POOL, max_retries=0)
    session.mount("https://", mounted)
    session.mount("http://", mounted)
    return session


def _error_of(trouble: Exception) -> WeChatError:
    """The error of a call that broke off: whether it may have reached WeChat."""
    if isinstance(trouble, _NEVER_LEFT):
        return NotSent()
    reason = getattr(trouble.args[0], "reason", None) if trouble.args else None
    if isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return NotSent()
    return CallInDoubt()


def _parse_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = read_answer(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class _NoAddresses(logging.Filter):
    """Drops debug lines of the HTTP library, which contain complete addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


_NO_ADDRESSES = _NoAddresses()


def _hush_addresses() -> None:
    # addFilter ignores a filter that is already present.
    logging.getLogger("urllib3.connectionpool").addFilter(_NO_ADDRESSES)
