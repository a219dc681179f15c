"""Feedback: by people who attended, once, after the start; organizers read no single answer."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from server.accounts import privacy
from server.base.jobs import TaskContext
from server.base.ownership import owned_by
from server.base.uow import UnitOfWorkFactory
from server.checkin import feedback, feedback_api, feedback_console, tasks
from server.checkin.feedback_models import ActivityFeedback, WordsCheck
from server.checkin.old_feedback import WORDS_KEPT, count_old_words
from server.wechat.gateway import Verdict
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.activities import Lecture
from tests.kit.checkin import give_grant, open_lecture, scan_in, seat_citizen, ticket_of
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock
from tests.kit.console import NANNING, Browser, console_app
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import all_at_once

HOUR = 3600


@pytest.fixture
def client(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> CheckedClient:
    gateway.answers["check_text"] = Verdict.PASS
    return edge_client(uow_factory, gateway, feedback_api.API)


@pytest.fixture
def lecture(uow_factory: UnitOfWorkFactory) -> Lecture:
    columns: dict[str, Any] = dict(owned_by(NANNING))
    with uow_factory.begin() as uow:
        return open_lecture(uow, seats=20, **columns)


def somebody_who_came(uow_factory: UnitOfWorkFactory, lecture: Lecture) -> tuple[Person, str]:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        signup = seat_citizen(uow, lecture, citizen_id=person.id)
        assert scan_in(uow, give_grant(uow, lecture), ticket_of(uow, signup)) == "OK"
        return person, a_session(uow, person)


def send(client: CheckedClient, lecture: Lecture, token: str, **body: Any) -> tuple[int, Any]:
    given = {"rating": 5, **body}
    answer = client.post(f"/activities/{lecture.ref}/feedback", json=given, citizen=token)
    return answer.status_code, answer.get_json()


def code_of(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["code"]


def test_who_attended_says_something_once_after_the_start(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, lecture: Lecture, clock: FakeClock
) -> None:
    _, token = somebody_who_came(uow_factory, lecture)
    path = f"/activities/{lecture.ref}/feedback"
    assert code_of(send(client, lecture, token)) == (409, "feedback_too_early")
    assert client.get(path, citizen=token).get_json() == {"open": False, "given": None}
    clock.advance(HOUR)
    assert client.get(path, citizen=token).get_json()["open"] is True
    status, given = send(client, lecture, token, rating=4, text="  讲得\u200b清楚\n  ")
    assert (status, given["rating"], given["text"]) == (201, 4, "讲得 清楚")
    assert code_of(send(client, lecture, token)) == (409, "feedback_given")
    shown = client.get(path, citizen=token).get_json()
    assert (shown["open"], shown["given"]["text"]) == (False, "讲得 清楚")


def test_nobody_else_says_anything(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, lecture: Lecture, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        seat_citizen(uow, lecture, citizen_id=person.id)
        token = a_session(uow, person)
    clock.advance(HOUR)
    assert code_of(send(client, lecture, token)) == (409, "not_attended")
    assert client.post(f"/activities/{lecture.ref}/feedback", json={"rating": 5}).status_code == 401
    missing = client.post("/activities/act_none/feedback", json={"rating": 5}, citizen=token)
    assert missing.status_code == 404


@pytest.mark.parametrize(
    "body",
    [{"rating": 0}, {"rating": 6}, {"rating": "5"}, {"rating": 5, "text": "长" * 501}, {"x": 1}],
)
def test_a_wrong_form_is_refused(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, lecture: Lecture, clock: FakeClock,
    body: dict[str, Any],
) -> None:  # fmt: skip
    _, token = somebody_who_came(uow_factory, lecture)
    clock.advance(HOUR)
    assert send(client, lecture, token, **body)[0] == 422


def test_words_are_checked_by_wechat_before_they_are_stored(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, gateway: RecordingGateway,
    lecture: Lecture, clock: FakeClock,
) -> None:  # fmt: skip
    tokens = [somebody_who_came(uow_factory, lecture)[1] for _ in range(3)]
    clock.advance(HOUR)
    gateway.answers["check_text"] = Verdict.RISKY
    assert code_of(send(client, lecture, tokens[0], text="骂人")) == (409, "feedback_refused")
    assert send(client, lecture, tokens[0])[0] == 201
    assert len(gateway.called("check_text")) == 1
    gateway.answers["check_text"] = Verdict.REVIEW
    assert send(client, lecture, tokens[1], text="难说")[0] == 201
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.execute(select(ActivityFeedback.words, ActivityFeedback.words_check))
        assert sorted((row.words, row.words_check) for row in rows) == [
            ("", WordsCheck.PASSED), ("难说", WordsCheck.REVIEW),
        ]  # fmt: skip


@pytest.mark.race
def test_two_taps_at_once_store_one_answer(
    uow_factory: UnitOfWorkFactory, lecture: Lecture, clock: FakeClock
) -> None:
    person, _ = somebody_who_came(uow_factory, lecture)
    clock.advance(HOUR)

    def give() -> None:
        with uow_factory.begin() as uow:
            feedback.give_feedback(uow, person.id, lecture.ref, 5, ("", WordsCheck.PASSED))

    refused = [one for one in all_at_once([give] * 4) if one is not None]
    assert [type(one).__name__ for one in refused] == ["FeedbackGiven"] * 3
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(ActivityFeedback)) == 1


def fill_feedback(
    uow_factory: UnitOfWorkFactory, lecture: Lecture, *given: tuple[int, str, WordsCheck]
) -> None:
    for rating, words, check in given:
        person, _ = somebody_who_came(uow_factory, lecture)
        with uow_factory.begin() as uow:
            uow.session.add(
                ActivityFeedback(
                    activity_id=lecture.id, citizen_id=person.id, rating=rating, words=words,
                    words_check=check, made_at=uow.now,
                )
            )  # fmt: skip


def test_organizers_see_figures_and_words_from_five_answers_up(
    uow_factory: UnitOfWorkFactory, lecture: Lecture
) -> None:
    passed = WordsCheck.PASSED
    app, _ = console_app(uow_factory, feedback_console.PAGES)
    page = f"/activities/{lecture.ref}/feedback"
    editor = Browser(app, "editor-city")
    assert "还没有人评价" in editor.get(page)[1]
    fill_feedback(uow_factory, lecture, (5, "甲说好", passed), *[(4, "", passed)] * 3)
    status, few = editor.get(page)
    assert (status, "已经收到4份评价" in few, "甲说好" in few) == (200, True, False)
    fill_feedback(uow_factory, lecture, (1, "乙说不好", WordsCheck.UNCHECKED))
    _, shown = editor.get(page)
    for words in ("<dd>5</dd>", "<dd>3.6<", "<dd>1.4<", "甲说好", "乙说不好", "还没有经过检查"):
        assert words in shown, words
    assert Browser(app, "editor-county").get(page)[0] == 404
    assert Browser(app, "auditor-city").get(page)[0] == 403


def test_mean_and_spread_are_those_of_the_ratings() -> None:
    assert feedback.measure_ratings({5: 5}) == (5.0, 0.0)
    mean, spread = feedback.measure_ratings({1: 1, 5: 1})
    assert (mean, spread) == (3.0, 2.0)


def test_an_erasure_takes_the_words_and_keeps_the_figure(
    uow_factory: UnitOfWorkFactory, lecture: Lecture
) -> None:
    fill_feedback(uow_factory, lecture, (5, "我是韦明", WordsCheck.PASSED))
    with uow_factory.begin(read_only=True) as uow:
        citizen = uow.session.scalars(select(ActivityFeedback.citizen_id)).one()
        assert feedback.export_feedback(uow, citizen)[0]["text"] == "我是韦明"
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, citizen)
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(ActivityFeedback)).one()
        assert (row.rating, row.words) == (5, "")


def test_words_are_erased_after_a_year_and_the_rating_stays(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, lecture: Lecture, clock: FakeClock
) -> None:
    person, token = somebody_who_came(uow_factory, lecture)
    _, silent = somebody_who_came(uow_factory, lecture)
    clock.advance(HOUR)
    assert send(client, lecture, token, rating=2, text="后排听不清")[0] == 201
    assert send(client, lecture, silent, rating=4)[0] == 201
    context = TaskContext(uow_factory=uow_factory, gateway=RecordingGateway())
    clock.advance(WORDS_KEPT.total_seconds() - 1)
    assert tasks.drop_old_words(context) == 0
    with uow_factory.begin(read_only=True) as uow:
        told = privacy.export_citizen(uow, person.id)["feedback"]
        assert count_old_words(uow, uow.now) == 0
    assert [one["text"] for one in told] == ["后排听不清"]  # type: ignore[attr-defined]
    clock.advance(1)
    with uow_factory.begin(read_only=True) as uow:
        assert count_old_words(uow, uow.now) == 1
    assert tasks.drop_old_words(context) == 1
    assert tasks.drop_old_words(context) == 0
    with uow_factory.begin(read_only=True) as uow:
        kept = uow.session.execute(
            select(ActivityFeedback.rating, ActivityFeedback.words).order_by(
                ActivityFeedback.rating
            )
        )
        assert [tuple(row) for row in kept] == [(2, ""), (4, "")]
