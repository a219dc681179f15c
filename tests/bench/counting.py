"""What one request costs in statements and transactions, counted in this process, not timed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, event

from server.app import House, create_app
from tests.bench.processes import BenchFailed
from tests.bench.stage import Stage

# What a driver is told about a transaction is counted as a transaction.
_ABOUT_TRANSACTIONS = ("PRAGMA", "BEGIN", "SET TRANSACTION")


@dataclass
class Counted:
    """Units: of one request."""

    statements: int = 0
    transactions: int = 0


def counted(stage: Stage, requests: Mapping[str, Sequence[bytes]]) -> dict[str, Counted]:
    """For each row what its last request took; those before it fill the process's memories."""
    app = create_app(stage.settings)
    house: House = app.extensions["kepu"]
    client, found = app.test_client(), {}
    for key, asked in requests.items():
        for request in asked:
            with _counting(house.desk.engine) as seen:
                method, target, headers, body = _taken_apart(request)
                answer = client.open(target, method=method, headers=headers, data=body)
            if answer.status_code >= 300:
                raise BenchFailed(f"{key}: {answer.status_code} {answer.get_data(as_text=True)}")
            found[key] = seen
    house.desk.engine.dispose()
    house.desk.tools.kv.kv.close()
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


def _taken_apart(request: bytes) -> tuple[str, str, list[tuple[str, str]], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return method, target, headers, body
