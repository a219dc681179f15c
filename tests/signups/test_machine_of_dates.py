"""Random histories in which one lecture is moved, postponed and dated again; see test_machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from server.activities.service import Move
from server.base.errors import AppError
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.signups import changes, tasks
from tests.kit.console import PEOPLE
from tests.signups.test_machine import HISTORIES, STEPS, Hall

EDITOR = PEOPLE["editor-region"]
# The start of a postponed lecture: nobody is promoted before it.
NEVER = datetime.min.replace(tzinfo=UTC)


class MovedHall(Hall):
    """The third lecture gets other dates, which are never those of the first two, or none."""

    def __init__(self, uow_factory: UnitOfWorkFactory) -> None:
        super().__init__(uow_factory)
        self.first_start = self.starts[2]

    @rule(what=st.sampled_from(["move", "postpone", "date"]), hours=st.integers(0, 4))
    def change_date(self, what: str, hours: int) -> None:
        soonest = max(self.first_start, self.clock.now() + timedelta(hours=1))
        start, ref = soonest + timedelta(hours=hours), self.lectures[2].ref
        move = Move(starts_at=start, ends_at=start + timedelta(hours=2), venue="科技馆")
        acts: dict[str, Callable[[UnitOfWork], int]] = {
            "move": lambda uow: changes.move_activity(uow, EDITOR, ref, move),
            "postpone": lambda uow: changes.postpone_activity(uow, EDITOR, ref, "台风"),
            "date": lambda uow: changes.set_new_date(uow, EDITOR, ref, move),
        }
        try:
            with self.uow_factory.begin() as uow:
                acts[what](uow)
        except AppError:
            return
        self.starts[2] = NEVER if what == "postpone" else start
        # The change wakes this task.
        tasks.fill_idle_seats(TaskContext(uow_factory=self.uow_factory, gateway=None))
        before, self.seen = self.seen, self.look()
        self.check(before)


def test_histories_with_changed_dates_keep_every_promise_about_seats(
    uow_factory: UnitOfWorkFactory,
) -> None:
    run_state_machine_as_test(
        lambda: MovedHall(uow_factory),
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
