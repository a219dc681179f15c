"""The callers that an endpoint admits; the accounts slice resolves a token to an actor."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from server.base.access import Citizen
from server.base.errors import Conflict, NotAuthenticated
from server.base.uow import UnitOfWork


class Who(StrEnum):
    """The kinds of callers that an endpoint can declare."""

    ANYONE = "anyone"
    MAYBE_CITIZEN = "maybe_citizen"
    CITIZEN = "citizen"


class ConsentRequired(Conflict):
    """The current privacy policy has not been agreed to."""

    code = "consent_required"


Resolver = Callable[[UnitOfWork, str], Citizen | None]


def bearer_token(header: str | None) -> str | None:
    """The token of an Authorization header; None without one.

    Raises: NotAuthenticated (401) for another scheme.
    """
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated
    return token.strip()


def admit_actor(who: Who, actor: Citizen | None, *, consent: bool) -> Citizen | None:
    """The actor, if this endpoint admits it.

    Raises: NotAuthenticated (401), ConsentRequired (409).
    """
    if who is Who.CITIZEN and actor is None:
        raise NotAuthenticated
    if consent and (actor is None or not actor.consented):
        raise ConsentRequired
    return actor
