"""Commands of check-in: a scanner grant, and the venue's present code."""

from __future__ import annotations

from server.activities import service as activities
from server.base.access import System
from server.base.uow import UnitOfWorkFactory
from server.checkin.codes import venue_code_at
from server.checkin.grants import add_grant


def grant_scanner(uow_factory: UnitOfWorkFactory, ref: str, gate: str) -> str:
    """Make a scanner grant for an activity; return its code.

    Raises: NotFound (404).
    """
    author = System(name="grant-scanner")
    with uow_factory.begin(author) as uow:
        wanted = activities.times_of_ref(uow, ref)
        return add_grant(uow, author, activities.gate_of(uow, wanted.id), gate).code


def venue_code(uow_factory: UnitOfWorkFactory, ref: str) -> str:
    """The code that the venue of an activity shows now.

    Raises: NotFound (404).
    """
    with uow_factory.begin(read_only=True) as uow:
        return venue_code_at(uow.keys, activities.times_of_ref(uow, ref).id, uow.now)
