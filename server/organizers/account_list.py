"""The list of organizers' accounts, declared once for its page and its exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, or_, select

from server.base.access import Organizer, Role
from server.base.ownership import visible_to
from server.base.uow import UnitOfWork
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table
from server.organizers.models import AccountState, OrganizerAccount
from server.units import service as units

_BADGES = {AccountState.ACTIVE: "good", AccountState.INVITED: "mind", AccountState.CLOSED: "bad"}


class AccountQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list: a part of the name, the role and the state."""

    q: str | None = None
    role: Role | None = None
    state: AccountState | None = None


@dataclass(frozen=True, kw_only=True)
class _AccountLine:
    account: OrganizerAccount
    place: str


def _find_accounts(uow: UnitOfWork, organizer: Organizer, query: AccountQuery) -> Select[Any]:  # noqa: ARG001 - required by Table.select
    rows = visible_to(select(OrganizerAccount), organizer, OrganizerAccount)
    if query.role is not None:
        rows = rows.where(OrganizerAccount.role == query.role)
    if query.state is not None:
        rows = rows.where(OrganizerAccount.state == query.state)
    if words := (query.q or "").strip():
        named = OrganizerAccount.name.icontains(words, autoescape=True)
        rows = rows.where(or_(named, OrganizerAccount.username.icontains(words, autoescape=True)))
    return rows


def _add_places(uow: UnitOfWork, rows: Sequence[OrganizerAccount]) -> Sequence[_AccountLine]:
    names = {owner: units.name_owner(uow, owner) for owner in {one.owner for one in rows}}
    return [_AccountLine(account=one, place=names[one.owner]) for one in rows]


ACCOUNTS = Table(
    name="organizers.accounts",
    path="/organizers",
    title="organizers.people.title",
    empty="organizers.people.none",
    query=AccountQuery,
    select=_find_accounts,
    prepare=_add_places,
    key=OrganizerAccount.id,
    sort="-created_at",
    persons=True,
    columns=(
        Column(
            name="name",
            title="organizers.form.name",
            value=lambda line: line.account.name,
            sort=OrganizerAccount.name,
            address=lambda line: f"/console/organizers/{line.account.ref}",
        ),
        Column(
            name="username",
            title="organizers.form.username",
            value=lambda line: line.account.username,
            sort=OrganizerAccount.username,
        ),
        Column(
            name="role",
            title="organizers.form.role",
            value=lambda line: line.account.role.value,
            words="console.role",
        ),
        Column(name="place", title="organizers.form.place", value=lambda line: line.place),
        Column(
            name="state",
            title="organizers.people.state",
            value=lambda line: line.account.state.value,
            words="organizers.state",
            badge=lambda line: _BADGES[line.account.state],
        ),
        Column(
            name="second_factor",
            title="organizers.people.second_factor",
            value=lambda line: "unbound" if line.account.totp_secret is None else "bound",
            words="organizers.people",
            shown=False,
        ),
        Column(
            name="created_at",
            title="organizers.people.created_at",
            value=lambda line: line.account.created_at,
            kind=ColumnKind.DATE,
            sort=OrganizerAccount.created_at,
            shown=False,
        ),
        Column(
            name="closed_at",
            title="organizers.people.closed_at",
            value=lambda line: line.account.closed_at,
            kind=ColumnKind.DATE,
            shown=False,
        ),
    ),
    filters=(
        Filter(name="q", title="organizers.people.search", kind=FilterKind.SEARCH),
        Filter(
            name="role",
            title="organizers.form.role",
            choices=[(one.value, f"console.role.{one.value}") for one in Role],
        ),
        Filter(
            name="state",
            title="organizers.people.state",
            choices=[(one.value, f"organizers.state.{one.value}") for one in AccountState],
        ),
    ),
)
