"""An organizer's own account: password, second factor, recovery codes, sessions, WeChat."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select

from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import writable_by
from server.base.signing import token_hash
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.page import FieldRefused
from server.organizers import codes, links, log_in, rules, sessions
from server.organizers.errors import LinkDead, WeChatTaken
from server.organizers.models import (
    AccountState,
    LinkPurpose,
    OrganizerAccount,
    OrganizerLink,
    OrganizerWeChat,
)
from server.organizers.passwords import HASHES, PasswordHashes
from server.units import service as units

# Prefix of the scene of a code that binds a WeChat account; a one-time token follows.
WECHAT_SCENE = "staff-"


@dataclass(frozen=True, kw_only=True)
class OwnAccountView:
    """An organizer's account as its page shows it."""

    username: str
    second_factor: bool
    recovery_codes: int
    wechat_since: datetime | None
    notices_on: bool
    last_notice: tuple[str, str] | None
    sessions: list[sessions.SessionView]


@dataclass(frozen=True, kw_only=True)
class OfferedSecret:
    """A secret to scan with an authenticator app."""

    secret: str = field(repr=False)
    picture: str = field(repr=False)


def show_own_account(
    uow: UnitOfWork, organizer: Organizer, last_notice: tuple[str, str] | None = None
) -> OwnAccountView:
    """Return the organizer's account with its sessions."""
    account = _own_row(uow, organizer)
    return OwnAccountView(
        username=account.username,
        second_factor=account.totp_secret is not None,
        recovery_codes=codes.count_recovery_codes(uow, organizer.id),
        wechat_since=_wechat_since(uow, organizer.id),
        notices_on=_notices_on(uow, organizer.id),
        last_notice=last_notice,
        sessions=sessions.list_sessions(uow, organizer.id, organizer.session),
    )


def confirm_password(
    uow_factory: UnitOfWorkFactory,
    organizer: Organizer,
    password: str,
    hashes: PasswordHashes = HASHES,
) -> None:
    """Check the organizer's password again; for actions for which an open session is not enough.

    Raises: FieldRefused for a wrong one, LoginBarred (429) after ten.
    """
    with uow_factory.begin() as uow:
        key = log_in.tries_key(uow, organizer.ref, "confirm")
        log_in.count_try(uow, key)
        stored = _own_row(uow, organizer).password_hash
    if not hashes.matches_password(stored, password):
        raise FieldRefused("current", "organizers.form.current_wrong")
    with uow_factory.begin() as uow:
        log_in.forget_tries(uow, key)


def check_new_password(password: str, username: str, *, field_name: str = "password") -> None:
    """Check a new password. Raises: FieldRefused when it must not be used."""
    fault = rules.password_fault(password, username)
    if fault is not None:
        raise FieldRefused(field_name, fault)


def hash_new_password(
    uow_factory: UnitOfWorkFactory,
    organizer: Organizer,
    password: str,
    hashes: PasswordHashes = HASHES,
) -> str:
    """The hash of a new own password.

    Raises: FieldRefused when it must not be used.
    """
    with uow_factory.begin(read_only=True) as uow:
        username = _own_row(uow, organizer).username
    check_new_password(password, username)
    return hashes.hash_password(password)


def change_password(uow: UnitOfWork, organizer: Organizer, password_hash: str) -> None:
    """Store a new password; all other sessions and known browsers end."""
    _own_row(uow, organizer).password_hash = password_hash
    sessions.end_sessions(uow, organizer.id, but=organizer.session)
    log_in.forget_browsers(uow, organizer.id)
    record_change(uow, organizer, "organizers.change_password", Subject("organizer", organizer.ref))


def offer_secret(uow: UnitOfWork, organizer: Organizer) -> OfferedSecret:
    """The secret of a new second factor; the same until one was stored."""
    account = _own_row(uow, organizer)
    secret = _next_secret(uow, account)
    picture = codes.qr_picture(codes.app_address(secret, account.username))
    return OfferedSecret(secret=secret, picture=picture)


def change_second_factor(uow: UnitOfWork, organizer: Organizer, code: str) -> list[str]:
    """Store the offered secret; return new recovery codes. All other sessions end.

    Raises: FieldRefused when the code is not of the offered secret.
    """
    account = _own_row(uow, organizer)
    secret = _next_secret(uow, account)
    step = codes.matching_step(secret, code.strip(), uow.system_now)
    if step is None:
        raise FieldRefused("totp", "organizers.form.code_wrong")
    account.totp_secret = codes.seal_secret(uow.keys, secret, account.ref)
    account.totp_step = step
    sessions.end_sessions(uow, organizer.id, but=organizer.session)
    log_in.forget_browsers(uow, organizer.id)
    record_change(
        uow, organizer, "organizers.change_second_factor", Subject("organizer", organizer.ref)
    )
    return codes.renew_recovery_codes(uow, organizer.id, account.ref)


