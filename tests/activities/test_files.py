"""Files of activities: the same rows and reasons as the command, stored as drafts after a yes."""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from server.activities import drafts
from server.activities.activity_files import ACTIVITY_FILES, COLUMN_TITLES, read_activities
from server.activities.import_pages import PAGES, UPLOADS
from server.activities.kinds import ActivityState
from server.activities.models import Activity
from server.activities.sheet_rows import ActivityReason, SheetReader
from server.base.access import Scope
from server.base.uow import UnitOfWorkFactory
from server.console.exports import ExportFormat
from server.console.models import FileState
from server.console.upload_pages import write_example
from server.organizers.service import Places
from server.units import service as units
from tests.activities.test_loading import GOOD as ROW
from tests.kit.console import NANNING, PEOPLE, QINGXIU, Browser, console_app
from tests.kit.jobs import run_jobs

EDITOR = PEOPLE["editor-city"]
HEAD = "活动名称,活动地点,开始时间,结束时间,名额,报名开始,报名截止"
TIMES = "2026-05-16 15:00,2026-05-16 17:00,9,2026-05-02 9:00,2026-05-16 12:00"


def keep(uow_factory: UnitOfWorkFactory, content: bytes, name: str = "活动.csv") -> str:
    with uow_factory.begin(EDITOR) as uow:
        ref = ACTIVITY_FILES.keep_file(uow, EDITOR, name, content)
    assert run_jobs(uow_factory) == 1
    return ref


def store(uow_factory: UnitOfWorkFactory, ref: str) -> None:
    with uow_factory.begin(EDITOR) as uow:
        ACTIVITY_FILES.confirm_file(uow, EDITOR, ref, good_only=False)
    assert run_jobs(uow_factory) == 1


def told(uow_factory: UnitOfWorkFactory, ref: str) -> tuple[FileState, dict[str, Any], list[str]]:
    with uow_factory.begin(read_only=True) as uow:
        row = ACTIVITY_FILES.find_file(uow, EDITOR, ref)
        report = row.report or {}
        said = ACTIVITY_FILES.say_problems(uow.texts, report["problems"])
        return row.state, report, [f"{line}: {sentence}" for _, line, sentence in said]


def stored(uow_factory: UnitOfWorkFactory) -> list[Activity]:
    with uow_factory.begin(read_only=True) as uow:
        rows = list(uow.session.scalars(select(Activity).order_by(Activity.id)))
        uow.session.expunge_all()
        return rows


def reader(own: Scope = NANNING) -> SheetReader:
    return SheetReader(places=Places(units.load_regions()), own=own, by_hand={})


def test_a_workbook_becomes_drafts_of_the_place_once(uow_factory: UnitOfWorkFactory) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["2026年讲座计划"])
    sheet.append([*HEAD.split(","), "县（市、区）", "主讲人", "适合人群", "候补人数上限"])
    sheet.append(["甘蔗", "馆", *TIMES.split(","), "青秀区", "韦明", "青少年、老年人", 0])
    made = BytesIO()
    book.save(made)
    ref = keep(uow_factory, made.getvalue(), "活动.xlsx")
    state, report, _ = told(uow_factory, ref)
    assert (state, report["added"], report["problem_count"]) == (FileState.CHECKED, 1, 0)
    assert stored(uow_factory) == []
    store(uow_factory, ref)
    (row,) = stored(uow_factory)
    assert (row.state, row.owner, row.writer_id) == (
        ActivityState.DRAFT, NANNING.spelled, EDITOR.id,
    )  # fmt: skip
    assert row.starts_at.isoformat() == "2026-05-16T07:00:00+00:00"
    assert (row.county, row.audiences, row.waitlist_most) == ("450103", "|elder|youth|", 0)
    again = keep(uow_factory, made.getvalue(), "活动.xlsx")
    assert told(uow_factory, again)[1]["known"] == 1


