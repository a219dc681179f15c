"""Files of units: checked first, then added by the worker, once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from sqlalchemy import func, select

from server.audit.models import AuditRecord
from server.base.access import Organizer
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.console.checked_files import FileNotReady
from server.console.models import FileState
from server.organizers import import_pages, unit_files, unit_pages
from server.organizers.models import UnitFile
from server.organizers.unit_files import UNIT_FILES
from server.units import service as units
from server.units.models import Level, Unit
from tests.kit.console import PEOPLE, Browser, console_app
from tests.kit.jobs import run_jobs

ADMIN = PEOPLE["system_admin-city"]
HEAD = "单位名称,类别,设区市,县（市、区）,全称\n"
GOOD = "甲校,学校,南宁市,青秀区,南宁市甲校\n乙厂,企业,南宁市,,\n"
BAD = "丙校,学校,柳州市,柳北区,\n"


def kept(uow_factory: UnitOfWorkFactory, text: str, who: Organizer = ADMIN) -> str:
    with uow_factory.begin(who) as uow:
        ref = UNIT_FILES.keep_file(uow, who, "单位.csv", text.encode())
    assert run_jobs(uow_factory) == 1
    return ref


def confirm(uow_factory: UnitOfWorkFactory, ref: str, *, good_only: bool = False) -> None:
    with uow_factory.begin(ADMIN) as uow:
        UNIT_FILES.confirm_file(uow, ADMIN, ref, good_only=good_only)


def seen(uow_factory: UnitOfWorkFactory, ref: str) -> tuple[FileState, dict[str, Any]]:
    with uow_factory.begin(read_only=True) as uow:
        row = UNIT_FILES.find_file(uow, ADMIN, ref)
        return row.state, row.report or {}


def names(uow_factory: UnitOfWorkFactory) -> list[str]:
    with uow_factory.begin(read_only=True) as uow:
        return sorted(uow.session.scalars(select(Unit.name)))


def test_a_file_is_checked_first_and_added_after_a_yes(uow_factory: UnitOfWorkFactory) -> None:
    ref = kept(uow_factory, HEAD + GOOD)
    state, report = seen(uow_factory, ref)
    assert (state, report["added"], report["problem_count"]) == (FileState.CHECKED, 2, 0)
    assert names(uow_factory) == []
    confirm(uow_factory, ref)
    assert run_jobs(uow_factory) == 1
    assert seen(uow_factory, ref)[0] is FileState.STORED
    with uow_factory.begin(read_only=True) as uow:
        found = uow.session.scalars(select(Unit).order_by(Unit.name)).all()
        assert {(one.name, one.kind, one.level, one.county, one.full_name) for one in found} == {
            ("甲校", "school", Level.COUNTY, "450103", "南宁市甲校"),
            ("乙厂", "enterprise", Level.CITY, None, None),
        }
        assert uow.session.scalar(select(UnitFile.content)) is None
        acts = uow.session.scalars(select(AuditRecord.act).order_by(AuditRecord.number)).all()
    assert acts == [f"organizers.{act}_units" for act in ("upload", "confirm", "import")]
    with uow_factory.begin(ADMIN) as uow, pytest.raises(FileNotReady):
        UNIT_FILES.drop_file(uow, ADMIN, ref)


def test_columns_assigned_by_hand_are_remembered_for_the_place(
    uow_factory: UnitOfWorkFactory,
) -> None:
    head = "我方抬头,属性,地区\n"
    ref = kept(uow_factory, head + "甲校,学校,青秀区\n")
    state, report = seen(uow_factory, ref)
    assert (state, report["refused"], report["problems"][0][2]) == (
        FileState.CHECKED, True, "no_table",
    )  # fmt: skip
    keys = [column["key"] for column in report["columns"]]
    meanings = dict(zip(keys, ["name", "kind", "county"], strict=True))
    with uow_factory.begin(ADMIN) as uow:
        UNIT_FILES.assign_columns(uow, ADMIN, ref, meanings)
    assert run_jobs(uow_factory) == 1
    assert seen(uow_factory, ref)[1]["added"] == 1
    again = kept(uow_factory, head + "乙校,学校,\n")
    assert seen(uow_factory, again)[1]["added"] == 1
    other = PEOPLE["system_admin-region"]
    elsewhere = kept(uow_factory, head + "丙校,学校,\n", other)
    with uow_factory.begin(read_only=True) as uow:
        assert (UNIT_FILES.find_file(uow, other, elsewhere).report or {})["refused"]


def test_columns_are_assigned_on_the_page(uow_factory: UnitOfWorkFactory) -> None:
    app, _ = console_app(uow_factory, unit_pages.PAGES, import_pages.PAGES)
    browser = Browser(app, "system_admin-city")
    ref = kept(uow_factory, "我方抬头,属性,备注\n甲校,学校,新\n")
    here = f"/units/imports/{ref}"
    assert "没有找到“单位名称”这一列" in browser.get(here)[1]
    shown = browser.get(f"{here}/columns")[1]
    assert "我方抬头" in shown
    assert "县（市、区）" in shown
    given: dict[str, Any] = {
        "key": ["我方抬头", "属性", "备注"], "meaning": ["name", "kind", "-"],
        "csrf_token": browser.token(),
    }  # fmt: skip
    assert browser.client.post(f"/console{here}/columns", data=given).status_code == 303
    run_jobs(uow_factory)
    shown = browser.get(here)[1]
    assert "检查通过：可以新增 1 个单位" in shown
    assert "没有读取的列" not in shown


def test_ten_thousand_units_are_added_in_one_go_and_known_afterwards(
    uow_factory: UnitOfWorkFactory,
) -> None:
    text = HEAD + "".join(f"第{number}小学,学校,南宁市,青秀区,\n" for number in range(10_000))
    ref = kept(uow_factory, text)
    confirm(uow_factory, ref)
    assert run_jobs(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(Unit)) == 10_000
    _, report = seen(uow_factory, kept(uow_factory, text))
    assert (report["added"], report["known"], report["problem_count"]) == (0, 10_000, 0)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_the_page_imports_its_own_export_unchanged(
    uow_factory: UnitOfWorkFactory, file_format: str
) -> None:
    app, _ = console_app(uow_factory, unit_pages.PAGES, import_pages.PAGES)
    browser = Browser(app, "system_admin-city")
    ref = kept(uow_factory, HEAD + GOOD)
    confirm(uow_factory, ref)
    run_jobs(uow_factory)
    with uow_factory.begin() as uow:
        units.load_city_associations(uow)
        school = uow.session.scalars(select(Unit).where(Unit.name == "甲校")).one()
        units.close_unit(uow, school)
    before = names(uow_factory)
    export = browser.open("POST", "/units/export", {"file_format": file_format})
    given: dict[str, Any] = {"file": (BytesIO(export.data), f"单位.{file_format}")}
    sent = browser.open("POST", "/units/import", given)
    assert sent.status_code == 303
    assert "正在检查" in browser.get(sent.location.removeprefix("/console"))[1]
    run_jobs(uow_factory)
    shown = browser.get(sent.location.removeprefix("/console"))[1]
    assert "文件里的 3 个单位名录里都有，不用导入。" in shown
    assert "需要改的地方" not in shown
    assert "请看一看" not in shown
    assert names(uow_factory) == before


def test_the_page_names_each_bad_row_and_takes_the_good_ones(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app, _ = console_app(uow_factory, unit_pages.PAGES, import_pages.PAGES)
    browser = Browser(app, "system_admin-city")
    assert "请选择文件。" in browser.ask("POST", "/units/import", {})[1]
    nothing: dict[str, Any] = {"file": (BytesIO(b""), "单位.csv")}
    assert "这个文件里什么也没有" in browser.open("POST", "/units/import", nothing).text
    coded = "单位名称,类别,设区市\n二中&amp;amp;分校,学校,南宁市\n".encode()
    here = browser.open("POST", "/units/import", {"file": (BytesIO(coded), "单位.csv")}).location
    run_jobs(uow_factory)
    shown = browser.get(here.removeprefix("/console"))[1]
    assert "“二中&amp;amp;amp;分校”里有网页代码“&amp;amp;”" in shown
    given: dict[str, Any] = {"file": (BytesIO((HEAD + GOOD + BAD).encode()), "单位.csv")}
    here = browser.open("POST", "/units/import", given).location.removeprefix("/console")
    run_jobs(uow_factory)
    shown = browser.get(here)[1]
    assert "有 1 行有问题" in shown
    assert "第 4 行" in shown
    assert "“柳州市柳北区”不在您的管理范围之内。" in shown
    assert browser.ask("POST", f"{here}/all", {})[0] == 409
    assert browser.ask("POST", f"{here}/good", {})[0] == 303
    run_jobs(uow_factory)
    assert "已导入：新增 2 个单位" in browser.get(here)[1]
    assert "单位.csv" in browser.get("/units/import")[1]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_the_example_file_is_imported_unchanged(
    uow_factory: UnitOfWorkFactory, file_format: str
) -> None:
    app, _ = console_app(uow_factory, unit_pages.PAGES, import_pages.PAGES)
    browser = Browser(app, "system_admin-region")
    example = browser.client.get(f"/console/units/import/example?file_format={file_format}")
    given: dict[str, Any] = {"file": (BytesIO(example.data), f"样表.{file_format}")}
    here = browser.open("POST", "/units/import", given).location.removeprefix("/console")
    run_jobs(uow_factory)
    shown = browser.get(here)[1]
    assert "检查通过：可以新增 3 个单位" in shown
    assert "请看一看" not in shown


def store_together(uow_factory: UnitOfWorkFactory) -> int:
    """Two imports of one file, stored by two workers at once; return the number of units."""
    refs = [kept(uow_factory, HEAD + GOOD) for _ in range(2)]
    for ref in refs:
        confirm(uow_factory, ref)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: run_jobs(uow_factory), refs))
    assert {seen(uow_factory, ref)[0] for ref in refs} == {FileState.STORED}
    return len(names(uow_factory))


def meet_before_adding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both workers compare with the directory before either adds, if nothing prevents it."""
    compared, meeting = unit_files.units.add_units, Barrier(2)

    def add_later(uow: UnitOfWork, rows: Any) -> None:
        with suppress(BrokenBarrierError):
            meeting.wait(1)
        compared(uow, rows)

    monkeypatch.setattr(unit_files.units, "add_units", add_later)


@pytest.mark.race
def test_two_imports_of_one_file_add_each_unit_once(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet_before_adding(monkeypatch)
    assert store_together(uow_factory) == 2


@pytest.mark.race
def test_control_without_the_lock_each_unit_is_added_twice(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if uow_factory.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    unlocked: Callable[[UnitOfWork], None] = lambda _uow: None  # noqa: E731 - one line
    monkeypatch.setattr(unit_files.units, "lock_directory", unlocked)
    meet_before_adding(monkeypatch)
    assert store_together(uow_factory) == 4
