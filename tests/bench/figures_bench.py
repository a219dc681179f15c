"""Opens the dashboard over a million papers: `python -m tests.bench.figures_bench [PAPERS]`.

Prints how long the counting and a page take, on SQLite in a temporary folder; asserts nothing.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import insert

from server.app import open_application
from server.base.access import REGION, Organizer, Role
from server.base.settings import Security, Settings
from server.base.sql.patience import Use
from server.base.sql.schema import migrate_database
from server.dashboard import service, tasks
from server.programme.models import Participation
from server.units import service as units

PAPERS, CHUNK, DAYS = 1_000_000, 20_000, 180
GROUPS = ("youth", "farmer", "worker", "official", "elder", None)


def main(papers: int) -> None:
    chance = random.Random(1)
    places = [
        (city.code, county.code) for city in units.load_regions().cities for county in city.counties
    ]
    with tempfile.TemporaryDirectory(prefix="kepu-figures-") as folder:
        settings = Settings(
            environment="test",
            database_url=f"sqlite:///{Path(folder) / 'bench.sqlite3'}",
            redis_url="fake:figures",
            var=Path(folder),
            security=Security(master_key="k" * 48),
        )
        application = open_application(settings, use=Use.COMMANDS)
        migrate_database(application.uow_factory.engine)
        for first in range(0, papers, CHUNK):
            rows = [_made_row(chance, places, n) for n in range(first, min(first + CHUNK, papers))]
            with application.uow_factory.begin() as uow:
                uow.session.execute(insert(Participation), rows)
        begun = time.perf_counter()
        count = tasks.count_changes(application.task_context)
        _print_line(f"{count} participations counted in {time.perf_counter() - begun:.1f} s")
        organizer = Organizer(id=1, name="x", role=Role.EDITOR, scope=REGION, place="x")
        for place in ("region", "city:450100", "county:450103"):
            begun = time.perf_counter()
            with application.uow_factory.begin(read_only=True) as uow:
                service.read_dashboard(uow, organizer, place)
            _print_line(f"{place} read in {(time.perf_counter() - begun) * 1000:.0f} ms")


def _made_row(chance: random.Random, places: list[tuple[str, str]], n: int) -> dict[str, object]:
    city, county = chance.choice(places)
    return {
        "citizen_id": chance.randrange(1, 250_000),
        "kind": "paper",
        "source_ref": f"att_{n}",
        "programme": "quiz-contest",
        "city": city,
        "county": county,
        "unit_id": None,
        "on_day": date(2026, 5, 1) + timedelta(days=chance.randrange(DAYS)),
        "audience": chance.choice(GROUPS),
        "hour": chance.randrange(24),
    }


def _print_line(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PAPERS)
