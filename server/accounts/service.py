"""The interface of the accounts slice: login, sessions, and facts about citizens for other slices.

The profile is in `profile.py`, consent, export and erasure in `privacy.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import Select, bindparam, delete, func, insert, select, update

from server.accounts import (
    avatars,
    identities,
    limit_traces,
    privacy,
)
from server.accounts.avatar_links import PrivateLink
from server.accounts.bulk import NewCitizen as NewCitizen
from server.accounts.bulk import add_citizens as add_citizens
from server.accounts.bulk import ids_of_refs as ids_of_refs
from server.accounts.bulk import known_refs as known_refs
from server.accounts.bulk import refs_by_id as refs_by_id
from server.accounts.models import App, Citizen, Identity, SessionToken
from server.accounts.name_search import ids_by_nickname as ids_by_nickname
from server.accounts.name_search import ids_by_shown_number as ids_by_shown_number
from server.accounts.phones import tell_number as tell_number
from server.accounts.profile import checked_name as checked_name
from server.accounts.profile import join_unit as join_unit
from server.accounts.public_names import Greeting as Greeting
from server.accounts.public_names import Name as Name
from server.accounts.public_names import greetings_of as greetings_of
from server.accounts.public_names import join_names as join_names
from server.accounts.public_names import name_from_row as name_from_row
from server.accounts.public_names import names_of as names_of
from server.accounts.public_names import own_name_of as own_name_of
from server.accounts.public_names import unnamed_name_of as unnamed_name_of
from server.accounts.reaching import CitizenFilter as CitizenFilter
from server.accounts.reaching import citizens_of as citizens_of
from server.accounts.reaching import facts_of_citizens as facts_of_citizens
from server.accounts.reaching import has_announcements_off as has_announcements_off
from server.accounts.reaching import openids_of as openids_of
from server.accounts.reaching import quiet_hours_of as quiet_hours_of
from server.accounts.rules import mask_name as mask_name
from server.base.access import Citizen as Caller
from server.base.errors import NotAuthenticated
from server.base.ids import new_token
from server.base.signing import token_hash
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork
from server.wechat.gateway import WeChatIdentity

AppName = Literal["official_account", "mini_program"]

_citizen, _identity, _token = table_of(Citizen), table_of(Identity), table_of(SessionToken)
# A merged citizen has several openids; rate limits are always counted by the oldest.
_OPENID = (
    select(_identity.c.openid)
    .where(_identity.c.citizen_id == _citizen.c.id, _identity.c.app == App.MINI_PROGRAM)
    .order_by(_identity.c.id)
    .limit(1)
    .correlate(_citizen)
    .scalar_subquery()
)
_CALLER = (
    select(
        _citizen.c.id,
        privacy.latest_version(_citizen.c.id).label("version"),
        _OPENID.label("openid"),
    )
    .join(_token, _token.c.citizen_id == _citizen.c.id)
    .where(
        _token.c.token_hash == bindparam("of_hash"),
        _token.c.revoked_at.is_(None),
        _token.c.expires_at > bindparam("at"),
        _citizen.c.erased_at.is_(None),
        _citizen.c.merged_into.is_(None),
    )
)
_DROP_EXPIRED = delete(_token).where(
    _token.c.citizen_id == bindparam("of_citizen"), _token.c.expires_at <= bindparam("at")
)
_ADD_SESSION = insert(_token)
_ONCE_GOOD = select(_token.c.id).where(_token.c.token_hash == bindparam("of_hash"))
_PLAYER = (
    select(
        _citizen.c.erased_at,
        _citizen.c.merged_into,
        _citizen.c.city,
        _citizen.c.county,
        _citizen.c.unit_id,
        _citizen.c.audience,
        limit_traces.ANY_TRACE.label("traces"),
    )
    .where(_citizen.c.id == bindparam("citizen_id"))
    .with_for_update(of=_citizen)
)
_PLACE = select(_citizen.c.city, _citizen.c.county, _citizen.c.unit_id, _citizen.c.audience).where(
    _citizen.c.id == bindparam("citizen_id")
)

_PLACES = select(
    _citizen.c.id, _citizen.c.city, _citizen.c.county, _citizen.c.unit_id, _citizen.c.audience
).where(_citizen.c.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A new session; its token is not stored anywhere."""

    token: str
    expires_at: datetime
    citizen_id: int
    is_new: bool


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place that a citizen counts for on boards."""

    city: str | None
    county: str | None
    unit_id: int | None
    audience: str | None


class PlaceCount(NamedTuple):
    """A number of citizens whose profile names a place."""

    city: str | None
    county: str | None
    unit_id: int | None
    number: int


@dataclass(frozen=True, kw_only=True)
class Player:
    """A locked citizen who starts a paper.

    `may_have_former` is False when `former_ids` would certainly be empty.
    """

    place: Place
    may_have_former: bool


def sign_in(uow: UnitOfWork, identity: WeChatIdentity) -> SignedIn:
    """Create a session for a person identified by WeChat's login, known or new.

    Locks: the citizen.
    """
    settled = identities.settle_identity(
        uow, App.MINI_PROGRAM, identity.openid, identity.unionid or None
    )
    _drop_expired(uow, settled.citizen_id)
    token = new_token()
    expires_at = uow.now + timedelta(days=uow.settings.security.token_days)
    session = {
        "token_hash": token_hash(token),
        "citizen_id": settled.citizen_id,
        "made_at": uow.now,
        "expires_at": expires_at,
    }
    run_statement(uow, _ADD_SESSION, session)
    return SignedIn(
        token=token, expires_at=expires_at, citizen_id=settled.citizen_id, is_new=settled.is_new
    )


def _drop_expired(uow: UnitOfWork, citizen_id: int) -> None:
    run_statement(uow, _DROP_EXPIRED, {"of_citizen": citizen_id, "at": uow.now})


def sign_out(uow: UnitOfWork, token: str) -> None:
    """End the session of this token."""
    _revoke_session(uow, token_hash(token))


def end_session(uow: UnitOfWork) -> None:
    """End the session of this request.

    Raises: NotAuthenticated (401) when the caller is no citizen.
    """
    if not isinstance(uow.actor, Caller):
        raise NotAuthenticated
    _revoke_session(uow, uow.actor.session)


def _revoke_session(uow: UnitOfWork, hashed: str) -> None:
    uow.session.execute(
        update(SessionToken)
        .where(SessionToken.token_hash == hashed, SessionToken.revoked_at.is_(None))
        .values(revoked_at=uow.now)
    )


def resolve_token(uow: UnitOfWork, token: str) -> Caller | None:
    """The citizen of a bearer token, and whether the current policy was agreed to.

    Raises: NotAuthenticated (401) for an expired token. An unknown token returns None, which counts
    as a guess. The difference matters because a school class behind one address may have many
    expired ones.
    """
    hashed = token_hash(token)
    found = run_statement(uow, _CALLER, {"of_hash": hashed, "at": uow.now}).one_or_none()
    if found is None:
        if run_statement(uow, _ONCE_GOOD, {"of_hash": hashed}).first_value() is not None:
            raise NotAuthenticated
        return None
    return Caller(
        id=found.id,
        consented=found.version == uow.settings.policy_version,
        known_as=uow.keys.pseudonym_of(found.openid) if found.openid else "",
        session=hashed,
    )


def citizen_of_openid(uow: UnitOfWork, app: AppName, openid: str, *, create: bool) -> int | None:
    """The citizen of an openid; `create` creates one when it is unknown.

    Locks: the citizen, when `create` is set.
    """
    if create:
        return identities.settle_identity(uow, App(app), openid, None).citizen_id
    return identities.owner_of(uow, App(app), openid)


def citizens_of_openids(uow: UnitOfWork, app: AppName, openids: Collection[str]) -> dict[str, int]:
    """The citizens of openids, where they exist."""
    return identities.owners_of(uow, App(app), openids)


def player_of_openid(uow: UnitOfWork, app: AppName, openid: str) -> int | None:
    """The citizen of an openid, if known to have used the mini-program.

    A follower whose unionid is not known yet is a separate citizen without papers.
    """
    citizen_id = identities.owner_of(uow, App(app), openid)
    if citizen_id is None or not identities.in_mini_program(uow, citizen_id):
        return None
    return citizen_id


def known_unionids(uow: UnitOfWork, unionids: Collection[str]) -> set[str]:
    """The unionids among these that belong to citizens."""
    return identities.known_unionids(uow, unionids)


def openid_of(uow: UnitOfWork, citizen_id: int, app: AppName) -> str | None:
    """A citizen's openid in one of the apps; the newest when there are several."""
    return uow.session.scalar(
        select(Identity.openid)
        .where(Identity.citizen_id == citizen_id, Identity.app == App(app))
        .order_by(Identity.id.desc())
        .limit(1)
    )


