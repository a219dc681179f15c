"""`make run`: the complete service on one machine, with an emulated WeChat and sample data.

Starts the embedded Redis, the emulator, the web server and the worker as child processes, restarts
those that die, and stops all of them cleanly.
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from server.app import Application, open_application
from server.base.clock import Clock, SystemClock
from server.base.errors import AppError
from server.base.log import set_up_logging
from server.base.redis.embedded import EmbeddedServer
from server.base.settings import ROOT, Settings
from server.base.sql.patience import Use
from server.demo.background import start_season
from server.demo.banner import announce_addresses, say_line, show_step
from server.seeding import SeedingRefused, seed_samples, seed_wechat

_log = logging.getLogger(__name__)
_READY_SECONDS = 150.0
_RESTARTS_A_MINUTE = 10
# Seconds for each process to stop, in stopping order.
_PATIENCE = {"worker": 15.0, "server": 35.0, "emulator": 5.0}
_PR_SET_PDEATHSIG = 1
_LOCK = "demo.lock"
# The host that the mini-program requests, as in miniprogram/config/env.ts.
PHONE_HOST = "kepu.example.org"
# The console is for the person running the demo; the processes log JSON lines to files.
_ENVIRONMENT = {**os.environ, "KEPU_LOG_CONSOLE": "false"}  # noqa: TID251 - handed on, not read


class StartFailed(Exception):
    """The demo cannot start; the message says why."""


class Child:
    """One process of the demo."""

    def __init__(self, name: str, command: Sequence[str], clock: Clock) -> None:
        self.name = name
        self._command = [sys.executable, *command]
        self._clock = clock
        self._starts: list[float] = []
        self._process: subprocess.Popen[bytes] | None = None

    def start_process(self) -> None:
        """Start it in its own session, so that Ctrl-C reaches it only through the demo.

        Raises: StartFailed when it keeps dying.
        """
        now = self._clock.monotonic()
        self._starts = [at for at in self._starts if now - at < 60] + [now]
        if len(self._starts) > _RESTARTS_A_MINUTE:
            raise StartFailed(f"{self.name} dies again and again; see its log")
        self._process = subprocess.Popen(  # noqa: S603 - our own fixed commands
            self._command, env=_ENVIRONMENT, start_new_session=True, preexec_fn=_die_with_parent
        )

    @property
    def died(self) -> bool:
        """Whether it was started and has ended."""
        return self._process is not None and self._process.poll() is not None

    def stop_process(self, seconds: float) -> None:
        """Terminate it, and kill it when it does not stop in time."""
        if self._process is None or self.died:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _die_with_parent() -> None:
    # If this process is killed, no child may keep a port or a file.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def run_demo(settings: Settings) -> int:
    """Run until SIGTERM or Ctrl-C; return 0 after a clean stop, 1 when it could not start."""
    if settings.environment != "demo":
        sys.stderr.write(
            f"refused: the demo does not run where environment is {settings.environment}\n"
        )
        return 1
    settings = replace(settings, var=settings.var.resolve())
    settings.var.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        with _lock_folder(settings.var):
            set_up_logging(settings.var, "demo", settings.log_level, console=False)
            _refuse_taken_ports(settings)
            with EmbeddedServer(settings.var) as redis:
                return _run_demo(settings, stop, redis)
    except (StartFailed, SeedingRefused) as reason:
        sys.stderr.write(f"{reason}\n")
        return 1


@contextmanager
def _lock_folder(var: Path) -> Iterator[None]:
    """Lock the folder, so that no second demo uses the same data.

    Raises: StartFailed while another demo holds the lock; the kernel releases it at its end.
    """
    with (var / _LOCK).open("a+", encoding="utf-8") as note:
        try:
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            note.seek(0)
            holder = note.read().strip() or "unknown"
            raise StartFailed(
                f"a demo runs on {var} already (process {holder}); "
                "stop it, or choose another folder with KEPU_VAR"
            ) from None
        note.truncate(0)
        note.write(f"{os.getpid()}\n")
        note.flush()
        yield


def _run_demo(settings: Settings, stop: threading.Event, redis: EmbeddedServer) -> int:
    clock = SystemClock()
    here = f"http://127.0.0.1:{settings.port}"
    gunicorn = ["-m", "gunicorn", "-c", str(ROOT / "config" / "gunicorn.conf.py")]
    server = Child("server", [*gunicorn, "--chdir", str(ROOT), "wsgi:app"], clock)
    worker = Child("worker", ["-m", "server", "worker"], clock)
    children = [worker, server]
    season: threading.Thread | None = None
    try:
        with show_step("3/4 the mini-program for the browser, the campaign, the questions", clock):
            emulator = Child("emulator", _emulator_command(settings, here), clock)
            children.append(emulator)
            emulator.start_process()
            application = open_application(settings, use=Use.COMMANDS)
            seed_samples(application)
        with show_step("4/4 server, worker, Redis and the emulated WeChat", clock):
            server.start_process()
            worker.start_process()
            _await_address(f"{here}/readyz", children, stop, clock)
            _await_address(
                f"http://127.0.0.1:{settings.emulator_port}/_emu/people", children, stop, clock
            )
        if not stop.is_set():
            _seed_wechat(application)
            announce_addresses(settings, here)
            season = start_season(application, clock, stop)
        _watch_children(children, stop, redis)
    finally:
        say_line("stopping…")
        stop.set()
        if season is not None:
            season.join()
        for child in children:
            child.stop_process(_PATIENCE[child.name])
    return 0


def build_phone(settings: Settings) -> Path | None:
    """Compile the mini-program for the browser phone; return None without Node.

    Raises: StartFailed when its sources do not compile.
    """
    beside = Path(sys.executable).with_name("node")
    node = str(beside) if beside.is_file() else shutil.which("node")
    modules = ROOT / "node_modules"
    if node is None or not modules.is_dir():
        sys.stderr.write("no Node or no node_modules: the phone comes without the mini-program\n")
        return None
    out = settings.var / "phone"
    script = ROOT / "server" / "emulator" / "phone" / "build.mjs"
    app = str(ROOT / "miniprogram")
    command = [node, str(script), "--strict", "--app", app, "--out", str(out)]
    made = subprocess.run(command, check=False)  # noqa: S603 - our own fixed command
    if made.returncode != 0:
        raise StartFailed("the mini-program does not compile")
    return out


def _emulator_command(settings: Settings, here: str) -> list[str]:
    bundle = build_phone(settings)
    phone = [] if bundle is None else ["--bundle", str(bundle), "--net", f"{PHONE_HOST}={here}"]
    return [
        "-m",
        "server.emulator",
        "--port",
        str(settings.emulator_port),
        "--var",
        str(settings.var),
        "--server",
        here,
        "--app-json",
        str(ROOT / "miniprogram" / "app.json"),
        "--templates",
        str(ROOT / "config" / "wechat-templates.json"),
        *phone,
    ]


def _watch_children(children: list[Child], stop: threading.Event, redis: EmbeddedServer) -> None:
    while not stop.wait(0.5):
        if redis.revive_server():
            _log.warning("Redis died, restarting it")
        for child in children:
            if child.died:
                _log.warning("process died, restarting it", extra={"task": child.name})
                say_line(
                    f"{child.name} died and is started again; its log lies in log/{child.name}.log"
                )
                child.start_process()


def _seed_wechat(application: Application) -> None:
    try:
        seed_wechat(application)
    except AppError as refusal:
        # The contest works without a menu, and `push-menu` can be run later.
        _log.warning("menu not pushed", extra={"code": refusal.code})


def _await_address(
    address: str, children: list[Child], stop: threading.Event, clock: Clock
) -> None:
    given_up = clock.monotonic() + _READY_SECONDS
    while not stop.is_set():
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - loopback
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            stop.wait(0.1)
        for child in children:
            if child.died:
                child.start_process()
        if clock.monotonic() > given_up:
            raise StartFailed(f"no answer from {address}; see the logs")


def _refuse_taken_ports(settings: Settings) -> None:
    for port, name in (
        (settings.port, "KEPU_PORT"),
        (settings.emulator_port, "KEPU_EMULATOR_PORT"),
    ):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise StartFailed(f"port {port} is taken; choose another with {name}") from None
