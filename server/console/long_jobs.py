"""Long work of organizers as rows: progress, cancelling, a result or an error list to download.

A slice declares a `LongJob` in its manifest (`jobs=`) and starts it from a POST with `start_job`,
which returns the ref for `Redirect(f"/jobs/{ref}")`. The rows are a queue of the outbox: a worker
that dies loses its claim, and the job begins again. So `run` must be repeatable, or make its whole
effect in one transaction that also calls `job.settle_in(uow, result)`: a repeat then finds it made.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from server.base.access import Organizer, Role, Scope
from server.base.errors import AppError, NotFound, Unavailable
from server.base.jobs import TaskContext
from server.base.outbox_rows import (
    Backoff,
    Done,
    GiveUp,
    Lost,
    OutboxState,
    Outcome,
    Queue,
    Retry,
)
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.console.models import ConsoleJob

_log = logging.getLogger(__name__)
TASK = "console.run_jobs"
# The time for which result, error list and row are kept after the end.
KEPT = timedelta(days=3)
# A job reports its progress, which renews its claim, within this time.
LEASE = timedelta(seconds=90)
MOST_TRIES = 3
_CANCELLED, _LOST, _BROKEN = "cancelled", "claim_lost", "broken"
# Texts of outcomes that the job's own function cannot report.
_ENDINGS = {
    _CANCELLED: "console.job.cancelled",
    "worker_lost": "console.job.lost",
    "too_many_tries": "console.job.lost",
}


class JobCancelled(Exception):
    """The organizer cancelled the job; raised when the job reports its progress."""


class JobLost(Exception):
    """Another worker has taken the job over; this run must change nothing more."""


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """The end of a job: a text key with its facts, and a file to download.

    `failed` when nothing or not everything was done; the file is then the list of errors.
    """

    said: str
    facts: Mapping[str, str | int] = field(default_factory=dict)
    failed: bool = False
    file_name: str = ""
    media: str = ""
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """One run of a job: its organizer, its arguments, and functions that report progress.

    `input_file` is the uploaded file. `organizer` is as when the job was started.
    """

    row_id: int
    token: str = field(repr=False)
    job: str
    organizer: Organizer
    arguments: Mapping[str, Any]
    input_file: bytes | None = field(repr=False)
    # Set by the worker that runs the job.
    uow_factory: UnitOfWorkFactory | None = field(default=None, repr=False)

    def report_progress(self, done: int, total: int) -> None:
        """Store the job's progress, outside of any transaction; at most about once a second.

        Raises: JobCancelled, JobLost; RuntimeError inside a transaction, which would wait for
        itself on SQLite.
        """
        uow_factory = self.uow_factory
        if uow_factory is None or uow_factory.depth:
            raise RuntimeError("report progress before or after the transaction, not inside")
        with uow_factory.begin() as uow:
            cancelled = uow.session.scalar(
                update(ConsoleJob)
                .where(*self._held)
                .values(done=done, total=total, outbox_until=uow.now + LEASE)
                .returning(ConsoleJob.cancel_asked)
            )
        if cancelled is None:
            raise JobLost
        if cancelled:
            raise JobCancelled

    def settle_in(self, uow: UnitOfWork, result: JobResult) -> None:
        """Store the result in the transaction of the job's effect; both or neither is kept.

        Locks: the job's row. Raises: JobLost, so that the transaction is rolled back.
        """
        row = uow.session.scalar(select(ConsoleJob).where(*self._held).with_for_update())
        if row is None:
            raise JobLost
        _store_result(row, result)
        row.settled = True

    @property
    def _held(self) -> tuple[Any, ...]:
        return (
            ConsoleJob.id == self.row_id,
            ConsoleJob.outbox_claim == self.token,
            ConsoleJob.outbox_state == OutboxState.CLAIMED,
        )


@dataclass(frozen=True, kw_only=True)
class LongJob:
    """A kind of long work: `<slice>.<verb>_<object>`, the text key of its title, and its function.

    `run(context, job)` returns the result; an AppError it raises is the outcome in words. A
    `cancellable` job may be stopped wherever it reports its progress.
    """

    name: str
    title: str
    run: Callable[[TaskContext, JobRun], JobResult]
    cancellable: bool = False


def start_job(
    uow: UnitOfWork,
    organizer: Organizer,
    job: LongJob,
    arguments: Mapping[str, Any],
    *,
    title_facts: Mapping[str, str | int] | None = None,
    input_file: bytes | None = None,
) -> str:
    """Queue long work of an organizer; return its ref. Arguments and facts are JSON values."""
    row = ConsoleJob(
        ref=uow.new_ref("job"),
        job=job.name,
        title=job.title,
        title_facts=dict(title_facts or {}),
        organizer=organizer.id,
        acts_as=_spell_organizer(organizer),
        arguments=dict(arguments),
        input_file=input_file,
        cancellable=job.cancellable,
        created_at=uow.now,
    )
    row.enqueue_again(uow.now)
    uow.session.add(row)
    uow.enqueue_after_commit(TASK)
    return row.ref


def find_job(uow: UnitOfWork, organizer: Organizer, ref: str) -> ConsoleJob:
    """An organizer's own job. Raises: NotFound (404)."""
    return _own_job(uow, organizer.id, ref)


