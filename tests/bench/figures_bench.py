"""`python -m tests.bench figures`: the dashboard's pages over a million papers, and the counting.

Papers are made by statements in the database. Most are counted by `rebuild-figures`, the last
ones by the background task, whose time is measured; both give the same figures. Each page is
requested by a logged-in organizer from the whole web server, with its HTML and its charts' data.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from server.app import create_app
from server.base.access import Role
from server.console.form_session import SESSION_COOKIE
from server.dashboard import tasks
from server.dashboard.commands import rebuild_figures
from server.organizers.sessions import start_session
from server.units import service as units
from tests.bench.letters import Account
from tests.bench.processes import BenchFailed
from tests.bench.report import commit, machine
from tests.bench.rows import DATABASES
from tests.bench.run import postgres, temporary_folder
from tests.bench.stage import Stage
from tests.conftest import application_of
from tests.kit.organizers import an_account

PAPERS, RECENT, PEOPLE, DAYS = 1_000_000, 100_000, 250_000, 180
PLACES = ("region", "city:450100", "county:450103")
OPENINGS = 100
# The longest time of a page that the campaign asks for.
GOAL_MS = 200.0
# Charts whose data is in each page.
_CHARTS = ("trend", "hours")


@dataclass(frozen=True)
class _Words:
    """How a database says what the two say differently."""

    series: str
    day: str
    true: str
    fixed: str


_WORDS = {
    "sqlite": _Words(
        series="WITH RECURSIVE g(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM g"
               " WHERE n < :last)",
        day="date('2026-01-01', '+' || {0} || ' days')",
        true="1",
        fixed="PRAGMA wal_checkpoint(TRUNCATE)",
    ),
    "postgresql": _Words(
        series="WITH g(n) AS (SELECT generate_series(CAST(:first AS bigint),"
               " CAST(:last AS bigint)))",
        day="DATE '2026-01-01' + CAST({0} AS integer)",
        true="true",
        fixed="VACUUM ANALYZE",
    ),
}  # fmt: skip

# A citizen has a fixed county and group.
_ADD = """
INSERT INTO participation (citizen_id, kind, source_ref, programme, city, county, on_day,
 audience, hour, completed)
{series}
SELECT c.id, 'paper', 'att_' || c.n, 'quiz-contest', p.city, p.county, {day},
 CASE (c.id * 13) % 6 WHEN 0 THEN 'youth' WHEN 1 THEN 'farmer' WHEN 2 THEN 'worker'
  WHEN 3 THEN 'official' WHEN 4 THEN 'elder' END,
 (c.n * 37) % 24, {true}
FROM (SELECT n, (n * 7919) % :people + 1 AS id FROM g) AS c
JOIN bench_place AS p ON p.id = (c.id * 31) % :places
"""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The figures of one database.  Units: seconds; `pages_ms` by place, in the order of asking."""

    papers: int
    seeding: float
    rebuild: float
    counted: int
    counting: float
    pages_ms: Mapping[str, Sequence[float]]


