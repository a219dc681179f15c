"""`python -m tests.bench ledger`: an announcement of a million rows, and one that is sent.

The rows are frozen by one statement. 20,000 subscription messages are sent by the whole worker
(claims, grants, inbox copies, results in batches), and as many by aiohttp alone, to a server that
answers at once. Printed, not judged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, func, select, text

from server.announcements.audience.freezing import freeze_audience, thaw_audience
from server.announcements.enums import Channel
from server.announcements.ledger.pace import FULL_RATE
from server.announcements.ledger.sending import CONNECTIONS
from server.announcements.models import Announcement, Recipient
from server.announcements.tasks import send_announcements
from server.base.jobs import TaskContext
from tests.bench.letters import Account
from tests.bench.processes import BenchFailed, Places
from tests.bench.report import commit, machine
from tests.bench.rows import DATABASES
from tests.bench.run import postgres, temporary_folder
from tests.bench.sends_bench import instant_wechat, send_at_once
from tests.bench.stage import Stage
from tests.kit.announcements import an_announcement
from tests.kit.sends import a_send, some_followers, states_of

PEOPLE = 1_000_000
Say = Callable[[str], None]

_SERIES = {
    "sqlite": "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < :many)",
    "postgresql": "WITH g(n) AS (SELECT generate_series(1, :many))",
}
_LIST = {"sqlite": "'[]'", "postgresql": "CAST('[]' AS json)"}
_ANALYZE = {"sqlite": "ANALYZE", "postgresql": "VACUUM ANALYZE citizen"}


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A large audience on one database.  Units: seconds, with their commits."""

    people: int
    freezing: float
    thawing: float


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Messages of one announcement.  Units: messages in a second, by the worker and the peer."""

    letters: int
    worker: float
    aiohttp: float


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What one run found."""

    found: Mapping[str, Frozen]
    sent: Mapping[str, Sent]
    began: str

    def lines(self) -> list[str]:
        """The figures as Markdown, which reads as text too."""
        return [
            f"{machine()}; commit {commit()}; {self.began}",
            "",
            "| database | rows | frozen in s | rows/s | deleted in s |",
            "|---|---|---|---|---|",
            *(
                f"| {DATABASES[name]} | {one.people:,} | {one.freezing:.1f} |"
                f" {one.people / one.freezing:,.0f} | {one.thawing:.1f} |"
                for name, one in self.found.items()
            ),
            "",
            f"| database | messages | worker/s (limit {FULL_RATE:,.0f}) | aiohttp/s | ratio |",
            "|---|---|---|---|---|",
            *(
                f"| {DATABASES[name]} | {one.letters:,} | {one.worker:,.0f} | {one.aiohttp:,.0f} |"
                f" {one.worker / one.aiohttp:.2f} |"
                for name, one in self.sent.items()
            ),
        ]

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            "frozen": {name: vars(one) for name, one in self.found.items()},
            "sent": {name: vars(one) for name, one in self.sent.items()},
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
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(_ANALYZE[kind]))
    engine.dispose()


def freeze_everybody(stage: Stage, people: int) -> Frozen:
    """Freeze an announcement to everybody, count its rows, and delete them again."""
    factory = stage.application.uow_factory
    with factory.begin() as uow:
        starts = uow.now + timedelta(days=1)
        ref = an_announcement(uow, ladder=[Channel.INBOX], audience={}, starts_at=starts).ref

    def spend(change: Callable[..., object]) -> float:
        begun = time.perf_counter()
        with factory.begin() as uow:
            change(uow, uow.session.scalars(_by_ref(ref)).one())
        return time.perf_counter() - begun

    freezing = spend(freeze_audience)
    with factory.begin(read_only=True) as uow:
        rows = uow.session.scalar(select(func.count()).select_from(Recipient))
    if rows != people:
        raise BenchFailed(f"{rows} rows for {people} people")
    return Frozen(people=people, freezing=freezing, thawing=spend(thaw_audience))


def measure_worker(databases: tuple[str, ...], letters: int, say: Say) -> Mapping[str, Sent]:
    """Send an announcement by the worker's task, and as many messages by aiohttp alone.

    Raises: BenchFailed when a message was not accepted.
    """
    places = Places.here()
    found = {}
    for name in databases:
        with temporary_folder() as folder, ExitStack() as closing:
            here = Path(folder)
            base = closing.enter_context(instant_wechat(here, places))
            lite = f"sqlite:///{here / 'sends.sqlite3'}"
            url = lite if name == "sqlite" else postgres(closing, "sends")
            other = {"KEPU_WECHAT__API_BASE": base}
            stage = Stage(here / "house", url, Account.fresh(), other)
            closing.callback(stage.close)
            say(f"{DATABASES[name]}: the worker sends {letters:,} messages")
            seconds = send_announcement(stage, letters)
            say("aiohttp alone")
            alone = send_at_once("bare", base, letters, CONNECTIONS, places)
            found[name] = Sent(
                letters=letters, worker=letters / seconds, aiohttp=letters / alone.seconds
            )
    return found


def send_announcement(stage: Stage, letters: int) -> float:
    """An announcement to so many people with a grant, by the worker's task; seconds."""
    factory = stage.application.uow_factory
    channel = Channel.MINI_SUBSCRIPTION
    with factory.begin() as uow:
        people = some_followers(uow, letters, grants=[channel])
        sent = a_send(uow, people, channel).id
    context = TaskContext(uow_factory=factory, gateway=stage.application.gateway)
    begun = time.perf_counter()
    while send_announcements(context, "all"):
        continue
    seconds = time.perf_counter() - begun
    states = states_of(factory, sent)
    if states != {"sent": letters}:
        raise BenchFailed(f"the worker left {dict(states)} of {letters} messages")
    return seconds


def _by_ref(ref: str) -> Any:
    return select(Announcement).where(Announcement.ref == ref)
