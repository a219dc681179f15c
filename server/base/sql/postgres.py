"""PostgreSQL's connections with every wait bounded: psycopg's poll ends when patience does."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar

import psycopg
from psycopg import errors
from sqlalchemy import Engine, event

from server.base.sql.patience import Bounds, Patience

# How often the driver looks up from a wait, as psycopg itself has it.
_LOOK_UP_SECONDS = 0.1
_KEEPALIVE_SECONDS = 5


class Unanswered(psycopg.OperationalError):
    """The server has not answered in time; the connection is closed."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server lets it wait too long."""

    patience: ClassVar[Patience]

    def wait(self, gen: Any, interval: float = _LOOK_UP_SECONDS, timeout: Any = None) -> Any:
        """Run an exchange with the server.

        Raises: Unanswered after the seconds that this thread's transaction may still wait.
        """
        patience = self.patience
        allowed, begun = patience.allowed(), patience.monotonic()
        try:
            told = super().wait(gen, interval, allowed if timeout is None else timeout)
        except errors._WaitTimeout:
            # The answer may still come: it must not be taken for that to the next statement.
            self.pgconn.finish()
            patience.unanswered(patience.monotonic() - begun)
            raise Unanswered("no answer in time") from None
        finally:
            patience.spend(patience.monotonic() - begun)
        patience.answered()
        return told

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Generator[Any, Any, Any]:
        # psycopg's own bound is one for each address of a host.
        patience = cls.patience
        allowed, begun = patience.allowed(), patience.monotonic()
        steps, ready = super()._connect_gen(conninfo), None
        try:
            while True:
                ready = yield steps.send(ready)  # type: ignore[arg-type]  # None begins it
                if patience.monotonic() - begun >= allowed:
                    patience.unanswered(patience.monotonic() - begun)
                    raise errors.ConnectionTimeout("no connection in time")
        except StopIteration as done:
            return done.value
        finally:
            patience.spend(patience.monotonic() - begun)


def connect_arguments(bounds: Bounds) -> dict[str, Any]:
    """What the server and the kernel are told of our bounds."""
    return {
        "connect_timeout": max(2, round(bounds.client)),
        # Milliseconds in which sent bytes must be acknowledged by the other machine.
        "tcp_user_timeout": round(bounds.client * 1000),
        "keepalives": 1,
        "keepalives_idle": _KEEPALIVE_SECONDS,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "options": f"-c lock_timeout={round(bounds.lock * 1000)}"
        f" -c statement_timeout={round(bounds.statement * 1000)}",
    }


def open_bounded(engine: Engine, patience: Patience) -> None:
    """Have the engine open bounded connections."""

    class OfThisEngine(BoundedConnection):
        """Knows whose patience it is."""

    OfThisEngine.patience = patience

    @event.listens_for(engine, "do_connect")
    def do_connect(_dialect: Any, _record: Any, given: Any, named: Any) -> Any:
        if patience.refuses:
            # Its place in the pool goes to the next one who waits, who is told the same.
            raise Unanswered("not asked: somebody has just waited in vain")
        return OfThisEngine.connect(*given, **named)
