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
    " are in [performance.json](performance.json). Read ratios, not rates: rates move with the"
    " machine and its neighbours, a ratio of one run moves little.",
    "",
    "## How it is measured",
    "",
    "What counts is the **CPU time of the server's processes for each request**, as the phone sends"
    " it; that of Redis and PostgreSQL comes on top. Ours is the product as it runs in production:"
    " gunicorn with `config/gunicorn.conf.py` and the product's own worker, one process, with its"
    " log line and its metrics for every answer, its rate limits and its Redis. The peers of"
    " `tests/bench/peers/` do the same work on the same tables and the same Redis: caller from the"
    " bearer token, rate limit, locks, idempotent close, three standings, two ranks, review,"
    " Idempotency-Key, a JSON log line and metrics. `flask` is Flask, SQLAlchemy's ORM and redis-py"
    " under gunicorn gthread; `fastapi` is FastAPI, SQLAlchemy Core with asyncpg or aiosqlite and"
    " redis.asyncio under uvicorn; `bound` is hand-written WSGI with the driver and Redis alone,"
    " under the same server as ours. The peers lack what the product has beside that: limits that"
    " outlive an erasure, boards that answer without Redis, waits that are bounded everywhere.",
    "",
    "The server has one CPU, the load generator, Redis and everything else another (on a machine"
    " with two or more). 16 keep-alive connections send the next request when the answer to the"
    " last is complete. Rows take turns, A B C … C B A; the same job of ours and of the peers"
    " stands beside each other, and a ratio is the median of such pairs. SQL is how many statements"
    " one request takes.",
    "",
    "Nothing is measured that was not checked, ours and the peers alike. Boards hold the places"
    " that an independent sort gives. Papers are real ones of as many citizens; after each round"
    " their number and the sum of their scores in the database are what the answers were worth, and"
    " as many keys hold an answer as requests had one. Every callback is a new message with its own"
    " encryption and signatures, the reply is decrypted, its signature and its words are checked,"
    " a forged message gets 403, and each message leaves new keys in Redis.",
    "",
    "`python -m tests.bench growth` measures what grows with the number of players, and"
    " `python -m tests.bench rush` 2,000 people within a minute against the production shape; both"
    " write a page of their own here with `--write-docs`.",
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
        "Microseconds of one request alone in one thread, without the server around it.",
        "",
        f"| | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
    ]
    for m in counted:
        spent = " | ".join(f"{m.counted.parts[name]:.0f}" for name in names)
        lines.append(f"| {m.row.title} | {spent} |")
    return [*lines, ""]


GROWTH_PAGE = [
    "# Growth",
    "",
    "Written by `python -m tests.bench growth --write-docs`. For each size a database of its own"
    " with as many players, all with a closed paper of today on every board. Board, start and"
    " submission are asked by one connection in turns over the sizes, nine times; a ratio is the"
    " median of the pairs of the smallest and the biggest. The rest is measured once, a sweep three"
    " times with nothing to do, of which the best counts.",
    "",
]

RUSH_PAGE = [
    "# The rush",
    "",
    "Written by `python -m tests.bench rush --write-docs`: within a minute so many people log in,"
    " agree to the policy, start a paper, keep their answers and hand in, all from new phones."
    " gunicorn with `config/gunicorn.conf.py` and all its processes, the worker, PostgreSQL, Redis,"
    " the emulated WeChat and the phones share one machine.",
    "",
]
