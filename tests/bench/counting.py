"""What a request costs in this process, in one thread: statements, transactions, CPU by part.

The parts say where the CPU goes, not how much a server takes: there threads get in each other's
way, and every call that lets go of the interpreter may have to wait for it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import thread_time
from typing import Any

from flask import Flask
from sqlalchemy import Engine, Pool, event
from werkzeug.test import EnvironBuilder

from server.app import Application, create_app
from server.base.redis.client import RedisClient
from server.base.sql.transaction import Transaction
from tests.bench.processes import BenchFailed
from tests.bench.stage import Stage

# What a driver is told about a transaction is counted as a transaction.
_ABOUT_TRANSACTIONS = ("PRAGMA", "BEGIN", "SET TRANSACTION")
_PARTS: Mapping[str, tuple[tuple[type[Any], str], ...]] = {
    "statements": ((Transaction, "execute_text"),),
    "transactions": (
        (Pool, "connect"), (Transaction, "begin_transaction"), (Transaction, "end_transaction"),
        (Transaction, "return_connection"),
    ),
    "Redis": ((RedisClient, "_exchange_commands"),),
}  # fmt: skip


@dataclass
class Counted:
    """Units: of one request; `parts` are microseconds of CPU, `the rest` is in none of them."""

    statements: int = 0
    transactions: int = 0
    parts: dict[str, float] = field(default_factory=dict)


def counted(stage: Stage, requests: Mapping[str, Sequence[bytes]]) -> dict[str, Counted]:
    """For each row what its last request took; those before it fill the process's memories."""
    app = create_app(stage.settings)
    application: Application = app.extensions["kepu"]
    found = {}
    for key, asked in requests.items():
        first, *others, last = [_asking(app, key, request) for request in asked]
        first()
        spent = [_spent(ask) for ask in others]
        with _counting(application.uow_factory.engine) as seen:
            last()
        seen.parts = {name: median(one[name] for one in spent) for name in spent[0]}
        found[key] = seen
    application.uow_factory.engine.dispose()
    application.uow_factory.dependencies.kv.kv.close()
    return found


@contextmanager
def _counting(engine: Engine) -> Iterator[Counted]:
    seen = Counted()

    def statement(_connection: object, _cursor: object, text: str, *_more: object) -> None:
        seen.statements += not text.startswith(_ABOUT_TRANSACTIONS)

    def transaction(_connection: object) -> None:
        seen.transactions += 1

    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "begin", transaction)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "begin", transaction)


def _asking(app: Flask, key: str, request: bytes) -> Callable[[], None]:
    """One request, ready to be asked; making it ready is not what is measured."""
    method, target, headers, body = _taken_apart(request)
    environ = EnvironBuilder(target, method=method, headers=headers, data=body).get_environ()

    def ask() -> None:
        told: list[str] = []
        # A server's callable, without a server around it.
        pieces = app.wsgi_app(environ, lambda status, *_: told.append(status))
        answer = b"".join(pieces)
        if not told[0].startswith("2"):
            raise BenchFailed(f"{key}: {told[0]} {answer.decode('utf-8', 'replace')}")

    return ask


def _spent(ask: Callable[[], None]) -> dict[str, float]:
    """Microseconds of CPU that one request spends in each part."""
    spent = dict.fromkeys(_PARTS, 0.0)
    depth = 0

    def timed(part: str, call: Any) -> Any:
        def run(*args: Any, **named: Any) -> Any:
            nonlocal depth
            if depth:
                return call(*args, **named)
            depth, begun = 1, thread_time()
            try:
                return call(*args, **named)
            finally:
                depth = 0
                spent[part] += (thread_time() - begun) * 1e6

        return run

    originals = [(p, o, n, getattr(o, n)) for p, places in _PARTS.items() for o, n in places]
    for part, owner, name, call in originals:
        setattr(owner, name, timed(part, call))
    try:
        begun = thread_time()
        ask()
        whole = (thread_time() - begun) * 1e6
    finally:
        for _part, owner, name, call in originals:
            setattr(owner, name, call)
    return spent | {"the rest": whole - sum(spent.values())}


def _taken_apart(request: bytes) -> tuple[str, str, list[tuple[str, str]], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return method, target, headers, body
