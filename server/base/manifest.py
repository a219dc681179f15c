"""The manifest of a slice: one value in its `slice.py`, read by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from server.base.access import Permission
from server.base.jobs import Task
from server.base.outbox_rows import Queue
from server.base.personal_data import Personal
from server.base.uow import Hooks, UnitOfWork
from server.base.web.endpoint import Api
from server.base.web.page import Pages, WaitingProvider

# The name of a WeChat event and its handler: `(uow, message) -> reply or None`. The types of
# message and reply belong to `server/wechat/`, which this layer cannot import.
EventHandler = tuple[str, Callable[[UnitOfWork, Any], Any]]
# The name of a WeChat event, and the function that stores a batch of its messages.
ReportStore = tuple[str, Callable[[UnitOfWork, Sequence[Any]], None]]
# The name of a WeChat event, and whether a message of it changes nothing.
IdleEvent = tuple[str, Callable[[Any], bool]]


class NamedJob(Protocol):
    """Long work of organizers: a `LongJob` of server/console, which this layer cannot import."""

    @property
    def name(self) -> str:
        """The name by which rows refer to it."""


class NamedKind(Protocol):
    """A kind of certificate: a `CertificateKind` of server/certificates."""

    @property
    def name(self) -> str:
        """The name by which clients and rows refer to it."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Everything of a slice that is used from outside its folder.

    `texts` is the folder with its `texts.toml`. Keys of `answers` are the names under which keyword
    rules refer to a live answer; keys of `metrics` are names of gauges without the prefix `kepu_`.
    `personal_data` declares each table with personal data, in the order of erasure: referring rows
    before the row they refer to. `permissions` are those that its pages require.
    `reports` store WeChat's reports in batches, once however often they come: a report of a fan-out
    comes a thousand times a second. `idle_events` name the messages of an event in `events` that
    need no transaction. `jobs` are kinds of long work, `waiting` functions that return an
    organizer's pending tasks, `certificates` kinds of certificates that citizens may ask for.
    """

    name: str
    texts: Path
    apis: tuple[Api, ...] = ()
    pages: tuple[Pages, ...] = ()
    tasks: tuple[Task, ...] = ()
    queues: tuple[Queue, ...] = ()
    jobs: tuple[NamedJob, ...] = ()
    waiting: tuple[WaitingProvider, ...] = ()
    certificates: tuple[NamedKind, ...] = ()
    events: tuple[EventHandler, ...] = ()
    reports: tuple[ReportStore, ...] = ()
    idle_events: tuple[IdleEvent, ...] = ()
    answers: Mapping[str, Callable[[UnitOfWork, int | None], str]] = field(default_factory=dict)
    metrics: Mapping[str, Callable[[UnitOfWork], float]] = field(default_factory=dict)
    permissions: tuple[Permission, ...] = ()
    personal_data: tuple[Personal, ...] = ()
    hooks: Hooks = field(default_factory=Hooks)