def learn_unionid(uow: UnitOfWork, app: AppName, openid: str, unionid: str) -> int:
    """Store the unionid of an openid; return the resulting citizen.

    Locks: the citizen; two citizens with one unionid are merged, in every slice's tables.
    """
    return identities.settle_identity(uow, App(app), openid, unionid).citizen_id


def lock_citizen(uow: UnitOfWork, citizen_id: int) -> None:
    """Lock a citizen's row until commit; required before counting anything per citizen.

    Raises: NotAuthenticated (401) when erased meanwhile, Unavailable (503) when just merged with
    another citizen.
    """
    privacy.lock_citizen(uow, citizen_id)


def lock_player(uow: UnitOfWork, citizen_id: int) -> Player:
    """Lock a citizen's row until commit, and read what a contest needs of it, in one statement.

    Raises: as `lock_citizen`.
    """
    row = run_statement(uow, _PLAYER, {"citizen_id": citizen_id}).one_or_none()
    privacy.refuse_absent(row)
    return Player(place=_place_from_row(row), may_have_former=bool(row.traces))


def survivors_of(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, int]:
    """The citizens that these were merged into; unmerged ones map to themselves."""
    return identities.survivors_of(uow, citizen_ids)


def lock_survivors(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, int]:
    """Lock and return the citizens that these were merged into, except those locked by others.

    Locks: those citizens, shared, skipping those locked by others.
    """
    return identities.lock_survivors(uow, citizen_ids)


