"""Maps openids to citizens, and merges two citizens when WeChat reports that they are one person.

Everything here is safe under concurrent calls for the same person: unique keys decide, the loser of
a race reads again, and no violation leaves a broken transaction behind.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.accounts.models import App, Citizen, Identity, Language, NicknameState
from server.accounts.shown_numbers import number_of
from server.base.errors import Unavailable
from server.base.outbox_rows import idle_values
from server.base.sql.locks import lock_name
from server.base.sql.many import is_any
from server.base.sql.prepared import run_statement
from server.base.sql.tables import insert_of, table_of
from server.base.uow import UnitOfWork

# Each lost race means that another transaction committed, so a few attempts suffice.
_TRIES = 5
_ALIVE = (Citizen.erased_at.is_(None), Citizen.merged_into.is_(None))

_citizen, _identity = table_of(Citizen), table_of(Identity)
_of_openid = (_identity.c.app == bindparam("app"), _identity.c.openid == bindparam("openid"))
_alive = (_citizen.c.erased_at.is_(None), _citizen.c.merged_into.is_(None))
_OWNER = select(_identity.c.citizen_id).where(*_of_openid)
_LOCKED_OWNER = (
    select(_citizen.c.id)
    .join(_identity, _identity.c.citizen_id == _citizen.c.id)
    .where(*_of_openid, *_alive)
    .with_for_update(of=_citizen)
)
_LOCKED_BY_UNIONID = (
    select(_citizen.c.id)
    .where(_citizen.c.unionid == bindparam("of_unionid"), *_alive)
    .with_for_update()
)
_TAKE_UNIONID = update(_citizen).where(_citizen.c.id == bindparam("of_citizen"))
_ADD_CITIZEN = insert(_citizen).returning(_citizen.c.id)
# An identity that a concurrent transaction has added first stays unchanged.
_ADD_IDENTITY = {
    name: insert_of(name, _identity).on_conflict_do_nothing().returning(_identity.c.id)
    for name in ("sqlite", "postgresql")
}

# Values without personal data, to which an erased or merged row is reset.
BLANK: dict[str, Any] = {
    "unionid": None,
    "nickname": None,
    "nickname_state": NicknameState.NONE,
    "pending_nickname": None,
    "pending_since": None,
    **idle_values(),
    "avatar_url": None,
    "city": None,
    "county": None,
    "unit_id": None,
    "audience": None,
    "sex": None,
    "birth_band": None,
    "schooling": None,
    "residence": None,
    "elder_mode": False,
    "public_rank": False,
    "topics": [],
    "muted_topics": [],
    "announcements_off": False,
    "quiet_from": None,
    "quiet_to": None,
    "under_14": None,
}
# A pending nickname keeps its check, but its attempts are counted from zero.
_CHECK_COLUMNS = tuple(name for name in idle_values() if name != "outbox_tries")
# Columns copied to the survivor of a merge where it has no value; a group all or nothing.
_GROUPS = (
    ("nickname", "nickname_state", "pending_nickname", "pending_since", *_CHECK_COLUMNS),
    ("city", "county", "unit_id"),
    ("quiet_from", "quiet_to"),
    ("avatar_url",),
    ("audience",),
    ("sex",),
    ("birth_band",),
    ("schooling",),
    ("residence",),
    ("under_14",),
)


@dataclass(frozen=True)
class Settled:
    """The citizen of an openid, and whether this call saw the openid for the first time.

    A follower's first login counts as new, whether the unionid was learned before or after it.
    """

    citizen_id: int
    is_new: bool


def owner_of(uow: UnitOfWork, app: App, openid: str) -> int | None:
    """The citizen of an openid, or None."""
    found: int | None = run_statement(uow, _OWNER, {"app": app, "openid": openid}).first_value()
    return found


def owners_of(uow: UnitOfWork, app: App, openids: Collection[str]) -> dict[str, int]:
    """The citizens of openids, where they exist."""
    found = uow.session.execute(
        select(Identity.openid, Identity.citizen_id).where(
            Identity.app == app, Identity.openid.in_(openids)
        )
    )
    return {row.openid: row.citizen_id for row in found}


def known_unionids(uow: UnitOfWork, unionids: Collection[str]) -> set[str]:
    """The unionids among these that belong to citizens who are not erased or merged."""
    found = uow.session.scalars(
        select(Citizen.unionid).where(Citizen.unionid.in_(unionids), *_ALIVE)
    )
    return {unionid for unionid in found if unionid is not None}


def settle_identity(uow: UnitOfWork, app: App, openid: str, unionid: str | None) -> Settled:
    """Settle the citizen of an openid: create an unknown one, merge those of one unionid.

    Locks: the unionid, then the citizen; both citizens of a merge. Locking the unionid first makes
    two transactions lock the citizens of one unionid in the same order.
    """
    if unionid is not None:
        lock_name(uow, "unionid", unionid)
    owner = _locked_owner(uow, app, openid)
    settled = Settled(owner, is_new=False) if owner is not None else None
    for _ in range(_TRIES):
        if settled is not None:
            break
        settled = _first_seen(uow, app, openid, unionid)
    if settled is None:
        raise Unavailable
    if unionid is None:
        return settled
    return Settled(_tie_unionid(uow, settled.citizen_id, unionid), is_new=settled.is_new)


def _locked_owner(uow: UnitOfWork, app: App, openid: str) -> int | None:
    for _ in range(_TRIES):
        found: int | None = run_statement(
            uow, _LOCKED_OWNER, {"app": app, "openid": openid}
        ).first_value()
        # None for a known openid means that its citizen was erased or merged while we waited.
        if found is not None or owner_of(uow, app, openid) is None:
            return found
    raise Unavailable


def _locked_by_unionid(uow: UnitOfWork, unionid: str) -> int | None:
    found: int | None = run_statement(
        uow, _LOCKED_BY_UNIONID, {"of_unionid": unionid}
    ).first_value()
    return found


def _first_seen(uow: UnitOfWork, app: App, openid: str, unionid: str | None) -> Settled | None:
    known = _locked_by_unionid(uow, unionid) if unionid is not None else None
    citizen_id = known if known is not None else _new_citizen(uow)
    identity = {"app": app, "openid": openid, "citizen_id": citizen_id, "made_at": uow.now}
    made = run_statement(uow, _ADD_IDENTITY[uow.transaction.dialect.name], identity).first_value()
    if made is not None:
        return Settled(citizen_id, is_new=True)
    # A concurrent transaction created the openid first, so the spare citizen row is deleted.
    if known is None:
        uow.session.execute(delete(Citizen).where(Citizen.id == citizen_id))
    owner = _locked_owner(uow, app, openid)
    return None if owner is None else Settled(owner, is_new=False)


def _new_citizen(uow: UnitOfWork) -> int:
    ref = uow.new_ref("cit")
    row = {
        **BLANK,
        "ref": ref,
        "shown_number": number_of(ref),
        "language": Language.ZH,
        "created_at": uow.now,
    }
    return int(run_statement(uow, _ADD_CITIZEN, row).scalar_one())


def _tie_unionid(uow: UnitOfWork, citizen_id: int, unionid: str) -> int:
    for _ in range(_TRIES):
        other = _locked_by_unionid(uow, unionid)
        if other == citizen_id:
            return citizen_id
        if other is not None:
            citizen_id = merge_citizens(uow, citizen_id, other)
        if _took_unionid(uow, citizen_id, unionid):
            return citizen_id
    raise Unavailable


def _took_unionid(uow: UnitOfWork, citizen_id: int, unionid: str) -> bool:
    try:
        # The savepoint keeps the transaction usable when a concurrent one takes the unionid first.
        with uow.open_savepoint():
            run_statement(uow, _TAKE_UNIONID, {"of_citizen": citizen_id, "unionid": unionid})
    except IntegrityError:
        return False
    return True


def merge_citizens(uow: UnitOfWork, one: int, other: int) -> int:
    """Merge two citizens; the one with a mini-program identity survives, otherwise the older.

    Locks: the caller holds both rows. Every slice declares how its rows are merged.
    """
    keep, gone = sorted((one, other), key=lambda number: (not in_mini_program(uow, number), number))
    place_before = _place_of(uow, keep)
    for merge in uow.dependencies.hooks.merge:
        merge(uow, keep, gone)
    if _place_of(uow, keep) != place_before:
        for relocate in uow.dependencies.hooks.relocate:
            relocate(uow, keep)
    return keep


def merge_profile(uow: UnitOfWork, keep: int, gone: int) -> None:
    """Fill gaps of the survivor's profile from the other row, and blank that row."""
    session = uow.session
    # Rows of earlier merges must point to the survivor.
    session.execute(update(Citizen).where(Citizen.merged_into == gone).values(merged_into=keep))
    kept = session.get_one(Citizen, keep, populate_existing=True)
    left = session.get_one(Citizen, gone, populate_existing=True)
    taken = _values_for_gaps(kept, left)
    blank_citizen(left)
    left.merged_into = keep
    session.flush()  # the unionid must be free before the other row takes it
    for name, value in taken.items():
        setattr(kept, name, value)
    session.flush()


