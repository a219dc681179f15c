"""`python -m tests.bench`: measures the hot paths beside their peers, in turns, and reports.

    python -m tests.bench growth    what grows with 1,000, 100,000 and 1,000,000 players
    python -m tests.bench rush      2,000 people within a minute against the production shape
    python -m tests.bench figures   the dashboard's pages over a million papers
    python -m tests.bench signups   2,000 people sign up for 300 seats, beside the database alone
    python -m tests.bench final     final ranks, rescoring and messages of 100,000 players
    python -m tests.bench sends     20,000 template messages, beside aiohttp alone
    python -m tests.bench ledger    a million recipients of an announcement
    python -m tests.bench receipts  1,000 receipts of WeChat a second, beside phones

A quick look at some of it, in a minute or two:
    python -m tests.bench --rows submission,start --rounds 2 --db sqlite
`--rows`: board, start, save, submission, callback (each with and without Idempotency-Key);
`--db`: sqlite, postgresql or both; `--stacks`: ours, flask, fastapi, bound (of them all).
With --rows or --db the phone, strangers' pictures and, unless it is named, the callback are left
out, and nothing is written to docs/.
Exit status: 0 when everything was measured, met or missed; 1 when figures would mean nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server.base.settings import ROOT
from tests.bench.figures_bench import PAPERS, Figures, measure_figures
from tests.bench.final_bench import PLAYERS, FinalRanks, measure_final
from tests.bench.growth import SIZES, Growth, describe_run, measure_growth
from tests.bench.ledger_bench import CONNECTIONS as LEDGER_CONNECTIONS
from tests.bench.ledger_bench import PEOPLE as RECIPIENTS
from tests.bench.ledger_bench import ROUNDS as LEDGER_ROUNDS
from tests.bench.ledger_bench import Ledger, measure_ledger, measure_worker
from tests.bench.page import (
    DASHBOARD_PAGE,
    FINAL_PAGE,
    GROWTH_PAGE,
    LEDGER_PAGE,
    RECEIPTS_PAGE,
    RUSH_PAGE,
    SENDS_PAGE,
    SIGN_UPS_PAGE,
    page,
)
from tests.bench.peers import PEERS
from tests.bench.processes import BenchFailed
from tests.bench.receipts_bench import RATE, SECONDS, Receipts, measure_receipts
from tests.bench.receipts_bench import ROUNDS as STORMS
from tests.bench.report import Report
from tests.bench.rows import DATABASES, FULL, JOBS, OURS, QUICK, Size
from tests.bench.run import Asked, measure
from tests.bench.rush import PEOPLE, measure_rush
from tests.bench.sections import read_figures, write_page, write_section
from tests.bench.sends_bench import CONNECTIONS, LETTERS, ROUNDS, Sends, measure_sends
from tests.bench.signups_bench import SignUps, measure_signups

WHAT = ("peers", "growth", "rush", "signups", "figures", "final", "sends", "ledger", "receipts")
NAMES = {"board": "board", "start": "start", "save": "save", "submission": "submit"}


def write(found: Report, *, docs: Path | None) -> Path:
    """`bench.json` in $KEPU_VAR, and on request the two files of the documentation.

    These keep what `growth` and `rush` have measured.
    """
    var = Path(os.environ.get("KEPU_VAR", "var"))
    var.mkdir(parents=True, exist_ok=True)
    body = json.dumps(found.document(), ensure_ascii=False, indent=1) + "\n"
    (var / "bench.json").write_text(body, encoding="utf-8")
    if docs is not None:
        write_page(docs, page(found), found.document())
    return var / "bench.json"


def asked_for(given: argparse.Namespace) -> tuple[Size, Asked]:
    """How much is measured, and which part of everything."""
    size = QUICK if given.quick else FULL
    if given.rounds is not None:
        size = replace(size, rounds=given.rounds)
    stacks = tuple(given.stacks.split(",")) if given.stacks else (OURS, *PEERS)
    if given.rows is None and given.db is None:
        return size, Asked(stacks=stacks, extras=not given.no_extras)
    names = set(given.rows.split(",")) if given.rows else {*NAMES, "callback"}
    starts = tuple(NAMES[name] for name in names if name != "callback")
    return size, Asked(
        databases=tuple(DATABASES) if given.db in (None, "both") else (given.db,),
        jobs=tuple(job for job in JOBS if job.startswith(starts)) if starts else (),
        stacks=stacks, callback="callback" in names, extras=False,
    )  # fmt: skip


def _rows(words: str) -> str:
    unknown = set(words.split(",")) - {*NAMES, "callback"}
    if unknown:
        raise argparse.ArgumentTypeError(f"no such rows: {', '.join(sorted(unknown))}")
    return words


def _stacks(words: str) -> str:
    unknown = set(words.split(",")) - {OURS, *PEERS}
    if unknown:
        raise argparse.ArgumentTypeError(f"no such stacks: {', '.join(sorted(unknown))}")
    return words


def arguments() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("what", nargs="?", choices=WHAT, default="peers")
    parser.add_argument("--quick", action="store_true", help="a run of seconds; its figures shake")
    parser.add_argument("--rows", type=_rows, help="some of the rows, with commas between them")
    parser.add_argument("--rounds", type=int, help="how many rounds, 5 by default")
    parser.add_argument("--db", choices=(*DATABASES, "both"), help="on which database")
    parser.add_argument("--stacks", type=_stacks, help="ours and which peers, with commas between")
    parser.add_argument("--no-extras", action="store_true", help="without the phone and pictures")
    parser.add_argument("--sizes", help="numbers of players, papers or messages, with commas")
    parser.add_argument("--people", type=int, default=PEOPLE, help="rush, signups: how many people")
    parser.add_argument("--write-docs", action="store_true", help="write docs/performance.*")
    return parser


def main() -> int:
    """Run the benchmark."""
    given = arguments().parse_args()
    try:
        return {
            "peers": measure_peers, "growth": measure_sizes, "rush": measure_the_rush,
            "signups": measure_sign_ups, "figures": measure_dashboard, "final": measure_final_ranks,
            "sends": measure_messages, "ledger": measure_recipients,
            "receipts": measure_storm,
        }[given.what](given)  # fmt: skip
    except BenchFailed as reason:
        sys.stderr.write(f"no figures: {reason}\n")
        return 1


def measure_peers(given: argparse.Namespace) -> int:
    """The hot paths beside their peers."""
    size, asked = asked_for(given)
    if given.write_docs and (given.rows or given.db or given.stacks):
        sys.stderr.write("docs/performance.* hold a whole run: leave --rows, --db, --stacks out\n")
        return 2
    found = measure(size, asked, since_the_start())
    written = write(found, docs=ROOT / "docs" if given.write_docs else None)
    sys.stdout.write(f"{found.table()}\n\nwritten to {written}\n")
    return 0


def measure_sizes(given: argparse.Namespace) -> int:
    """What grows with the number of players."""
    databases = tuple(DATABASES) if given.db in (None, "both") else (given.db,)
    sizes = [int(size) for size in given.sizes.split(",")] if given.sizes else SIZES
    began = datetime.now(UTC).isoformat(timespec="minutes")
    found = measure_growth(databases, sizes, given.rounds or 9, since_the_start())
    told = Growth(found=found, measured=dict.fromkeys(found, describe_run(began)))
    if given.write_docs:
        told = told.beside(read_figures(ROOT / "docs").get("growth", {}))
        lines = [*GROWTH_PAGE, *told.lines()]
        write_section(ROOT / "docs", "growth", lines, told.document())
    sys.stdout.write("\n".join([*told.lines(), ""]))
    return 0


def measure_the_rush(given: argparse.Namespace) -> int:
    """Many people at once."""
    began = datetime.now(UTC).isoformat(timespec="minutes")
    told = measure_rush(given.people, began, since_the_start())
    if given.write_docs:
        write_section(ROOT / "docs", "rush", [*RUSH_PAGE, *told.lines()], told.document())
    sys.stdout.write("\n".join([*told.lines(), ""]))
    return 0


def measure_sign_ups(given: argparse.Namespace) -> int:
    """Many people for few seats."""
    began = datetime.now(UTC).isoformat(timespec="minutes")
    found = measure_signups(_databases_of(given), given.people, since_the_start())
    told = SignUps(found=found, began=began)
    return _tell_section(given, "sign_ups", [*SIGN_UPS_PAGE, *told.lines()], told.document())


def measure_dashboard(given: argparse.Namespace) -> int:
    """The pages of figures."""
    began = datetime.now(UTC).isoformat(timespec="minutes")
    papers = int(given.sizes) if given.sizes else PAPERS
    found = measure_figures(_databases_of(given), papers, since_the_start())
    told = Figures(found=found, began=began)
    return _tell_section(given, "dashboard", [*DASHBOARD_PAGE, *told.lines()], told.document())


def measure_final_ranks(given: argparse.Namespace) -> int:
    """Sealing, rescoring and messages."""
    began = datetime.now(UTC).isoformat(timespec="minutes")
    players = int(given.sizes) if given.sizes else PLAYERS
    found = measure_final(_databases_of(given), players, since_the_start())
    told = FinalRanks(found=found, players=players, began=began)
    return _tell_section(given, "final_ranks", [*FINAL_PAGE, *told.lines()], told.document())


def measure_messages(given: argparse.Namespace) -> int:
    """Sends to many."""
    began = datetime.now(UTC).isoformat(timespec="minutes")
    letters = int(given.sizes) if given.sizes else LETTERS
    found = measure_sends(letters, CONNECTIONS, given.rounds or ROUNDS, since_the_start())
    told = Sends(found=found, letters=letters, connections=CONNECTIONS, began=began)
    return _tell_section(given, "sends", [*SENDS_PAGE, *told.lines()], told.document())


def measure_recipients(given: argparse.Namespace) -> int:
    """The ledger of an announcement."""
    began = datetime.now(UTC).isoformat(timespec="minutes")
    people = int(given.sizes) if given.sizes else RECIPIENTS
    say = since_the_start()
    found = measure_ledger(_databases_of(given), people, say)
    letters, rounds = min(people, LETTERS), given.rounds or LEDGER_ROUNDS
    sent = measure_worker(_databases_of(given), letters, LEDGER_CONNECTIONS, rounds, say)
    told = Ledger(found=found, sent=sent, connections=LEDGER_CONNECTIONS, began=began)
    return _tell_section(given, "ledger", [*LEDGER_PAGE, *told.lines()], told.document())


def measure_storm(given: argparse.Namespace) -> int:
    """Receipts beside phones; `--sizes` is the number of receipts a second."""
    began = datetime.now(UTC).isoformat(timespec="minutes")
    rate = int(given.sizes) if given.sizes else RATE
    seconds = 3 if given.quick else SECONDS
    rounds = given.rounds or STORMS
    found = measure_receipts(_databases_of(given), rate, seconds, rounds, since_the_start())
    told = Receipts(found=found, rate=rate, seconds=seconds, began=began)
    return _tell_section(given, "receipts", [*RECEIPTS_PAGE, *told.lines()], told.document())


def _databases_of(given: argparse.Namespace) -> tuple[str, ...]:
    return tuple(DATABASES) if given.db in (None, "both") else (given.db,)


def _tell_section(
    given: argparse.Namespace, name: str, lines: Sequence[str], document: Mapping[str, Any]
) -> int:
    if given.write_docs:
        write_section(ROOT / "docs", name, lines, document)
    sys.stdout.write("\n".join([*lines, ""]))
    return 0


def since_the_start() -> Callable[[str], None]:
    """Says on stderr what is done now, and how long after the start."""
    begun = time.monotonic()

    def say(words: str) -> None:
        sys.stderr.write(f"{time.monotonic() - begun:6.1f} s  {words}\n")

    return say


if __name__ == "__main__":
    sys.exit(main())
