"""The emulator inside a test: in this process, on a free loopback port, without files.

Imports nothing of the Bagui Kepu server, so that any WeChat project can use it.
"""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import sender as http
from . import templates as template_file
from .app import create_app
from .apps import OFFICIAL, App, from_file, new_apps, with_callbacks
from .clock import EmulatorClock
from .http_server import create_server
from .sender import Sender
from .state import Store
from .world import Settings, World


@dataclass(kw_only=True, eq=False)
class Emulator:
    """A running emulated WeChat, with a Python method for each control.

    Units: `clock` returns epoch seconds; `deadline_s` may be as low as 0.2. `registered` has the
    format of `demo-wechat.json`; `callback_of` maps an account to an address or path.
    """

    server: str = "http://127.0.0.1:9"
    clock: Callable[[], float] = time.time
    seed: int = 1
    registered: dict[str, Any] = field(default_factory=new_apps)
    templates: Path = template_file.SAMPLE
    callback_of: dict[str, str] = field(default_factory=dict)
    app_json: Path | None = None
    bundle: Path | None = None
    net: dict[str, str] = field(default_factory=dict)
    net_patience_s: float = 60.0
    deadline_s: float = 5.0
    attempts: int = 3
    sent_event_s: tuple[float, float] | None = None
    sender: Sender = http.send_request
    pause: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        settings = Settings(
            server=self.server,
            deadline_s=self.deadline_s,
            attempts=self.attempts,
            sent_event_s=self.sent_event_s,
            app_json=self.app_json,
            bundle=self.bundle,
            net=self.net,
            net_patience_s=self.net_patience_s,
        )
        self.world = World(
            settings=settings,
            store=Store(),
            clock=EmulatorClock(self.clock),
            chance=random.Random(self.seed),  # noqa: S311 - the same numbers in each run
            apps=with_callbacks(from_file(self.registered), self.callback_of),
            all_templates=template_file.load_templates(self.templates),
            sender=self.sender,
            pause=self.pause,
        )
        self._own = Served(create_app(self.world), "emulator")
        self._tested: list[Served] = []
        self.base = self._own.base

    def start_server(self) -> Emulator:
        """Start the server."""
        self._own.start_serving()
        return self

    def stop_servers(self) -> None:
        """Stop the servers, here and of the applications under test, and discard all data."""
        for served in (*self._tested, self._own):
            served.stop_serving()
        self.world.close_world()

    def serve_app(self, app: Any, callback: str | None = None, account: str = OFFICIAL) -> str:
        """Serve a WSGI application over HTTP, push to it from now on, and return its address.

        `callback` is the path of `account` there; None keeps the previous one.
        """
        served = Served(app, "application")
        self._tested.append(served)
        served.start_serving()
        self.push_to(served.base)
        if callback is not None:
            self.configure_apps(**{account: {"callback": callback}})
        return served.base

    def configure_apps(self, **settings: Any) -> dict[str, Any]:
        """Change console settings; the control address `apps` lists them."""
        return self.post_control("apps", **settings)

    @property
    def api_base(self) -> str:
        """The base address in place of https://api.weixin.qq.com."""
        return f"{self.base}/api"

    @property
    def mp_base(self) -> str:
        """The base address in place of https://mp.weixin.qq.com."""
        return f"{self.base}/mpweb"

    @property
    def apps(self) -> dict[str, App]:
        """The two registered apps, `official_account` and `mini_program`."""
        return self.world.apps

    def push_to(self, server: str) -> None:
        """Send pushes to this server from now on."""
        self.world.settings = replace(self.world.settings, server=server.rstrip("/"))

    def post_control(self, address: str, /, **body: Any) -> dict[str, Any]:
        """POST to a control address.

        Raises: ControlError for a refusal.
        """
        return self._ask_control(address, json.dumps(body, ensure_ascii=False).encode())

    def get_control(self, address: str) -> dict[str, Any]:
        """GET a control address."""
        return self._ask_control(address, None)

    def create_person(self, name: str = "Wei") -> dict[str, Any]:
        """Create a person."""
        return self.post_control("people", name=name)

    def follow_account(self, person: str, scene: str | None = None) -> list[dict[str, Any]]:
        """Follow the official account; return the attempts of the push."""
        return list(self.post_control("follow", person=person, scene=scene)["attempts"])

    def unfollow_account(self, person: str) -> list[dict[str, Any]]:
        """Unfollow; return the attempts of the push."""
        return list(self.post_control("unfollow", person=person)["attempts"])

    def say_text(self, person: str, content: str) -> list[dict[str, Any]]:
        """Send a text; return the attempts of the push."""
        return list(self.post_control("message", person=person, content=content)["attempts"])

    def tap_menu(self, person: str, event_key: str) -> list[dict[str, Any]]:
        """Tap a menu entry; return the attempts of the push."""
        body = {"person": person, "event": "CLICK", "event_key": event_key}
        return list(self.post_control("message", **body)["attempts"])

    def scan_code(self, person: str, ticket: str) -> dict[str, Any]:
        """Scan a code."""
        return self.post_control("scan", person=person, ticket=ticket)

    def login_code(self, person: str) -> str:
        """Create a wx.login code."""
        return str(self.post_control("login_code", person=person)["code"])

    def answer_sheet(self, person: str, template_id: str, result: str = "accept") -> dict[str, Any]:
        """Answer the subscription sheet."""
        return self.post_control("consent", person=person, template_id=template_id, result=result)

    def order_fault(self, path: str, **how: Any) -> dict[str, Any]:
        """Inject a fault."""
        return self.post_control("faults", path=path, **how)

    def order_receipts(self, event: str, **how: Any) -> dict[str, Any]:
        """Change how the reports of an event are pushed."""
        return self.post_control("receipts", event=event, **how)

    def list_deliveries(self) -> list[dict[str, Any]]:
        """The messages that all people received, oldest first."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self.get_control(f"deliveries?after={after}")
            found += page["items"]
            after = page["following"]
        return found

    def advance_time(self, seconds: float) -> None:
        """Advance the emulated time."""
        self.post_control("clock", advance=seconds)

    def read_inbox(self, openid: str) -> list[dict[str, Any]]:
        """The messages received by an openid."""
        return list(self.get_control(f"inbox/{openid}")["items"])

    def read_chat(self, person: str) -> list[dict[str, Any]]:
        """The chat with the official account."""
        return list(self.get_control(f"chat/{person}")["items"])

    def list_calls(self, path: str | None = None) -> list[dict[str, Any]]:
        """The API calls so far."""
        query = f"?path={urllib.parse.quote(path)}" if path else ""
        return list(self.get_control(f"calls{query}")["items"])

    def list_callbacks(self) -> list[dict[str, Any]]:
        """The pushes and their verdicts."""
        return list(self.get_control("callbacks")["items"])

    def wait_settled(self, timeout_s: float = 10.0) -> bool:
        """Wait until pending events of the platform have been delivered."""
        return self.world.later.wait_settled(timeout_s)

    def _ask_control(self, path: str, body: bytes | None) -> dict[str, Any]:
        url = f"{self.base}/_emu/{path}"
        asked = urllib.request.Request(url, data=body)  # noqa: S310 - always our own loopback
        try:
            with urllib.request.urlopen(asked) as answer:  # noqa: S310 - as above
                shown: dict[str, Any] = json.load(answer)
                return shown
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(error.code, error.read().decode()) from None


class Served:
    """A WSGI application on a free loopback port, in its own thread."""

    def __init__(self, app: Any, name: str) -> None:
        self._server = create_server(app, 0)
        self._thread = threading.Thread(target=self._serve_forever, name=name, daemon=True)
        self.base = f"http://127.0.0.1:{self._server.port}"

    def _serve_forever(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def start_serving(self) -> None:
        """Start serving."""
        self._thread.start()

    def stop_serving(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class ControlError(Exception):
    """A refusal of the control endpoint: status and message."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said}")
        self.status = status


@contextmanager
def emulated_wechat(**options: Any) -> Iterator[Emulator]:
    """Run an emulator for the length of a block, with the options of `Emulator`."""
    emulator = Emulator(**options).start_server()
    try:
        yield emulator
    finally:
        emulator.stop_servers()