def blank_citizen(citizen: Citizen) -> None:
    """Remove all personal data from a row."""
    for name, value in BLANK.items():
        setattr(citizen, name, value)


def _values_for_gaps(kept: Citizen, left: Citizen) -> dict[str, Any]:
    taken: dict[str, Any] = {
        name: getattr(left, name)
        for group in _GROUPS
        if all(getattr(kept, name) in (None, NicknameState.NONE) for name in group)
        for name in group
    }
    taken["unionid"] = kept.unionid or left.unionid
    taken["under_14"] = True if left.under_14 else taken.get("under_14", kept.under_14)
    # The survivor does not get topics that one of the two turned off.
    muted = {*kept.muted_topics, *left.muted_topics}
    taken["muted_topics"] = sorted(muted)
    taken["topics"] = [one for one in kept.topics or left.topics if one not in muted]
    taken["announcements_off"] = kept.announcements_off or left.announcements_off
    return taken


def in_mini_program(uow: UnitOfWork, citizen_id: int) -> bool:
    """Whether a citizen has ever logged in to the mini-program."""
    found = uow.session.scalar(
        select(Identity.id)
        .where(Identity.citizen_id == citizen_id, Identity.app == App.MINI_PROGRAM)
        .limit(1)
    )
    return found is not None


def survivors_of(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, int]:
    """The citizens that these were merged into; unmerged ones map to themselves."""
    survivor = func.coalesce(_citizen.c.merged_into, _citizen.c.id)
    found = select(_citizen.c.id, survivor).where(is_any(_citizen.c.id, citizen_ids))
    return dict(uow.session.execute(found).all())


