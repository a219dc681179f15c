"""Activities that are over stay among the tickets of people who came, for 30 days."""

from __future__ import annotations

from typing import Any

import pytest

from server.base.uow import UnitOfWorkFactory
from server.signups import api
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.checkin import give_grant, open_lecture, scan_in, seat_citizen, ticket_of
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway

DAY = 86_400


@pytest.fixture
def client(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> CheckedClient:
    return edge_client(uow_factory, gateway, api.API)


def test_after_the_end_who_came_finds_the_activity_and_who_stayed_away_does_not(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        came, absent = a_citizen(uow), a_citizen(uow)
        signup = seat_citizen(uow, lecture, citizen_id=came.id)
        seat_citizen(uow, lecture, citizen_id=absent.id)
        assert scan_in(uow, give_grant(uow, lecture), ticket_of(uow, signup)) == "OK"

    def read_tickets(person: Person) -> dict[str, Any]:
        with uow_factory.begin() as uow:
            token = a_session(uow, person)
        found: dict[str, Any] = client.get("/me/tickets", citizen=token).get_json()
        return found

    for person in (came, absent):
        before = read_tickets(person)
        assert ([one["activity"] for one in before["items"]], before["past"]) == ([lecture.ref], [])
    clock.advance(DAY)
    after = read_tickets(came)
    assert (after["items"], [one["activity"] for one in after["past"]]) == ([], [lecture.ref])
    assert after["past"][0]["place"]["checked_in"] is True
    assert (read_tickets(absent)["items"], read_tickets(absent)["past"]) == ([], [])
    clock.advance(30 * DAY)
    assert read_tickets(came)["past"] == []
