"""Citizens for tests."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from server.accounts import identities, privacy, service
from server.accounts.models import App, Citizen
from server.base.uow import UnitOfWork
from server.wechat.gateway import WeChatIdentity

_count = itertools.count(1)


def known_as(openid: str, unionid: str | None = None) -> WeChatIdentity:
    """The identity that WeChat's log-in returns for a person."""
    return WeChatIdentity(openid=openid, unionid=unionid)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A citizen of a test, with the WeChat identity."""

    id: int
    openid: str
    unionid: str | None


def a_citizen(
    uow: UnitOfWork,
    *,
    openid: str | None = None,
    unionid: str | None = None,
    app: str = "mini_program",
    consented: bool = True,
    **columns: Any,
) -> Person:
    """A citizen with an identity and the consent; columns are named as in the table."""
    openid = openid or f"openid-of-person-{next(_count)}"
    settled = identities.settle_identity(uow, App(app), openid, unionid)
    if consented:
        a_consent(uow, settled.citizen_id)
    if "nickname" in columns:
        columns.setdefault("nickname_state", "shown")
    if columns:
        uow.session.execute(
            update(Citizen).where(Citizen.id == settled.citizen_id).values(**columns)
        )
    return Person(id=settled.citizen_id, openid=openid, unionid=unionid)


def a_consent(uow: UnitOfWork, citizen_id: int, **declared: Any) -> None:
    """A consent to the policy in force."""
    given = {"guardian": False, "under_14": False, **declared}
    privacy.give_consent(
        uow,
        citizen_id,
        privacy.ConsentGiven(policy_version=uow.settings.policy_version, **given),
    )


def a_session(uow: UnitOfWork, person: Person) -> str:
    """A valid bearer token of a citizen."""
    return service.sign_in(uow, known_as(person.openid, person.unionid)).token
