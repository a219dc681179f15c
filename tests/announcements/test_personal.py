"""Ledger rows of erased and of merged citizens."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.accounts import identities, privacy
from server.announcements.enums import Channel, RecipientState, TryState
from server.announcements.models import Recipient, SendTry
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.accounts import a_citizen
from tests.kit.announcements import a_recipient, an_announcement

QUEUED, SENT = RecipientState.QUEUED, RecipientState.SENT


def test_a_waiting_row_of_an_erased_citizen_is_refused_and_a_sent_one_stays(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        person, other = a_citizen(uow), a_citizen(uow)
        waiting = a_recipient(uow, an_announcement(uow), person.id)
        sent = a_recipient(
            uow, an_announcement(uow), person.id, state=SENT, outbox_state=None, opened_at=uow.now
        )
        others = a_recipient(uow, an_announcement(uow), other.id)
        rows = [waiting.id, sent.id, others.id]
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person.id)
    with uow_factory.begin() as uow:
        found = {row.id: row for row in uow.session.scalars(select(Recipient))}
        refused, sent, others = (found[number] for number in rows)
        assert (refused.state, refused.reason) == (RecipientState.REFUSED, "erased")
        assert refused.outbox_state is None
        assert (sent.state, sent.opened_at) == (SENT, None)
        assert others.state is QUEUED


@pytest.mark.parametrize(
    ("keeps", "goes", "left"),
    [(QUEUED, SENT, SENT), (SENT, QUEUED, SENT), (QUEUED, QUEUED, QUEUED), (SENT, SENT, SENT)],
)
def test_two_rows_of_one_person_become_the_one_that_was_sent(
    uow_factory: UnitOfWorkFactory,
    keeps: RecipientState,
    goes: RecipientState,
    left: RecipientState,
) -> None:
    with uow_factory.begin() as uow:
        keep, gone = a_citizen(uow), a_citizen(uow)
        both, alone = an_announcement(uow), an_announcement(uow)
        for person, state in ((keep, keeps), (gone, goes)):
            _with_try(uow, a_recipient(uow, both, person.id, state=state))
        _with_try(uow, a_recipient(uow, alone, gone.id))
    with uow_factory.begin() as uow:
        assert identities.merge_citizens(uow, keep.id, gone.id) == keep.id
    with uow_factory.begin() as uow:
        rows = uow.session.scalars(select(Recipient).order_by(Recipient.announcement_id)).all()
        assert [(row.announcement_id, row.citizen_id) for row in rows] == [
            (both.id, keep.id), (alone.id, keep.id)
        ]  # fmt: skip
        assert [row.state for row in rows] == [left, QUEUED]
        tries = set(uow.session.scalars(select(SendTry.recipient_id)))
        assert tries == {row.id for row in rows}


def _with_try(uow: UnitOfWork, row: Recipient) -> None:
    uow.session.add(
        SendTry(
            recipient_id=row.id,
            channel=Channel.TEMPLATE,
            state=TryState.ACCEPTED,
            client_msg_id=f"client{row.id}",
            made_at=uow.now,
        )
    )
    uow.session.flush()
