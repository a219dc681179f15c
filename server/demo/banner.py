"""Lines for the person running the demo: steps, addresses."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from server.base.clock import Clock
from server.base.settings import Settings


@contextmanager
def show_step(words: str, clock: Clock) -> Iterator[None]:
    """Print the step, and how long it took."""
    begun = clock.monotonic()
    say_line(f"{words} …")
    yield
    say_line(f"    {clock.monotonic() - begun:.1f} s")


def say_line(words: str) -> None:
    """Print a line to the person running the demo."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def announce_addresses(settings: Settings, here: str) -> None:
    """Print the addresses, and write them into the folder of the demo."""
    emulated = f"http://127.0.0.1:{settings.emulator_port}"
    socket_file = json.loads((settings.var / "kv.json").read_text(encoding="utf-8"))
    addresses = {
        "server": here,
        "emulator": emulated,
        "phone": f"{emulated}/phone/",
        "console": f"{here}/console/",
        "redis": f"unix://{socket_file['socket']}",
    }
    (settings.var / "addresses.json").write_text(json.dumps(addresses, indent=1), encoding="utf-8")
    lines = [
        "",
        "八桂科普 is ready. 八桂科普已就绪。",
        f"  phone      {addresses['phone']}   (follow the account, chat, scan)",
        f"  server     {here}   (docs: {here}/docs)",
        f"  emulator   {emulated}   (emulated WeChat)",
        f"  redis      {addresses['redis']}",
        f"  data       {settings.var}   (logs: {settings.var / 'log'})",
        *_organizer_lines(settings, addresses["console"]),
        "  stop with Ctrl-C; the next start finds the same data",
        "",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _organizer_lines(settings: Settings, console: str) -> list[str]:
    """Lines with the demo's console accounts, which share one password."""
    people = json.loads((settings.var / "demo-organizers.json").read_text(encoding="utf-8"))
    names = [one["username"] for one in people]
    lines = [f"  console    {console}", f"             password {people[0]['password']} for"]
    lines += [f"             {'  '.join(names[at : at + 4])}" for at in range(0, len(names), 4)]
    with_code = [one["username"] for one in people if "totp_secret" in one]
    told = "  ".join(with_code)
    return [*lines, f"             ({told} needs a code too: secret in demo-organizers.json)"]