def add_papers(address: str, first: int, last: int, people: int) -> None:
    """Insert participations with these numbers; triggers note them as changes to be counted."""
    engine = create_engine(address)
    words = _WORDS[engine.dialect.name]
    # In the order of time, so that the last papers are of the last days.
    day = words.day.format(f"(c.n * {DAYS} / {PAPERS} % {DAYS})")
    statement = _ADD.format(series=words.series, day=day, true=words.true)
    places = [
        {"id": at, "city": city.code, "county": county.code}
        for at, (city, county) in enumerate(
            (city, county) for city in units.load_regions().cities for county in city.counties
        )
    ]
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TEMPORARY TABLE bench_place (id integer, city text, county text)")
        )
        connection.execute(text("INSERT INTO bench_place VALUES (:id, :city, :county)"), places)
        connection.execute(
            text(statement),
            {"first": first, "last": last, "people": people, "places": len(places)},
        )
        connection.execute(text("DROP TABLE bench_place"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(words.fixed))
    engine.dispose()


def forget_changes(address: str) -> None:
    """Delete the noted changes, because `rebuild-figures` counts the rows themselves."""
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM participation_change"))
    engine.dispose()


def fill_figures(stage: Stage, papers: int, recent: int, people: int) -> tuple[float, float, float]:
    """Add papers, and count them by the command and the task of the product; how long each took.

    Units: seconds of seeding, of the command, and of the task for the `recent` papers.
    """
    address, factory = stage.settings.database_address, stage.application.uow_factory
    with _stopwatch() as seeding:
        add_papers(address, 1, papers - recent, people)
        forget_changes(address)
    with _stopwatch() as rebuild:
        rebuild_figures(factory)
    add_papers(address, papers - recent + 1, papers, people)
    with _stopwatch() as counting:
        tasks.count_changes(stage.application.task_context)
    tasks.renew_funnel(stage.application.task_context)
    return seeding(), rebuild(), counting()


def open_pages(stage: Stage, places: Sequence[str], openings: int) -> dict[str, list[float]]:
    """Request the page of each place so many times in turn, after one to warm up.

    Units: milliseconds.
    """
    app = create_app(stage.settings)
    factory = application_of(app).uow_factory
    with factory.begin() as uow:
        account = an_account(uow, role=Role.EDITOR, place="region")
        cookie = start_session(uow, account.id, "127.0.0.1", "bench")
    host = str(urlsplit(stage.settings.public_url).hostname)
    client = app.test_client()
    client.set_cookie(SESSION_COOKIE, cookie, domain=host, path="/console")
    took: dict[str, list[float]] = {place: [] for place in places}
    for turn in range(openings + 1):
        for place in places:
            spent = _open_page(client, stage.settings.public_url, place)
            if turn:
                took[place].append(spent)
    factory.engine.dispose()
    return took


def _open_page(client: FlaskClient, address: str, place: str) -> float:
    begun = time.perf_counter()
    answer = client.get(f"/console/figures/{place}", base_url=address)
    page = answer.get_data(as_text=True)
    spent = (time.perf_counter() - begun) * 1000
    if answer.status_code != 200 or page.count('type="application/json"') < len(_CHARTS):
        raise BenchFailed(f"{answer.status_code}, or no charts of {place}: run `make console`")
    return spent


def measure_figures(
    databases: Sequence[str], papers: int, say: Callable[[str], None]
) -> dict[str, Opened]:
    """Fill each database, and open the pages."""
    found = {}
    for database in databases:
        with contextlib.ExitStack() as closing:
            folder = Path(closing.enter_context(temporary_folder()))
            lite = f"sqlite:///{folder / 'figures.sqlite3'}"
            url = lite if database == "sqlite" else postgres(closing, "figures")
            stage = Stage(folder / "house", url, Account.fresh())
            closing.callback(stage.close)
            say(f"{database}: {papers} papers")
            recent = min(RECENT, papers // 2)
            seeding, rebuild, counting = fill_figures(stage, papers, recent, PEOPLE)
            say(f"{database}: pages")
            found[database] = Opened(
                papers=papers, seeding=seeding, rebuild=rebuild, counted=recent, counting=counting,
                pages_ms=open_pages(stage, PLACES, OPENINGS),
            )  # fmt: skip
    return found


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one run found."""

    found: Mapping[str, Opened]
    began: str

    def lines(self) -> list[str]:
        """The figures as Markdown, which reads as text too."""
        lines = [f"{machine()}; commit {commit()}; {self.began}"]
        for database, opened in self.found.items():
            per_100_000 = opened.counting * 100_000 / opened.counted
            lines += [
                "", f"### {DATABASES[database]}, {opened.papers:,} papers", "",
                "| page | median ms | p99 ms | longest ms | goal | |", "|---|---|---|---|---|---|",
                *(_page_line(place, spent) for place, spent in opened.pages_ms.items()), "",
                f"Counted by the task: {per_100_000:.1f} s for 100,000 papers. `rebuild-figures`:"
                f" {opened.rebuild:.1f} s for {opened.papers - opened.counted:,} papers. Seeding:"
                f" {opened.seeding:.1f} s.",
            ]  # fmt: skip
        return lines

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            name: {**vars(one), "pages_ms": dict(one.pages_ms)} for name, one in self.found.items()
        }


def _page_line(place: str, spent: Sequence[float]) -> str:
    ordered = sorted(spent)
    late = ordered[max(0, len(ordered) * 99 // 100 - 1)]
    verdict = "met" if late < GOAL_MS else "missed"
    figures = f"{median(ordered):.0f} | {late:.0f} | {ordered[-1]:.0f}"
    return f"| {place} | {figures} | p99 under {GOAL_MS:.0f} | {verdict} |"


@contextlib.contextmanager
def _stopwatch() -> Iterator[Callable[[], float]]:
    """A block whose duration in seconds is told by the yielded function after its end."""
    spent: list[float] = []
    begun = time.perf_counter()
    yield lambda: spent[0]
    spent.append(time.perf_counter() - begun)


if __name__ == "__main__":
    many = int(sys.argv[1]) if len(sys.argv) > 1 else PAPERS
    told = Figures(found=measure_figures(tuple(DATABASES), many, print), began="")
    sys.stdout.write("\n".join([*told.lines(), ""]))
