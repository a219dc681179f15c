"""A worker in a separate process that tests kill in the middle of a call.

Arguments: the folder and the address of the database, the file of sent texts, what happens to a
lost claim.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from flask import Flask

from server.base.jobs import TaskContext
from server.base.outbox import deliver_due
from server.base.outbox_rows import Lost, Outcome
from server.base.redis.client import create_client
from server.base.redis.facilities import create_facilities
from server.base.settings import Settings
from server.base.signing import Keys
from server.base.sql.database import open_engine
from server.base.texts import load_texts
from server.base.uow import Dependencies, UnitOfWorkFactory
from tests.kit.clock import FakeClock
from tests.kit.outbox import a_queue, write_line


def main(var: str, url: str, heard: str, lost: str) -> None:
    settings = Settings(environment="test", database_url=url, redis_url="fake:", var=Path(var))
    clock = FakeClock()
    dependencies = Dependencies(
        settings=settings,
        clock=clock,
        kv=create_facilities(create_client("fake:", settings.var, clock), clock),
        keys=Keys("k" * 48),
        texts=load_texts(()),
    )
    uow_factory = UnitOfWorkFactory(open_engine(Flask("killed"), settings), dependencies)

    def send(_context: TaskContext, text: Any) -> Outcome:
        write_line(Path(heard), text)
        sys.stdout.write("called\n")
        sys.stdout.flush()
        sys.stdin.read()  # until the process is killed
        raise AssertionError("nobody killed this worker")

    deliver_due(TaskContext(uow_factory=uow_factory, gateway=None), a_queue(send, lost=Lost(lost)))


if __name__ == "__main__":
    main(*sys.argv[1:])
