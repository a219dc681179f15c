"""`python -m tests.bench ledger`: an announcement of a million rows, and one that is sent.

The rows are frozen in the background, as after the last approval of a large audience, and deleted.
20,000 template messages are sent to the emulated WeChat by the whole worker (claims, facts, limits,
inbox copies, results), and as many by aiohttp alone over as many connections.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import psutil
from sqlalchemy import create_engine, func, select, text, update

from server.accounts.models import Citizen
from server.announcements.approval import preparing
from server.announcements.approval.hashing import hash_content
from server.announcements.compose.drafts import void_approvals
from server.announcements.enums import AnnouncementState, Channel
from server.announcements.models import Announcement, AnnouncementApproval, Recipient
from server.announcements.tasks import send_announcements
from server.base import uow as transactions
from server.base.clock import BEIJING
from server.base.jobs import TaskContext
from server.base.templates import template_id_of
from server.base.uow import UnitOfWork
from tests.bench.letters import Account
from tests.bench.processes import BenchFailed, Places, pin
from tests.bench.report import commit, machine
from tests.bench.rows import DATABASES
from tests.bench.run import postgres, temporary_folder
from tests.bench.sends_bench import LEAST, send_by
from tests.bench.sends_client import SendOrder
from tests.bench.stage import Stage
from tests.kit.announcements import an_announcement
from tests.kit.emulated_process import EmulatedProcess
from tests.kit.sends import CONTENTS, a_send, some_followers, states_of

PEOPLE, ROUNDS, CONNECTIONS = 1_000_000, 3, 256
# Seconds that WeChat takes for a call: none, so that only work counts, and as over the internet.
DELAYS = (0.0, 0.2)
_SEND = "/cgi-bin/message/template/send"
Say = Callable[[str], None]

_SERIES = {
    "sqlite": "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < :many)",
    "postgresql": "WITH g(n) AS (SELECT generate_series(1, :many))",
}
_LIST = {"sqlite": "'[]'", "postgresql": "CAST('[]' AS json)"}
_ANALYZE = {"sqlite": "ANALYZE", "postgresql": "VACUUM ANALYZE"}


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A large audience on one database.

    Units: seconds; `longest` is that of the longest transaction of them all.
    """

    people: int
    freezing: float
    thawing: float
    longest: float


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Messages of one announcement.

    Units: seconds that WeChat takes for a call; messages in a second, by the worker and the peer,
    one figure a round; MB of the worker's process, before and at most while it sent.
    """

    letters: int
    delay: float
    worker: Sequence[float]
    aiohttp: Sequence[float]
    memory: float
    memory_peak: float

    @property
    def ratio(self) -> float:
        """The worker's rate over the peer's: the median of the pairs."""
        pairs = zip(self.worker, self.aiohttp, strict=True)
        return median(ours / bare for ours, bare in pairs)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What one run found."""

    found: Mapping[str, Frozen]
    sent: Mapping[str, Sequence[Sent]]
    connections: int
    began: str

    def lines(self) -> list[str]:
        """The figures as Markdown, which reads as text too."""
        return [
            f"{machine()}; commit {commit()}; {self.began}",
            "",
            "| database | rows | frozen in s | rows/s | deleted in s | longest transaction in s |",
            "|---|---|---|---|---|---|",
            *(
                f"| {DATABASES[name]} | {one.people:,} | {one.freezing:.1f} |"
                f" {one.people / one.freezing:,.0f} | {one.thawing:.1f} | {one.longest:.2f} |"
                for name, one in self.found.items()
            ),
            "",
            f"| database | messages over {self.connections} connections | WeChat takes s |"
            " worker/s | aiohttp/s | ratio | | MB before | MB at most |",
            "|---|---|---|---|---|---|---|---|---|",
            *(self._line(name, one) for name, some in self.sent.items() for one in some),
        ]

    def _line(self, name: str, one: Sent) -> str:
        verdict = "met" if one.ratio >= LEAST else "missed"
        return (
            f"| {DATABASES[name]} | {one.letters:,} | {one.delay:g} | {median(one.worker):,.0f} |"
            f" {median(one.aiohttp):,.0f} | {one.ratio:.2f} | at least {LEAST:g}, {verdict} |"
            f" {one.memory:.0f} | {one.memory_peak:.0f} |"
        )

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            "frozen": {name: vars(one) for name, one in self.found.items()},
            "sent": {
                name: [{"ratio": round(one.ratio, 3), **vars(one)} for one in some]
                for name, some in self.sent.items()
            },
        }


