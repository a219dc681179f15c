"""The ledger against a small model, whatever order and however often things are told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from server.base.uow import UnitOfWorkFactory
from server.notices import service
from server.notices.models import MessageGrant
from server.notices.service import Choice
from tests.kit.accounts import Person, a_citizen
from tests.kit.clock import FakeClock
from tests.kit.notices import FIRST, SECOND

WINDOW = 600
KINDS = ("client", "event", "off")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from((FIRST, SECOND)),
        st.sampled_from((0, 1, 60, 300, 599, 600, 601, 900)),
    ),
    max_size=14,
)


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow)


def most_pairs(clients: list[int], events: list[int]) -> int:
    """The greatest number of pairs within the window, found by trying every choice."""
    if not clients:
        return 0
    first, rest = clients[0], clients[1:]
    best = most_pairs(rest, events)
    for at, event in enumerate(events):
        if abs(first - event) <= WINDOW:
            best = max(best, 1 + most_pairs(rest, events[:at] + events[at + 1 :]))
    return best


class Model:
    """What the ledger must say: tellings in time, and how many lie before the last turning-off."""

    def __init__(self) -> None:
        self.told: dict[str, list[int]] = {"client": [], "event": []}
        self.ended = 0

    def total(self) -> int:
        clients, events = self.told["client"], self.told["event"]
        return len(clients) + len(events) - most_pairs(clients[:], events[:])

    def step(self, kind: str, at: int) -> None:
        if kind == "off":
            self.ended = self.total()
        else:
            self.told[kind].append(at)

    def left(self) -> int:
        return self.total() - self.ended


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_a_permission_counts_once_and_a_turning_off_ends_what_there_was(
    uow_factory: UnitOfWorkFactory,
    clock: FakeClock,
    person: Person,
    steps: list[tuple[str, str, int]],
) -> None:
    with uow_factory.begin() as uow:
        uow.session.execute(delete(MessageGrant))
    models = {FIRST: Model(), SECOND: Model()}
    now = 0
    for kind, template, wait in steps:
        clock.advance(wait)
        now += wait
        with uow_factory.begin() as uow:
            if kind == "client":
                service.record_client_results(uow, person.id, {template: "accept"})
            else:
                record = service.record_popups if kind == "event" else service.record_changes
                status = "accept" if kind == "event" else "reject"
                record(uow, person.id, [Choice(template_id=template, status=status)], uow.now)
        models[template].step(kind, now)
        with uow_factory.begin(read_only=True) as uow:
            said = service.remaining_grants(uow, person.id)
        assert {name: said[name] for name in models} == {
            name: model.left() for name, model in models.items()
        }


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    taps=st.lists(
        st.tuples(
            st.integers(0, 200), st.integers(0, 200), st.sampled_from(("both", "client", "event"))
        ),
        max_size=6,
    )
)
def test_taps_far_apart_are_counted_however_their_tellings_arrive(
    uow_factory: UnitOfWorkFactory,
    clock: FakeClock,
    person: Person,
    taps: list[tuple[int, int, str]],
) -> None:
    with uow_factory.begin() as uow:
        uow.session.execute(delete(MessageGrant))
    start = clock.now()
    tellings = []
    for number, (client_late, event_late, heard) in enumerate(taps):
        tapped = number * (WINDOW + 201)
        if heard != "event":
            tellings.append((tapped + client_late, "client"))
        if heard != "client":
            tellings.append((tapped + event_late, "event"))
    for at, kind in sorted(tellings):
        clock.set(start + timedelta(seconds=at))
        with uow_factory.begin() as uow:
            if kind == "client":
                service.record_client_results(uow, person.id, {FIRST: "accept"})
            else:
                service.record_popups(
                    uow, person.id, [Choice(template_id=FIRST, status="accept")], uow.now
                )
    with uow_factory.begin(read_only=True) as uow:
        assert service.remaining_grants(uow, person.id)[FIRST] == len(taps)
