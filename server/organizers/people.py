"""Accounts of organizers as administrators see them: list, invite, change, recover, close."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from server.audit.service import Subject, record_change
from server.base.access import Organizer, Role, Scope
from server.base.characters import clean_name
from server.base.errors import Invalid, NotFound
from server.base.ownership import owned_by, scope_of, visible_to, writable_by
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused
from server.console.list_views import forget_views
from server.organizers import links, log_in, rules, sessions
from server.organizers.errors import AccountNotOpen, OwnAccount
from server.organizers.models import (
    AccountState,
    LinkPurpose,
    OrganizerAccount,
    OrganizerLink,
    OrganizerNotice,
    OrganizerWeChat,
    RecoveryCode,
)
from server.units import service as units


@dataclass(frozen=True, kw_only=True)
class AccountView:
    """An account in the list and on its own page; `own` when it is the reader's."""

    ref: str
    username: str
    name: str
    role: Role
    place: str
    scope: str
    state: AccountState
    second_factor: bool
    no_approvals_until: datetime | None
    created_at: datetime
    closed_at: datetime | None
    own: bool


@dataclass(frozen=True, kw_only=True)
class NewAccount:
    """The input of an administrator for an invitation; `place` is a spelled scope."""

    username: str
    name: str
    role: Role
    place: str


@dataclass(frozen=True, kw_only=True)
class IssuedLink:
    """A one-time link, to be shown once."""

    name: str
    username: str
    address: str = field(repr=False)
    hours: int


def show_account(uow: UnitOfWork, organizer: Organizer, ref: str) -> AccountView:
    """Return the account with this ref in the organizer's place.

    Raises: NotFound (404).
    """
    return view_account(uow, organizer, read_account(uow, organizer, ref))


def view_account(uow: UnitOfWork, organizer: Organizer, account: OrganizerAccount) -> AccountView:
    """An account as its page shows it."""
    _, place = units.resolve_scope(uow, account.owner)
    until = account.no_approvals_until
    return AccountView(
        ref=account.ref,
        username=account.username,
        name=account.name,
        role=account.role,
        place=place,
        scope=account.owner,
        state=account.state,
        second_factor=account.totp_secret is not None,
        no_approvals_until=until if until and until > uow.system_now else None,
        created_at=account.created_at,
        closed_at=account.closed_at,
        own=account.id == organizer.id,
    )


def read_account(uow: UnitOfWork, organizer: Organizer, ref: str) -> OrganizerAccount:
    """The account with this ref in the organizer's place.

    Raises: NotFound (404).
    """
    rows = visible_to(select(OrganizerAccount), organizer, OrganizerAccount)
    account: OrganizerAccount | None = uow.session.scalar(rows.where(OrganizerAccount.ref == ref))
    if account is None:
        raise NotFound
    return account


def create_account(uow: UnitOfWork, scope: Scope, new: NewAccount) -> OrganizerAccount:
    """Create an invited account without a password.

    Raises: FieldRefused for a name that cannot be used or is taken.
    """
    username = new.username.strip().lower()
    if not rules.is_username(username):
        raise FieldRefused("username", "organizers.form.username_wrong")
    account = OrganizerAccount(
        ref=uow.new_ref("org"),
        username=username,
        name=clean_name(new.name),
        role=new.role,
        state=AccountState.INVITED,
        created_at=uow.system_now,
        **owned_by(scope),
    )
    try:
        with uow.open_savepoint():
            uow.session.add(account)
            uow.session.flush()
    except IntegrityError:
        # Accounts of other places are not readable here, so only the unique key finds a taken name.
        raise FieldRefused("username", "organizers.form.username_taken") from None
    return account


def invite_organizer(uow: UnitOfWork, organizer: Organizer, new: NewAccount) -> IssuedLink:
    """Create an account in the organizer's place, and its invitation.

    Raises: FieldRefused for a name that is taken, or a place outside the organizer's own.
    """
    scope = scope_to_give(uow, organizer, new.place)
    account = create_account(uow, scope, new)
    record_change(
        uow,
        organizer,
        "organizers.invite_organizer",
        Subject("organizer", account.ref, scope),
        after={"role": account.role.value, "scope": account.owner, "username": account.username},
    )
    return _issue_link(uow, account, LinkPurpose.INVITE)


