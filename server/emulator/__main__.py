"""Command line of the emulated WeChat.

The only module of the emulator that reads the environment.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from . import apps, sender, templates
from .app import create_app
from .clock import EmulatorClock
from .http_server import create_server
from .state import Store
from .world import Settings, World


class JsonLines(logging.Formatter):
    """Log formatter that writes one JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Format the record with its extra fields."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["trouble"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or Ctrl-C; return 2 when the environment forbids it."""
    if os.environ.get("KEPU_ENVIRONMENT") == "production":
        sys.stderr.write("the emulated WeChat refuses to run in production\n")
        return 2
    options = _parse_options(arguments)
    world = build_world(options)
    server = create_server(create_app(world), options.port)

    def stop_server(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown, name="stop").start()

    signal.signal(signal.SIGTERM, stop_server)
    signal.signal(signal.SIGINT, stop_server)
    world.log_line("listening", port=server.port)
    sys.stdout.write(f"emulated WeChat on http://127.0.0.1:{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()
    server.server_close()
    world.close_world()
    return 0


def build_world(options: argparse.Namespace) -> World:
    """Build the world from the command-line options, with its files in the var folder."""
    var: Path = options.var
    (var / "log").mkdir(parents=True, exist_ok=True)
    _log_to(var / "log" / "emulator.log")
    settings = Settings(
        server=options.server.rstrip("/"),
        deadline_s=options.deadline,
        attempts=options.attempts,
        app_json=options.app_json,
        bundle=options.bundle,
        net=dict(pair.split("=", 1) for pair in options.net),
    )
    return World(
        settings=settings,
        store=Store(str(var / "emulator.sqlite3")),
        clock=EmulatorClock(time.time, var / "clock.json"),
        chance=random.SystemRandom(),
        apps=apps.with_callbacks(apps.load_or_make(var), _callback_addresses(options)),
        all_templates=templates.load_templates(options.templates),
        sender=sender.send_request,
        pause=time.sleep,
    )


def _callback_addresses(options: argparse.Namespace) -> dict[str, str]:
    wished = {apps.OFFICIAL: options.official_callback, apps.MINI: options.mini_callback}
    return {account: callback for account, callback in wished.items() if callback}


def _parse_options(arguments: list[str] | None) -> argparse.Namespace:
    environ = os.environ
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    parser.add_argument("--port", type=int, default=int(environ.get("KEPU_EMULATOR_PORT", "8001")))
    parser.add_argument("--var", type=Path, default=Path(environ.get("KEPU_VAR", "var")))
    port = environ.get("KEPU_PORT", "8000")
    parser.add_argument("--server", default=f"http://127.0.0.1:{port}")
    parser.add_argument("--templates", type=Path, default=templates.SAMPLE)
    parser.add_argument("--official-callback", help="path or address of the account's callback")
    parser.add_argument("--mini-callback", help="path or address of the mini-program's callback")
    parser.add_argument("--app-json", type=Path, help="the mini-program's app.json")
    parser.add_argument("--bundle", type=Path, help="folder of the compiled mini-program")
    parser.add_argument(
        "--net",
        action="append",
        default=[],
        metavar="HOST=ADDRESS",
        help="where the phone finds a host that the mini-program asks",
    )
    parser.add_argument("--deadline", type=float, default=5.0, help="seconds for a push's answer")
    parser.add_argument("--attempts", type=int, default=3, help="how often a push is sent in all")
    return parser.parse_args(arguments)


def _log_to(path: Path) -> None:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("emulator")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False


if __name__ == "__main__":
    raise SystemExit(main())
