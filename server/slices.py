"""All slices in layer order, the lowest first, and what they register together.

To add a slice, write its folder and one line here. Importing this file loads every table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import add
from pathlib import Path
from typing import TypeVar

from server.accounts.slice import SLICE as ACCOUNTS
from server.activities.slice import SLICE as ACTIVITIES
from server.announcements.slice import SLICE as ANNOUNCEMENTS
from server.audit.slice import SLICE as AUDIT
from server.base.jobs import Task, TaskContext
from server.base.manifest import EventHandler, IdleEvent, NamedJob, ReportStore, Slice
from server.base.outbox_rows import Queue
from server.base.personal_data import PersonalData
from server.base.restored_backup import watch_restores
from server.base.retention import count_neglected
from server.base.slice import SLICE as BASE
from server.base.uow import Hooks, UnitOfWork
from server.base.web.endpoint import Api
from server.base.web.page import Pages
from server.certificates.slice import SLICE as CERTIFICATES
from server.channel.slice import SLICE as CHANNEL
from server.checkin.slice import SLICE as CHECKIN
from server.console.slice import SLICE as CONSOLE
from server.dashboard.slice import SLICE as DASHBOARD
from server.notices.slice import SLICE as NOTICES
from server.organizers.slice import SLICE as ORGANIZERS
from server.programme.slice import SLICE as PROGRAMME
from server.quiz.slice import SLICE as QUIZ
from server.signups.slice import SLICE as SIGNUPS
from server.unit_requests.slice import SLICE as UNIT_REQUESTS
from server.units.slice import SLICE as UNITS
from server.wechat.slice import SLICE as WECHAT

Value = TypeVar("Value")

SLICES: tuple[Slice, ...] = (
    BASE,
    WECHAT,
    CONSOLE,
    UNITS,
    AUDIT,
    ORGANIZERS,
    ACCOUNTS,
    PROGRAMME,
    NOTICES,
    CHANNEL,
    CERTIFICATES,
    ACTIVITIES,
    UNIT_REQUESTS,
    QUIZ,
    SIGNUPS,
    CHECKIN,
    ANNOUNCEMENTS,
    DASHBOARD,
)


def merge_named(offers: Iterable[Mapping[str, Value]]) -> dict[str, Value]:
    """Merge the named values of all slices.

    Raises: ValueError when two slices use the same name.
    """
    merged: dict[str, Value] = {}
    for offer in offers:
        for name, value in offer.items():
            if name in merged:
                raise ValueError(f"two slices offer something under the name {name}")
            merged[name] = value
    return merged


TEXTS: tuple[Path, ...] = tuple(one.texts for one in SLICES)
APIS: tuple[Api, ...] = tuple(api for one in SLICES for api in one.apis)
PAGES: tuple[Pages, ...] = tuple(pages for one in SLICES for pages in one.pages)
QUEUES: tuple[Queue, ...] = tuple(queue for one in SLICES for queue in one.queues)


def watch_all_queues(context: TaskContext, *_ids: int) -> int:
    """Hold back the due calls of all queues when the database is a restored one."""
    return watch_restores(context.uow_factory, QUEUES)


WATCH_RESTORES = Task(name="base.watch_restores", step=watch_all_queues, every_seconds=10)
TASKS: tuple[Task, ...] = (WATCH_RESTORES, *(task for one in SLICES for task in one.tasks))
JOBS: Mapping[str, NamedJob] = merge_named({job.name: job for job in one.jobs} for one in SLICES)
HANDLERS: tuple[EventHandler, ...] = tuple(event for one in SLICES for event in one.events)
REPORTS: tuple[ReportStore, ...] = tuple(report for one in SLICES for report in one.reports)
IDLE_EVENTS: tuple[IdleEvent, ...] = tuple(idle for one in SLICES for idle in one.idle_events)
PERSONAL_DATA = PersonalData([one.personal_data for one in SLICES])
_WAITING = Hooks(waiting=tuple(provider for one in SLICES for provider in one.waiting))
_KINDS = Hooks(
    certificates=merge_named({one.name: one for one in each.certificates} for each in SLICES)
)
HOOKS: Hooks = reduce(add, (one.hooks for one in SLICES), PERSONAL_DATA.hooks + _WAITING + _KINDS)
ANSWERS: Mapping[str, Callable[[UnitOfWork, int | None], str]] = merge_named(
    one.answers for one in SLICES
)


def _count_neglected(uow: UnitOfWork) -> float:
    return float(count_neglected(uow, PERSONAL_DATA.order))


READINGS: Mapping[str, Callable[[UnitOfWork], float]] = merge_named(
    [
        {"kepu_retention_neglected_rows": _count_neglected},
        *({f"kepu_{name}": read for name, read in one.metrics.items()} for one in SLICES),
    ]
)
