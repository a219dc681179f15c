"""Leaving a post: unfinished work goes to a successor, and the account is closed."""

from __future__ import annotations

from sqlalchemy import select

from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.ownership import count_handed, hand_over_rows, scope_of, visible_to
from server.base.uow import UnitOfWork
from server.organizers import rules
from server.organizers.errors import SuccessorUnfit
from server.organizers.models import AccountState, OrganizerAccount
from server.organizers.people import end_account, lock_account, read_account


def successors_of(uow: UnitOfWork, organizer: Organizer, ref: str) -> list[tuple[str, str]]:
    """Ref and name of possible successors: the same role, and a place that covers the other's."""
    account = read_account(uow, organizer, ref)
    leaving = (account.role, scope_of(account))
    rows = visible_to(select(OrganizerAccount), organizer, OrganizerAccount).where(
        OrganizerAccount.role == account.role,
        OrganizerAccount.state == AccountState.ACTIVE,
        OrganizerAccount.id != account.id,
    )
    found = uow.session.scalars(rows.order_by(OrganizerAccount.name, OrganizerAccount.id))
    return [
        (one.ref, f"{one.name}（{one.username}）")
        for one in found
        if rules.may_succeed(leaving, (one.role, scope_of(one)))
    ]


def preview_leaving(uow: UnitOfWork, organizer: Organizer, ref: str) -> list[tuple[str, int]]:
    """Count what would be handed over now: text key and number of each kind.

    Raises: NotFound (404).
    """
    account = read_account(uow, organizer, ref)
    counted = [
        (kind.said, count_handed(uow.session, organizer, kind, account.id))
        for kind in uow.dependencies.hooks.hand_over
    ]
    return [(said, count) for said, count in counted if count]


def leave_post(
    uow: UnitOfWork, organizer: Organizer, ref: str, *, successor: str, reason: str
) -> dict[str, int]:
    """Close an account and hand its unfinished work to a successor, in one transaction.

    The successor becomes the author of the drafts, and therefore cannot approve them later, also in
    another role. Returns how many rows of each kind were handed over, by text key.
    Raises: NotFound (404), OwnAccount, AccountNotOpen, SuccessorUnfit (409).
    """
    account = lock_account(uow, organizer, ref)
    follower = read_account(uow, organizer, successor)
    fits = rules.may_succeed(
        (account.role, scope_of(account)),
        (follower.role, scope_of(follower)),
        same=follower.id == account.id,
    )
    if not fits or follower.state is not AccountState.ACTIVE:
        raise SuccessorUnfit
    moved = {
        kind.said: count
        for kind in uow.dependencies.hooks.hand_over
        if (count := hand_over_rows(uow.session, organizer, kind, account.id, follower.id))
    }
    end_account(uow, account)
    record_change(
        uow,
        organizer,
        "organizers.leave_post",
        Subject("organizer", ref, scope_of(account)),
        after={"successor": follower.ref, "handed_over": moved},
        reason=reason,
    )
    return moved
