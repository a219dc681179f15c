"""PostgreSQL connections: bounded waits, and a direct path to libpq for hot statements.

psycopg's poll ends at the timeout. `run_prepared` and `end_transaction` use libpq through psycopg,
because psycopg's cursors cost three times as much CPU as the exchange itself.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, ClassVar, TypeAlias

import psycopg
from psycopg import abc, errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import fetch_many
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Engine, event

from server.base.sql.patience import WaitBounds, WaitPatience

# The driver's polling interval during a wait, the same as psycopg's.
_LOOK_UP_SECONDS = 0.1
_KEEPALIVE_SECONDS = 5
_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)

# Rows, and the number of rows that a statement returned or changed.
Found: TypeAlias = tuple[list[Any], int]


class Unanswered(psycopg.OperationalError):
    """The server did not respond in time; the connection is closed."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when a wait exceeds its timeout."""

    patience: ClassVar[WaitPatience]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._names: dict[str, bytes] = {}
        self._adapting: abc.Transformer | None = None

    def run_prepared(self, text: str, values: Sequence[Any], begin: bytes) -> Found:
        """Run a statement with parameters `$1`, `$2`, …, which is prepared at its first use.

        `begin` opens a transaction in the same exchange when none is open.
        Raises: psycopg.Error.
        """
        raw = self.pgconn
        name, bound, adapting = self._bind_prepared(text, values)
        if raw.transaction_status == TransactionStatus.IDLE:
            result = self._begin_and_run(begin, name, bound)
        else:
            raw.send_query_prepared(name, bound)
            result = self.wait(fetch_many(raw))[-1]
        if result.status not in _GOOD:
            raise errors.error_from_result(result, encoding="utf-8")
        if result.status != ExecStatus.TUPLES_OK:
            return [], result.command_tuples or 0
        adapting.set_pgresult(result)
        return adapting.load_rows(0, result.ntuples, tuple), result.ntuples

    def run_and_commit(
        self, statements: Sequence[tuple[str, Sequence[Any]]], refused: Exception | None
    ) -> None:
        """Run prepared statements and COMMIT in one exchange; nothing is committed if one fails.

        Raises: psycopg.Error; `refused`, if given, when the last one violates a unique key.
        """
        raw = self.pgconn
        ready = [self._bind_prepared(text, values)[:2] for text, values in statements]
        raw.enter_pipeline_mode()
        for name, bound in ready:
            raw.send_query_prepared(name, bound)
        raw.send_query_params(b"COMMIT", None)
        raw.pipeline_sync()
        *told, ended, _synced = self.wait(_fetch_results(raw, len(ready) + 2))
        raw.exit_pipeline_mode()
        for result in told[:-1]:
            _refuse_failed(result)
        try:
            _refuse_failed(told[-1])
            _refuse_failed(ended)
        except errors.IntegrityError as trouble:
            if refused is None or trouble.diag.table_name is None:
                raise
            raise refused from None
        if ended.command_status != b"COMMIT":
            raise psycopg.InternalError("the transaction had failed before its commit")

    def end_transaction(self, words: bytes) -> None:
        """End the open transaction, if there is one, with COMMIT or ROLLBACK.

        Raises: psycopg.Error; InternalError for COMMIT after a failed statement, which PostgreSQL
        executes as ROLLBACK.
        """
        raw = self.pgconn
        if raw.transaction_status == TransactionStatus.IDLE:
            return
        raw.send_query(words)
        result = self.wait(fetch_many(raw))[-1]
        if result.status not in _GOOD:
            raise errors.error_from_result(result, encoding="utf-8")
        if result.command_status != words:
            raise psycopg.InternalError("the transaction had failed before its commit")

    def _bind_prepared(
        self, text: str, values: Sequence[Any]
    ) -> tuple[bytes, Any, abc.Transformer]:
        name = self._names.get(text) or self._prepare_statement(text)
        adapting = self._adapting or self._new_adapting()
        return name, adapting.dump_sequence(values, [PyFormat.TEXT] * len(values)), adapting

    def _begin_and_run(self, begin: bytes, name: bytes, bound: Sequence[Any]) -> Any:
        raw = self.pgconn
        raw.enter_pipeline_mode()
        raw.send_query_params(begin, None)
        raw.send_query_prepared(name, bound)
        raw.pipeline_sync()
        begun, told, _synced = self.wait(_fetch_results(raw, 3))
        raw.exit_pipeline_mode()
        return told if begun.status == ExecStatus.COMMAND_OK else begun

    def _prepare_statement(self, text: str) -> bytes:
        name = f"kepu_{len(self._names)}".encode()
        self.pgconn.send_prepare(name, text.encode())
        result = self.wait(fetch_many(self.pgconn))[-1]
        if result.status != ExecStatus.COMMAND_OK:
            raise errors.error_from_result(result, encoding="utf-8")
        self._names[text] = name
        return name

    def _deallocate(self, name: bytes | None) -> Generator[Any, Any, None]:
        # After a rollback psycopg sends DEALLOCATE ALL, which also drops our statements.
        yield from super()._deallocate(name)
        if name is None:
            self._names.clear()

    def _new_adapting(self) -> abc.Transformer:
        # Created late, because SQLAlchemy registers its JSON functions after connecting.
        made: abc.Transformer = Transformer.from_context(self)
        self._adapting = made
        return made

    def wait(self, gen: Any, interval: float = _LOOK_UP_SECONDS, timeout: Any = None) -> Any:
        """Run an exchange with the server.

        Raises: Unanswered after the remaining seconds of this thread's transaction.
        """
        patience = self.patience
        allowed, begun = patience.seconds_allowed(), patience.monotonic()
        try:
            told = super().wait(gen, interval, allowed if timeout is None else timeout)
        except errors._WaitTimeout:
            # A late response must not be taken for that of the next statement.
            self.pgconn.finish()
            patience.note_timeout(patience.monotonic() - begun)
            raise Unanswered("no answer in time") from None
        finally:
            patience.spend_seconds(patience.monotonic() - begun)
        patience.note_response()
        return told

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Generator[Any, Any, Any]:
        # psycopg's own timeout applies to each address of a host separately.
        patience = cls.patience
        allowed, begun = patience.seconds_allowed(), patience.monotonic()
        steps, ready = super()._connect_gen(conninfo), None
        try:
            while True:
                ready = yield steps.send(ready)  # type: ignore[arg-type]  # None begins it
                if patience.monotonic() - begun >= allowed:
                    patience.note_timeout(patience.monotonic() - begun)
                    raise errors.ConnectionTimeout("no connection in time")
        except StopIteration as done:
            return done.value
        finally:
            patience.spend_seconds(patience.monotonic() - begun)


