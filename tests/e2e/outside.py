"""A program that knows the HTTP contract alone: it starts the demo and uses it from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kit.paths import ROOT, free_port

READY_SECONDS = 170


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


def ask(method: str, address: str, body: Any = None, token: str | None = None) -> Answer:
    request = urllib.request.Request(address, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, _json(answer.read()), dict(answer.headers))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, _json(refusal.read()), dict(refusal.headers))


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw.decode("utf-8", "replace")


def eventually(true: Callable[[], bool], what: str, seconds: int = 60) -> None:
    """Wait until something is true.

    Raises: AssertionError, which says `what` is missing, after so many seconds.
    """
    pause = threading.Event()
    for _ in range(10 * seconds):
        if true():
            return
        pause.wait(0.1)
    raise AssertionError(what)


class Demo:
    """`make run` in a folder of its own; without a season unless a test wants one."""

    def __init__(self, var: Path, *, season: str = "none") -> None:
        self.var = var
        self.season = season
        self.port, self.emulator_port = free_port(), free_port()
        self.server = f"http://127.0.0.1:{self.port}"
        self.emulator = f"http://127.0.0.1:{self.emulator_port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("KEPU_", "PYTEST_"))}
        return {
            **kept,
            "KEPU_VAR": str(self.var),
            "KEPU_DEMO_SEASON": self.season,
            "KEPU_PORT": str(self.port),
            "KEPU_EMULATOR_PORT": str(self.emulator_port),
        }

    def start(self) -> None:
        self.var.mkdir(parents=True, exist_ok=True)
        with (self.var / "console.txt").open("ab") as console:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "server", "demo"], cwd=ROOT, env=self.environment,
                stdout=console, stderr=console, start_new_session=True,
            )  # fmt: skip
        waiting = threading.Event()
        for _ in range(READY_SECONDS * 10):
            if self._process.poll() is not None:
                raise AssertionError(f"the demo ended: {self.console()[-2000:]}")
            if "is ready" in self.console() and ask("GET", f"{self.server}/readyz").status == 200:
                return
            waiting.wait(0.1)
        raise AssertionError(f"the demo is not ready: {self.console()[-2000:]}")

    def console(self) -> str:
        return (self.var / "console.txt").read_text("utf-8", "replace")

    def stop(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def kill_everything(self) -> None:
        """SIGKILL to every process of the demo at once."""
        assert self._process is not None
        for pid in [self._process.pid, *descendants(self._process.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()
        (self.var / "console.txt").unlink()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "server", *words], cwd=ROOT, env=self.environment,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def api(self, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
        return ask(method, f"{self.server}/api/v1{path}", body, token)

    def emu(self, method: str, path: str, body: Any = None) -> Answer:
        return ask(method, f"{self.emulator}/_emu/{path}", body)


def descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(words[1]), []).append(int(stat.parent.name))
    found, waiting = [], [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.append(child)
            waiting.append(child)
    return found


@dataclass
class Citizen:
    """One person in the emulated WeChat and his session with us."""

    demo: Demo
    person: str
    openid_oa: str
    openid_mp: str
    token: str = ""

    @classmethod
    def born(cls, demo: Demo, name: str) -> Citizen:
        made = demo.emu("POST", "people", {"name": name}).body
        return cls(demo, made["person"], made["openid_oa"], made["openid_mp"])

    def log_in(self) -> dict[str, Any]:
        code = self.demo.emu("POST", "login_code", {"person": self.person}).body["code"]
        answer = self.demo.api("POST", "/login", {"code": code})
        assert answer.status == 200, answer
        self.token = answer.body["token"]
        return dict(answer.body)

    def api(self, method: str, path: str, body: Any = None) -> Answer:
        return self.demo.api(method, path, body, self.token)

    def agree(self) -> None:
        policy = self.demo.api("GET", "/campaign").body["policy_version"]
        answer = self.api(
            "POST", "/me/consents", {"policy_version": policy, "guardian": False, "under_14": False}
        )
        assert answer.status == 201, answer

    def take_paper(self, contest: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """A paper, answered with the first option everywhere, and its result."""
        started = self.api("POST", f"/contests/{contest}/attempts")
        assert started.status in (200, 201), started
        paper = started.body
        chosen = {q["id"]: [q["options"][0]["key"]] for q in paper["questions"]}
        assert (
            self.api("PUT", f"/attempts/{paper['id']}/answers", {"answers": chosen}).status == 204
        )
        result = self.api("POST", f"/attempts/{paper['id']}/submission", {})
        assert result.status == 200, result
        return paper, result.body
