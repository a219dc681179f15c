"""Statements of the hot paths: built once, at import, and run without the ORM in between.

Building a statement anew costs more than the database takes to answer it.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import CursorResult, Executable, Table

from server.base.tables import Base
from server.base.work import Work


def table(model: type[Base]) -> Table:
    """The table behind a model."""
    return cast(Table, model.__table__)


def run(work: Work, statement: Executable, values: dict[str, Any]) -> CursorResult[Any]:
    """Run a prepared statement in this transaction; `values` by the names of its parameters.

    What the session has still to write is written first, as the session itself would do.
    """
    work.session.flush()
    return work.session.connection().execute(statement, values)
