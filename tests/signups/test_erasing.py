"""Names, numbers and answers of a sign-up go some time after the activity, the row stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from server import slices
from server.activities.kinds import ActivityState
from server.activities.models import Activity
from server.base.jobs import TaskContext
from server.base.retention import apply_retention
from server.base.uow import UnitOfWorkFactory
from server.signups import service, tasks
from server.signups.contacts import Contact
from server.signups.erasing import CONTACTS_KEPT
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from server.signups.service import Wish
from tests.kit.accounts import a_citizen
from tests.kit.activities import a_lecture, recount, stored_counts
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway

HOURS = timedelta(hours=2)


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def overdue(uow_factory: UnitOfWorkFactory) -> int:
    return apply_retention(uow_factory, slices.PERSONAL_DATA.order, dry_run=True)["signup"]


def test_contacts_go_thirty_days_after_the_end_and_the_place_stays(
    context: TaskContext, clock: FakeClock
) -> None:
    uow_factory = context.uow_factory
    with uow_factory.begin() as uow:
        lecture = a_lecture(
            uow, starts_in=timedelta(hours=1),
            questions=[{"key": "q1", "label": "年级", "options": [], "needed": False}],
        )  # fmt: skip
        later = a_lecture(uow, starts_in=timedelta(days=1))
        contact = Contact(name="韦明", phone="+8613800138000")
        wish = Wish(contact=contact, answers={"q1": "三年级"})
        service.sign_up(uow, a_citizen(uow).id, lecture.ref, wish)
        service.sign_up(uow, a_citizen(uow).id, later.ref, Wish(contact=contact))
    clock.advance((timedelta(hours=1) + HOURS + CONTACTS_KEPT).total_seconds() - 1)
    assert (overdue(uow_factory), tasks.erase_contacts(context)) == (0, 0)
    clock.advance(1)
    assert overdue(uow_factory) == 1
    assert [tasks.erase_contacts(context) for _ in range(2)] == [1, 0]
    assert overdue(uow_factory) == 0
    with uow_factory.begin(read_only=True) as uow:
        gone, kept = uow.session.scalars(select(SignUp).order_by(SignUp.id))
        found = (gone.name, gone.phone, gone.phone_blind, gone.phone_tail, gone.answers)
        assert found == (None, None, None, None, {})
        assert gone.state is SignUpState.CONFIRMED
        assert gone.contacts_erased_at == uow.now
        assert kept.name is not None
        assert stored_counts(uow, lecture) == recount(uow, lecture)


def test_a_postponed_activity_keeps_them_until_it_has_taken_place(
    context: TaskContext, clock: FakeClock
) -> None:
    with context.uow_factory.begin() as uow:
        lecture = a_lecture(uow)
        wish = Wish(contact=Contact(name="韦明"))
        service.sign_up(uow, a_citizen(uow).id, lecture.ref, wish)
        postponed = update(Activity).values(state=ActivityState.POSTPONED)
        uow.session.execute(postponed.where(Activity.id == lecture.id))
    clock.advance(timedelta(days=90).total_seconds())
    assert tasks.erase_contacts(context) == 0
    with context.uow_factory.begin() as uow:
        uow.session.execute(update(Activity).values(state=ActivityState.CANCELLED))
    assert tasks.erase_contacts(context) == 1
