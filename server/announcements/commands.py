"""Operator command: the recipients of an announcement with their states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from server.accounts import service as accounts
from server.announcements.enums import Channel, RecipientState
from server.announcements.models import Announcement, Recipient
from server.audit.service import Subject, record_change
from server.base.access import System
from server.base.errors import NotFound
from server.base.ownership import scope_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory

STATES = (
    "queued", "claimed", "retry", "sent", "sent_in_mass", "refused", "unknown", "cancelled",
)  # fmt: skip
_AT_ONCE = 1000
_ERASED = "-"


def list_deliveries(
    uow_factory: UnitOfWorkFactory, ref: str, state: str | None = None
) -> Iterator[tuple[str, str]]:
    """The openid and the state of each recipient, in the order of the ledger; audited.

    The openid is that of the app of the last channel, `-` for somebody who was erased.
    Raises: NotFound (404).
    """
    by = System(name="deliveries")
    with uow_factory.begin(by) as uow:
        row = uow.session.scalar(select(Announcement).where(Announcement.ref == ref))
        if row is None:
            raise NotFound
        announcement_id = row.id
        record_change(uow, by, "announcements.list_deliveries", _subject_of(row))
    after = 0
    while True:
        with uow_factory.begin(by, read_only=True) as uow:
            rows = uow.session.scalars(
                select(Recipient)
                .where(Recipient.announcement_id == announcement_id, Recipient.id > after)
                .order_by(Recipient.id)
                .limit(_AT_ONCE)
            ).all()
            found = _name_rows(uow, rows)
        yield from ((openid, word) for openid, word in found if state in (None, word))
        if not rows:
            return
        after = rows[-1].id


def _subject_of(row: Announcement) -> Subject:
    return Subject("announcement", row.ref, scope_of(row))


def _name_rows(uow: UnitOfWork, rows: Sequence[Recipient]) -> list[tuple[str, str]]:
    ids = {row.citizen_id for row in rows}
    official = accounts.openids_of(uow, ids, "official_account")
    mini = accounts.openids_of(uow, ids, "mini_program")
    found = []
    for row in rows:
        first, second = (
            (mini, official) if row.channel is Channel.MINI_SUBSCRIPTION else (official, mini)
        )
        openid = first.get(row.citizen_id) or second.get(row.citizen_id) or _ERASED
        found.append((openid, _state_of(row)))
    return found


def _state_of(row: Recipient) -> str:
    """The state in the words of the command: a repeated call is a retry."""
    if row.state is RecipientState.IN_DOUBT:
        return "retry"
    if row.state is RecipientState.QUEUED and row.outbox_tries:
        return "retry"
    if row.state is RecipientState.SENT and row.channel is Channel.MASS:
        return "sent_in_mass"
    return row.state.value
