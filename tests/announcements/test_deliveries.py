"""The operators' list of an announcement's recipients."""

from __future__ import annotations

from typing import Any

import pytest

from server.accounts import privacy
from server.announcements.commands import STATES, list_deliveries
from server.announcements.enums import Channel, RecipientState
from server.base.errors import NotFound
from server.base.uow import UnitOfWorkFactory
from tests.kit.announcements import a_recipient, an_announcement
from tests.kit.sends import some_followers

ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("queued", {}),
    ("retry", {"outbox_tries": 1}),
    ("retry", {"state": RecipientState.IN_DOUBT}),
    ("claimed", {"state": RecipientState.CLAIMED}),
    ("sent", {"state": RecipientState.SENT, "channel": Channel.MINI_SUBSCRIPTION}),
    ("sent_in_mass", {"state": RecipientState.SENT, "channel": Channel.MASS}),
    ("refused", {"state": RecipientState.REFUSED}),
    ("unknown", {"state": RecipientState.UNKNOWN}),
    ("cancelled", {"state": RecipientState.CANCELLED}),
)


def test_each_recipient_is_listed_with_openid_and_state(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        people = some_followers(uow, len(ROWS))
        row = an_announcement(uow)
        for one, (_, columns) in zip(people, ROWS, strict=True):
            a_recipient(uow, row, one, **columns)
        ref = row.ref
    listed = list(list_deliveries(uow_factory, ref))
    assert [state for _, state in listed] == [state for state, _ in ROWS]
    assert {state for state, _ in ROWS} == set(STATES)
    apps = [openid.split("-")[0] for openid, _ in listed]
    assert apps == ["oa", "oa", "oa", "oa", "mp", "oa", "oa", "oa", "oa"]
    assert [state for _, state in list_deliveries(uow_factory, ref, "unknown")] == ["unknown"]
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, people[4])
    assert list(list_deliveries(uow_factory, ref))[4] == ("-", "sent")


def test_an_announcement_that_does_not_exist_is_refused(uow_factory: UnitOfWorkFactory) -> None:
    with pytest.raises(NotFound):
        list(list_deliveries(uow_factory, "ann_none"))
