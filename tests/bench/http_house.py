"""The product as in production: gunicorn with several processes on a database of its own."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from server.base.clock import SystemClock
from server.base.uow import UnitOfWorkFactory
from server.demo.crowd import Crowd
from tests.bench.letters import Account
from tests.bench.processes import Server, production
from tests.bench.run import postgres
from tests.bench.stage import Stage
from tests.kit.databases import memory_folder

PROCESSES = 2


class HttpHouse:
    """A stage with a server; `crowd` uses it."""

    def __init__(self, stage: Stage, server: Server) -> None:
        self.stage, self.server = stage, server
        address = f"http://127.0.0.1:{server.port}"
        self.crowd = Crowd(server=address, emulator="", clock=SystemClock())

    @property
    def uow_factory(self) -> UnitOfWorkFactory:
        return self.stage.application.uow_factory


@contextlib.contextmanager
def open_house(
    kind: str, *, app: str = "wsgi:app", processes: int = PROCESSES
) -> Iterator[HttpHouse]:
    """A running product without a worker; a busy machine may make its requests wait."""
    with contextlib.ExitStack() as closing:
        made = tempfile.TemporaryDirectory(prefix="kepu-house-", dir=memory_folder())
        folder = Path(closing.enter_context(made))
        lite = f"sqlite:///{folder / 'house.sqlite3'}"
        url = lite if kind == "sqlite" else postgres(closing, f"house_{folder.name}")
        patient = {"KEPU_DATABASE__REQUEST_SECONDS": "10"}
        stage = Stage(folder / "house", url, Account.fresh(), patient)
        closing.callback(stage.close)
        (folder / "server").mkdir()
        server = Server(
            app, folder / "server", None, stage.environment,
            command=partial(production, workers=processes),
        )  # fmt: skip
        closing.callback(server.stop)
        server.await_answer("/readyz")
        yield HttpHouse(stage, server)
