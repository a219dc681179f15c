"""The access token of one app: requested once for all processes, never replaced by an older one.

Every process caches it for a moment; between processes the record in Redis is authoritative.
Without Redis each process requests its own, which the stable-token endpoint allows.
Source: "get a stable interface call credential".
"""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from server.base.clock import Clock
from server.base.redis.client import RedisUnavailable
from server.base.redis.lock import Lock
from server.base.redis.shared import Shared
from server.wechat.errors import (
    CallInDoubt,
    ConfigWrong,
    NotSent,
    QuotaSpent,
    SlowDown,
    TokenRefused,
    TryLater,
    WeChatAway,
    WeChatError,
)
from server.wechat.transport import ApiCall, Transport

_log = logging.getLogger(__name__)

PATH = "/cgi-bin/stable_token"
LIFE_SECONDS = 7200
# WeChat issues the next token in the last five minutes of the current one.
EARLY_SECONDS = 240
STOP_SECONDS = 300.0
FORCE_EVERY_SECONDS = 600
_REREAD_SECONDS = 5.0
_POLL_SECONDS = 0.05
_TRIES_WHEN_BUSY = 3
_TOKEN = re.compile(r"[\x21-\x7e]{1,2048}")


class Credentials(Protocol):
    """The credentials for requesting a token."""

    @property
    def appid(self) -> str: ...
    @property
    def secret(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token. Units: milliseconds since the epoch; `expires_ms` is rounded to the safe side."""

    value: str = field(repr=False)
    asked_ms: int
    expires_ms: int


class _Flight:
    """One token request of this process, shared by concurrent callers."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.token: Token | None = None
        self.error: WeChatError | None = None


class TokenService:
    """The tokens of one app for this process, coordinated with all other processes.

    Units: `pause` sleeps this many seconds between two looks at another process's request.
    """

    def __init__(
        self,
        app: Credentials,
        transport: Transport,
        shared: Shared,
        lock: Lock,
        clock: Clock,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._app = app
        self._transport = transport
        self._shared = shared
        self._lock = lock
        self._clock = clock
        self._pause = pause
        self._guard = threading.Lock()
        self._kept: Token | None = None
        self._kept_at = 0.0
        self._flight: _Flight | None = None
        self._stopped_until = 0.0
        self._stopped_by: WeChatError | None = None
        self._forced_at: float | None = None
        self._without_successor = ""
        self._without_successor_until = 0.0
        self._name = f"wechat-token:{app.appid}"

    def valid_token(self, until: float | None = None) -> str:
        """A token that is valid for at least some minutes.

        Units: `until` is the caller's deadline on the monotonic clock.
        Raises: WeChatAway when there is none.
        """
        kept = self._kept
        if kept is not None and self._is_alive(kept) and not self._must_reread():
            return kept.value
        stored = self._stored_token()
        if stored is not None and self._is_alive(stored):
            return self._keep_token(stored).value
        if kept is not None and self._is_alive(kept):
            return self._keep_token(kept).value
        old = next((t for t in (stored, kept) if t is not None and self._seconds_left(t) > 0), None)
        try:
            return self._renewed_token(None, old, until or self._transport.new_deadline()).value
        except WeChatError:
            if old is None or self._seconds_left(old) <= 0:
                raise
            return old.value

    def replace_refused(self, value: str, until: float | None = None) -> str:
        """Replace a token that WeChat refused.

        Raises: WeChatAway when there is none.
        """
        stored = self._stored_token() or self._kept
        if stored is not None and stored.value != value and self._is_alive(stored):
            return self._keep_token(stored).value
        return self._renewed_token(value, None, until or self._transport.new_deadline()).value

    def probe_token(self) -> None:
        """Request WeChat's current token, ignoring caches; changes nothing.

        Raises: WeChatError when WeChat returns none.
        """
        self._request_token(self._transport.new_deadline(), force=False)

    def age_seconds(self) -> float | None:
        """Age of the current token; None without one."""
        token = self._stored_token() or self._kept
        return None if token is None else max(0.0, (self._now_ms() - token.asked_ms) / 1000)

    def _renewed_token(self, refused: str | None, old: Token | None, until: float) -> Token:
        """The result of this process's single token request, started here or already running."""
        while True:
            with self._guard:
                flight, mine = self._flight, self._flight is None
                if flight is None:
                    flight = self._flight = _Flight()
            if mine:
                self._finish_flight(flight, refused, until)
            elif old is not None:
                return old
            elif not flight.landed.wait(max(0.0, until - self._clock.monotonic())):
                raise WeChatAway
            if flight.token is None:
                raise _without_traceback(flight.error or WeChatAway())
            # A request already running for another reason may return the refused token again.
            if flight.token.value != refused or mine:
                return flight.token

    def _finish_flight(self, flight: _Flight, refused: str | None, until: float) -> None:
        try:
            flight.token = self._keep_token(self._agree_on_token(refused, until))
        except WeChatError as error:
            flight.error = error
        finally:
            with self._guard:
                self._flight = None
            flight.landed.set()

    def _agree_on_token(self, refused: str | None, until: float) -> Token:
        """A token shared by all processes: requested here, or by another process meanwhile."""
        lease = self._transport.total_seconds + 2.0
        while True:
            stored = self._stored_token()
            known = self._usable_token(refused, stored, self._kept)
            if known is not None:
                return known
            try:
                with self._lock.hold_lock(self._name, lease) as ours:
                    if ours:
                        # Another process may have renewed it between the first read and the lock.
                        stored = self._stored_token()
                        known = self._usable_token(refused, stored)
                        return known or self._ask_and_publish(refused, stored, until)
            except RedisUnavailable:
                return self._ask_and_publish(refused, self._kept, until)
            if refused is None and stored is not None and self._seconds_left(stored) > 0:
                return stored
            if self._clock.monotonic() >= until:
                raise WeChatAway
            self._pause(_POLL_SECONDS)

    def _ask_and_publish(self, refused: str | None, before: Token | None, until: float) -> Token:
        self._check_stop()
        self._check_successor(refused)
        try:
            token = self._request_token(until, force=False)
            if token.value == refused:
                token = self._forced_successor(refused, until)
        except (ConfigWrong, TokenRefused, QuotaSpent, SlowDown) as error:
            raise self._stop_asking(error) from None
        return self._publish_token(token, before)

    def _forced_successor(self, refused: str, until: float) -> Token:
        """Force a successor; without one, no caller asks again before the pause is over."""
        try:
            return self._force_token(refused, until)
        except TryLater as error:
            self._without_successor = refused
            self._without_successor_until = self._clock.monotonic() + error.after_seconds
            raise

    def _force_token(self, refused: str, until: float) -> Token:
        """Force a new token, when WeChat refuses the one that it still returns.

        Units: at most one in ten minutes; WeChat allows twenty a day.
        """
        name = f"{self._name}:forced"
        now = self._clock.monotonic()
        if self._forced_at is not None and now - self._forced_at < FORCE_EVERY_SECONDS:
            raise TryLater(60)
        try:
            if self._shared.get_json(name) is not None:
                raise TryLater(60)
            self._shared.set_json(name, True, FORCE_EVERY_SECONDS)
        except RedisUnavailable:
            _log.warning("token forced without coordination")
        self._forced_at = now
        self._transport.alarm("token_forced")
        token = self._request_token(until, force=True)
        if token.value == refused:
            raise TryLater(60)
        return token

    def _request_token(self, until: float, *, force: bool) -> Token:
        call = ApiCall(
            method="POST",
            path=PATH,
            body={
                "grant_type": "client_credential",
                "appid": self._app.appid,
                "secret": self._app.secret,
                "force_refresh": force,
            },
        )
        for left in range(_TRIES_WHEN_BUSY, 0, -1):
            asked_ms = self._now_ms()
            try:
                return _token_from_answer(self._transport.call_api(call, until), asked_ms)
            except TryLater as busy:
                if isinstance(busy, SlowDown) or left == 1:
                    raise
            self._pause(_POLL_SECONDS * 2 * (_TRIES_WHEN_BUSY + 1 - left))
        raise NotSent

    def _publish_token(self, token: Token, before: Token | None) -> Token:
        """Store the token in Redis, unless a later one is stored there."""
        version = token.expires_ms
        if before is not None:
            # The previous token is useless, so its successor must get a higher version, whatever
            # the clocks say.
            version = max(version, before.expires_ms + 1)
        record = {"token": token.value, "asked_ms": token.asked_ms, "expires_ms": token.expires_ms}
        try:
            if not self._shared.compare_and_set_newer(self._name, record, version, LIFE_SECONDS):
                stored = self._stored_token()
                if stored is not None and self._is_alive(stored):
                    return stored
        except RedisUnavailable:
            _log.warning("token not shared, redis is unavailable")
        return token

    def _check_stop(self) -> None:
        if self._stopped_by is not None and self._clock.monotonic() < self._stopped_until:
            raise _without_traceback(self._stopped_by)

    def _check_successor(self, refused: str | None) -> None:
        left = self._without_successor_until - self._clock.monotonic()
        if refused == self._without_successor and left > 0:
            # Otherwise every call with this token would cause a request for another one.
            raise TryLater(math.ceil(left))

    def _stop_asking(self, error: WeChatError) -> WeChatError:
        seconds = 60.0 if isinstance(error, SlowDown) else STOP_SECONDS
        if isinstance(error, TokenRefused):
            # At this endpoint "wrong token" means a wrong AppSecret.
            error = ConfigWrong(errcode=error.errcode, rid=error.rid)
        self._stopped_by, self._stopped_until = error, self._clock.monotonic() + seconds
        if not isinstance(error, SlowDown):
            self._transport.alarm(f"token_{error.kind}")
        _log.error("token request refused", extra={"errcode": error.errcode, "rid": error.rid})
        return error

    def _stored_token(self) -> Token | None:
        try:
            return _from_record(self._shared.get_json(self._name))
        except RedisUnavailable:
            return None

    def _keep_token(self, token: Token) -> Token:
        with self._guard:
            self._kept, self._kept_at = token, self._clock.monotonic()
        return token

    def _must_reread(self) -> bool:
        return self._clock.monotonic() - self._kept_at >= _REREAD_SECONDS

    def _usable_token(self, refused: str | None, *tokens: Token | None) -> Token | None:
        for token in tokens:
            if token is not None and token.value != refused and self._is_alive(token):
                return token
        return None

    def _is_alive(self, token: Token) -> bool:
        # A clock that was set back must not extend a token's life.
        return EARLY_SECONDS <= self._seconds_left(token) <= LIFE_SECONDS + EARLY_SECONDS

    def _seconds_left(self, token: Token) -> float:
        return (token.expires_ms - self._now_ms()) / 1000

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _token_from_answer(answer: dict[str, Any], asked_ms: int) -> Token:
    value, seconds = answer.get("access_token"), answer.get("expires_in")
    good = isinstance(value, str) and _TOKEN.fullmatch(value) is not None
    # bool is an int: `true` would count as one second.
    if not good or type(seconds) is not int or seconds <= 0:
        raise CallInDoubt
    # A longer life than documented is capped, not refused.
    life = timedelta(seconds=min(seconds, LIFE_SECONDS))
    expires_ms = asked_ms + life // timedelta(milliseconds=1)
    return Token(value=str(value), asked_ms=asked_ms, expires_ms=expires_ms)


def _from_record(record: object) -> Token | None:
    if not isinstance(record, dict):
        return None
    value, asked, expires = (record.get(name) for name in ("token", "asked_ms", "expires_ms"))
    if not (isinstance(value, str) and isinstance(asked, int) and isinstance(expires, int)):
        return None
    return Token(value=value, asked_ms=asked, expires_ms=expires)


def _without_traceback(error: WeChatError) -> WeChatError:
    # The same error is raised in many threads; each raise would extend its traceback.
    return error.with_traceback(None)
