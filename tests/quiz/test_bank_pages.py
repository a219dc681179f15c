"""The question bank's pages: writing, reviewing, importing, and exports that import again."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.base.uow import UnitOfWorkFactory
from server.console.exports import ExportFormat, write_export
from server.quiz.bank import service as banks
from server.quiz.bank.commands import import_questions
from server.quiz.bank.files.reading import read_questions
from server.quiz.bank.import_console import PAGES
from server.quiz.bank.importing import lock_bank
from server.quiz.contests.console import PAGES as CONTEST_PAGES
from server.quiz.models import Question, QuestionImport
from tests.kit.console import PLACES, Browser, console_app
from tests.kit.jobs import run_jobs
from tests.kit.question_probes import WRITTEN
from tests.kit.quiz import QUESTIONS


@pytest.fixture
def bank_app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


def path_of(location: str) -> str:
    return location.removeprefix("/console")


def send_file(app: Flask, name: str, raw: bytes, who: str) -> TestResponse:
    """Upload a file; the body is built here, because the client would leave a temporary file."""
    browser, line = Browser(app, who), b"--boundary"
    token = f'\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{browser.token()}\r\n'
    head = f'\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return browser.client.post(
        "/console/questions/import",
        data=line + token.encode() + line + head.encode() + raw + b"\r\n" + line + b"--\r\n",
        content_type="multipart/form-data; boundary=boundary",
    )


def upload(app: Flask, name: str, raw: bytes, who: str = "editor-region") -> str:
    """Upload a file on the page; the address of its import."""
    answer = send_file(app, name, raw, who)
    assert answer.status_code == 303, answer.text
    return path_of(answer.headers["Location"])


def export(bank_app: Flask, kind: str, who: str = "editor-region") -> bytes:
    answer = Browser(bank_app, who).open(
        "POST", "/questions/export", {"file_format": kind, "every_column": "all"}
    )
    assert answer.status_code == 200
    return answer.data


def test_a_question_is_written_sent_and_approved_on_its_page(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    editor, approver = Browser(bank_app, "editor-county"), Browser(bank_app, "approver-city")
    answer = editor.open("POST", "/questions/new", WRITTEN)
    page = path_of(answer.headers["Location"])
    status, shown = editor.get(page)
    assert status == 200
    assert "哪一个？" in shown
    assert "草稿" in shown
    assert editor.ask("POST", f"{page}/send", {})[0] == 303
    assert "有 1 道题等您审核" in approver.get("/questions")[1]
    assert approver.ask("POST", f"{page}/approve", {})[0] == 303
    assert "已上线" in editor.get(page)[1]
    assert editor.ask("POST", f"{page}/edit", {**WRITTEN, "stem": "改了？"})[0] == 303
    status, difference = editor.get(f"{page}/versions")
    assert status == 200
    assert "<ins>改了" in difference
    assert "参与者看到的样子" in editor.get(page)[1]


def test_a_question_is_written_into_a_bank_that_its_author_may_write(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        lock_bank(uow, "bnk-day", PLACES["city"][0], "科普日竞赛题")
        lock_bank(uow, "county-450103", PLACES["county"][0])
        lock_bank(uow, "city-450200", PLACES["other"][0])
    editor = Browser(bank_app, "editor-city")
    offered = editor.get("/questions/new")[1]
    named = ("南宁市题库", "科普日竞赛题（南宁市", "南宁市青秀区题库")
    assert [one in offered for one in named] == [True] * 3
    assert "city-450200" not in offered
    for bank, owner in (("", "city:450100"), ("bnk-day", "city:450100"),
                        ("county-450103", "county:450103")):  # fmt: skip
        answer = editor.open("POST", "/questions/new", {**WRITTEN, "bank": bank})
        ref = answer.location.rpartition("/")[2]
        with uow_factory.begin(read_only=True) as uow:
            row = uow.session.scalars(select(Question).where(Question.ref == ref)).one()
            assert (row.bank, row.owner) == (bank or "city-450100", owner)
    for bank in ("city-450200", "demo", "new"):
        status, shown = editor.ask("POST", "/questions/new", {**WRITTEN, "bank": bank})
        assert (status, "请从列表中选择一项" in shown) == (422, True)
    assert "county-450103" not in Browser(bank_app, "editor-other").get("/questions/new")[1]


def test_a_wrong_question_is_shown_again_with_the_reason(bank_app: Flask) -> None:
    browser = Browser(bank_app, "editor-county")
    for changed, sentence in (
        ({"right": None}, "答案是空的"),
        ({"option_b": "甲"}, "有两个选项完全相同"),
        ({"kind": "multiple"}, "多选题至少要有两个答案"),
        ({"stem": ""}, "题干是空的"),
        ({"option_a": "B. 甲", "option_b": "A. 乙"}, "选项前不要写字母"),
    ):
        given = {k: v for k, v in {**WRITTEN, **changed}.items() if v is not None}
        status, shown = browser.ask("POST", "/questions/new", given)
        assert status == 422
        assert sentence in shown


def test_keys_are_shown_to_those_who_may_read_them(bank_app: Flask) -> None:
    answer = Browser(bank_app, "editor-county").open("POST", "/questions/new", WRITTEN)
    page = path_of(answer.headers["Location"])
    hidden = "不对您的角色或辖区显示"
    assert hidden not in Browser(bank_app, "approver-county").get(page)[1]
    audited = Browser(bank_app, "auditor-county").get(page)[1]
    assert hidden in audited
    assert f"/console/audit/question/{page.rpartition('/')[2]}" in audited


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_an_export_is_imported_again_unchanged(
    bank_app: Flask, uow_factory: UnitOfWorkFactory, kind: str
) -> None:
    assert import_questions(uow_factory, QUESTIONS).ok
    with uow_factory.begin() as uow:
        row = uow.session.scalars(select(Question).where(Question.ref == "KX0001")).one()
        # Signs with which spreadsheet programs begin a formula.
        row.stem, row.options = "=1+1 等于几？", ["-1", "+1", "@1", "'=1"]
    raw = export(bank_app, kind)
    page = upload(bank_app, f"题库.{kind}", raw)
    assert run_jobs(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        told = uow.session.scalars(select(QuestionImport.report)).one()
    assert told is not None
    assert (told["unchanged"], told["added"], told["changed"]) == (60, 0, 0)
    assert (told["problems"], told["warnings"], told["refused"]) == ([], [], False)
    assert "题库里都有" in Browser(bank_app, "editor-region").get(page)[1]


def test_an_export_for_a_lower_place_has_no_keys(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    assert import_questions(uow_factory, QUESTIONS).ok
    table = read_questions("a.csv", export(bank_app, "csv", "editor-county"))
    assert table.drafts == []
    assert {problem.why.code for problem in table.problems} <= {"answer_missing", "kind_unclear",
                                                                 "judge_answer"}  # fmt: skip
    assert len(table.problems) == 60


def test_a_file_is_imported_from_the_page(bank_app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    raw = "题干,选项A,选项B,答案\n哪一颗？,水星,金星,A\n坏题？,甲,甲,A\n".encode()
    page = upload(bank_app, "题目.csv", raw, "editor-county")
    browser = Browser(bank_app, "editor-county")
    assert "正在检查" in browser.get(page)[1]
    run_jobs(uow_factory)
    shown = browser.get(page)[1]
    assert "有 1 处问题；其余 1 道题可以导入" in shown
    assert "有两个选项完全相同" in shown
    assert browser.ask("POST", f"{page}/all", {})[0] == 409
    assert browser.ask("POST", f"{page}/good", {})[0] == 303
    run_jobs(uow_factory)
    assert "新增 1 道" in browser.get(page)[1]
    assert browser.ask("POST", f"{page}/send", {})[0] == 303
    approver = Browser(bank_app, "approver-city")
    assert approver.ask("POST", f"{page}/approve", {})[0] == 303
    assert "已上线 1 道" in approver.get(page)[1]


def test_columns_are_assigned_on_the_page(bank_app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    raw = "考题原文,甲,乙,谜底\n哪一颗？,水星,金星,A\n".encode()
    page = upload(bank_app, "题目.csv", raw, "editor-county")
    run_jobs(uow_factory)
    browser = Browser(bank_app, "editor-county")
    assert "没有找到这些栏目：题干、答案" in browser.get(page)[1]
    assert "考题原文" in browser.get(f"{page}/columns")[1]
    given = {
        "csrf_token": browser.token(),
        "key": ["考题原文", "甲", "乙", "谜底"],
        "meaning": ["stem", "option_a", "option_b", "answer"],
    }
    answer = browser.client.post(f"/console{page}/columns", data=given)
    assert answer.status_code == 303
    run_jobs(uow_factory)
    assert "检查通过：新增 1 道" in browser.get(page)[1]


def test_text_is_pasted_and_nothing_at_all_is_refused(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    browser = Browser(bank_app, "editor-county")
    text = "1. 哪一颗？\nA. 水星\nB. 金星\n答案：A"
    answer = browser.open("POST", "/questions/import", {"pasted": text})
    run_jobs(uow_factory)
    assert "检查通过：新增 1 道" in browser.get(path_of(answer.headers["Location"]))[1]
    status, shown = browser.ask("POST", "/questions/import", {"pasted": " "})
    assert (status, "请选择文件" in shown) == (422, True)


def test_a_large_file_is_taken_and_a_larger_one_is_not(bank_app: Flask) -> None:
    assert upload(bank_app, "a.csv", b"x" * 4_000_000)
    answer = send_file(bank_app, "a.csv", b"x" * 6_000_000, "editor-region")
    assert answer.status_code == 413


def test_picked_questions_are_sent_and_approved_together(bank_app: Flask) -> None:
    editor = Browser(bank_app, "editor-county")
    answers = [
        editor.open("POST", "/questions/new", {**WRITTEN, "stem": stem})
        for stem in ("一？", "二？")
    ]
    refs = [answer.headers["Location"].rpartition("/")[2] for answer in answers]
    for who, act in (("editor-county", "send"), ("approver-city", "approve")):
        browser = Browser(bank_app, who)
        given = {"csrf_token": browser.token(), "picked": refs}
        answer = browser.client.post(f"/console/questions/picked/{act}", data=given)
        assert answer.status_code == 303
    assert editor.get("/questions?stage=live")[1].count("已上线</span>") == 2


@pytest.mark.parametrize("file_format", ["xlsx", "csv"])
def test_the_example_file_is_imported_unchanged(
    bank_app: Flask, uow_factory: UnitOfWorkFactory, file_format: str
) -> None:
    browser = Browser(bank_app, "editor-county")
    example = browser.client.get(f"/console/questions/import/example?file_format={file_format}")
    assert example.status_code == 200
    here = upload(bank_app, f"样表.{file_format}", example.data, "editor-county")
    run_jobs(uow_factory)
    shown = browser.get(here)[1]
    assert "检查通过：新增 3 道" in shown
    assert "请看一看" not in shown


def test_an_approver_is_led_to_all_questions_of_an_import(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    editor, approver = Browser(bank_app, "editor-county"), Browser(bank_app, "approver-city")
    rows = "".join(f"第{number}题？,甲,乙,A\n" for number in range(60))
    here = upload(
        bank_app, "六十道.csv", ("题干,选项A,选项B,答案\n" + rows).encode(), "editor-county"
    )
    run_jobs(uow_factory)
    editor.ask("POST", f"{here}/all", {})
    run_jobs(uow_factory)
    editor.ask("POST", f"{here}/send", {})
    shown = approver.get("/questions")[1]
    assert "成批审核“六十道.csv”导入的 60 道题" in shown
    assert f'href="/console{here}"' in shown
    assert 'href="/console/questions?stage=review"' in shown
    # The list of what waits does not lead to itself.
    waiting = approver.get("/questions?stage=review")[1]
    assert "有 60 道题等您审核" in waiting
    assert "查看等您审核的题目" not in waiting
    assert approver.ask("POST", f"{here}/approve", {})[0] == 303
    assert "成批审核" not in approver.get("/questions")[1]
    assert "成批审核" not in editor.get("/questions")[1]


@pytest.mark.parametrize("name", ["空.csv", "空.xlsx"])
def test_a_file_with_a_heading_alone_holds_no_question(
    bank_app: Flask, uow_factory: UnitOfWorkFactory, name: str
) -> None:
    content = "题干,选项A,选项B,答案\n".encode()
    if name.endswith("xlsx"):
        heads = [(title, "text") for title in ("题干", "选项A", "选项B", "答案")]
        content, _ = write_export(ExportFormat.XLSX, "题", heads, [])
    browser = Browser(bank_app, "editor-county")
    here = upload(bank_app, name, content, "editor-county")
    run_jobs(uow_factory)
    shown = browser.get(here)[1]
    assert "文件里没有题目" in shown
    assert "不用导入" not in shown


def test_a_judgement_shows_right_or_wrong_instead_of_a_letter(
    bank_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    editor = Browser(bank_app, "editor-county")
    stem = "水结成冰以后，体积会变大，所以装满水的瓶子不要放进冰箱的冷冻室里过夜"
    written = {"kind": "judge", "stem": stem, "right": "A", "difficulty": "2", "benchmark": ""}
    page = path_of(editor.open("POST", "/questions/new", written).location)
    shown = editor.get(page)[1]
    assert "<dd>正确</dd>" in "".join(shown.split())
    # The heading is the beginning of the stem, the id stands below it.
    assert f"<h1>{stem[:30]}…</h1>" in shown
    assert f"编号：{page.rpartition('/')[2]}" in shown
    assert "正确" in export(bank_app, "csv", "editor-county").decode("utf-8-sig")
    for _ in range(2):
        editor.ask("POST", f"{page}/send", {})
        Browser(bank_app, "approver-city").ask("POST", f"{page}/approve", {})
        editor.ask("POST", f"{page}/edit", {**written, "right": "B"})
    compared = editor.get(f"{page}/versions")[1]
    assert "错误" in compared
    assert "A. 正确" not in compared


def test_a_file_of_faulty_rows_alone_offers_nothing_to_import(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    editor = Browser(app, "editor-county")
    text = "题干,选项A,选项B,答案\n甲在哪里？,东,西,C\n"
    here = path_of(editor.open("POST", "/questions/import", {"pasted": text}).location)
    run_jobs(uow_factory)
    shown = editor.get(here)[1]
    assert ("没有可以导入的题目" in shown, "可以只导入没有问题的" in shown) == (True, False)


def test_a_name_for_a_new_bank_is_never_ignored(uow_factory: UnitOfWorkFactory) -> None:
    app, _ = console_app(uow_factory, PAGES, CONTEST_PAGES)
    editor = Browser(app, "editor-county")
    text = "题干,选项A,选项B,答案\n甲在哪里？,东,西,A\n"
    untouched = {"pasted": text, "bank": "county-450103", "new_bank": "科普日竞赛题"}
    here = path_of(editor.open("POST", "/questions/import", untouched).location)
    run_jobs(uow_factory)
    assert "题库：科普日竞赛题" in editor.get(here)[1]
    assert editor.ask("POST", f"{here}/all", {})[0] == 303
    run_jobs(uow_factory)
    status, shown = editor.ask("POST", "/questions/import", untouched)
    assert (status, "本地已经有同名的题库" in shown) == (422, True)
    titled = re.findall(r'<option value="(bnk-[^"]+)"', editor.get("/questions/import")[1])
    both = {**untouched, "bank": titled[0], "new_bank": "另一场竞赛题"}
    status, shown = editor.ask("POST", "/questions/import", both)
    assert (status, "上面选了已有的题库" in shown) == (422, True)


def test_questions_of_one_contest_are_imported_into_a_bank_of_their_own(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app, _ = console_app(uow_factory, PAGES, CONTEST_PAGES)
    editor, approver = Browser(app, "editor-county"), Browser(app, "approver-city")
    text = "题干,选项A,选项B,答案\n甲在哪里？,东,西,A\n乙在哪里？,东,西,B\n"
    form = {"pasted": text, "bank": "new", "new_bank": ""}
    status, shown = editor.ask("POST", "/questions/import", form)
    assert (status, "请写新题库的名称。" in shown, "甲在哪里" in shown) == (422, True, True)
    form["new_bank"] = "科普日竞赛题"
    # The same questions in the place's own bank are in nobody's way.
    for given in ({"pasted": text}, form):
        here = path_of(editor.open("POST", "/questions/import", given).location)
        run_jobs(uow_factory)
        assert "检查通过：新增 2 道" in editor.get(here)[1]
        assert editor.ask("POST", f"{here}/all", {})[0] == 303
        run_jobs(uow_factory)
        editor.ask("POST", f"{here}/send", {})
        approver.ask("POST", f"{here}/approve", {})
    shown = editor.get(here)[1]
    assert "题库：科普日竞赛题" in shown
    (address,) = re.findall(r'href="/console(/contests/new\?bank=[^"]+)"', shown)
    slug = address.partition("=")[2]
    asked = editor.get(address)[1]
    assert f'<option selected value="{slug}">科普日竞赛题（' in asked
    with uow_factory.begin(read_only=True) as uow:
        assert {one.stem for one in banks.bank_of(uow, slug).live} == {"甲在哪里？", "乙在哪里？"}
        assert len(banks.bank_of(uow, "county-450103").live) == 2
    assert editor.get(f"/questions?bank={slug}")[1].count("在哪里？</a>") == 2
    status, shown = editor.ask("POST", "/questions/import", form)
    assert (status, "本地已经有同名的题库" in shown) == (422, True)
    elsewhere = Browser(app, "editor-other")
    assert elsewhere.ask("POST", "/questions/import", {"pasted": text, "bank": slug})[0] == 422
