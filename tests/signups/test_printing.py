"""Printed tickets: of a group or of everybody who was entered, drawn by a job."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.audit.models import AuditRecord
from server.base.ownership import owned_by
from server.base.uow import UnitOfWorkFactory
from server.console.models import ConsoleJob
from server.signups.console import PAGES
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from server.signups.tickets import spell_ticket
from tests.kit.activities import Lecture, a_lecture
from tests.kit.console import NANNING, Browser, console_app
from tests.kit.jobs import run_jobs
from tests.kit.pdf_text import read_pages
from tests.kit.signup_probes import seat_guest

CLASS = "初二（3）班"


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


def make_lecture(uow_factory: UnitOfWorkFactory, **guests: dict[str, Any]) -> Lecture:
    """A lecture with guests by name."""
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow, seats=400, title="溶洞是怎样形成的", **owned_by(NANNING))
        for name, columns in guests.items():
            seat_guest(uow, lecture, name, **columns)
        return lecture


def print_tickets(
    app: Flask, uow_factory: UnitOfWorkFactory, lecture: Lecture, group: str
) -> list[list[str]]:
    form = {"group": group, "reason": "发给班主任"}
    editor = Browser(app, "editor-city")
    assert editor.ask("POST", f"/activities/{lecture.ref}/tickets", form)[0] == 303
    assert run_jobs(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        job = uow.session.scalars(select(ConsoleJob).order_by(ConsoleJob.id.desc())).first()
        assert job is not None
        assert job.failed is False
        assert job.result_title.startswith("入场票_溶洞是怎样形成的_")
        return read_pages(job.result_file or b"")


def test_the_tickets_of_a_group_are_printed_with_name_code_and_place(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(
        uow_factory,
        韦明={"group_label": CLASS},
        覃丽={"group_label": CLASS, "party_size": 2},
        黄强={},
        莫离={"group_label": CLASS, "state": SignUpState.REMOVED},
    )
    (page,) = print_tickets(app, uow_factory, lecture, CLASS)
    assert page.count("溶洞是怎样形成的") == 2
    assert {"韦明", "覃丽", CLASS, "共2人"} <= set(page)
    assert {"黄强", "莫离"}.isdisjoint(page)
    with uow_factory.begin(read_only=True) as uow:
        ids = uow.session.scalars(select(SignUp.id).where(SignUp.activity_id == lecture.id))
        codes = [spell_ticket(uow.keys, number) for number in ids]
        reasons = select(AuditRecord.reason).where(AuditRecord.act == "signups.print_tickets")
        assert uow.session.scalars(reasons).all() == ["发给班主任"]
    printed = "".join(page).replace(" ", "")
    assert sum(code in printed for code in codes) == 2


def test_everybody_who_was_entered_is_printed_eight_on_a_page(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    guests: dict[str, dict[str, Any]] = {f"韦{number}": {} for number in range(17)}
    lecture = make_lecture(uow_factory, **guests)
    pages = print_tickets(app, uow_factory, lecture, "")
    assert [page.count("溶洞是怎样形成的") for page in pages] == [8, 8, 1]


def test_without_entered_people_the_form_says_so(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory)
    path, form = f"/activities/{lecture.ref}/tickets", {"group": "", "reason": "发给班主任"}
    status, shown = Browser(app, "editor-city").ask("POST", path, form)
    assert status == 409
    assert "没有可以打印的票" in shown
    assert Browser(app, "approver-city").get(path)[0] == 403
