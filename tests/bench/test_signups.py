"""The bench of sign-ups: the drivers do the product's statements, its page judges as it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.signups.models import SignUp, SignUpNotice
from tests.bench.letters import Account
from tests.bench.run import postgres
from tests.bench.signups_alone import Speed, record_models, run_alone
from tests.bench.signups_bench import Found, SignUps
from tests.bench.stage import Stage

SEATED, WAITING = 6, 14


@pytest.fixture
def stage(tmp_path: Path, database_kind: str) -> Iterator[Stage]:
    with ExitStack() as closing:
        lite = f"sqlite:///{tmp_path / 'signups.sqlite3'}"
        url = lite if database_kind == "sqlite" else postgres(closing, "signups")
        made = Stage(tmp_path / "house", url, Account.fresh())
        closing.callback(made.close)
        yield made


@pytest.mark.slow
def test_the_drivers_alone_write_the_rows_that_the_product_writes(stage: Stage) -> None:
    seated, waiting = record_models(stage)
    run_alone(stage, [seated] * SEATED + [waiting] * WAITING)
    with stage.application.uow_factory.begin(read_only=True) as uow:
        session = uow.session
        states = session.execute(select(SignUp.state, func.count()).group_by(SignUp.state)).all()
        people = session.scalar(select(func.count(SignUp.citizen_id.distinct())))
        told = session.scalar(select(func.count(SignUpNotice.signup_id.distinct())))
    # The two that were recorded are among them.
    assert {state.value: count for state, count in states} == {
        "confirmed": SEATED + 1,
        "waitlisted": WAITING + 1,
    }
    assert people == told == SEATED + WAITING + 2


def test_the_rush_is_judged_by_its_whole_time() -> None:
    def words_of(seconds: float) -> str:
        alone = Speed(seconds=0.5, times_ms=[1.0] * 98 + [7.0, 9.0])
        found = Found(
            people=2000, seats=300, processes=2, http_seconds=seconds, http_p50_ms=40,
            http_p99_ms=90, statements=9, alone=alone,
        )  # fmt: skip
        return "\n".join(SignUps(found={"sqlite": found}, began="now").lines())

    assert "2.0 times the time of the database alone; within 1.5 s: met" in words_of(1.0)
    assert "| 4,000 | 0.50 | 1.0 | 9.0 |" in words_of(1.0)
    assert "within 1.5 s: missed" in words_of(1.6)
