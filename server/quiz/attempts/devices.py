"""Devices on which citizens begin papers: keyed hashes of random ids, for the signs of cheating.

An id reveals nothing about a device; clearing the mini-program's data creates a new one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam

from server.base.access import Citizen
from server.base.personal_data import Erase, Keep, Merge, Personal
from server.base.sql.prepared import run_statement
from server.base.sql.tables import insert_of, table_of
from server.base.uow import UnitOfWork
from server.quiz.models import DeviceUse

KEPT = timedelta(days=180)
# The time of use is rewritten at most once in this time.
_COARSE = timedelta(days=1)
_use = table_of(DeviceUse)


def _insert_use(dialect: str) -> Any:
    fresh = insert_of(dialect, DeviceUse)
    return fresh.on_conflict_do_update(
        index_elements=["citizen_id", "device"],
        set_={"used_at": fresh.excluded.used_at},
        where=_use.c.used_at < bindparam("long_ago", type_=_use.c.used_at.type),
    )


_NOTE = {name: _insert_use(name) for name in ("sqlite", "postgresql")}


def note_device(uow: UnitOfWork, citizen_id: int) -> None:
    """Note the device of the present request, if it names one."""
    if isinstance(uow.actor, Citizen) and uow.actor.device:
        add_device_use(uow, citizen_id, uow.actor.device, uow.now)


def add_device_use(uow: UnitOfWork, citizen_id: int, device: str, at: datetime) -> None:
    """Note that a citizen began a paper on a device."""
    facts = {"citizen_id": citizen_id, "device": device, "used_at": at, "long_ago": at - _COARSE}
    run_statement(uow, _NOTE[uow.transaction.dialect.name], facts)


PERSONAL = (
    Personal(
        DeviceUse,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.KEEP_ONE,
        export={"devices": ("used_at",)},
        keep=Keep(since="used_at", longest=KEPT),
    ),
)
