"""Long jobs: progress, cancelling, results, and what a killed worker leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, select

from server.base.errors import NotFound, Unavailable
from server.base.jobs import TaskContext
from server.base.outbox import begin_calls, lease_due
from server.base.outbox_rows import OutboxState
from server.base.uow import UnitOfWorkFactory
from server.channel.models import KeywordRule
from server.console import tasks
from server.console.list_pages import EXPORT_JOB
from server.console.long_jobs import (
    KEPT,
    LEASE,
    MOST_TRIES,
    QUEUE,
    JobLost,
    JobResult,
    JobRun,
    LongJob,
    start_job,
)
from server.console.models import ConsoleJob
from tests.kit.clock import FakeClock
from tests.kit.console import NANNING, PEOPLE, Browser, console_app
from tests.kit.console_lists import PAGES, make_rules
from tests.kit.gateway import RecordingGateway

EDITOR = "editor-city"
FILE = JobResult(
    said="console.export.done",
    facts={"count": 1},
    file_name="a.csv",
    media="text/csv",
    content=b"a",
)


@dataclass
class Bench:
    """Jobs of one organizer, run by the test itself."""

    uow_factory: UnitOfWorkFactory
    gateway: RecordingGateway
    kinds: dict[str, LongJob] = field(default_factory=dict)

    @property
    def context(self) -> TaskContext:
        return TaskContext(uow_factory=self.uow_factory, gateway=self.gateway, jobs=self.kinds)

    def start(
        self,
        run: Callable[[TaskContext, JobRun], JobResult],
        *,
        cancellable: bool = False,
        **given: Any,
    ) -> str:
        job = LongJob(name="test.job", title="console.job.title", run=run, cancellable=cancellable)
        self.kinds[job.name] = job
        with self.uow_factory.begin() as uow:
            return start_job(uow, PEOPLE[EDITOR], job, {"n": 1}, **given)

    def row(self, ref: str) -> ConsoleJob:
        with self.uow_factory.begin(read_only=True) as uow:
            found = uow.session.scalars(select(ConsoleJob).where(ConsoleJob.ref == ref)).one()
            _ = found.result_file, found.input_file
            uow.session.expunge(found)
            return found

    def claimed(self) -> JobRun:
        """A run as a worker begins it that is killed afterwards."""
        with self.uow_factory.begin() as uow:
            leased = lease_due(uow, QUEUE, 1)
        with self.uow_factory.begin() as uow:
            (call,) = begin_calls(uow, QUEUE, leased).calls
        run: JobRun = call.letter
        return run


@pytest.fixture
def bench(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> Bench:
    return Bench(uow_factory, gateway)


def test_a_job_runs_as_its_organizer_reports_and_leaves_its_file(bench: Bench) -> None:
    seen: list[Any] = []

    def run(_context: TaskContext, job: JobRun) -> JobResult:
        seen.extend([job.organizer, dict(job.arguments), job.input_file])
        job.report_progress(3, 7)
        seen.append(bench.row(ref).done)
        return FILE

    ref = bench.start(run, input_file=b"given")
    assert tasks.run_due_jobs(bench.context) == 1
    assert seen == [PEOPLE[EDITOR], {"n": 1}, b"given", 3]
    row = bench.row(ref)
    assert (row.outbox_state, row.failed, row.done, row.total) == (OutboxState.DONE, False, 7, 7)
    # The upload is deleted with the end of the job.
    assert (row.result_file, row.input_file) == (b"a", None)
    assert tasks.run_due_jobs(bench.context) == 0


def test_the_start_of_a_job_wakes_a_worker_whose_thread_runs_it(
    bench: Bench, rung: list[tuple[str, tuple[int, ...]]]
) -> None:
    bench.start(lambda _context, _job: FILE)
    assert [task for task, _ in rung] == ["console.run_jobs"]
    assert tasks.start_due_jobs(bench.context) == 0
    tasks.JOB_THREAD.wait_until_done(60)
    with bench.uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(ConsoleJob.outbox_state)) is OutboxState.DONE


def test_one_thread_runs_jobs_however_often_it_is_woken(bench: Bench) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def run(_context: TaskContext, _job: JobRun) -> JobResult:
        at_work.set()
        assert go_on.wait(60)
        return FILE

    bench.start(run)
    thread = tasks.JobThread()
    assert thread.ensure_running(bench.context)
    assert at_work.wait(60)
    assert not thread.ensure_running(bench.context)
    go_on.set()
    thread.wait_until_done(60)


def test_a_job_of_a_killed_worker_begins_again(bench: Bench, clock: FakeClock) -> None:
    ref = bench.start(lambda _context, _job: FILE)
    bench.claimed()
    assert tasks.run_due_jobs(bench.context) == 0
    clock.advance(LEASE.total_seconds() + 1)
    assert tasks.run_due_jobs(bench.context) == 1
    assert bench.row(ref).outbox_state is OutboxState.DONE


def test_a_job_whose_workers_all_die_ends_with_a_sentence(bench: Bench, clock: FakeClock) -> None:
    ref = bench.start(lambda _context, _job: FILE)
    for _ in range(MOST_TRIES):
        bench.claimed()
        clock.advance(LEASE.total_seconds() + 1)
        with bench.uow_factory.begin() as uow:
            row = uow.session.scalars(select(ConsoleJob)).one()
            if row.outbox_tries < MOST_TRIES:
                row.outbox_state, row.outbox_claim, row.outbox_until = (
                    OutboxState.QUEUED,
                    None,
                    None,
                )
    tasks.run_due_jobs(bench.context)
    assert (bench.row(ref).failed, bench.row(ref).said) == (True, "console.job.lost")


def test_an_effect_and_its_result_are_made_once_though_the_worker_dies_after_them(
    bench: Bench, clock: FakeClock
) -> None:
    def run(context: TaskContext, job: JobRun) -> JobResult:
        with context.uow_factory.begin() as uow:
            make_rules(uow, NANNING, ["imported"])
            job.settle_in(uow, FILE)
        return FILE

    ref = bench.start(run)
    run(bench.context, bench.claimed())
    clock.advance(LEASE.total_seconds() + 1)
    tasks.run_due_jobs(bench.context)
    row = bench.row(ref)
    assert (row.outbox_state, row.said, row.result_file) == (
        OutboxState.DONE, "console.export.done", b"a"
    )  # fmt: skip
    assert count_rules(bench) == 1


def test_without_the_common_transaction_the_effect_would_be_made_twice(
    bench: Bench, clock: FakeClock
) -> None:
    def run(context: TaskContext, job: JobRun) -> JobResult:
        with context.uow_factory.begin() as uow:
            make_rules(uow, NANNING, ["imported"])
        return FILE

    bench.start(run)
    run(bench.context, bench.claimed())
    clock.advance(LEASE.total_seconds() + 1)
    tasks.run_due_jobs(bench.context)
    assert count_rules(bench) == 2


def test_a_worker_that_lost_its_job_changes_nothing(bench: Bench, clock: FakeClock) -> None:
    bench.start(lambda _context, _job: FILE)
    slow = bench.claimed()
    clock.advance(LEASE.total_seconds() + 1)
    tasks.run_due_jobs(bench.context)
    with pytest.raises(JobLost), bench.uow_factory.begin() as uow:
        make_rules(uow, NANNING, ["too late"])
        slow.settle_in(uow, FILE)
    assert count_rules(bench) == 0


def test_progress_renews_the_claim(bench: Bench, clock: FakeClock) -> None:
    def run(_context: TaskContext, job: JobRun) -> JobResult:
        for step in range(4):
            clock.advance(LEASE.total_seconds() - 5)
            job.report_progress(step, 4)
        return FILE

    ref = bench.start(run)
    tasks.run_due_jobs(bench.context)
    assert (bench.row(ref).outbox_tries, bench.row(ref).outbox_state) == (1, OutboxState.DONE)


def test_progress_inside_a_transaction_is_a_mistake(bench: Bench) -> None:
    def run(context: TaskContext, job: JobRun) -> JobResult:
        with context.uow_factory.begin():
            job.report_progress(1, 2)
        return FILE

    ref = bench.start(run)
    tasks.run_due_jobs(bench.context)
    assert (bench.row(ref).failed, bench.row(ref).said) == (True, "console.job.broken")


@pytest.mark.parametrize("cancellable", [True, False])
def test_a_running_job_stops_where_it_reports_when_that_is_safe(
    bench: Bench, cancellable: bool
) -> None:
    app, _ = console_app(bench.uow_factory, PAGES)

    def run(_context: TaskContext, job: JobRun) -> JobResult:
        job.report_progress(1, 2)
        answers.append(Browser(app, EDITOR).open("POST", f"/jobs/{ref}/cancel", {}).status_code)
        job.report_progress(2, 2)
        return FILE

    answers: list[int] = []
    ref = bench.start(run, cancellable=cancellable)
    tasks.run_due_jobs(bench.context)
    assert answers == [303]
    assert bench.row(ref).said == (
        "console.job.cancelled" if cancellable else "console.export.done"
    )


def test_a_job_that_waits_is_cancelled_at_once(bench: Bench) -> None:
    def run(_context: TaskContext, _job: JobRun) -> JobResult:
        raise AssertionError("it was cancelled")

    app, _ = console_app(bench.uow_factory, PAGES)
    ref = bench.start(run, input_file=b"given")
    browser = Browser(app, EDITOR)
    assert "取消任务" in browser.get(f"/jobs/{ref}")[1]
    browser.open("POST", f"/jobs/{ref}/cancel", {})
    shown = browser.get(f"/jobs/{ref}")[1]
    assert "已经要求取消" in shown
    assert "已经取消。" in shown
    assert "hx-trigger" not in shown
    assert tasks.run_due_jobs(bench.context) == 0
    assert bench.row(ref).input_file is None


class Away(Unavailable):
    """A service that does not answer now."""

    code = "database_away"


def test_failures_end_in_words_or_are_tried_again(bench: Bench, clock: FakeClock) -> None:
    troubles: list[Exception] = [NotFound(), ValueError("secret"), Away()]
    said = []
    for trouble in troubles:

        def run(_context: TaskContext, _job: JobRun, trouble: Exception = trouble) -> JobResult:
            raise trouble

        ref = bench.start(run)
        tasks.run_due_jobs(bench.context)
        said.append((bench.row(ref).said, bench.row(ref).outbox_state.value))  # type: ignore[union-attr]
    assert said == [("error:not_found", "done"), ("console.job.broken", "given_up"), ("", "queued")]
    app, _ = console_app(bench.uow_factory, PAGES)
    shown = Browser(app, EDITOR).get("/jobs")[1]
    assert shown.count("未完成") == 2
    assert "secret" not in shown


def test_a_long_list_is_exported_by_a_job_with_the_organizers_own_scope(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.console.list_pages.INSTANT_ROWS", 10)
    with bench.uow_factory.begin() as uow:
        make_rules(uow, NANNING, [f"text {number}" for number in range(12)])
        make_rules(uow, PEOPLE["editor-other"].scope, ["of another city"])
    app, written = console_app(bench.uow_factory, PAGES)
    browser = Browser(app, EDITOR)
    answer = browser.open("POST", "/listed/export", {"file_format": "csv"})
    assert answer.status_code == 303
    ref = answer.headers["Location"].rpartition("/")[2]
    assert (written[0].act, written[0].facts["rows"]) == ("console.export_list", 12)
    assert "正在排队" in browser.get(f"/jobs/{ref}")[1]
    bench.kinds[EXPORT_JOB.name] = EXPORT_JOB
    assert tasks.run_due_jobs(bench.context) == 1
    shown = browser.get(f"/jobs/{ref}")[1]
    assert "已经导出 12 条。" in shown
    file = browser.open("GET", f"/jobs/{ref}/file", {})
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.data.decode("utf-8-sig").count("text ") == 12
    assert b"another" not in file.data
    other = Browser(app, "editor-region")
    assert [other.get(f"/jobs/{ref}{end}")[0] for end in ("", "/file")] == [404, 404]


def test_jobs_and_their_files_are_deleted_after_three_days(bench: Bench, clock: FakeClock) -> None:
    bench.start(lambda _context, _job: FILE)
    tasks.run_due_jobs(bench.context)
    waiting = bench.start(lambda _context, _job: FILE)
    clock.advance(KEPT.total_seconds() - 1)
    assert tasks.drop_old_jobs(bench.context) == 0
    clock.advance(2)
    assert tasks.drop_old_jobs(bench.context) == 1
    assert bench.row(waiting).outbox_state is OutboxState.QUEUED


def count_rules(bench: Bench) -> int:
    with bench.uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(func.count()).select_from(KeywordRule)) or 0
