"""The printed list: everybody with a seat, by name, with empty lines, on numbered pages."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from server.audit.models import AuditRecord
from server.base.uow import UnitOfWorkFactory
from server.checkin.console import PAGES
from server.console.models import ConsoleJob
from server.signups.kinds import SignUpState
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture
from tests.kit.checkin_probes import admit_row, open_hall
from tests.kit.console import NANNING, Browser, console_app
from tests.kit.jobs import run_jobs
from tests.kit.pdf_text import read_pages
from tests.kit.signup_probes import seat_guest


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


@pytest.fixture
def lecture(uow_factory: UnitOfWorkFactory) -> Lecture:
    with uow_factory.begin() as uow:
        return open_hall(uow, NANNING, title="溶洞是怎样形成的", seats=1000)


def print_sheet(app: Flask, uow_factory: UnitOfWorkFactory, lecture: Lecture) -> list[list[str]]:
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/sheet"
    assert editor.ask("POST", path, {"reason": ""})[0] == 422
    assert editor.ask("POST", path, {"reason": "会场没有网络"})[0] == 303
    assert run_jobs(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        (job,) = uow.session.scalars(select(ConsoleJob))
        assert job.failed is False
        reasons = select(AuditRecord.reason).where(AuditRecord.act == "checkin.print_sheet")
        assert uow.session.scalars(reasons).all() == ["会场没有网络"]
        return read_pages(job.result_file or b"")


def test_three_hundred_people_stand_on_numbered_pages_by_their_names(
    app: Flask, uow_factory: UnitOfWorkFactory, lecture: Lecture
) -> None:
    with uow_factory.begin() as uow:
        for number in range(299):
            seat_guest(uow, lecture, f"韦明{number:03}", party_size=2)
        seat_guest(uow, lecture, "阿强")
        seat_guest(uow, lecture, "周敏", group_label="初二（3）班")
        seat_guest(uow, lecture, "丁一", group_label="初二（3）班")
    pages = print_sheet(app, uow_factory, lecture)
    for number, page in enumerate(pages, 1):
        assert f"第 {number} 页，共 {len(pages)} 页" in page
        assert "签到表：溶洞是怎样形成的" in page
    texts = [text for page in pages for text in page]
    names = [one for one in texts if one.startswith(("韦明", "阿强", "周敏", "丁一"))]
    assert names[0] == "阿强"
    assert names[1:300] == [f"韦明{number:03}" for number in range(299)]
    assert names[300:] == ["丁一", "周敏"]
    assert any("报名302人次，共601人" in one for one in texts)
    assert texts.count("8000") == 302
    assert not any("13800138000" in one for one in texts)


def test_an_activity_without_people_gives_a_page_of_empty_lines(
    app: Flask, uow_factory: UnitOfWorkFactory, lecture: Lecture
) -> None:
    (page,) = print_sheet(app, uow_factory, lecture)
    assert {"序号", "姓名", "签名"} <= set(page)
    assert any("共0人" in one for one in page)


def test_long_and_rare_names_and_those_who_came_are_on_the_sheet(
    app: Flask, uow_factory: UnitOfWorkFactory, lecture: Lecture
) -> None:
    long = "买买提艾力·图尔荪江·阿不都热合曼江·阿卜杜"
    with uow_factory.begin() as uow:
        for name in (long, "王㼆", "李\U0003fffd"):
            admit_row(uow, seat_guest(uow, lecture, name))
        seat_guest(uow, lecture, "莫离", state=SignUpState.REMOVED)
        citizen = a_citizen(uow, nickname="科普达人")
        seat_guest(uow, lecture, citizen_id=citizen.id, entered_by=None, name=None)
    (page,) = print_sheet(app, uow_factory, lecture)
    whole = "".join(page)
    assert long in whole
    assert "王㼆" in whole
    assert "李〓" in whole
    assert "莫离" not in whole
    assert page.count("12:00") == 3
