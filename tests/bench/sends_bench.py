"""`python -m tests.bench sends`: the fan-out beside aiohttp alone, with as many connections.

Twice: against the emulated WeChat, which checks and stores every message, and against a server that
answers at once, so that nothing but the clients is measured. Each turn gets a WeChat of its own,
because a day's quota is 100,000 messages.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.processes import ROOT, BenchFailed, Places, Server, pin
from tests.bench.report import commit, machine
from tests.bench.run import temporary_folder
from tests.bench.sends_client import SendOrder, Spent

LETTERS, CONNECTIONS, ROUNDS = 20_000, 64, 3
FOLLOWERS = 2_000
# The fan-out's rate over that of aiohttp alone.
LEAST = 0.9
SIDES = ("bare", "ours")
TITLES = {"bare": "aiohttp alone", "ours": "Gateway.open_fan_out"}
EMULATED, INSTANT = "the emulated WeChat", "a server that answers at once"
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Sends:
    """What one run found: the turns of both sides, for each WeChat."""

    found: Mapping[str, Mapping[str, Sequence[Spent]]]
    letters: int
    connections: int
    began: str

    def ratio(self, wechat: str) -> float:
        """Our rate over the peer's: the median of the pairs."""
        turns = self.found[wechat]
        pairs = zip(turns["bare"], turns["ours"], strict=True)
        return median(bare.seconds / ours.seconds for bare, ours in pairs)

    def lines(self) -> list[str]:
        """The figures as Markdown, which reads as text too."""
        lines = [
            f"{machine()}; commit {commit()}; {self.began}; {self.letters:,} messages over"
            f" {self.connections} connections, medians",
            "",
            "| against | by | messages/s | CPU us | rate of aiohttp | |",
            "|---|---|---|---|---|---|",
        ]
        for wechat, turns in self.found.items():
            for side in SIDES:
                rate = median(self.letters / one.seconds for one in turns[side])
                cpu = median(one.cpu_seconds for one in turns[side]) * 1e6 / self.letters
                figures = f"| {wechat} | {TITLES[side]} | {rate:,.0f} | {cpu:.0f}"
                lines.append(f"{figures} | {self._verdict(wechat) if side == 'ours' else '| |'}")
        return lines

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            wechat: {
                "ratio": round(self.ratio(wechat), 3),
                **{side: [asdict(one) for one in turns[side]] for side in SIDES},
            }
            for wechat, turns in self.found.items()
        }

    def _verdict(self, wechat: str) -> str:
        ratio = self.ratio(wechat)
        verdict = "met" if ratio >= LEAST else "missed"
        return f"{ratio:.2f} | at least {LEAST:g}, {verdict} |"


def measure_sends(
    letters: int, connections: int, rounds: int, say: Say
) -> Mapping[str, Mapping[str, Sequence[Spent]]]:
    """Both clients in turns, against both servers.

    Raises: BenchFailed when a message was not accepted.
    """
    places = Places.here()
    found: dict[str, dict[str, list[Spent]]] = {}
    for wechat, turn in ((INSTANT, _instant_turn), (EMULATED, _emulated_turn)):
        found[wechat] = {side: [] for side in SIDES}
        for number in range(rounds):
            for side in SIDES if number % 2 == 0 else reversed(SIDES):
                say(f"{wechat}: {TITLES[side]}, round {number + 1} of {rounds}")
                with temporary_folder() as folder:
                    spent = turn(side, Path(folder), letters, connections, places)
                found[wechat][side].append(spent)
    return found


def _instant_turn(side: str, folder: Path, letters: int, connections: int, places: Places) -> Spent:
    with instant_wechat(folder, places) as base:
        return send_at_once(side, base, letters, connections, places)


@contextlib.contextmanager
def instant_wechat(folder: Path, places: Places) -> Iterator[str]:
    """A server that answers at once; its address."""
    server = Server(
        "tests.bench.instant_wechat", folder, places.server, {},
        command=lambda app, port: [sys.executable, "-m", app, str(port)],
    )  # fmt: skip
    try:
        server.await_answer("/")
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()


def send_at_once(side: str, base: str, letters: int, connections: int, places: Places) -> Spent:
    """One turn of a client against the server that answers at once."""
    order = SendOrder(
        base=base, appid="wx" + "0" * 16, secret="s" * 32,
        mini_appid="wx" + "1" * 16, template_id="t", fields={"thing1": "月球科普讲座"},
        openids=[f"oPerson_{number:020d}" for number in range(FOLLOWERS)],
        letters=letters, connections=connections,
    )  # fmt: skip
    return send_by(side, order, places)


def _emulated_turn(
    side: str, folder: Path, letters: int, connections: int, places: Places
) -> Spent:
    server = Server(
        "server.emulator", folder, places.server, {"KEPU_VAR": str(folder)},
        command=lambda app, port: [sys.executable, "-m", app, "--port", str(port)],
    )  # fmt: skip
    try:
        server.await_answer("/_emu/apps")
        base = f"http://127.0.0.1:{server.port}"
        _control(base, "seed", followers=FOLLOWERS, seed="sends")
        # Its reports would be sent to a server that is not there.
        _control(base, "receipts", event="TEMPLATESENDJOBFINISH", manner="drop")
        return send_by(side, _emulated_order(folder, base, letters, connections), places)
    finally:
        server.stop()


def _emulated_order(folder: Path, base: str, letters: int, connections: int) -> SendOrder:
    apps = json.loads((folder / "demo-wechat.json").read_text(encoding="utf-8"))
    sample = ROOT / "server" / "emulator" / "templates.json"
    template = next(
        one for one in json.loads(sample.read_text(encoding="utf-8"))["templates"]
        if one.get("kind") == "oa_category"
    )  # fmt: skip
    values = {"thing": "月球科普讲座", "time": "2026年6月13日 09:30"}
    keys = [field["key"] for field in template["fields"]]
    return SendOrder(
        base=f"{base}/api",
        appid=apps["official_account"]["appid"],
        secret=apps["official_account"]["secret"],
        mini_appid=apps["mini_program"]["appid"],
        template_id=template["id"],
        fields={key: values[key.rstrip("0123456789")] for key in keys},
        openids=_openids(folder),
        letters=letters,
        connections=connections,
    )


def _openids(folder: Path) -> list[str]:
    kept = sqlite3.connect(folder / "emulator.sqlite3")
    try:
        return [openid for (openid,) in kept.execute("SELECT openid_oa FROM people")]
    finally:
        kept.close()


def _control(base: str, name: str, **body: Any) -> None:
    with urllib.request.urlopen(f"{base}/_emu/{name}", json.dumps(body).encode()):
        pass


def send_by(side: str, order: SendOrder, places: Places) -> Spent:
    """One turn of a client, in a process of its own.

    Raises: BenchFailed when a message was not accepted.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.sends_client", side],
        input=json.dumps(asdict(order)), cwd=ROOT, capture_output=True, text=True, check=False,
        preexec_fn=lambda: pin(places.client),
    )  # fmt: skip
    if done.returncode:
        raise BenchFailed(f"{side} did not send:\n{done.stderr}")
    spent = Spent(**json.loads(done.stdout))
    if spent.accepted != order.letters:
        raise BenchFailed(f"{side}: {spent.accepted} of {order.letters} messages were accepted")
    return spent
