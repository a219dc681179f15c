"""Files that organizers upload: checked, confirmed, stored as drafts by the worker."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import func, select

from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.console.models import FileState
from server.quiz.bank import lifecycle, questions
from server.quiz.bank import service as banks
from server.quiz.bank.file_imports import QUESTION_FILES
from server.quiz.enums import QuestionStage
from server.quiz.models import Question, QuestionImport
from tests.kit.console import PEOPLE
from tests.kit.jobs import run_jobs

EDITOR, APPROVER = PEOPLE["editor-county"], PEOPLE["approver-city"]
TITLES = ["题干", "选项A", "选项B", "答案"]
GOOD = [["哪一颗？", "水星", "金星", "A"], ["几颗？", "七", "八", "B"]]
BAD = ["坏题？", "甲", "甲", "A"]


@dataclass(frozen=True, kw_only=True)
class QuestionFile:
    name: str
    content: bytes
    from_zero: bool = False
    no_heading: bool = False


def keep(uow: UnitOfWork, who: Organizer, file: QuestionFile) -> str:
    said = {"from_zero": file.from_zero, "no_heading": file.no_heading}
    return QUESTION_FILES.keep_file(uow, who, file.name, file.content, **said)


def as_file(*rows: list[str], titles: list[str] = TITLES, **said: bool) -> QuestionFile:
    text = io.StringIO()
    csv.writer(text).writerows([titles, *rows])
    return QuestionFile(name="题目.csv", content=text.getvalue().encode(), **said)


def kept(uow_factory: UnitOfWorkFactory, file: QuestionFile) -> str:
    with uow_factory.begin(EDITOR) as uow:
        ref = keep(uow, EDITOR, file)
    assert run_jobs(uow_factory) == 1
    return ref


def report(uow_factory: UnitOfWorkFactory, ref: str) -> tuple[FileState, dict[str, Any]]:
    with uow_factory.begin(read_only=True) as uow:
        row = QUESTION_FILES.find_file(uow, EDITOR, ref)
        return row.state, row.report or {}


def confirm(uow_factory: UnitOfWorkFactory, ref: str, *, good_only: bool = False) -> None:
    with uow_factory.begin(EDITOR) as uow:
        QUESTION_FILES.confirm_file(uow, EDITOR, ref, good_only=good_only)
    assert run_jobs(uow_factory) == 1


def count(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(func.count()).select_from(Question)) or 0


def test_a_file_is_checked_first_and_stored_as_drafts_after_a_yes(
    uow_factory: UnitOfWorkFactory,
) -> None:
    ref = kept(uow_factory, as_file(*GOOD))
    state, told = report(uow_factory, ref)
    assert (state, told["added"], told["problem_count"]) == (FileState.CHECKED, 2, 0)
    assert count(uow_factory) == 0
    confirm(uow_factory, ref)
    state, told = report(uow_factory, ref)
    assert (state, told["added"]) == (FileState.STORED, 2)
    with uow_factory.begin(EDITOR) as uow:
        assert questions.count_stages(uow, EDITOR, ref) == {QuestionStage.DRAFT: 2}
        rows = uow.session.scalars(select(Question)).all()
        assert {(row.owner, row.bank, row.writer_id) for row in rows} == {
            ("county:450103", "county-450103", EDITOR.id)
        }
        assert all(row.ref.endswith("-450103") for row in rows)
        content = select(QuestionImport.content).where(QuestionImport.ref == ref)
        assert uow.session.scalar(content) is None
        assert lifecycle.send_many(uow, EDITOR, batch=ref).changed == 2
    with uow_factory.begin(APPROVER) as uow:
        assert lifecycle.approve_many(uow, APPROVER, batch=ref).changed == 2
    with uow_factory.begin(read_only=True) as uow:
        assert len(banks.bank_of(uow, "county-450103").live) == 2
    assert run_jobs(uow_factory) == 0


def test_a_bank_that_changed_after_the_check_refuses_the_import_again(
    uow_factory: UnitOfWorkFactory,
) -> None:
    named = ["编号", *TITLES]
    ref = kept(uow_factory, as_file(["E1", *GOOD[0]], titles=named))
    other = kept(uow_factory, as_file(["E7", *GOOD[0]], titles=named))
    confirm(uow_factory, other)
    confirm(uow_factory, ref)
    state, told = report(uow_factory, ref)
    assert (state, told["problems"][0][2]) == (FileState.CHECKED, "known_as")
    assert count(uow_factory) == 1


def test_the_same_file_again_changes_nothing_and_a_changed_one_makes_new_drafts(
    uow_factory: UnitOfWorkFactory,
) -> None:
    named = ["编号", *TITLES]
    first = kept(uow_factory, as_file(["E1", *GOOD[0]], ["E2", *GOOD[1]], titles=named))
    confirm(uow_factory, first)
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.send_many(uow, EDITOR, refs=["E1-450103"])
    with uow_factory.begin(APPROVER) as uow:
        lifecycle.approve_many(uow, APPROVER, refs=["E1-450103"])
    _, told = report(uow_factory, kept(uow_factory, as_file(["E1", *GOOD[0]], titles=named)))
    assert (told["added"], told["changed"], told["unchanged"]) == (0, 0, 1)
    changed = [["E1", "哪颗行星？", "水星", "金星", "A"], ["E2", "有几颗？", "七", "八", "B"]]
    confirm(uow_factory, kept(uow_factory, as_file(*changed, titles=named)))
    with uow_factory.begin(read_only=True) as uow:
        asked = select(Question.ref, Question.version, Question.state, Question.stem)
        rows = uow.session.execute(asked.order_by(Question.ref, Question.version)).all()
    assert [(ref, version, state.value, stem) for ref, version, state, stem in rows] == [
        ("E1-450103", 1, "live", "哪一颗？"),
        ("E1-450103", 2, "draft", "哪颗行星？"),
        ("E2-450103", 1, "draft", "有几颗？"),
    ]


def test_a_question_in_review_is_not_overwritten(uow_factory: UnitOfWorkFactory) -> None:
    named = ["编号", *TITLES]
    confirm(uow_factory, kept(uow_factory, as_file(["E1", *GOOD[0]], titles=named)))
    with uow_factory.begin(EDITOR) as uow:
        lifecycle.send_many(uow, EDITOR, refs=["E1-450103"])
    _, told = report(uow_factory, kept(uow_factory, as_file(["E1", *GOOD[1]], titles=named)))
    assert [problem[2] for problem in told["problems"]] == ["in_review"]


def test_columns_assigned_by_hand_are_remembered_for_the_place(
    uow_factory: UnitOfWorkFactory,
) -> None:
    titles = ["考题原文", "甲", "乙", "谜底"]
    ref = kept(uow_factory, as_file(*GOOD, titles=titles))
    state, told = report(uow_factory, ref)
    assert (state, told["refused"]) == (FileState.CHECKED, True)
    keys = [column["key"] for column in told["columns"]]
    meanings = dict(zip(keys, ["stem", "option_a", "option_b", "answer"], strict=True))
    with uow_factory.begin(EDITOR) as uow:
        QUESTION_FILES.assign_columns(uow, EDITOR, ref, meanings, from_zero=False)
    assert run_jobs(uow_factory) == 1
    assert report(uow_factory, ref)[1]["added"] == 2
    again = kept(uow_factory, as_file(["第三题？", "一", "二", "B"], titles=titles))
    assert report(uow_factory, again)[1]["added"] == 1
    with uow_factory.begin(PEOPLE["editor-other"]) as uow:
        elsewhere = keep(uow, PEOPLE["editor-other"], as_file(*GOOD, titles=titles))
    run_jobs(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        row = QUESTION_FILES.find_file(uow, PEOPLE["editor-other"], elsewhere)
        assert (row.report or {})["refused"]
        with pytest.raises(NotFound):
            QUESTION_FILES.find_file(uow, PEOPLE["editor-other"], ref)


def test_a_refused_file_says_why(uow_factory: UnitOfWorkFactory) -> None:
    ref = kept(uow_factory, QuestionFile(name="a.pdf", content=b"%PDF-1.7"))
    state, told = report(uow_factory, ref)
    assert (state, told["problems"]) == (FileState.CHECKED, [["", 1, "pdf_document", {}]])


def test_two_places_may_use_the_same_ids(uow_factory: UnitOfWorkFactory) -> None:
    titles = ["编号", *TITLES]
    confirm(uow_factory, kept(uow_factory, as_file(["E1", *GOOD[0]], titles=titles)))
    other = PEOPLE["editor-other"]
    with uow_factory.begin(other) as uow:
        ref = keep(uow, other, as_file(["E1", *GOOD[0]], titles=titles))
    run_jobs(uow_factory)
    with uow_factory.begin(other) as uow:
        QUESTION_FILES.confirm_file(uow, other, ref, good_only=False)
    run_jobs(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        refs = uow.session.scalars(select(Question.ref).order_by(Question.ref)).all()
    assert refs == ["E1-450103", "E1-450200"]


def test_twelve_thousand_rows_of_a_workbook_go_in_at_once(uow_factory: UnitOfWorkFactory) -> None:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(
            [TITLES, *([f"第{n}题？", "甲", "乙", "A"] for n in range(12_000))]
        ):
            sheet.write_row(at, 0, row)
    ref = kept(uow_factory, QuestionFile(name="题库.xlsx", content=made.getvalue()))
    confirm(uow_factory, ref)
    assert report(uow_factory, ref)[1]["added"] == 12_000
    assert count(uow_factory) == 12_000