def lock_recipients(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, int]:
    """Lock and return the present citizens that these are or were merged into, without erased ones.

    Raises: Unavailable (503) when one is merged at this moment.
    Locks: those citizens, shared, in the order of their ids.
    """
    return identities.lock_recipients(uow, citizen_ids)


def lock_citizens(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, int]:
    """As `lock_recipients`, but nobody else may lock them; needed before counting per citizen.

    Raises: Unavailable (503) when one is merged at this moment.
    Locks: those citizens, in the order of their ids.
    """
    return identities.lock_citizens(uow, citizen_ids)


def former_ids(uow: UnitOfWork, citizen_id: int) -> list[int]:
    """Erased rows of the same person that limits of a running season still count."""
    return limit_traces.former_ids(uow, citizen_id)


def place_of(uow: UnitOfWork, citizen_id: int) -> Place:
    """The place that a citizen counts for now."""
    row = run_statement(uow, _PLACE, {"citizen_id": citizen_id}).one_or_none()
    if row is None:
        return Place(city=None, county=None, unit_id=None, audience=None)
    return _place_from_row(row)


def places_of(uow: UnitOfWork, citizen_ids: Collection[int]) -> dict[int, Place]:
    """The places that citizens count for now, by row id."""
    if not citizen_ids:
        return {}
    rows = run_statement(uow, _PLACES, {"ids": sorted(citizen_ids)})
    return {row.id: _place_from_row(row) for row in rows}


def _place_from_row(row: Any) -> Place:
    audience = None if row.audience is None else row.audience.value
    return Place(city=row.city, county=row.county, unit_id=row.unit_id, audience=audience)


def mini_program_ids() -> Select[Any]:
    """A subquery of the citizens who have logged in to the mini-program."""
    return select(Identity.citizen_id).where(Identity.app == App.MINI_PROGRAM)


def count_by_place(uow: UnitOfWork, chosen: Select[Any]) -> list[PlaceCount]:
    """Number of citizens of a subquery by place, without erased and merged ones."""
    place = (Citizen.city, Citizen.county, Citizen.unit_id)
    asked = (
        select(*place, func.count())
        .where(Citizen.id.in_(chosen), Citizen.erased_at.is_(None), Citizen.merged_into.is_(None))
        .group_by(*place)
    )
    return [PlaceCount(*row) for row in uow.session.execute(asked)]


def quiet_hours(uow: UnitOfWork, citizen_id: int) -> tuple[time, time] | None:
    """A citizen's quiet hours, from and to in Beijing time."""
    return quiet_hours_of(uow, [citizen_id]).get(citizen_id)


def public_picture(uow: UnitOfWork, name: str) -> bytes | None:
    """A citizen's public picture by its name, as a JPEG."""
    return avatars.public_picture(uow, name)


def private_picture(
    uow: UnitOfWork, viewer: str, name: str, until: str, signature: str
) -> bytes | None:
    """A citizen's picture behind a private address, as a JPEG, while its check is not finished."""
    link = PrivateLink(viewer=viewer, name=name, until=until, signature=signature)
    return avatars.private_picture(uow, link)
