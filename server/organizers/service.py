"""Organizers for other layers: log-in, sessions, links, and the account that acts.

Functions that take a `UnitOfWorkFactory` open their own transactions, because they hash passwords
with none open.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from server.audit.service import Subject, record_change
from server.base.access import ROLES, Organizer, Permission, Scope
from server.base.ownership import serving_found_row
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.organizers import links, log_in, sessions
from server.organizers.log_in import LoggedIn, TypedLogin
from server.organizers.models import AccountState, LinkPurpose, OrganizerAccount
from server.organizers.own_account import WECHAT_SCENE as WECHAT_SCENE
from server.organizers.own_account import bind_wechat as bind_wechat
from server.organizers.own_account import openid_of as openid_of
from server.organizers.sessions import SessionResolver as SessionResolver
from server.organizers.sessions import organizer_of
from server.organizers.unit_directory import create_unit as create_unit
from server.organizers.unit_places import Places as Places


def log_in_organizer(uow_factory: UnitOfWorkFactory, given: TypedLogin) -> LoggedIn:
    """Log an organizer in; see `log_in.log_in`."""
    return log_in.log_in(uow_factory, given)


def log_out_organizer(uow_factory: UnitOfWorkFactory, cookie: str) -> None:
    """End the session of a cookie; nothing happens without one."""
    if not cookie:
        return
    resolver = SessionResolver(uow_factory)
    with uow_factory.begin() as uow:
        organizer = resolver.resolve_cookie(uow, cookie)
        sessions.end_session_of_cookie(uow, cookie)
        if organizer is not None:
            subject = Subject("organizer", organizer.ref)
            record_change(uow, organizer, "organizers.log_out", subject)


def explain_end(uow_factory: UnitOfWorkFactory, cookie: str) -> str | None:
    """Explain why the session of a cookie is not valid; see `sessions.explain_end`."""
    with uow_factory.begin(read_only=True) as uow:
        return sessions.explain_end(uow, cookie)


def take_link(
    uow_factory: UnitOfWorkFactory, token: str, password_hash: str, code: str
) -> links.TakenLink | None:
    """Use a one-time link; None when the code is wrong.

    Raises: LinkDead (404).
    """
    with uow_factory.begin() as uow:
        purpose = links.read_link(uow, token).purpose
        taken = links.take_link(uow, token, password_hash, code)
        if taken is None:
            return None
        organizer = organizer_by_id(uow, taken.organizer_id)
        subject = Subject("organizer", organizer.ref)
        if purpose is LinkPurpose.INVITE:
            record_change(uow, organizer, "organizers.take_invitation", subject)
        else:
            record_change(uow, organizer, "organizers.take_recovery", subject)
        return taken


def may_omit_code(environment: str) -> bool:
    """Whether accounts may do without a second factor: in the demo only."""
    return environment in log_in.WITHOUT_CODE


def organizer_by_id(uow: UnitOfWork, organizer_id: int) -> Organizer:
    """The actor of an account."""
    return organizer_of(uow, uow.session.get_one(OrganizerAccount, organizer_id))


def organizer_by_username(uow: UnitOfWork, username: str) -> Organizer:
    """The actor of the account with this name; for commands, which log nobody in."""
    found = select(OrganizerAccount).where(OrganizerAccount.username == username)
    return organizer_of(uow, uow.session.scalars(found).one())


def count_permitted(
    uow: UnitOfWork, permission: Permission, scope: Scope, besides: Collection[int]
) -> int:
    """The number of active accounts that may do something at a place, without some of them."""
    roles = [role for role, granted in ROLES.items() if permission in granted]
    with serving_found_row(uow.session):
        found = select(func.count()).where(
            OrganizerAccount.state == AccountState.ACTIVE,
            OrganizerAccount.role.in_(roles),
            OrganizerAccount.owner.in_((scope.spelled, *scope.above)),
            OrganizerAccount.id.not_in(besides),
        )
        return uow.session.scalar(found) or 0
