"""The emulated WeChat as a process of its own, with the house's templates, for sends over HTTP."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EmulatedProcess:
    """One emulated WeChat with its files in a folder; a context manager.

    `apps` are the credentials by app, `api_base` is the address of WeChat's API.
    """

    def __init__(self, folder: Path, prepare: Callable[[], object] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        port = _free_port()
        self.base = f"http://127.0.0.1:{port}"
        self.api_base = f"{self.base}/api"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("KEPU_", "PYTEST_"))}
        templates = ROOT / "config" / "wechat-templates.json"
        command = [sys.executable, "-m", "server.emulator", "--port", str(port)]
        with (folder / "console.log").open("wb") as console:
            self._process = subprocess.Popen(
                [*command, "--templates", str(templates)],
                cwd=ROOT, env={**kept, "KEPU_VAR": str(folder)}, stdout=console, stderr=console,
                preexec_fn=prepare,
            )  # fmt: skip
        self._await_answer()
        stored = (folder / "demo-wechat.json").read_text(encoding="utf-8")
        self.apps: dict[str, dict[str, str]] = json.loads(stored)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_trouble: object) -> None:
        self._process.terminate()
        self._process.wait()

    def _await_answer(self) -> None:
        given_up = time.monotonic() + _START_SECONDS
        while time.monotonic() < given_up and self._process.poll() is None:
            try:
                self.read("apps")
            except (OSError, urllib.error.URLError):
                try:
                    self._process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
            else:
                return
        raise RuntimeError((self.folder / "console.log").read_text("utf-8", "replace"))

    def read(self, name: str) -> Any:
        """A record of the control endpoint."""
        with urllib.request.urlopen(f"{self.base}/_emu/{name}", timeout=30) as answer:
            return json.load(answer)

    def order(self, name: str, **body: Any) -> Any:
        """An instruction to the control endpoint."""
        asked = json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.base}/_emu/{name}", asked, timeout=120) as answer:
            return json.load(answer)

    def seed_followers(self, count: int, seed: str) -> list[str]:
        """Create followers, whose reports go nowhere; return their openids."""
        self.order("seed", followers=count, seed=seed)
        self.order("receipts", event="TEMPLATESENDJOBFINISH", manner="drop")
        kept = sqlite3.connect(self.folder / "emulator.sqlite3")
        try:
            rows = kept.execute("SELECT openid_oa FROM people ORDER BY rowid").fetchall()
        finally:
            kept.close()
        return [openid for (openid,) in rows][-count:]

    def delivered(self) -> Counter[str]:
        """How many messages each openid received."""
        found: Counter[str] = Counter()
        after: int = 0
        while True:
            page = self.read(f"deliveries?after={after}")
            found.update(one["openid"] for one in page["items"] if one["via"] == "template")
            if page["following"] is None:
                return found
            after = page["following"]
