"""Made-up people who use the running demo over HTTP, many at once, as phones would."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from server.base.clock import Clock

# Connections at once; more would only queue in the server.
MOST_AT_ONCE = 64
_PATIENCE_SECONDS = 60.0
# The server closes idle connections after some seconds, and a request must not meet that moment.
_KEPT_SECONDS = 2.0
# Log-ins at once: each one makes the server call WeChat, and it limits these calls.
_LOGGING_IN = 8
_TRIES, _PAUSE_SECONDS = 20, 1.0
# The status of an answer after which a phone asks again.
BUSY = 503
# People that the emulated WeChat creates in one call.
_PART = 500
Item = TypeVar("Item")
Result = TypeVar("Result")
# Called after each finished item: the number of finished items, and of all.
Progress = Callable[[int, int], None]


class DemoAway(Exception):
    """The demo does not answer; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class CrowdAnswer:
    """Status and body of a response."""

    status: int
    body: Any


@dataclass
class _KeptLine:
    """A connection of one thread, opened again when it was idle for long."""

    connection: http.client.HTTPConnection
    used_at: float = 0.0


@dataclass
class Crowd:
    """The demo that people use, and their connections to it."""

    server: str
    emulator: str
    clock: Clock
    _own: threading.local = field(default_factory=threading.local)
    _opened: list[http.client.HTTPConnection] = field(default_factory=list)

    @classmethod
    def of_folder(cls, var: Path, clock: Clock) -> Crowd:
        """The crowd of the demo that runs on a folder.

        Raises: DemoAway.
        """
        try:
            told = json.loads((var / "addresses.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DemoAway(f"no demo has run on {var}; start one with `make run`") from None
        return cls(server=told["server"], emulator=told["emulator"], clock=clock)

    def ask_server(
        self, method: str, path: str, body: object = None, token: str | None = None
    ) -> CrowdAnswer:
        """One request to the citizen API.

        Raises: DemoAway.
        """
        return self._ask_address(self.server, method, f"/api/v1{path}", body, token)

    def log_in(self, number: int, seed: str, progress: Progress) -> list[str]:
        """Create people in the emulated WeChat, log them in and let them agree; their tokens.

        Raises: DemoAway.
        """
        made: list[str] = []
        for first in range(0, number, _PART):
            wished = [{"name": f"听众{n + 1}"} for n in range(first, min(number, first + _PART))]
            body = {"seed": seed, "first": first, "people": wished}
            answer = self._ask_address(self.emulator, "POST", "/_emu/population", body)
            made += [one["person"] for one in answer.body["items"]]
        return self.do_for_each(made, self._log_in_one, progress, at_once=_LOGGING_IN)

    def do_for_each(
        self,
        items: Sequence[Item],
        act: Callable[[Item], Result],
        progress: Progress,
        *,
        at_once: int = MOST_AT_ONCE,
    ) -> list[Result]:
        """Run a function for each item, several at once; the results in their order."""
        with ThreadPoolExecutor(at_once) as pool:
            begun = [pool.submit(act, one) for one in items]
            for done, _ in enumerate(_yield_finished(begun), 1):
                progress(done, len(begun))
        self.close_lines()
        return [one.result() for one in begun]

    def close_lines(self) -> None:
        """Close the connections of all threads, which must be idle."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._own = threading.local()

    def _log_in_one(self, person: str) -> str:
        login = self._expect_status(self._try_log_in(person), 200)
        token = str(login["token"])
        consent = {
            "policy_version": login["citizen"]["policy_version"],
            "guardian": False,
            "under_14": False,
        }
        self._expect_status(self.ask_server("POST", "/me/consents", consent, token), 201)
        return token

    def _try_log_in(self, person: str) -> CrowdAnswer:
        """Log in, again after a pause while the server is busy, as a phone does."""
        pause = threading.Event()
        for _ in range(_TRIES):
            made = self._ask_address(self.emulator, "POST", "/_emu/login_code", {"person": person})
            answer = self.ask_server("POST", "/login", {"code": made.body["code"]})
            if answer.status != BUSY:
                break
            pause.wait(_PAUSE_SECONDS)
        return answer

    def _expect_status(self, answer: CrowdAnswer, status: int) -> Any:
        if answer.status != status:
            raise DemoAway(f"the server refused a log-in: {answer.status} {answer.body}")
        return answer.body

    def _ask_address(
        self, address: str, method: str, path: str, body: object = None, token: str | None = None
    ) -> CrowdAnswer:
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        line = self._line_to(address)
        content = None if body is None else json.dumps(body)
        try:
            line.connection.request(method, path, content, headers)
            response = line.connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as trouble:
            line.connection.close()
            reason = type(trouble).__name__
            raise DemoAway(f"{address} does not answer ({reason}); does the demo run?") from None
        line.used_at = self.clock.monotonic()
        return CrowdAnswer(status=response.status, body=json.loads(raw) if raw else None)

    def _line_to(self, address: str) -> _KeptLine:
        lines: dict[str, _KeptLine] = self._own.__dict__.setdefault("lines", {})
        line = lines.get(address)
        now = self.clock.monotonic()
        if line is not None and now - line.used_at > _KEPT_SECONDS:
            line.connection.close()
            line = None
        if line is None:
            host = urlsplit(address).netloc
            line = _KeptLine(http.client.HTTPConnection(host, timeout=_PATIENCE_SECONDS), now)
            lines[address] = line
            self._opened.append(line.connection)
        return line


def _yield_finished(begun: Sequence[Future[Result]]) -> Iterator[Future[Result]]:
    """Results as the calls end; at the first failure calls that have not begun are cancelled."""
    for one in as_completed(begun):
        trouble = one.exception()
        if trouble is not None:
            for other in begun:
                other.cancel()
            raise trouble
        yield one
