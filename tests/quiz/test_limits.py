"""How fast one citizen may go: what makes something is counted, telling it again is free."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.base.errors import TooManyRequests
from server.base.settings import Settings
from server.base.uow import UnitOfWorkFactory
from server.quiz.api import API
from server.quiz.attempts import service as attempts
from tests.kit.accounts import a_citizen, a_session
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import all_right, citizens, open_contest, shown, started


@pytest.fixture
def limited(uow_factory: UnitOfWorkFactory, with_limits: Settings) -> UnitOfWorkFactory:
    return UnitOfWorkFactory(
        uow_factory.engine, replace(uow_factory.dependencies, settings=with_limits)
    )


def test_a_fourth_start_at_once_waits_and_the_open_paper_is_free(
    limited: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(limited, papers_per_day=10)
    me, other = citizens(limited, 2)
    for _ in range(3):
        with limited.begin() as uow:
            ref = started(uow, contest, me).sheet.ref
        for _again in range(20):
            with limited.begin() as uow:
                assert not attempts.start_paper(uow, contest.ref, me).fresh
        with limited.begin() as uow:
            attempts.submit_paper(uow, ref, me, {})
    with pytest.raises(TooManyRequests) as refusal, limited.begin() as uow:
        attempts.start_paper(uow, contest.ref, me)
    assert 1 <= refusal.value.retry_after_seconds <= 11
    with limited.begin() as uow:
        assert attempts.start_paper(uow, contest.ref, other).fresh
    clock.advance(10)
    with limited.begin() as uow:
        assert attempts.start_paper(uow, contest.ref, me).fresh


def test_a_repeated_submission_is_free(limited: UnitOfWorkFactory) -> None:
    contest = open_contest(limited)
    (me,) = citizens(limited, 1)
    with limited.begin() as uow:
        view = started(uow, contest, me)
    with limited.begin() as uow:
        first = attempts.submit_paper(uow, view.sheet.ref, me, all_right(shown(view)))
    for _ in range(200):
        with limited.begin() as uow:
            assert attempts.submit_paper(uow, view.sheet.ref, me, {}).result == first.result


@pytest.fixture
def phone(limited: UnitOfWorkFactory, gateway: RecordingGateway) -> CheckedClient:
    return edge_client(limited, gateway, API)


def a_token(uow_factory: UnitOfWorkFactory) -> str:
    with uow_factory.begin() as uow:
        return a_session(uow, a_citizen(uow))


def test_the_sixty_first_answer_at_once_waits(
    limited: UnitOfWorkFactory, phone: CheckedClient
) -> None:
    contest = open_contest(limited)
    me = a_token(limited)
    paper = phone.post(f"/contests/{contest.ref}/attempts", citizen=me).get_json()
    path = f"/attempts/{paper['id']}"
    none: dict[str, object] = {"answers": {}}
    saved = [phone.put(f"{path}/answers", json=none, citizen=me).status_code for _ in range(61)]
    assert saved == [204] * 60 + [429]
    assert phone.post(f"{path}/submission", json=none, citizen=me).status_code == 429


def test_a_flood_of_calls_that_change_nothing_is_refused(
    limited: UnitOfWorkFactory, phone: CheckedClient
) -> None:
    contest = open_contest(limited)
    me = a_token(limited)
    start = f"/contests/{contest.ref}/attempts"
    statuses = [phone.post(start, citizen=me).status_code for _ in range(100)]
    assert statuses == [201] + [200] * 89 + [429] * 10


def test_a_figure_of_one_start_a_minute_is_a_limit_and_no_error(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, with_limits: Settings
) -> None:
    ones = replace(with_limits.limits, quiz_start_per_minute=1.0, answer_per_minute=1.0)
    slow = replace(with_limits, limits=ones)
    phone = edge_client(
        UnitOfWorkFactory(uow_factory.engine, replace(uow_factory.dependencies, settings=slow)),
        gateway,
        API,
    )
    contest = open_contest(uow_factory, papers_per_day=5)
    me = a_token(uow_factory)
    start = f"/contests/{contest.ref}/attempts"
    paper = phone.post(start, citizen=me)
    assert paper.status_code == 201
    handed_in = phone.post(f"/attempts/{paper.get_json()['id']}/submission", citizen=me)
    assert handed_in.status_code == 200
    refused = phone.post(start, citizen=me)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