def test_the_list_of_the_command_is_read_and_refused_for_the_same_reasons(
    uow_factory: UnitOfWorkFactory,
) -> None:
    rows = [
        ROW,
        {**ROW, "ref": "b", "title": "晚", "ends_at": ROW["starts_at"]},
        {**ROW, "ref": "c", "seats": "many"},
        {**ROW, "title": "同编号"},
    ]
    ref = keep(uow_factory, json.dumps(rows).encode(), "活动.json")
    _, report, said = told(uow_factory, ref)
    assert report["added"] == 1
    assert [one.partition(":")[0] for one in said] == ["2", "3", "4"]
    assert "结束时间要晚于开始时间" in said[0]
    assert said[1] == "3: 名额的写法不对，请对照样表修改。"
    assert "写了两次" in said[2]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (",馆," + TIMES, "没有填写活动名称"),
        ("讲,馆," + TIMES.replace("2026-05-16 15:00", "明天"), "不是日期和时间"),
        ("讲,馆," + TIMES.replace("2026-05-16 15:00", "0001-01-01 00:00"), "不是日期"),
        ("讲,馆," + TIMES.replace("2026-05-16 15:00", "2026-02-30 15:00"), "不是日期"),
        ("讲,馆," + TIMES.replace(",9,", ",九,"), "请填写整数"),
        ("讲,馆," + TIMES.replace(",9,", ",-3,"), "名额“-3”不对，请填写整数"),
        ("讲,馆," + TIMES.replace(",9,", f",{10**30},"), "名额“100000000000”太大"),
        ("讲,馆," + TIMES.replace(",9,", ",1e+30,"), "名额“1e+30”太大"),
        ("讲&amp;amp;谈,馆," + TIMES, "活动名称“讲&amp;amp;谈”里有网页代码“&amp;”"),
        ("讲,馆," + TIMES.replace(",9,", ",,"), "没有填写名额"),
        ("讲,馆," + TIMES.replace(",9,", ",0,"), "1到20000"),
    ],
)
def test_a_cell_that_cannot_be_read_is_refused_with_its_line(
    uow_factory: UnitOfWorkFactory, row: str, sentence: str
) -> None:
    good = f"好,馆,{TIMES}"
    _, report, said = told(uow_factory, keep(uow_factory, f"{HEAD}\n{good}\n{row}".encode()))
    assert (report["added"], report["problem_count"]) == (1, 1)
    assert said[0].startswith("3: ")
    assert sentence in said[0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**ROW, "titel": "讲"}, "没有“titel”这一项"),
        ({key: ROW[key] for key in ROW if key != "venue"}, "没有填写活动地点"),
        ({**ROW, "title": "晚", "seats": 10**30}, "名额请填1到20000之间的整数"),
        ({**ROW, "seats": "many"}, "名额的写法不对"),
        ({**ROW, "starts_at": "明天"}, "开始时间的写法不对"),
        (5, "不是一项活动"),
    ],
)
def test_a_row_of_a_list_is_refused_in_chinese(
    uow_factory: UnitOfWorkFactory, row: object, said: str
) -> None:
    content = json.dumps([{**ROW, "ref": "good"}, row]).encode()
    _, report, sentences = told(uow_factory, keep(uow_factory, content, "活动.json"))
    assert report["added"] == 1
    (sentence,) = sentences
    assert sentence.startswith("2: ")
    assert said in sentence
    assert not re.search("[A-Za-z]{3}", sentence.replace("titel", ""))


NO_TABLE = {
    "blank": (b"  \n\n", "1: 文件是空的"),
    "no row": (HEAD.encode(), "1: 表头下面没有活动"),
    "no text": (bytes(range(256)) * 9, "1: 认不出文字的编码"),
    "another encoding": ("Größe, café\n".encode("latin-1") * 9, "1: 认不出文字的编码"),
    "quotes": (f'{HEAD}\n"讲,馆\n'.encode(), "2: 从这一行起引号不成对"),
    "a long cell": (f'{HEAD}\n"{"讲" * 140_000}",馆\n'.encode(), "2: 从这一行起引号不成对，或者"),
    "prose": ("今天天气不错。\n明天也是。".encode(), "1: 没有找到这些列：活动名称"),
    "half a list": (b'[{"title": "x"}, ', "1: 这个 JSON 文件不是活动的列表"),
}


