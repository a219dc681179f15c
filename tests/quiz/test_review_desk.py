"""The review desk: reports are answered once, citizens hear it, and nobody judges alone."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select

from server.base.access import REGION
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.notices.models import InboxMessage
from server.quiz.bank.import_console import PAGES as BANK_PAGES
from server.quiz.enums import QuestionKind, QuestionState, VoidState, WordsState
from server.quiz.models import ItemFigure, Question, QuestionReport, QuestionVoid
from server.quiz.review import answering, tallies
from server.quiz.review.console import PAGES
from tests.kit.boards import a_contest, entries, people
from tests.kit.console import PEOPLE, Browser, console_app
from tests.kit.gateway import RecordingGateway
from tests.kit.items import add_papers, add_questions, answer_by_skill
from tests.kit.jobs import run_jobs
from tests.kit.review_probes import a_reported, make_void


@pytest.fixture
def reported(uow_factory: UnitOfWorkFactory) -> str:
    with uow_factory.begin() as uow:
        return a_reported(uow, REGION, published=True)["ref"]


def bodies(uow_factory: UnitOfWorkFactory) -> list[str]:
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(InboxMessage.body)))


def test_an_answer_reaches_the_citizen_once_and_empties_the_desk(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, reported: str
) -> None:
    app, _ = console_app(uow_factory, BANK_PAGES, PAGES)
    browser = Browser(app, "editor-region")
    assert reported in browser.get("/review")[1]
    shown = browser.get(f"/review/{reported}/1")[1]
    assert "第二个选项也对" in shown
    assert "还没有人作答" in shown
    form = {"decision": "no_fault", "answer": "请再读一遍题干。"}
    assert browser.ask("POST", f"/review/{reported}/1/answer", form)[0] == 303
    assert browser.ask("POST", f"/review/{reported}/1/answer", form)[0] == 409
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    assert (answering.tell_reporters(context), answering.tell_reporters(context)) == (1, 0)
    (body,) = bodies(uow_factory)
    assert "请再读一遍题干。" in body
    assert reported not in browser.get("/review")[1]


def test_the_writer_of_a_question_cannot_find_it_free_of_fault(
    uow_factory: UnitOfWorkFactory, reported: str
) -> None:
    with uow_factory.begin() as uow:
        question = uow.session.scalars(select(Question).where(Question.ref == reported)).one()
        question.writer_id = PEOPLE["editor-region"].id
    app, _ = console_app(uow_factory, BANK_PAGES, PAGES)
    form = {"decision": "no_fault", "answer": "没有错误"}
    for who, status in (("editor-region", 409), ("approver-region", 303)):
        assert Browser(app, who).ask("POST", f"/review/{reported}/1/answer", form)[0] == status


def test_an_auditor_reads_reports_without_the_person(
    uow_factory: UnitOfWorkFactory, reported: str
) -> None:
    app, _ = console_app(uow_factory, BANK_PAGES, PAGES)
    hidden = "参与者（姓名不显示）"
    assert hidden in Browser(app, "auditor-region").get(f"/review/{reported}/1")[1]
    assert hidden not in Browser(app, "editor-region").get(f"/review/{reported}/1")[1]


def test_an_approved_void_answers_the_reports_and_retires_the_question(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    with uow_factory.begin() as uow:
        ref = make_void(uow, REGION, VoidState.PROPOSED)
    app, _ = console_app(uow_factory, BANK_PAGES, PAGES)
    browser = Browser(app, "approver-region")
    form = {"decision": "approve", "reason": "两个选项都对"}
    assert browser.ask("POST", f"/review/voids/{ref}/decision", form)[0] == 303
    assert run_jobs(uow_factory) == 1
    answering.tell_reporters(TaskContext(uow_factory=uow_factory, gateway=gateway))
    (body,) = bodies(uow_factory)
    assert "已经作废" in body
    with uow_factory.begin(read_only=True) as uow:
        void = uow.session.scalars(select(QuestionVoid)).one()
        assert void.state is VoidState.IN_FORCE
        assert uow.session.get_one(Question, void.question_id).state is QuestionState.RETIRED
        assert uow.session.scalars(select(QuestionReport.decision)).one() == "voided"


def test_a_doubtful_question_is_listed_with_its_reason_figures_and_void(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    chance = random.Random(3)
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        questions = add_questions(uow, contest, [QuestionKind.SINGLE] * 10)
        ref, others = questions[0].ref, [one.ref for one in questions[1:]]
        made = [
            (questions, answer_by_skill(questions, skill, chance, frozenset({ref})))
            for skill in (chance.uniform(0.2, 0.95) for _ in range(400))
        ]
        add_papers(uow, contest, entries(uow, contest, 200), made)
    tallies.count_items(TaskContext(uow_factory=uow_factory, gateway=gateway))
    app, _ = console_app(uow_factory, BANK_PAGES, PAGES)
    browser = Browser(app, "editor-region")
    listed = browser.get("/review")[1]
    assert ref in listed
    assert "区分度为负" in listed
    assert not any(f">{one}<" in listed for one in others)
    form = {"contests": contest.ref, "reason": "答案标错"}
    assert browser.ask("POST", f"/review/{ref}/1/void", form)[0] == 303
    shown = browser.get(f"/review/{ref}/1")[1]
    for words in ("其余题答得越好的人", "高分者", contest.title, "等待批准", "400"):
        assert words in shown
    decides = Browser(app, "approver-region").get(f"/review/{ref}/1")[1]
    # Where the eyes are: beside the heading, not below the figures.
    assert decides.index("处理作废申请") < decides.index('id="why"')
    assert "正确答案</" not in Browser(app, "auditor-region").get(f"/review/{ref}/1")[1]


def report_again(uow_factory: UnitOfWorkFactory, ref: str, count: int) -> None:
    with uow_factory.begin() as uow:
        number = uow.session.scalars(select(Question.id).where(Question.ref == ref)).one()
        for at in range(count):
            uow.session.add(
                QuestionReport(
                    ref=uow.new_ref("rep"), citizen_id=people(uow, 1)[0], question_id=number,
                    reason=f"第{at}条", words=WordsState.PASSED, made_at=uow.now,
                )
            )  # fmt: skip


def test_the_question_with_most_reports_is_the_first_and_can_be_filtered(
    uow_factory: UnitOfWorkFactory, reported: str
) -> None:
    with uow_factory.begin() as uow:
        loud = a_reported(uow, REGION, published=True)["ref"]
    report_again(uow_factory, loud, 4)
    with uow_factory.begin() as uow:
        later = a_reported(uow, REGION, published=True)["ref"]
    app, _ = console_app(uow_factory, BANK_PAGES, PAGES)
    browser = Browser(app, "editor-region")
    listed = browser.get("/review")[1]
    assert listed.index(loud) < min(listed.index(reported), listed.index(later))
    many = browser.get("/review?why=many_reports")[1]
    assert loud in many
    assert reported not in many


def test_the_facility_of_list_and_page_are_spelled_alike(
    uow_factory: UnitOfWorkFactory, reported: str
) -> None:
    with uow_factory.begin() as uow:
        number = uow.session.scalars(select(Question.id).where(Question.ref == reported)).one()
        uow.session.add(
            ItemFigure(
                question_id=number, dealt=43, facility=0.69767, discrimination=0.3449, signs="",
                accepted="", doubtful=False, counted_at=uow.now,
            )
        )  # fmt: skip
    app, _ = console_app(uow_factory, BANK_PAGES, PAGES)
    listed = Browser(app, "editor-region").get("/review")[1]
    assert "69.8%" in listed
    assert ">0.34<" in listed
