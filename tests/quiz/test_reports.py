"""Reports about questions: once for each version that was seen, with words that pass the check."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from server.base.uow import UnitOfWorkFactory
from server.quiz.attempts import service as attempts
from server.quiz.contests.service import ContestView
from server.quiz.models import Attempt, Question, QuestionReport
from server.wechat.errors import NotSent
from server.wechat.gateway import TextPlace, Verdict
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import open_contest, rows


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow)


@pytest.fixture
def phone(uow_factory: UnitOfWorkFactory, person: Person) -> str:
    with uow_factory.begin() as uow:
        return a_session(uow, person)


@pytest.fixture
def question(uow_factory: UnitOfWorkFactory, contest: ContestView, person: Person) -> str:
    """A question on the citizen's open paper."""
    with uow_factory.begin() as uow:
        return attempts.start_paper(uow, contest.ref, person.id).view.slots[0].item.ref


def stored(uow_factory: UnitOfWorkFactory) -> list[tuple[str, str]]:
    with uow_factory.begin(read_only=True) as uow:
        asked = select(QuestionReport).order_by(QuestionReport.id)
        return [(row.reason, row.words.value) for row in uow.session.scalars(asked)]


def test_a_report_is_kept_once_for_each_version(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    phone: str,
    person: Person,
    question: str,
) -> None:
    gateway.answers["check_text"] = Verdict.PASS
    for words in (" 第二个选项\n也对 ", "另外的话"):
        answer = client.post(
            f"/questions/{question}/reports", json={"reason": words}, citizen=phone
        )
        assert (answer.status_code, answer.data) == (202, b"")
    assert stored(uow_factory) == [("第二个选项 也对", "passed")]
    assert gateway.called("check_text") == [(person.openid, "第二个选项 也对", TextPlace.COMMENT)]


@pytest.mark.parametrize(("said", "words"), [(Verdict.REVIEW, "review"), (NotSent(), "unchecked")])
def test_words_that_nobody_judged_are_kept_as_such(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    phone: str,
    question: str,
    said: object,
    words: str,
) -> None:
    gateway.answers["check_text"] = said
    path = f"/questions/{question}/reports"
    assert client.post(path, json={"reason": "有误"}, citizen=phone).status_code == 202
    assert stored(uow_factory) == [("有误", words)]


def test_unfit_words_are_refused(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    phone: str,
    question: str,
) -> None:
    gateway.answers["check_text"] = Verdict.RISKY
    path = f"/questions/{question}/reports"
    answer = client.post(path, json={"reason": "坏话"}, citizen=phone)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "reason_refused")
    for reason in ("", "\n\t", "字" * 501):
        assert client.post(path, json={"reason": reason}, citizen=phone).status_code == 422
    assert stored(uow_factory) == []


def test_only_what_was_seen_can_be_reported(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    phone: str,
    person: Person,
    question: str,
) -> None:
    with uow_factory.begin(read_only=True) as uow:
        asked = select(Attempt.paper).where(Attempt.citizen_id == person.id)
        (paper,) = uow.session.scalars(asked).all()
        ids = {row["q"] for row in paper}
        on_paper = set(uow.session.scalars(select(Question.ref).where(Question.id.in_(ids))).all())
    unseen = next(ref for ref in rows() if ref not in on_paper)
    for ref in (unseen, "nothing"):
        answer = client.post(f"/questions/{ref}/reports", json={"reason": "有误"}, citizen=phone)
        assert answer.status_code == 404
    assert gateway.calls == []
    path = f"/questions/{question}/reports"
    assert client.post(path, json={"reason": "有误"}).status_code == 401


def test_under_a_timer_for_each_item_only_opened_ones_were_seen(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    phone: str,
    person: Person,
) -> None:
    gateway.answers["check_text"] = Verdict.PASS
    contest = open_contest(
        uow_factory, slug="timed", timer="item", seconds_per_question=20, paper_seconds=300
    )
    with uow_factory.begin() as uow:
        slots = attempts.start_paper(uow, contest.ref, person.id).view.slots
    for slot, status in ((slots[0], 202), (slots[1], 404)):
        answer = client.post(
            f"/questions/{slot.item.ref}/reports", json={"reason": "有误"}, citizen=phone
        )
        assert answer.status_code == status


def test_a_report_is_handed_over_and_forgotten(
    uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    with uow_factory.begin() as uow:
        keep, gone = a_citizen(uow).id, a_citizen(uow).id
        first, second = uow.session.scalars(select(Question.id).limit(2)).all()
        for owner, number in ((keep, first), (gone, first), (gone, second)):
            uow.session.add(
                QuestionReport(
                    ref=f"rep_{owner}_{number}",
                    citizen_id=owner,
                    question_id=number,
                    reason=f"{owner}",
                    words="passed",
                    made_at=uow.now,
                )
            )
    with uow_factory.begin() as uow:
        for merge in uow.dependencies.hooks.merge:
            merge(uow, keep, gone)
        rows_left = select(QuestionReport.citizen_id, QuestionReport.question_id)
        assert sorted(uow.session.execute(rows_left).all()) == sorted(
            [(keep, first), (keep, second)]
        )
    with uow_factory.begin() as uow:
        for erase in uow.dependencies.hooks.erase:
            erase(uow, keep)
        assert uow.session.scalar(select(func.count()).select_from(QuestionReport)) == 0
