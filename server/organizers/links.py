"""One-time links: invitation and recovery, with a new password and second factor."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import delete, select

from server.base.access import Role
from server.base.ids import new_token
from server.base.signing import token_hash
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.organizers import codes, log_in, rules, sessions
from server.organizers.errors import LinkDead
from server.organizers.models import (
    AccountState,
    LinkPurpose,
    OrganizerAccount,
    OrganizerLink,
)
from server.units import service as units

_VALID = {
    LinkPurpose.INVITE: rules.INVITE_VALID,
    LinkPurpose.RECOVER: rules.RECOVER_VALID,
    LinkPurpose.WECHAT: rules.WECHAT_VALID,
}


@dataclass(frozen=True, kw_only=True)
class LinkView:
    """The account of a one-time link, and the secret that its page offers."""

    purpose: LinkPurpose
    username: str
    name: str
    role: Role
    place: str
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TakenLink:
    """The result of a used link: the account, and its recovery codes, which are shown once."""

    organizer_id: int
    recovery_codes: list[str] = field(repr=False)


def issue_link(uow: UnitOfWork, organizer_id: int, purpose: LinkPurpose) -> str:
    """Create the token of a one-time link; an earlier one of this purpose stops working."""
    token = new_token()
    values = {
        "token_hash": token_hash(token),
        "expires_at": uow.system_now + _VALID[purpose],
    }
    added = insert_for(uow.session, OrganizerLink).values(
        organizer_id=organizer_id, purpose=purpose, **values
    )
    uow.session.execute(
        added.on_conflict_do_update(index_elements=["organizer_id", "purpose"], set_=values)
    )
    return token


def link_address(uow: UnitOfWork, token: str) -> str:
    """The address of a link to hand to the organizer."""
    return f"{uow.settings.own_address}/console/links/{token}"


def read_link(uow: UnitOfWork, token: str) -> LinkView:
    """The account of a link that can still be used.

    Raises: LinkDead (404).
    """
    account, purpose = _account_of(uow, token)
    _, place = units.resolve_scope(uow, account.owner)
    return LinkView(
        purpose=purpose,
        username=account.username,
        name=account.name,
        role=account.role,
        place=place,
        secret=codes.derived_secret(uow.keys, f"link:{token}"),
    )


def take_link(uow: UnitOfWork, token: str, password_hash: str, code: str) -> TakenLink | None:
    """Use a link: set password and second factor; None when the code is wrong.

    A recovery ends all sessions, forgets all browsers and withholds approvals for a day.
    Without a code no second factor is set; the caller allows that only in the demo.
    Locks: the account.
    Raises: LinkDead (404).
    """
    account, purpose = _account_of(uow, token, lock=True)
    secret = codes.derived_secret(uow.keys, f"link:{token}")
    step = codes.matching_step(secret, code, uow.system_now) if code else None
    if code and step is None:
        return None
    account.password_hash = password_hash
    account.totp_secret = codes.seal_secret(uow.keys, secret, account.ref) if code else None
    account.totp_step = step
    account.state = AccountState.ACTIVE
    if purpose is LinkPurpose.RECOVER:
        account.no_approvals_until = uow.system_now + rules.NO_APPROVALS
    sessions.end_sessions(uow, account.id)
    log_in.forget_browsers(uow, account.id)
    uow.session.execute(delete(OrganizerLink).where(OrganizerLink.organizer_id == account.id))
    made = codes.renew_recovery_codes(uow, account.id, account.ref) if code else []
    return TakenLink(organizer_id=account.id, recovery_codes=made)


def drop_old_links(uow: UnitOfWork) -> int:
    """Delete links that are too old; return how many."""
    gone = delete(OrganizerLink).where(OrganizerLink.expires_at <= uow.system_now)
    return len(uow.session.execute(gone.returning(OrganizerLink.id)).all())


def _account_of(
    uow: UnitOfWork, token: str, *, lock: bool = False
) -> tuple[OrganizerAccount, LinkPurpose]:
    wanted = select(OrganizerLink.organizer_id).where(
        OrganizerLink.token_hash == token_hash(token),
        OrganizerLink.purpose != LinkPurpose.WECHAT,
        OrganizerLink.expires_at > uow.system_now,
    )
    found = uow.session.scalar(wanted)
    if found is None:
        raise LinkDead
    account = uow.session.get_one(
        OrganizerAccount, found, with_for_update=lock, populate_existing=lock
    )
    # Read again under the account's lock, so that a link is used only once.
    purpose = uow.session.scalar(
        select(OrganizerLink.purpose).where(OrganizerLink.token_hash == token_hash(token))
    )
    if purpose is None or account.state is AccountState.CLOSED:
        raise LinkDead
    return account, purpose