def measure_ledger(databases: tuple[str, ...], people: int, say: Say) -> Mapping[str, Frozen]:
    """Freeze and thaw an audience of everybody on each database.

    Raises: BenchFailed when somebody is missing.
    """
    found = {}
    for name in databases:
        with temporary_folder() as folder, ExitStack() as closing:
            lite = f"sqlite:///{Path(folder) / 'ledger.sqlite3'}"
            url = lite if name == "sqlite" else postgres(closing, "ledger")
            stage = Stage(Path(folder) / "house", url, Account.fresh())
            closing.callback(stage.close)
            say(f"{DATABASES[name]}: {people:,} citizens")
            seed_citizens(stage, people)
            say(f"{DATABASES[name]}: freezing them")
            found[name] = freeze_everybody(stage, people)
    return found


def seed_citizens(stage: Stage, many: int) -> None:
    """So many citizens of one city, each known to both apps' databases by an openid."""
    engine = create_engine(stage.settings.database_address)
    kind = engine.dialect.name
    now = "CURRENT_TIMESTAMP"
    series = _SERIES[kind]
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO citizen (id, ref, nickname, nickname_state, city, county, language,"
            f" elder_mode, public_rank, topics, created_at) {series} SELECT n, 'cit_l' || n,"
            f" '王' || n || '号', 'shown', '450100', '450103', 'zh', false, false, {_LIST[kind]},"
            f" {now} FROM g",
            f"INSERT INTO identity (app, openid, citizen_id, made_at) {series}"
            f" SELECT 'mini_program', 'ol' || n, n, {now} FROM g",
        ):
            connection.execute(text(statement), {"many": many})
    engine.dispose()
    analyze_tables(stage)


def analyze_tables(stage: Stage) -> None:
    """Let the database know its tables, as one that has been used for some minutes does."""
    engine = create_engine(stage.settings.database_address)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(_ANALYZE[engine.dialect.name]))
    engine.dispose()


def freeze_everybody(stage: Stage, people: int) -> Frozen:
    """Freeze an announcement to everybody in the background, count its rows, and delete them.

    Raises: BenchFailed when somebody is missing.
    """
    factory = stage.application.uow_factory
    ref = approve_for_everybody(stage, people)
    spent: list[float] = []
    finish = transactions._finish_transaction

    def finish_timed(uow: UnitOfWork) -> None:
        finish(uow)
        if not uow.read_only:
            spent.append(time.perf_counter() - begun.pop())

    begun: list[float] = []
    lock = preparing._lock_waiting

    def lock_timed(uow: UnitOfWork, announcement_id: int) -> Announcement | None:
        begun[:] = [time.perf_counter()]
        return lock(uow, announcement_id)

    def run() -> float:
        started = time.perf_counter()
        with (
            mock.patch.object(preparing, "_lock_waiting", lock_timed),
            mock.patch.object(transactions, "_finish_transaction", finish_timed),
        ):
            preparing.prepare_recipients(TaskContext(uow_factory=factory, gateway=None), "all")
        return time.perf_counter() - started

    freezing = run()
    with factory.begin(read_only=True) as uow:
        rows = uow.session.scalar(select(func.count()).select_from(Recipient))
        state = uow.session.scalars(_by_ref(ref)).one().state
    if rows != people or state is not AnnouncementState.SCHEDULED:
        raise BenchFailed(f"{rows} rows for {people} people, {state}")
    with factory.begin() as uow:
        void_approvals(uow, uow.session.scalars(_by_ref(ref)).one())
    return Frozen(people=people, freezing=freezing, thawing=run(), longest=max(spent))


def approve_for_everybody(stage: Stage, people: int) -> str:
    """An announcement to everybody, as its last approval leaves it; its ref."""
    with stage.application.uow_factory.begin() as uow:
        row = an_announcement(
            uow, ladder=[Channel.INBOX], audience={}, counted=people,
            state=AnnouncementState.FREEZING, approved_at=uow.now,
            starts_at=uow.now + timedelta(days=1),
        )  # fmt: skip
        row.content_hash = hash_content(row)
        given = {"content_hash": row.content_hash, "counted": people, "approved_at": uow.now}
        uow.session.add(AnnouncementApproval(announcement_id=row.id, organizer_id=1, **given))
        return row.ref


