"""The sweep over nicknames that WeChat could not judge at once."""

from __future__ import annotations

import pytest

from server.accounts import profile
from server.accounts.models import Citizen
from server.accounts.profile import Judged
from server.accounts.tasks import TASKS, check_nicknames
from server.base.jobs import TaskContext, run_until_idle
from server.base.uow import UnitOfWorkFactory
from server.wechat.errors import NotSent
from server.wechat.gateway import TextPlace, Verdict
from tests.kit.accounts import Person, a_citizen
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.outbox import without_jitter


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    return TaskContext(uow_factory=without_jitter(uow_factory), gateway=gateway)


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> Person:
    with uow_factory.begin() as uow:
        a_citizen(uow, nickname="旁人")
        person = a_citizen(uow)
        profile.change_profile(
            uow, person.id, {"nickname": "小红"}, Judged(name="小红", verdict=None)
        )
    clock.advance(60)
    return person


def state(uow_factory: UnitOfWorkFactory, person: Person) -> tuple[str | None, str]:
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.get_one(Citizen, person.id)
        return row.nickname, row.nickname_state.value


@pytest.mark.parametrize(
    ("verdict", "after"),
    [
        (Verdict.PASS, ("小红", "shown")),
        (Verdict.RISKY, (None, "refused")),
        (Verdict.REVIEW, (None, "review")),
    ],
)
def test_a_late_verdict_is_written_down(
    context: TaskContext,
    gateway: RecordingGateway,
    person: Person,
    verdict: Verdict,
    after: tuple[str, str],
) -> None:
    gateway.answers["check_text"] = verdict
    assert run_until_idle(context, TASKS) == 1
    assert gateway.called("check_text") == [(person.openid, "小红", TextPlace.PROFILE)]
    assert state(context.uow_factory, person) == after


def test_while_wechat_is_away_it_is_asked_once_a_minute(
    context: TaskContext, gateway: RecordingGateway, person: Person, clock: FakeClock
) -> None:
    gateway.answers["check_text"] = NotSent()
    for _ in range(3):
        assert check_nicknames(context) == 0
    assert len(gateway.calls) == 1
    clock.advance(60)
    gateway.answers["check_text"] = Verdict.PASS
    assert check_nicknames(context) == 1
    assert state(context.uow_factory, person) == ("小红", "shown")


def test_after_two_hours_the_nickname_is_let_go(
    context: TaskContext, gateway: RecordingGateway, person: Person, clock: FakeClock
) -> None:
    clock.advance(7200)
    assert run_until_idle(context, TASKS) == 1
    assert gateway.calls == []
    assert state(context.uow_factory, person) == (None, "unchecked")
