"""What a slice offers to the composition root: one value in its `slice.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.base.access import Permission
from server.base.jobs import Task
from server.base.outbox_rows import Queue
from server.base.personal_data import Personal
from server.base.uow import Hooks, UnitOfWork
from server.base.web.endpoint import Api
from server.base.web.page import Pages

# The name of a WeChat event and what is done about it: `(work, message) -> reply or None`.
# The types of message and reply belong to `server/wechat/`, which this floor cannot import.
EventHandler = tuple[str, Callable[[UnitOfWork, Any], Any]]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Everything of one slice that is reached from outside its folder.

    `texts` is the folder that holds its `texts.toml`. Keys of `answers` are the names by which
    the conversation's rules ask for a live answer; keys of `metrics` are names of gauges without
    the prefix `kepu_`. `personal_data` declares each table that holds persons, in the order in
    which an erasure goes over them: what refers to a row stands before it.
    `permissions` are the powers that its pages ask for.
    """

    name: str
    texts: Path
    apis: tuple[Api, ...] = ()
    pages: tuple[Pages, ...] = ()
    tasks: tuple[Task, ...] = ()
    queues: tuple[Queue, ...] = ()
    events: tuple[EventHandler, ...] = ()
    answers: Mapping[str, Callable[[UnitOfWork, int | None], str]] = field(default_factory=dict)
    metrics: Mapping[str, Callable[[UnitOfWork], float]] = field(default_factory=dict)
    permissions: tuple[Permission, ...] = ()
    personal_data: tuple[Personal, ...] = ()
    hooks: Hooks = field(default_factory=Hooks)
