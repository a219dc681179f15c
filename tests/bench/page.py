"""docs/performance.md: how it was measured, what came out, which goals are met."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench import phone
from tests.bench.report import Report, statements


def page(report: Report) -> str:
    """The page of a whole run."""
    memory = report.memory.page() if report.memory is not None else []
    parts = [*_PAGE, *_table(report), "", *_goals(report), "", *_parts(report)]
    return "\n".join([*parts, *phone.page(report.waits), *memory, ""])


_PAGE = [
    "# Performance",
    "",
    "Written by `make bench` (`python -m tests.bench --write-docs`); the figures round by round"
    " are in [performance.json](performance.json). Compare ratios, not rates: a rate depends on"
    " the machine and its load, a ratio within one run hardly does.",
    "",
    "## How it is measured",
    "",
    "The measure is the **CPU time of the server's processes per request**, as the phone sends it;"
    " that of Redis and PostgreSQL is not included. Ours is the product as in production: gunicorn"
    " with `config/gunicorn.conf.py` and the product's own worker, one process, with its log line"
    " and metrics for every response, its rate limits and its Redis. The peers of"
    " `tests/bench/peers/` do the same work on the same tables and the same Redis: caller from the"
    " bearer token, rate limit, locks, idempotent close, three standings, two ranks, review,"
    " Idempotency-Key, a JSON log line and metrics. `flask` is Flask, SQLAlchemy's ORM and"
    " redis-py under gunicorn gthread; `fastapi` is FastAPI, SQLAlchemy Core with asyncpg or"
    " aiosqlite and redis.asyncio under uvicorn; `bound` is hand-written WSGI with the driver and"
    " Redis alone, under the same server as ours. The peers omit three things that the product"
    " does: rate limits that survive an erasure, boards that work without Redis, and bounded waits"
    " everywhere.",
    "",
    "On a machine with two or more CPUs the server has one, and the load generator, Redis and all"
    " other processes share another. Each of 16 keep-alive connections sends its next request"
    " after the complete response to the last. Rows are measured in turn, A B C … C B A, so that"
    " the same job of ours and of a peer runs next to each other; a ratio is the median of these"
    " pairs. SQL is the number of statements per request.",
    "",
    "Results are checked, ours and the peers' alike. Boards are compared with an independent sort."
    " Each paper belongs to a different citizen; after each round the number of papers and the sum"
    " of their scores in the database must be those of the submitted answers, and the number of"
    " stored Idempotency-Keys that of keyed requests. Every callback is a new message with its own"
    " encryption and signatures: the reply is decrypted, its signature and text are checked, a"
    " forged message must get 403, and each message must add keys to Redis.",
    "",
    "`python -m tests.bench growth` measures the influence of the number of players, `rush` 2,000"
    " people within a minute against all production processes, `signups` a rush for the seats of a"
    " lecture, `figures` the dashboard over a"
    " million papers, `final` the sealing of a large contest, `sends` 20,000 messages through"
    " WeChat, `ledger` a million recipients, and `receipts` a storm of WeChat's reports beside"
    " phones; with `--write-docs` each writes its part of this page.",
    "",
    "## Figures",
    "",
]


def _table(report: Report) -> list[str]:
    lines = [
        f"{report.machine}; commit {report.commit}; {report.began}; {report.size.rounds} rounds;"
        f" load {report.load[0]:.1f} before, {report.load[1]:.1f} after.",
        "",
        "| route | stack | CPU us | spread | of ours | req/s | p50 / p99 ms, saturated | SQL |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for m in report.rows.values():
        lines.append(
            f"| {m.row.title} | {m.row.stack} | {m.cpu_us:.0f} | {m.spread:.0%}"
            f" | {report.beside_ours(m)} | {m.of('per_second'):.0f}"
            f" | {m.of('p50_ms'):.1f} / {m.of('p99_ms'):.1f} | {statements(m)} |"
        )
    return lines


def _goals(report: Report) -> Sequence[str]:
    lines = [
        "## Goals",
        "",
        "| | reached (rounds) | goal | |",
        "|---|---|---|---|",
    ]
    for goal in report.goals:
        lines.append(
            f"| {goal.title} | {goal.value:.2f} ({goal.lowest:.2f}-{goal.highest:.2f})"
            f" | {goal.wanted} | {goal.verdict} |"
        )
    return lines


def _parts(report: Report) -> Sequence[str]:
    """Where the CPU of ours goes, alone in one thread."""
    counted = [m for m in report.rows.values() if m.counted is not None and m.counted.parts]
    if not counted:
        return []
    names = list(counted[0].counted.parts)
    lines = [
        "## Where our CPU goes",
        "",
        "Microseconds of a single request in one thread, without gunicorn.",
        "",
        f"| | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
    ]
    for m in counted:
        spent = " | ".join(f"{m.counted.parts[name]:.0f}" for name in names)
        lines.append(f"| {m.row.title} | {spent} |")
    return [*lines, ""]


GROWTH_PAGE = [
    "Written by `python -m tests.bench growth --write-docs`. Each size has its own database with"
    " that many players, each of whom has a closed paper of today on every board. One connection"
    " requests board, start and submission, alternating between the sizes in every round; a ratio"
    " is the median over the pairs of the smallest and the largest size. The other figures are"
    " measured once; an idle sweep is measured three times, and the best counts.",
    "",
]

RUSH_PAGE = [
    "Written by `python -m tests.bench rush --write-docs`: within a minute people log in,"
    " agree to the policy, start a paper, save answers and submit, all from new phones;"
    " their number is given below."
    " gunicorn with `config/gunicorn.conf.py` and all its processes, the worker, PostgreSQL, Redis,"
    " the emulated WeChat and the phones share one machine.",
    "",
]

SIGN_UPS_PAGE = [
    "Written by `python -m tests.bench signups --write-docs`: 2,000 people who are logged in sign"
    " up for a lecture with 300 seats, as fast as 64 connections allow, against gunicorn with"
    " `config/gunicorn.conf.py` and all its processes; the load generator shares the machine."
    " Beside it the database's own rate: the statements of one request that gets a seat and of one"
    " that waits, in the same transactions, run for as many other people by the driver alone.",
    "",
]

DASHBOARD_PAGE = [
    "Written by `python -m tests.bench figures --write-docs`: 数据总览 over a million papers of"
    " 250,000 people. A logged-in organizer of the region opens each page with its charts' data"
    " from the whole web server, in turn; the time is that until the last byte, in one process and"
    " without gunicorn. Most papers are counted by `rebuild-figures`, the last 100,000 by the"
    " background task, whose time includes its pauses for other writers of SQLite.",
    "",
]

LEDGER_PAGE = [
    "Written by `python -m tests.bench ledger --write-docs`: the rows of a message to everybody"
    " are frozen in the background in short transactions, as after its last approval, and deleted,"
    " as after an edit. Template messages are sent to the emulated WeChat by the whole worker, with"
    " its database, and by one session of aiohttp with as many connections: once as fast as"
    " both can, when the emulated WeChat takes one of the two CPUs whole, and once with a WeChat"
    " that takes 0.2 s for a call. A ratio is the median of the pairs.",
    "",
]
RECEIPTS_PAGE = [
    "Written by `python -m tests.bench receipts --write-docs`: WeChat reports 1,000 sent messages a"
    " second to the callback in safe mode, while phones save answers 50 times a second, each"
    " request at its own moment, from which its time counts."
    " Beside it the same with events that we do not know, which are answered and not stored, and"
    " the phones alone. gunicorn with `config/gunicorn.conf.py` and all its processes, the worker"
    " that applies the reports to the ledger, and the load generator share the machine. A ratio is"
    " the median of the pairs of turns.",
    "",
]
SENDS_PAGE = [
    "Written by `python -m tests.bench sends --write-docs`: template messages by the fan-out and by"
    " one session of aiohttp with as many connections and tasks. Clients have one CPU, WeChat has"
    " another; a ratio is the median of the pairs.",
    "",
]
FINAL_PAGE = [
    "Written by `python -m tests.bench final --write-docs`: a contest is sealed, published, a"
    " question is voided, every paper that has it is scored again, and everybody gets a message."
    " The longest transaction is the time for which another writer of SQLite may have to wait; the"
    " background process pauses between them.",
    "",
]