def measure_worker(
    databases: tuple[str, ...], letters: int, connections: int, rounds: int, say: Say
) -> Mapping[str, Sequence[Sent]]:
    """Send announcements by the worker's task, and as many messages by aiohttp alone, in turns.

    Raises: BenchFailed when a message was not accepted.
    """

    def measure(name: str, delay: float) -> Sent:
        turns: dict[str, list[float]] = {"worker": [], "aiohttp": []}
        memory: list[tuple[float, float]] = []
        for number in range(rounds):
            for side in turns if number % 2 == 0 else reversed(turns):
                say(f"{DATABASES[name]}: {side}, WeChat {delay:g} s, round {number + 1}/{rounds}")
                with temporary_folder() as folder, ExitStack() as closing:
                    wechat = _emulated(closing, Path(folder) / "wechat")
                    openids = wechat.seed_followers(letters, "ledger")
                    if delay:
                        wechat.order("faults", path=_SEND, delay_s=delay)
                    if side == "aiohttp":
                        turns[side].append(_send_bare(wechat, openids, connections))
                        continue
                    stage = _stage_of(closing, name, Path(folder), wechat, connections)
                    rate, *taken = send_announcement(stage, wechat, openids)
                    turns[side].append(rate)
                    memory.append((taken[0], taken[1]))
        before, peak = max(memory, key=lambda one: one[1] - one[0])
        return Sent(letters=letters, delay=delay, memory=before, memory_peak=peak, **turns)

    return {name: [measure(name, delay) for delay in DELAYS] for name in databases}


def _emulated(closing: ExitStack, folder: Path) -> EmulatedProcess:
    places = Places.here()
    return closing.enter_context(EmulatedProcess(folder, lambda: pin(places.server)))


def _stage_of(
    closing: ExitStack, name: str, folder: Path, wechat: EmulatedProcess, connections: int
) -> Stage:
    lite = f"sqlite:///{folder / 'sends.sqlite3'}"
    url = lite if name == "sqlite" else postgres(closing, "sends")
    other = {
        # The emulated account's secrets are refused in production.
        "KEPU_ENVIRONMENT": "test",
        "KEPU_WECHAT__API_BASE": wechat.api_base,
        "KEPU_SENDING__CONNECTIONS": str(connections),
        "KEPU_SENDING__MOST_PER_SECOND": "100000",
    }
    for app in ("official_account", "mini_program"):
        for key in ("appid", "secret"):
            other[f"KEPU_WECHAT__{app.upper()}__{key.upper()}"] = wechat.apps[app][key]
    stage = Stage(folder / "house", url, Account.fresh(), other)
    closing.callback(stage.close)
    return stage


def set_to_noon(stage: Stage) -> None:
    """Shift the stage's clock to noon in Beijing, because nothing is sent at night."""
    now = datetime.now(BEIJING)
    offset = now.replace(hour=12, minute=0) - now
    shift = {"offset_s": offset.total_seconds(), "frozen_at": None}
    (stage.settings.var / "clock.json").write_text(json.dumps(shift), "utf-8")


def _send_bare(wechat: EmulatedProcess, openids: Sequence[str], connections: int) -> float:
    """As many template messages by a client that does nothing else; messages in a second."""
    content = CONTENTS["template"]
    order = SendOrder(
        base=wechat.api_base,
        appid=wechat.apps["official_account"]["appid"],
        secret=wechat.apps["official_account"]["secret"],
        mini_appid=wechat.apps["mini_program"]["appid"],
        template_id=template_id_of(content["template"]),
        fields=content["fields"],
        openids=list(openids),
        letters=len(openids),
        connections=connections,
    )
    return len(openids) / send_by("bare", order, Places.here()).seconds


def send_announcement(
    stage: Stage, wechat: EmulatedProcess, openids: Sequence[str]
) -> tuple[float, float, float]:
    """An announcement to these people by the worker's task.

    Messages in a second, and the process's MB before and at most.
    Raises: BenchFailed when WeChat's record is not one message for each.
    """
    set_to_noon(stage)
    factory = stage.application.uow_factory
    with factory.begin() as uow:
        people = some_followers(uow, len(openids), openids=openids)
        uow.session.execute(update(Citizen).values(topics=["lectures"]))
        sent = a_send(uow, people, Channel.TEMPLATE, topic="lectures").id
    analyze_tables(stage)
    context = TaskContext(uow_factory=factory, gateway=stage.application.gateway)
    before = _megabytes()
    with _sampled() as samples:
        begun = time.perf_counter()
        while send_announcements(context, "all"):
            continue
        seconds = time.perf_counter() - begun
    states, received = states_of(factory, sent), wechat.delivered()
    if states != {"sent": len(openids)} or received != Counter(openids):
        raise BenchFailed(f"the worker left {dict(states)}; {received.total()} were received")
    return len(openids) / seconds, before, max([before, *samples])


def _megabytes() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


@contextmanager
def _sampled() -> Iterator[list[float]]:
    """The memory of this process, ten times a second until the block ends."""
    samples: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            samples.append(_megabytes())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield samples
    finally:
        over.set()
        looking.join()


def _by_ref(ref: str) -> Any:
    return select(Announcement).where(Announcement.ref == ref)