def lock_survivors(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, int]:
    """Lock and return the citizens that these were merged into, except those locked by others.

    Locks: those citizens, shared, skipping those locked by others.
    """
    locked = set(
        uow.session.scalars(
            select(Citizen.id)
            .where(
                Citizen.id.in_(survivors_of(uow, citizen_ids).values()),
                Citizen.merged_into.is_(None),
            )
            .order_by(Citizen.id)
            .with_for_update(read=True, skip_locked=True)
        )
    )
    # Read again: a merge may have been committed between the first read and the locks.
    now = survivors_of(uow, citizen_ids)
    return {number: survivor for number, survivor in now.items() if survivor in locked}


def lock_recipients(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, int]:
    """Lock and return the present citizens that these are or were merged into, without erased ones.

    Raises: Unavailable (503) when one is merged at this moment.
    Locks: those citizens, shared, in the order of their ids.
    """
    return _lock_present(uow, citizen_ids, shared=True)


def lock_citizens(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, int]:
    """As `lock_recipients`, but nobody else may lock them; needed before counting per citizen.

    Raises: Unavailable (503) when one is merged at this moment.
    Locks: those citizens, in the order of their ids.
    """
    return _lock_present(uow, citizen_ids, shared=False)


def _lock_present(uow: UnitOfWork, citizen_ids: Collection[int], *, shared: bool) -> dict[int, int]:
    before = set(survivors_of(uow, citizen_ids).values())
    columns = _citizen.c
    wanted = select(columns.id).where(
        is_any(columns.id, before), columns.merged_into.is_(None), columns.erased_at.is_(None)
    )
    present = set(uow.session.scalars(wanted.order_by(columns.id).with_for_update(read=shared)))
    # Read again: a merge may have been committed between the first read and the locks.
    now = survivors_of(uow, citizen_ids)
    if not before.issuperset(now.values()):
        raise Unavailable(retry_after_seconds=1)
    return {number: survivor for number, survivor in now.items() if survivor in present}


def _place_of(uow: UnitOfWork, citizen_id: int) -> tuple[Any, ...]:
    return tuple(
        uow.session.execute(
            select(Citizen.city, Citizen.county, Citizen.unit_id, Citizen.audience).where(
                Citizen.id == citizen_id
            )
        ).one()
    )