def _refuse_failed(result: Any) -> None:
    if result.status not in _GOOD:
        raise errors.error_from_result(result, encoding="utf-8")


def _fetch_results(raw: Any, queries: int) -> Generator[Any, Any, list[Any]]:
    """The last result of each of several pipelined queries, in one wait."""
    results = []
    for _ in range(queries):
        results.append((yield from fetch_many(raw))[-1])
    return results


def connect_arguments(bounds: WaitBounds) -> dict[str, Any]:
    """Connection parameters that pass our bounds to the server and the kernel."""
    return {
        "connect_timeout": max(2, round(bounds.client)),
        # Milliseconds in which the other machine must acknowledge sent bytes.
        "tcp_user_timeout": round(bounds.client * 1000),
        "keepalives": 1,
        "keepalives_idle": _KEEPALIVE_SECONDS,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "options": f"-c lock_timeout={round(bounds.lock * 1000)}"
        f" -c statement_timeout={round(bounds.statement * 1000)}",
    }


def open_bounded(engine: Engine, patience: WaitPatience) -> None:
    """Make the engine open bounded connections."""

    class OfThisEngine(BoundedConnection):
        """A connection class bound to this engine's patience."""

    OfThisEngine.patience = patience

    @event.listens_for(engine, "do_connect")
    def do_connect(_dialect: Any, _record: Any, given: Any, named: Any) -> Any:
        if patience.refuses:
            # The pool gives the slot to the next waiting thread, which is refused the same way.
            raise Unanswered("not connected: another thread has just timed out")
        return OfThisEngine.connect(*given, **named)
