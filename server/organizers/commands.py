"""Operator commands: the first organizers, a way back in, and the people of the demo."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
from sqlalchemy import select

from server.audit.service import Subject, record_change
from server.base.access import Role, System
from server.base.errors import NotFound
from server.base.ownership import scope_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.page import FieldRefused
from server.organizers import codes, links, people, rules, sessions
from server.organizers.models import AccountState, LinkPurpose, OrganizerAccount
from server.organizers.passwords import HASHES
from server.units import service as units

NewAccount = people.NewAccount
DEMO_FILE = "demo-organizers.json"
_COMMAND = System(name="create-organizer")
_RECOVERY = System(name="recover-organizer")
_DEMO = System(name="demo")
_DEMO_PLACES = (("region", "region", "全区"), ("nanning", "city:450100", "南宁"),
                ("qingxiu", "county:450103", "青秀"))  # fmt: skip
_DEMO_ROLES = ((Role.EDITOR, "编辑"), (Role.APPROVER, "审核"), (Role.AUDITOR, "审计"),
               (Role.SYSTEM_ADMIN, "系统管理"))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DemoPerson:
    """One organizer of the demo; without a secret no code is asked for."""

    username: str
    password: str = field(repr=False)
    role: Role
    scope: str
    totp_secret: str | None = field(default=None, repr=False)
    name: str = ""

    def as_json(self) -> dict[str, str]:
        """The entry in `demo-organizers.json`."""
        entry = {"username": self.username, "password": self.password, "role": self.role.value,
                 "scope": self.scope, "name": self.name}  # fmt: skip
        return entry if self.totp_secret is None else {**entry, "totp_secret": self.totp_secret}


@dataclass(frozen=True, kw_only=True)
class MadeWithPassword:
    """A new account with its password set; the address goes into an authenticator app."""

    app_address: str = field(repr=False)
    recovery_codes: list[str] = field(repr=False)


def create_organizer(uow_factory: UnitOfWorkFactory, new: people.NewAccount) -> str:
    """Create an account; return the address of its one-time invitation.

    Raises: FieldRefused for a name that cannot be used, Invalid (422) for an unknown place.
    """
    with uow_factory.begin(_COMMAND) as uow:
        return links.link_address(uow, links.issue_link(uow, _create_account(uow, new).id, _INVITE))


def create_with_password(
    uow_factory: UnitOfWorkFactory, new: people.NewAccount, password: str
) -> MadeWithPassword:
    """Create an account that can log in at once, with a second factor to be entered by hand.

    Raises: FieldRefused for a name or password that cannot be used, Invalid (422) for the place.
    """
    fault = rules.password_fault(password, new.username)
    if fault is not None:
        raise FieldRefused("password", fault)
    hashed, secret = HASHES.hash_password(password), pyotp.random_base32()
    with uow_factory.begin(_COMMAND) as uow:
        account = _create_account(uow, new)
        _activate_account(uow, account, hashed, secret)
        made = codes.renew_recovery_codes(uow, account.id, account.ref)
    return MadeWithPassword(
        app_address=codes.app_address(secret, account.username), recovery_codes=made
    )


def recover_organizer(uow_factory: UnitOfWorkFactory, username: str) -> str:
    """The address of a recovery link, for the last system administrator; ends all sessions.

    Raises: NotFound (404).
    """
    with uow_factory.begin(_RECOVERY) as uow:
        account = uow.session.scalar(
            select(OrganizerAccount).where(
                OrganizerAccount.username == username,
                OrganizerAccount.state != AccountState.CLOSED,
            )
        )
        if account is None:
            raise NotFound
        sessions.end_sessions(uow, account.id)
        subject = Subject("organizer", account.ref, scope_of(account))
        record_change(uow, _RECOVERY, "organizers.recover_account", subject)
        return links.link_address(uow, links.issue_link(uow, account.id, LinkPurpose.RECOVER))


def seed_demo_organizers(uow_factory: UnitOfWorkFactory, var: Path) -> list[DemoPerson]:
    """Create the organizers of the demo at its first start, and write their file."""
    path = var / DEMO_FILE
    made = _read_demo_file(path)
    if made and _all_exist(uow_factory, made):
        return made
    made = made or _invent_demo_organizers()
    # One password, so that the first start computes one slow hash instead of thirteen.
    hashed = HASHES.hash_password(made[0].password)
    with uow_factory.begin(_DEMO) as uow:
        for one in made:
            _store_demo_person(uow, one, hashed)
    path.touch(mode=0o600)
    words = json.dumps([one.as_json() for one in made], ensure_ascii=False, indent=1)
    path.write_text(f"{words}\n", encoding="utf-8")
    return made


_INVITE = LinkPurpose.INVITE


def _all_exist(uow_factory: UnitOfWorkFactory, wanted: list[DemoPerson]) -> bool:
    names = {one.username for one in wanted}
    with uow_factory.begin(read_only=True) as uow:
        found = select(OrganizerAccount.username).where(OrganizerAccount.username.in_(names))
        return set(uow.session.scalars(found)) == names


def _invent_demo_organizers() -> list[DemoPerson]:
    """Every role at three places, and a second approver of the region with a second factor."""
    password = f"demo-{secrets.token_hex(4)}"
    made = [
        DemoPerson(
            username=f"{role.value.replace('_', '-')}-{place}",
            password=password,
            role=role,
            scope=scope,
            name=f"{place_name}{role_name}",
        )
        for place, scope, place_name in _DEMO_PLACES
        for role, role_name in _DEMO_ROLES
    ]
    second = DemoPerson(
        username="approver2-region", password=password, role=Role.APPROVER, scope="region",
        name="全区审核二", totp_secret=pyotp.random_base32(),
    )  # fmt: skip
    return [*made, second]


def _create_account(uow: UnitOfWork, new: people.NewAccount) -> OrganizerAccount:
    scope, _ = units.resolve_scope(uow, new.place)
    account = people.create_account(uow, scope, new)
    record_change(
        uow,
        _COMMAND,
        "organizers.create_organizer",
        Subject("organizer", account.ref, scope),
        after={"role": account.role.value, "scope": account.owner, "username": account.username},
    )
    return account


def _activate_account(
    uow: UnitOfWork, account: OrganizerAccount, password_hash: str, secret: str | None
) -> None:
    account.state, account.password_hash = AccountState.ACTIVE, password_hash
    account.totp_step = None
    account.totp_secret = (
        None if secret is None else codes.seal_secret(uow.keys, secret, account.ref)
    )


def _store_demo_person(uow: UnitOfWork, one: DemoPerson, password_hash: str) -> None:
    """Create the account; an existing one (its file was lost) gets the new password."""
    account = uow.session.scalar(
        select(OrganizerAccount).where(OrganizerAccount.username == one.username)
    )
    if account is None:
        new = people.NewAccount(
            username=one.username, name=one.name, role=one.role, place=one.scope
        )
        scope, _ = units.resolve_scope(uow, one.scope)
        account = people.create_account(uow, scope, new)
    _activate_account(uow, account, password_hash, one.totp_secret)


def _read_demo_file(path: Path) -> list[DemoPerson]:
    if not path.is_file():
        return []
    return [
        DemoPerson(
            username=one["username"],
            password=one["password"],
            role=Role(one["role"]),
            scope=one["scope"],
            totp_secret=one.get("totp_secret"),
            name=one.get("name", ""),
        )
        for one in json.loads(path.read_text(encoding="utf-8"))
    ]
