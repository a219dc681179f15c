"""The meaning of WeChat's answers and of broken calls; one place for every kind of client.

A call that never got a connection was not sent. After that, only a complete answer removes the
doubt: a time-out, a broken connection, a server error or another service's page may follow a call
that WeChat executed.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from server.base.clock import Clock
from server.wechat.callback.documents import read_answer
from server.wechat.errors import CallInDoubt, NotSent, Unclassified, WeChatError, error_of

_log = logging.getLogger(__name__)

Count = Callable[[str, str], None]

_RID = re.compile(r"rid: ([0-9a-zA-Z-]{1,64})")
_FIELD = re.compile(r"\bdata\.(\w{1,32})\.value")


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


class Judge:
    """Decides what came of a call, and counts it; thread-safe.

    Units: `count` receives path and outcome of every call.
    """

    def __init__(self, clock: Clock, count: Count) -> None:
        self.count = count
        self.breaker = Breaker(clock)

    def admit_call(self, path: str, seconds_left: float) -> None:
        """Refuse a call whose time is over, and every call while WeChat fails.

        Raises: NotSent.
        """
        if seconds_left <= 0 or not self.breaker.admits_call():
            self.count(path, "not_asked")
            raise NotSent

    def break_off(self, path: str, *, never_left: bool) -> NoReturn:
        """Judge a call without a complete answer; `never_left` when no connection was made.

        Raises: NotSent or CallInDoubt.
        """
        error = NotSent() if never_left else CallInDoubt()
        self._fail_call(path, "away" if never_left else error.kind, error)

    def check_status(self, path: str, status: int) -> None:
        """Judge the HTTP status of an answer; errors of WeChat have the status 200.

        Raises: CallInDoubt, Unclassified.
        """
        if status >= 500:
            self._fail_call(path, f"http_{status}", CallInDoubt())
        if status != 200:
            self._fail_call(path, f"http_{status}", Unclassified())

    def judge_body(self, path: str, body: bytes) -> dict[str, Any]:
        """Judge the body of an answer; return its object without an error.

        Raises: WeChatError of the class for the errcode, CallInDoubt for anything else.
        """
        return self.judge_answer(path, parse_object(body))

    def judge_answer(self, path: str, answer: dict[str, Any] | None) -> dict[str, Any]:
        """Judge a parsed answer, None for no object; as `judge_body`."""
        errcode = answer.get("errcode", 0) if answer is not None else None
        if answer is None or not isinstance(errcode, int) or isinstance(errcode, bool):
            self._fail_call(path, "garbled", CallInDoubt())
        if errcode == 0:
            self.note_outcome(path, "ok", worked=True)
            return answer
        self.note_outcome(path, str(errcode), worked=True)
        text = str(answer.get("errmsg", ""))
        rid, place = _RID.search(text), _FIELD.search(text)
        error = error_of(
            errcode,
            rid=rid.group(1) if rid else "",
            field=place.group(1) if place else "",
            message_id=str(answer.get("msg_id", "")),
        )
        _log.info("wechat refused", extra={"path": path, "errcode": errcode, "rid": error.rid})
        raise error

    def note_outcome(self, path: str, outcome: str, *, worked: bool) -> None:
        """Count an outcome; `worked` when WeChat answered in its protocol."""
        self.breaker.record_result(worked)
        self.count(path, outcome)

    def _fail_call(self, path: str, outcome: str, error: WeChatError) -> NoReturn:
        self.note_outcome(path, outcome, worked=False)
        _log.warning("wechat failed", extra={"path": path, "outcome": outcome})
        raise error


def parse_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object of an answer; None for anything else."""
    try:
        found = read_answer(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