def cancel_job(uow: UnitOfWork, organizer: Organizer, ref: str) -> bool:
    """Cancel a job that waits, or ask a running one to stop; False when that is not possible.

    Locks: the job's row. Raises: NotFound (404).
    """
    row = _own_job(uow, organizer.id, ref, lock=True)
    if row.outbox_state is OutboxState.QUEUED:
        row.leave_outbox(OutboxState.GIVEN_UP)
        row.said, row.failed, row.ended_at = _ENDINGS[_CANCELLED], True, uow.now
        row.input_file = None
        return True
    if row.outbox_state is OutboxState.CLAIMED and row.cancellable and not row.settled:
        row.cancel_asked = True
        return True
    return False


def _own_job(uow: UnitOfWork, organizer_id: int, ref: str, *, lock: bool = False) -> ConsoleJob:
    own = select(ConsoleJob).where(ConsoleJob.ref == ref, ConsoleJob.organizer == organizer_id)
    row = uow.session.scalar(own.with_for_update() if lock else own)
    if row is None:
        raise NotFound
    return row


def _prepare_job(_uow: UnitOfWork, row: ConsoleJob) -> JobRun | Outcome:
    if row.settled:
        return Done()
    if row.cancel_asked:
        return GiveUp(reason=_CANCELLED)
    return JobRun(
        row_id=row.id,
        token=row.outbox_claim or "",
        job=row.job,
        organizer=_read_organizer(row.acts_as),
        arguments=row.arguments,
        input_file=row.input_file,
    )


def _run_job(context: TaskContext, job: JobRun) -> Outcome:
    declared: LongJob | None = context.jobs.get(job.job)
    if declared is None:
        return GiveUp(reason="unknown_job")
    try:
        return Done(result=declared.run(context, replace(job, uow_factory=context.uow_factory)))
    except JobCancelled:
        return GiveUp(reason=_CANCELLED)
    except JobLost:
        return Retry(reason=_LOST)
    except Unavailable as trouble:
        return Retry(reason=trouble.code)
    except AppError as refusal:
        facts = {name: str(value) for name, value in refusal.facts.items()}
        return Done(result=JobResult(said=f"error:{refusal.code}", facts=facts, failed=True))
    except Exception as trouble:
        _log.error("long job failed", exc_info=trouble, extra={"task": job.job})
        return GiveUp(reason=_BROKEN)


def _settle_job(uow: UnitOfWork, row: ConsoleJob, outcome: Outcome) -> None:
    if isinstance(outcome, Done | GiveUp):
        row.ended_at, row.input_file = uow.now, None
    if isinstance(outcome, Done) and outcome.result is not None and not row.settled:
        _store_result(row, outcome.result)
    if isinstance(outcome, GiveUp):
        row.failed, row.said = True, _ENDINGS.get(outcome.reason, "console.job.broken")


def _store_result(row: ConsoleJob, result: JobResult) -> None:
    row.said, row.facts, row.failed = result.said, dict(result.facts), result.failed
    row.result_file, row.result_media = result.content, result.media
    row.result_title = result.file_name
    if not result.failed:
        row.done = row.total


def _spell_organizer(organizer: Organizer) -> dict[str, Any]:
    scope = organizer.scope
    return {
        "id": organizer.id,
        "name": organizer.name,
        "role": organizer.role.value,
        "scope": [scope.city, scope.county, scope.unit_id],
        "place": organizer.place,
        "ref": organizer.ref,
        "network": organizer.network,
    }


def _read_organizer(spelled: Mapping[str, Any]) -> Organizer:
    city, county, unit_id = spelled["scope"]
    return Organizer(
        id=spelled["id"],
        name=spelled["name"],
        role=Role(spelled["role"]),
        scope=Scope(city=city, county=county, unit_id=unit_id),
        place=spelled["place"],
        ref=spelled["ref"],
        network=spelled["network"],
    )


QUEUE = Queue(
    name="console_jobs",
    task=TASK,
    table=ConsoleJob,
    prepare=_prepare_job,
    send=_run_job,
    settle=_settle_job,
    lost=Lost.QUEUED,
    lease=LEASE,
    # One at a time: a lease would run out while another job takes long.
    batch=1,
    backoff=Backoff(first=timedelta(seconds=5), most=timedelta(minutes=5)),
    most_tries=MOST_TRIES,
)
