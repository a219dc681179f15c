"""Keyed hashes of an erased person's WeChat ids, so that an erasure resets no limit.

A hash maps a person who logs in again to earlier rows, only for counting. It exists only while a
slice counts something per person (`Hooks.counted_until`), such as the papers of a season; the sweep
deletes it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, select, update

from server.accounts.models import Citizen, Identity, LimitTrace
from server.base.sql.prepared import run_statement
from server.base.sql.tables import insert_for, table_of
from server.base.uow import UnitOfWork

_PURPOSE = "limit-trace"
_AT_ONCE = 500

_citizen, _identity, _trace = table_of(Citizen), table_of(Identity), table_of(LimitTrace)
# Selects nothing while no trace exists at all.
_IDS = (
    select(_identity.c.app, _identity.c.openid, _citizen.c.unionid)
    .join(_citizen, _citizen.c.id == _identity.c.citizen_id)
    .where(_citizen.c.id == bindparam("citizen_id"), exists(select(_trace.c.id)))
)
# Whether any trace exists; without one there are no former citizens.
ANY_TRACE = exists(select(_trace.c.id))
_FORMER = (
    select(_trace.c.citizen_id)
    .where(
        _trace.c.hash.in_(bindparam("hashes", expanding=True)),
        _trace.c.keep_until > bindparam("now"),
        _trace.c.citizen_id != bindparam("citizen_id"),
    )
    .distinct()
)


def former_ids(uow: UnitOfWork, citizen_id: int) -> list[int]:
    """The erased rows of this person that still count, the oldest first."""
    rows = run_statement(uow, _IDS, {"citizen_id": citizen_id}).rows
    hashes = _identity_hashes(uow, rows)
    if not hashes:
        return []
    asked = {"hashes": hashes, "now": uow.now, "citizen_id": citizen_id}
    found: list[int] = run_statement(uow, _FORMER, asked).first_values()
    return sorted(found)


def leave_traces(uow: UnitOfWork, citizen_id: int) -> None:
    """Store the hashes of a citizen about to be erased, for as long as a slice counts by them.

    Earlier traces of the same person are stored under every id known now, so that they are found
    under any of them.
    """
    until = _counted_until(uow, citizen_id)
    earlier = _earlier_traces(uow, citizen_id)
    rows = uow.session.execute(
        select(Identity.app, Identity.openid, Citizen.unionid)
        .join(Citizen, Citizen.id == Identity.citizen_id)
        .where(Citizen.id == citizen_id)
    ).all()
    kept = [*earlier, *([] if until is None else [(citizen_id, uow.now, until)])]
    values = [
        {"hash": made, "citizen_id": number, "erased_at": erased_at, "keep_until": keep_until}
        for made in _identity_hashes(uow, rows)
        for number, erased_at, keep_until in kept
    ]
    if values:
        fresh = insert_for(uow.session, LimitTrace).values(values)
        uow.session.execute(fresh.on_conflict_do_nothing())


def _earlier_traces(uow: UnitOfWork, citizen_id: int) -> list[tuple[int, datetime, datetime]]:
    rows = uow.session.execute(
        select(LimitTrace.citizen_id, LimitTrace.erased_at, LimitTrace.keep_until)
        .where(LimitTrace.citizen_id.in_(former_ids(uow, citizen_id)))
        .distinct()
    )
    return [(row.citizen_id, row.erased_at, row.keep_until) for row in rows]


def drop_old(uow: UnitOfWork) -> int:
    """Delete traces that no slice counts by any more; return how many rows were processed.

    A season prolonged after the erasure keeps its traces until its new end.
    """
    due = uow.session.scalars(
        select(LimitTrace.citizen_id)
        .where(LimitTrace.keep_until <= uow.now)
        .distinct()
        .limit(_AT_ONCE)
    ).all()
    for citizen_id in due:
        until = _counted_until(uow, citizen_id)
        mine = LimitTrace.citizen_id == citizen_id
        if until is None:
            uow.session.execute(delete(LimitTrace).where(mine))
        else:
            uow.session.execute(update(LimitTrace).where(mine).values(keep_until=until))
    return len(due)


def tell_erasures(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """Remembered erasures of this person, for the export."""
    rows = uow.session.execute(
        select(LimitTrace.erased_at, LimitTrace.keep_until)
        .where(LimitTrace.citizen_id.in_(former_ids(uow, citizen_id)))
        .distinct()
        .order_by(LimitTrace.erased_at)
    )
    return [dict(row._mapping) for row in rows]


def _counted_until(uow: UnitOfWork, citizen_id: int) -> datetime | None:
    ends = [ask(uow, citizen_id) for ask in uow.dependencies.hooks.counted_until]
    return max((end for end in ends if end is not None and end > uow.now), default=None)


def _identity_hashes(uow: UnitOfWork, rows: Iterable[Any]) -> list[str]:
    """One hash per openid and one for the unionid."""
    words = set()
    for row in rows:
        words.add(f"{row.app.value}:{row.openid}")
        if row.unionid is not None:
            words.add(f"unionid:{row.unionid}")
    return sorted(uow.keys.blind_hash(word, _PURPOSE) for word in words)