def renew_own_codes(uow: UnitOfWork, organizer: Organizer) -> list[str]:
    """Replace the recovery codes; return the new ones, to be shown once."""
    record_change(
        uow, organizer, "organizers.renew_recovery_codes", Subject("organizer", organizer.ref)
    )
    return codes.renew_recovery_codes(uow, organizer.id, organizer.ref)


def end_own_session(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """End one of the organizer's sessions.

    Raises: NotFound (404).
    """
    if not sessions.end_one_session(uow, organizer.id, ref):
        raise NotFound
    record_change(uow, organizer, "organizers.end_session", Subject("organizer", organizer.ref))


def start_binding(uow_factory: UnitOfWorkFactory, organizer: Organizer) -> str:
    """Issue the scene of a code; for ten minutes, scanning it binds the WeChat account."""
    with uow_factory.begin() as uow:
        return WECHAT_SCENE + links.issue_link(uow, organizer.id, LinkPurpose.WECHAT)


def bind_wechat(uow: UnitOfWork, openid: str, scene: str) -> str:
    """Bind the WeChat account that scanned a code; return the name of the organizer.

    Raises: LinkDead (404) for a used or old code, WeChatTaken (409).
    """
    token = scene.removeprefix(WECHAT_SCENE)
    used = delete(OrganizerLink).where(
        OrganizerLink.token_hash == token_hash(token),
        OrganizerLink.purpose == LinkPurpose.WECHAT,
        OrganizerLink.expires_at > uow.system_now,
    )
    found = uow.session.scalar(used.returning(OrganizerLink.organizer_id))
    account = None if found is None else uow.session.get(OrganizerAccount, found)
    if account is None or account.state is not AccountState.ACTIVE:
        raise LinkDead
    marked = uow.keys.blind_hash(openid, "organizers.openid")
    holder = select(OrganizerWeChat.organizer_id).where(OrganizerWeChat.openid_hash == marked)
    if uow.session.scalar(holder) not in (None, account.id):
        raise WeChatTaken
    values = {
        "openid": uow.keys.seal_text(openid, _openid_place(account.id)),
        "openid_hash": marked,
        "bound_at": uow.system_now,
    }
    added = insert_for(uow.session, OrganizerWeChat).values(organizer_id=account.id, **values)
    uow.session.execute(added.on_conflict_do_update(index_elements=["organizer_id"], set_=values))
    scope, place = units.resolve_scope(uow, account.owner)
    actor = Organizer(
        id=account.id, ref=account.ref, name=account.name, role=account.role,
        scope=scope, place=place,
    )  # fmt: skip
    record_change(uow, actor, "organizers.bind_wechat", Subject("organizer", actor.ref))
    return account.name


def unbind_wechat(uow: UnitOfWork, organizer: Organizer) -> None:
    """Unbind the organizer's WeChat account."""
    _forget_wechat(uow, organizer.id)
    record_change(uow, organizer, "organizers.unbind_wechat", Subject("organizer", organizer.ref))


def switch_notices(uow: UnitOfWork, organizer: Organizer, *, on: bool) -> None:
    """Switch the daily notice to the organizer's WeChat account on or off."""
    row = _bound_row(uow, organizer.id)
    if row is None or row.notices_on is on:
        return
    row.notices_on = on
    record_change(
        uow,
        organizer,
        "organizers.switch_notices",
        Subject("organizer", organizer.ref),
        after={"on": on},
    )


def openid_of(uow: UnitOfWork, organizer_id: int) -> str | None:
    """The openid of an organizer at the official account, for test messages."""
    row = uow.session.get(OrganizerWeChat, organizer_id)
    return None if row is None else uow.keys.unseal_text(row.openid, _openid_place(organizer_id))


def _forget_wechat(uow: UnitOfWork, organizer_id: int) -> None:
    mine = OrganizerWeChat.organizer_id == organizer_id
    uow.session.execute(delete(OrganizerWeChat).where(mine))


def _own_row(uow: UnitOfWork, organizer: Organizer) -> OrganizerAccount:
    rows = writable_by(select(OrganizerAccount), organizer, OrganizerAccount)
    account: OrganizerAccount | None = uow.session.scalar(
        rows.where(OrganizerAccount.id == organizer.id)
    )
    if account is None:
        raise NotFound
    return account


def _next_secret(uow: UnitOfWork, account: OrganizerAccount) -> str:
    return codes.derived_secret(uow.keys, f"own:{account.ref}:{account.totp_secret}")


def _wechat_since(uow: UnitOfWork, organizer_id: int) -> datetime | None:
    bound = select(OrganizerWeChat.bound_at).where(OrganizerWeChat.organizer_id == organizer_id)
    return uow.session.scalar(bound)


def _bound_row(uow: UnitOfWork, organizer_id: int) -> OrganizerWeChat | None:
    return uow.session.get(OrganizerWeChat, organizer_id)


def _notices_on(uow: UnitOfWork, organizer_id: int) -> bool:
    on = select(OrganizerWeChat.notices_on).where(OrganizerWeChat.organizer_id == organizer_id)
    return bool(uow.session.scalar(on))


def _openid_place(organizer_id: int) -> str:
    return f"organizer_wechat.openid:{organizer_id}"
