"""A running emulator, a server that it can push to, and a way to call its API."""

from __future__ import annotations

import json
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from server.emulator.apps import MINI, OFFICIAL
from server.emulator.testing import Emulator, emulated_wechat

# The product's own, beside which the emulator has samples.
TEMPLATES = Path(__file__).resolve().parents[2] / "config" / "wechat-templates.json"


class Time:
    """The real clock of a test: it stands until told otherwise."""

    def __init__(self) -> None:
        self.at = 1_780_000_000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Push:
    """One request that the emulator made."""

    method: str
    path: str
    query: dict[str, str]
    body: str
    mime: str


@dataclass
class Receiver:
    """A tiny server for callbacks; `answer` decides what each push gets."""

    answer: Callable[[Push], tuple[int, bytes] | None] = field(
        default=lambda push: (200, b"success")
    )
    pushes: list[Push] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    first_half: bytes = b""
    url: str = ""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            parts = urllib.parse.urlsplit(self.path)
            push = Push(
                self.command,
                parts.path,
                dict(urllib.parse.parse_qsl(parts.query)),
                self.rfile.read(length).decode(),
                self.headers.get("Content-Type", ""),
            )
            receiver.pushes.append(push)
            answer = receiver.answer(push)
            if answer is None:
                # Hold the answer back, or its second half, until the test is over.
                if receiver.first_half:
                    self.wfile.write(receiver.first_half)
                receiver.released.wait(30)
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    thread = threading.Thread(target=lambda: server.serve_forever(0.02))
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    yield receiver
    receiver.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def time_now() -> Time:
    return Time()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def wechat(receiver: Receiver, time_now: Time, pauses: list[float]) -> Iterator[Emulator]:
    with emulated_wechat(
        server=receiver.url,
        clock=time_now,
        deadline_s=20.0,
        pause=pauses.append,
        templates=TEMPLATES,
    ) as emulator:
        yield emulator


@pytest.fixture
def hasty(receiver: Receiver) -> Iterator[Emulator]:
    """An emulator that waits a fifth of a second for an answer: for tests of none coming."""
    with emulated_wechat(server=receiver.url, deadline_s=0.2) as emulator:
        yield emulator


@dataclass
class Api:
    """Calls WeChat's API as a server would."""

    emulator: Emulator

    def token(self, account: str = OFFICIAL) -> str:
        return str(self.stable(account)["access_token"])

    def stable(self, account: str = OFFICIAL, **more: Any) -> dict[str, Any]:
        app = self.emulator.apps[account]
        return self.post(
            "/cgi-bin/stable_token",
            {
                "grant_type": "client_credential",
                "appid": app.appid,
                "secret": app.secret,
                **more,
            },
        )

    def normal(self, account: str = OFFICIAL, **more: str) -> dict[str, Any]:
        app = self.emulator.apps[account]
        credentials = {"appid": app.appid, "secret": app.secret, **more}
        return self.get("/cgi-bin/token", grant_type="client_credential", **credentials)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.raw(path, None, **query)[1])
        return answer

    def post(self, path: str, body: Any, **query: str) -> dict[str, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        answer: dict[str, Any] = json.loads(self.raw(path, raw, **query)[1])
        return answer

    def raw(self, path: str, body: bytes | None, **query: str) -> tuple[str, bytes]:
        url = f"{self.emulator.api_base}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(urllib.request.Request(url, data=body)) as answer:
            return answer.headers["Content-Type"], answer.read()

    def official(self, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        """A call with the official account's token: POST when there is a body."""
        query["access_token"] = self.token(OFFICIAL)
        return self.get(path, **query) if body is None else self.post(path, body, **query)

    def mini(self, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        """The same with the mini-program's."""
        query["access_token"] = self.token(MINI)
        return self.get(path, **query) if body is None else self.post(path, body, **query)


@pytest.fixture
def api(wechat: Emulator) -> Api:
    return Api(wechat)