@pytest.mark.parametrize("what", NO_TABLE)
def test_a_file_that_is_no_table_is_refused_in_chinese_with_its_line(
    uow_factory: UnitOfWorkFactory, what: str
) -> None:
    content, said = NO_TABLE[what]
    _, report, sentences = told(uow_factory, keep(uow_factory, content))
    assert (report["added"], len(sentences)) == (0, 1)
    assert sentences[0].startswith(said)
    assert not re.search("[A-Za-z]{5}", sentences[0])


def test_other_columns_are_read_as_people_write_them(uow_factory: UnitOfWorkFactory) -> None:
    head = f"{HEAD},类别,市,县,必须填写手机号码,纬度,经度,适合人群"
    line = f"讲,馆,{TIMES},开放日,桂林,秀峰,是,25.2,110.2,所有人"
    (row,) = read_activities(f"{head}\n{line}".encode(), reader()).rows
    assert (row.draft.city, row.draft.county) == ("450300", "450302")
    assert (row.draft.kind.value, row.draft.phone_needed) == ("open_day", True)
    assert (row.draft.latitude, row.draft.audiences) == (25_200_000, ())
    (own,) = read_activities(f"{HEAD}\n讲,馆,{TIMES}".encode(), reader(QINGXIU)).rows
    assert (own.draft.city, own.draft.county) == ("450100", "450103")
    for column, typed, code in (
        ("类别", "聚会", "wrong_kind"),
        ("市", "北京", "wrong_city"),
        ("县", "没有县", "wrong_county"),
        ("必须填写手机号码", "也许", "wrong_yes"),
        ("纬度", "北", "wrong_point"),
        ("适合人群", "外星人", "wrong_group"),
    ):  # fmt: skip
        text = f"{HEAD},{column}\n讲,馆,{TIMES},{typed}"
        (problem,) = read_activities(text.encode(), reader()).problems
        assert problem.why.code == code


def test_every_reason_has_a_sentence(uow_factory: UnitOfWorkFactory) -> None:
    facts = {"given": "x", "column": "title", "columns": "title, seats", "most": 1, "home": "h",
             "other": 2, "trouble": "t", "rows": 1, "name": "n", "mark": "&amp;"}  # fmt: skip
    with uow_factory.begin(read_only=True) as uow:
        for code in ActivityReason.english:
            given = {**facts, "columns": 3} if code == "too_wide" else facts
            if code == "content":
                continue
            assert ACTIVITY_FILES.say_reason(uow.texts, code, given)
        named = ACTIVITY_FILES.say_reason(uow.texts, "no_table", facts)
    assert "活动名称、名额" in named


def test_the_example_file_imports_unchanged(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin(read_only=True) as uow:
        for kind in (ExportFormat.XLSX, ExportFormat.CSV):
            content = write_example(uow.texts, UPLOADS.example, kind).content
            assert isinstance(content, bytes)
            table = read_activities(content, reader())
            assert (table.problems, table.refused, len(table.rows)) == ([], [], 2)
            assert [drafts.check_draft(uow, one.draft) for one in table.rows] == [[], []]
    assert set(UPLOADS.example.columns) <= set(COLUMN_TITLES.values())


def test_the_page_names_the_columns_that_a_file_must_have(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    ref = keep(uow_factory, b"a,b\n1,2\n")
    status, shown = Browser(app, "editor-city").get(f"/activities/imports/{ref}")
    assert status == 200
    assert "没有找到这些列" in shown
    assert Browser(app, "editor-county").get(f"/activities/imports/{ref}")[0] == 404
