"""WeChat's API as a script: an HTTP adapter that says what a test wants and remembers calls."""

from __future__ import annotations

import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.response import HTTPResponse

from server.base.redis.client import create_client
from server.base.redis.facilities import create_facilities
from server.wechat.authorized_client import AuthorizedClient
from server.wechat.http_gateway import HttpGateway
from server.wechat.tokens import PATH as TOKEN_PATH
from server.wechat.tokens import TokenService
from server.wechat.transport import Patience, Transport
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import Heard, an_app

LOGIN, CHECK = "/sns/jscode2session", "/wxa/msg_sec_check"
SEND, INFO = "/cgi-bin/message/custom/send", "/cgi-bin/user/info"
SECRET = "s" * 32
RID = "rid: 6531f0a1-2b7c3d4e-5f6a7b8c"

Said = Any


class Seen:
    """One request that reached the script."""

    def __init__(self, request: requests.PreparedRequest) -> None:
        address = urlsplit(request.url or "")
        self.method = request.method
        self.host = address.netloc
        self.path = address.path.removeprefix("/api")
        self.query = {k: v[0] for k, v in parse_qs(address.query).items()}
        self.raw = request.body or b""
        self.body = json.loads(self.raw) if self.raw[:1] == b"{" else None


class Script(BaseAdapter):
    """Answers by path. An answer is an object, an errcode, bytes, an exception or a function.

    A list is used up one by one, its last entry stays.
    """

    def __init__(self, clock: FakeClock, answers: Mapping[str, Said] | None = None) -> None:
        super().__init__()
        self.clock = clock
        self.answers = dict(answers or {})
        self.seen: list[Seen] = []
        self.tokens = 0
        self.lock = threading.Lock()

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        seen = Seen(request)
        with self.lock:
            self.seen.append(seen)
            said = self.answers.get(seen.path, self._token if seen.path == TOKEN_PATH else 404)
            if isinstance(said, list):
                said = said.pop(0) if len(said) > 1 else said[0]
        if callable(said) and not isinstance(said, type):
            said = said(seen)
        if isinstance(said, Exception):
            # As the real library does, with the whole address in the message.
            said.args = (*said.args, request.url, request.body)
            raise said
        return self._response(request, said)

    def close(self) -> None:
        """Nothing is open."""

    def count(self, path: str) -> int:
        return Counter(seen.path for seen in self.seen)[path]

    def _token(self, seen: Seen) -> dict[str, object]:
        with self.lock:
            self.tokens += 1 if seen.body["force_refresh"] or not self.tokens else 0
            return {"access_token": f"token-{self.tokens}", "expires_in": 7200}

    def _response(self, request: requests.PreparedRequest, said: Said) -> requests.Response:
        status = 200
        if isinstance(said, tuple):
            status, said = said
        if isinstance(said, int):
            said = {"errcode": said, "errmsg": f"secret words {RID}"}
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        response = requests.Response()
        response.status_code = status
        response.url = request.url or ""
        response.request = request
        response.raw = HTTPResponse(io.BytesIO(body), status=status, preload_content=False)
        return response


class Bench:
    """A gateway over a script, as one process of a fleet."""

    def __init__(
        self,
        clock: FakeClock,
        script: Script,
        *,
        kv: str = "fake:bench",
        pause: Callable[[float], None] | None = None,
        patience: Patience | None = None,
        base: str = "http://wechat.test/api",
    ) -> None:
        self.clock = clock
        self.script = script
        self.counted = Heard()
        self.alarms = Heard()
        self.app = an_app(secret=SECRET)
        self.facilities = create_facilities(create_client(kv, None, clock), clock)  # type: ignore[arg-type]
        self.transport = Transport(
            base,
            clock,
            patience=patience or Patience(rest_seconds=0),
            count=self.counted,
            alarm=self.alarms,
            adapter=script,
        )
        self.tokens = TokenService(
            self.app,
            self.transport,
            self.facilities.shared,
            self.facilities.lock,
            clock,
            pause=pause or clock.advance,
        )
        self.open_transactions: list[str] = []
        calls = AuthorizedClient(self.transport, self.tokens)
        self.gateway = HttpGateway(
            self.transport,
            self.app,
            {"official_account": calls, "mini_program": calls},
            official_appid=self.app.appid,
            mp_base="http://wechat.test/mpweb",
            outside_transaction=self._outside,
        )

    @property
    def outcomes(self) -> list[tuple[Any, ...]]:
        return self.counted.told

    @property
    def alarmed(self) -> list[str]:
        return [what for (what,) in self.alarms.told]

    def _outside(self) -> None:
        if self.open_transactions:
            raise RuntimeError("a transaction is open")