def renew_link(uow: UnitOfWork, organizer: Organizer, ref: str) -> IssuedLink:
    """Issue a new link: for an invitation not yet accepted, or a recovery, which ends all sessions.

    Raises: NotFound (404), OwnAccount (409), AccountNotOpen (409) for a closed account.
    """
    account = lock_account(uow, organizer, ref)
    subject = Subject("organizer", ref, scope_of(account))
    if account.state is AccountState.INVITED:
        record_change(uow, organizer, "organizers.invite_again", subject)
        return _issue_link(uow, account, LinkPurpose.INVITE)
    sessions.end_sessions(uow, account.id)
    record_change(uow, organizer, "organizers.recover_account", subject)
    return _issue_link(uow, account, LinkPurpose.RECOVER)


def change_role(
    uow: UnitOfWork, organizer: Organizer, ref: str, *, role: Role, place: str, reason: str
) -> None:
    """Give an account another role or place; its sessions end, and with them earlier permissions.

    Raises: NotFound (404), OwnAccount, AccountNotOpen (409), FieldRefused for a place outside the
    organizer's own.
    """
    account = lock_account(uow, organizer, ref)
    scope = scope_to_give(uow, organizer, place)
    before = {"role": account.role.value, "scope": account.owner}
    account.role = role
    for column, value in owned_by(scope).items():
        setattr(account, column, value)
    after = {"role": role.value, "scope": scope.spelled}
    if after == before:
        return
    sessions.end_sessions(uow, account.id)
    record_change(
        uow,
        organizer,
        "organizers.change_role",
        Subject("organizer", ref, scope),
        before=before,
        after=after,
        reason=reason,
    )


def close_account(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Close an account permanently: its sessions, links and WeChat end.

    Raises: NotFound (404), OwnAccount, AccountNotOpen (409).
    """
    account = lock_account(uow, organizer, ref)
    end_account(uow, account)
    record_change(
        uow,
        organizer,
        "organizers.close_account",
        Subject("organizer", ref, scope_of(account)),
        reason=reason,
    )


def scope_to_give(uow: UnitOfWork, organizer: Organizer, place: str) -> Scope:
    """The scope of a spelled place, if the organizer may give it to somebody.

    Raises: FieldRefused for an unknown place, and for one outside the organizer's own.
    """
    try:
        scope, _ = units.resolve_scope(uow, place)
    except Invalid:
        raise FieldRefused("place", "organizers.form.place_wrong") from None
    if not rules.may_appoint(organizer.scope, scope):
        raise FieldRefused("place", "organizers.form.place_wrong")
    return scope


def places_to_give(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """The organizer's own place, and the cities and counties in it, with their names."""
    own = [(organizer.scope.spelled, organizer.place)]
    return own + [
        (scope.spelled, name)
        for scope, name in units.list_places(uow)
        if rules.may_appoint(organizer.scope, scope) and scope != organizer.scope
    ]


def lock_account(uow: UnitOfWork, organizer: Organizer, ref: str) -> OrganizerAccount:
    """Lock and return the account with this ref, which another organizer is about to change.

    Locks: the account. Raises: NotFound (404), OwnAccount, AccountNotOpen (409)."""
    rows = writable_by(select(OrganizerAccount), organizer, OrganizerAccount)
    account: OrganizerAccount | None = uow.session.scalar(
        rows.where(OrganizerAccount.ref == ref).with_for_update()
    )
    if account is None:
        raise NotFound
    if account.id == organizer.id:
        raise OwnAccount
    if account.state is AccountState.CLOSED:
        raise AccountNotOpen
    return account


def _issue_link(uow: UnitOfWork, account: OrganizerAccount, purpose: LinkPurpose) -> IssuedLink:
    token = links.issue_link(uow, account.id, purpose)
    valid = rules.INVITE_VALID if purpose is LinkPurpose.INVITE else rules.RECOVER_VALID
    return IssuedLink(
        name=account.name,
        username=account.username,
        address=links.link_address(uow, token),
        hours=int(valid.total_seconds()) // 3600,
    )


def end_account(uow: UnitOfWork, account: OrganizerAccount) -> None:
    """Close an account: sessions, links, WeChat, saved filters and column choices are deleted."""
    account.state, account.closed_at = AccountState.CLOSED, uow.system_now
    account.password_hash = account.totp_secret = None
    sessions.end_sessions(uow, account.id)
    log_in.forget_browsers(uow, account.id)
    forget_views(uow, account.id)
    for table in (OrganizerLink, OrganizerWeChat, OrganizerNotice, RecoveryCode):
        uow.session.execute(delete(table).where(table.organizer_id == account.id))
