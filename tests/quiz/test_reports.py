"""Reports about questions: once for each version that was seen, with words that pass the check."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from server.base.work import Desk
from server.quiz import attempts
from server.quiz.contests import ContestView
from server.quiz.models import Attempt, Question, QuestionReport
from server.wechat.errors import NotSent
from server.wechat.gateway import TextPlace, Verdict
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import open_contest, rows


@pytest.fixture
def contest(desk: Desk) -> ContestView:
    return open_contest(desk)


@pytest.fixture
def person(desk: Desk) -> Person:
    with desk.work() as work:
        return a_citizen(work)


@pytest.fixture
def phone(desk: Desk, person: Person) -> str:
    with desk.work() as work:
        return a_session(work, person)


@pytest.fixture
def question(desk: Desk, contest: ContestView, person: Person) -> str:
    """A question on the citizen's open paper."""
    with desk.work() as work:
        return attempts.start(work, contest.ref, person.id).view.slots[0].item.ref


def stored(desk: Desk) -> list[tuple[str, str]]:
    with desk.work(read_only=True) as work:
        asked = select(QuestionReport).order_by(QuestionReport.id)
        return [(row.reason, row.words.value) for row in work.session.scalars(asked)]


def test_a_report_is_kept_once_for_each_version(
    client: Any, desk: Desk, gateway: RecordingGateway, phone: str, person: Person, question: str
) -> None:
    gateway.answers["check_text"] = Verdict.PASS
    for words in (" 第二个选项\n也对 ", "另外的话"):
        answer = client.post(
            f"/questions/{question}/reports", json={"reason": words}, citizen=phone
        )
        assert (answer.status_code, answer.data) == (202, b"")
    assert stored(desk) == [("第二个选项 也对", "passed")]
    assert gateway.called("check_text") == [(person.openid, "第二个选项 也对", TextPlace.COMMENT)]


@pytest.mark.parametrize(("said", "words"), [(Verdict.REVIEW, "review"), (NotSent(), "unchecked")])
def test_words_that_nobody_judged_are_kept_as_such(
    client: Any,
    desk: Desk,
    gateway: RecordingGateway,
    phone: str,
    question: str,
    said: object,
    words: str,
) -> None:
    gateway.answers["check_text"] = said
    path = f"/questions/{question}/reports"
    assert client.post(path, json={"reason": "有误"}, citizen=phone).status_code == 202
    assert stored(desk) == [("有误", words)]


def test_unfit_words_are_refused(
    client: Any, desk: Desk, gateway: RecordingGateway, phone: str, question: str
) -> None:
    gateway.answers["check_text"] = Verdict.RISKY
    path = f"/questions/{question}/reports"
    answer = client.post(path, json={"reason": "坏话"}, citizen=phone)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "reason_refused")
    for reason in ("", "\n\t", "字" * 501):
        assert client.post(path, json={"reason": reason}, citizen=phone).status_code == 422
    assert stored(desk) == []


def test_only_what_was_seen_can_be_reported(
    client: Any, desk: Desk, gateway: RecordingGateway, phone: str, person: Person, question: str
) -> None:
    with desk.work(read_only=True) as work:
        asked = select(Attempt.paper).where(Attempt.citizen_id == person.id)
        (paper,) = work.session.scalars(asked).all()
        ids = {row["q"] for row in paper}
        on_paper = set(work.session.scalars(select(Question.ref).where(Question.id.in_(ids))).all())
    unseen = next(ref for ref in rows() if ref not in on_paper)
    for ref in (unseen, "nothing"):
        answer = client.post(f"/questions/{ref}/reports", json={"reason": "有误"}, citizen=phone)
        assert answer.status_code == 404
    assert gateway.calls == []
    path = f"/questions/{question}/reports"
    assert client.post(path, json={"reason": "有误"}).status_code == 401


def test_under_a_timer_for_each_item_only_opened_ones_were_seen(
    client: Any, desk: Desk, gateway: RecordingGateway, phone: str, person: Person
) -> None:
    gateway.answers["check_text"] = Verdict.PASS
    contest = open_contest(
        desk, slug="timed", timer="item", seconds_per_question=20, paper_seconds=300
    )
    with desk.work() as work:
        slots = attempts.start(work, contest.ref, person.id).view.slots
    for slot, status in ((slots[0], 202), (slots[1], 404)):
        answer = client.post(
            f"/questions/{slot.item.ref}/reports", json={"reason": "有误"}, citizen=phone
        )
        assert answer.status_code == status


def test_a_report_is_handed_over_and_forgotten(desk: Desk, contest: ContestView) -> None:
    with desk.work() as work:
        keep, gone = a_citizen(work).id, a_citizen(work).id
        first, second = work.session.scalars(select(Question.id).limit(2)).all()
        for owner, number in ((keep, first), (gone, first), (gone, second)):
            work.session.add(
                QuestionReport(
                    ref=f"rep_{owner}_{number}",
                    citizen_id=owner,
                    question_id=number,
                    reason=f"{owner}",
                    words="passed",
                    made_at=work.now,
                )
            )
    with desk.work() as work:
        for join in work.tools.hooks.join:
            join(work, keep, gone)
        rows_left = select(QuestionReport.citizen_id, QuestionReport.question_id)
        assert sorted(work.session.execute(rows_left).all()) == sorted(
            [(keep, first), (keep, second)]
        )
    with desk.work() as work:
        for forget in work.tools.hooks.forget:
            forget(work, keep)
        assert work.session.scalar(select(func.count()).select_from(QuestionReport)) == 0
