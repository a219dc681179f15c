"""The dashboard's bench counts as the product does; its sections judge as they say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.dashboard.models import FigureGroup
from server.programme.models import Participation, ParticipationChange
from tests.bench.figures_bench import Figures, Opened, fill_figures
from tests.bench.letters import Account
from tests.bench.run import postgres
from tests.bench.stage import Stage
from tests.kit.figures import participants, recounted, stored

PAPERS, RECENT, PEOPLE = 900, 300, 200


@pytest.fixture
def stage(tmp_path: Path, database_kind: str) -> Iterator[Stage]:
    with ExitStack() as closing:
        lite = f"sqlite:///{tmp_path / 'figures.sqlite3'}"
        url = lite if database_kind == "sqlite" else postgres(closing, "figures")
        made = Stage(tmp_path / "house", url, Account.fresh())
        closing.callback(made.close)
        yield made


@pytest.mark.slow
def test_the_figures_of_the_bench_are_a_recount_of_its_papers(stage: Stage) -> None:
    fill_figures(stage, PAPERS, RECENT, PEOPLE)
    with stage.application.uow_factory.begin(read_only=True) as uow:
        session = uow.session
        assert session.scalar(select(func.count()).select_from(Participation)) == PAPERS
        assert session.scalar(select(func.count()).select_from(ParticipationChange)) == 0
        assert stored(uow) == recounted(uow)
        assert participants(uow) == set(session.scalars(select(Participation.citizen_id)))
        region = select(func.sum(FigureGroup.times)).where(FigureGroup.place == "region")
        assert session.scalar(region) == PAPERS


def test_a_page_that_is_late_once_in_a_hundred_times_is_missed() -> None:
    def told(pages: list[float]) -> str:
        opened = Opened(papers=10, seeding=1, rebuild=1, counted=5, counting=1,
                        pages_ms={"region": pages})  # fmt: skip
        return "\n".join(Figures(found={"sqlite": opened}, began="now").lines())

    assert "| region | 50 | 50 | 900 | p99 under 200 | met |" in told([50.0] * 99 + [900.0])
    assert "| region | 50 | 900 | 900 | p99 under 200 | missed |" in told([50.0] * 98 + [900.0] * 2)
