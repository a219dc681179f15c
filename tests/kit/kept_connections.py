"""PostgreSQL connections kept open from test to test.

Opening one costs the server more than most tests: a process, and its cache of the catalogue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.pq import ConnStatus, TransactionStatus

from server.base.sql.postgres import BoundedConnection

_KEY = "_kept_under"
# Most tests need one or two; the server's places are shared with all other processes.
MOST_KEPT = 2


class KeptConnections:
    """Connections that an engine of an earlier test closed, by their arguments."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Any]] = defaultdict(list)

    def take_for(self, kind: type[Any], key: str) -> Any:
        """A connection that still answers, made one of this engine's; None when there is none."""
        while self._kept[key]:
            found = self._kept[key].pop()
            if self._answers(found):
                found.__class__ = kind
                return found
            psycopg.Connection.close(found)
        return None

    def keep_if_idle(self, connection: Any) -> bool:
        """Keep a connection without a transaction; refuses every other one."""
        raw, key = connection.pgconn, getattr(connection, _KEY, None)
        idle = raw.status == ConnStatus.OK and raw.transaction_status == TransactionStatus.IDLE
        if key is None or not idle:
            return False
        # A pool may close one twice; it must not be given away twice.
        if any(one is connection for one in self._kept[key]):
            return True
        if sum(map(len, self._kept.values())) >= MOST_KEPT:
            return False
        self._kept[key].append(connection)
        return True

    def close_all(self) -> None:
        for some in self._kept.values():
            for one in some:
                psycopg.Connection.close(one)
        self._kept.clear()

    @staticmethod
    def _answers(connection: Any) -> bool:
        connection.pgconn.exec_(b"SELECT 1")
        return bool(connection.pgconn.transaction_status == TransactionStatus.IDLE)


@contextmanager
def kept_connections() -> Iterator[None]:
    """Keep the product's connections to the shared database of tests open inside the block."""
    kept = KeptConnections()
    connect = BoundedConnection.connect.__func__  # type: ignore[attr-defined]

    def connect_or_take(kind: type[Any], *given: Any, **named: Any) -> Any:
        key = repr((given, sorted(named.items(), key=lambda pair: pair[0])))
        found = kept.take_for(kind, key)
        if found is None:
            found = connect(kind, *given, **named)
            if "kepu-postgres-" in key:
                setattr(found, _KEY, key)
        return found

    def close_or_keep(connection: Any) -> None:
        if not kept.keep_if_idle(connection):
            psycopg.Connection.close(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BoundedConnection, "connect", classmethod(connect_or_take))
        patch.setattr(BoundedConnection, "close", close_or_keep, raising=False)
        try:
            yield
        finally:
            kept.close_all()
