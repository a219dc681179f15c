"""Accounts as administrators manage them: invitation, role, recovery, closing, leaving a post."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from server.audit.models import AuditRecord
from server.base.access import Role
from server.base.ownership import owned_by, scope_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.console.list_pages import EXPORT_JOB
from server.console.long_jobs import find_job, start_job
from server.console.models import ConsoleJob, ConsoleView
from server.organizers.models import AccountState, OrganizerAccount
from server.organizers.sessions import organizer_of
from server.quiz.bank.lifecycle import approve_question
from server.quiz.enums import QuestionState
from server.quiz.errors import OwnQuestion
from server.quiz.models import Contest, Question
from tests.conftest import application_of
from tests.kit.clock import FakeClock
from tests.kit.console import Browser
from tests.kit.organizers import an_account, logged_in, submit_login
from tests.kit.question_probes import make_question


@pytest.fixture
def factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


@pytest.fixture
def admin(app: Flask, factory: UnitOfWorkFactory, clock: FakeClock) -> Browser:
    """The system administrator of Nanning."""
    with factory.begin() as uow:
        an_account(uow, "admin", role=Role.SYSTEM_ADMIN)
    return logged_in(app, clock, "admin")


def add_account(factory: UnitOfWorkFactory, username: str, place: str, role: Role) -> str:
    with factory.begin() as uow:
        return an_account(uow, username, place=place, role=role).ref


def read_account(factory: UnitOfWorkFactory, username: str) -> OrganizerAccount:
    with factory.begin(read_only=True) as uow:
        found = select(OrganizerAccount).where(OrganizerAccount.username == username)
        return uow.session.scalars(found).one()


def invitation(**changed: str) -> dict[str, str]:
    return {"username": "nong", "name": "农", "role": "editor", "place": "county:450103", **changed}


def test_an_invitation_shows_its_link_once_and_the_link_opens(
    app: Flask, admin: Browser, factory: UnitOfWorkFactory
) -> None:
    status, shown = admin.ask("POST", "/organizers/invite", invitation(name="\u202e农\u2069"))
    assert status == 200
    (token,) = re.findall(r"/console/links/([\w-]+)", shown)
    assert Browser(app).get(f"/links/{token}")[0] == 200
    account = read_account(factory, "nong")
    assert (account.state, account.owner) == (AccountState.INVITED, "county:450103")
    assert account.name == "农"
    page = admin.get(f"/organizers/{account.ref}")[1]
    assert token not in page
    assert "等待启用" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"username": "admin"}, "已经有人使用"),
        ({"username": "X"}, "用户名为3到32个字符"),
        ({"place": "region"}, "请选择您管理范围之内的地方"),
        ({"place": "city:450200"}, "请选择您管理范围之内的地方"),
        ({"place": "nowhere"}, "请选择您管理范围之内的地方"),
        ({"role": "king"}, "请从列表中选择一项"),
        ({"name": ""}, "请填写姓名"),
    ],
)
def test_an_invitation_stays_inside_the_own_place_and_says_what_is_wrong(
    admin: Browser, changed: dict[str, str], said: str
) -> None:
    status, shown = admin.ask("POST", "/organizers/invite", invitation(**changed))
    assert status == 422
    assert said in shown


def test_another_role_ends_the_sessions_of_the_account(
    app: Flask, admin: Browser, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    ref = add_account(factory, "wei", "city:450100", Role.EDITOR)
    wei = logged_in(app, clock)
    form = {"role": "approver", "place": "county:450103", "reason": "岗位调整"}
    assert admin.ask("POST", f"/organizers/{ref}/role", form)[0] == 303
    assert wei.get()[0] == 303
    account = read_account(factory, "wei")
    assert (account.role, account.owner) == (Role.APPROVER, "county:450103")
    outside = {**form, "place": "region"}
    assert admin.ask("POST", f"/organizers/{ref}/role", outside)[0] == 422


def test_a_recovery_link_ends_the_sessions_at_once(
    app: Flask, admin: Browser, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    ref = add_account(factory, "wei", "city:450100", Role.EDITOR)
    wei = logged_in(app, clock)
    status, shown = admin.ask("POST", f"/organizers/{ref}/link", {})
    assert status == 200
    assert "24小时内不能审核" in shown
    assert wei.get()[0] == 303


def test_a_closed_account_cannot_log_in_and_stays_closed(
    app: Flask, admin: Browser, factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    ref = add_account(factory, "wei", "city:450100", Role.EDITOR)
    wei = logged_in(app, clock)
    assert admin.ask("POST", f"/organizers/{ref}/close", {"reason": "离职"})[0] == 303
    assert wei.get()[0] == 303
    assert submit_login(Browser(app)).status_code == 401
    assert admin.ask("POST", f"/organizers/{ref}/close", {"reason": "离职"})[0] == 409
    assert admin.ask("POST", f"/organizers/{ref}/link", {})[0] == 409


def test_nobody_changes_recovers_or_closes_the_own_account(
    admin: Browser, factory: UnitOfWorkFactory
) -> None:
    ref = read_account(factory, "admin").ref
    form = {"role": "approver", "place": "city:450100", "reason": "x", "successor": ref}
    for act in ("role", "link", "close", "leave"):
        assert admin.ask("POST", f"/organizers/{ref}/{act}", form)[0] == 409, act


def test_who_leaves_hands_over_to_somebody_fit(
    admin: Browser, factory: UnitOfWorkFactory, app: Flask
) -> None:
    leaving = add_account(factory, "wei", "county:450103", Role.EDITOR)
    fit = add_account(factory, "lan", "city:450100", Role.EDITOR)
    unfit = add_account(factory, "mo", "city:450100", Role.APPROVER)
    page = admin.get(f"/organizers/{leaving}/leave")[1]
    assert re.findall(r'<option value="(org_\w+)"', page) == [fit]
    form = {"successor": unfit, "reason": "调走"}
    assert admin.ask("POST", f"/organizers/{leaving}/leave", form)[0] == 409
    assert read_account(factory, "wei").state is AccountState.ACTIVE
    assert admin.ask("POST", f"/organizers/{leaving}/leave", {**form, "successor": fit})[0] == 303
    assert read_account(factory, "wei").state is AccountState.CLOSED


def shown_usernames(page: str) -> list[str]:
    return re.findall(r">\s*(wei\d|admin)\s*</td>", page)


def test_the_list_is_filtered_and_exported(admin: Browser, factory: UnitOfWorkFactory) -> None:
    for number in range(3):
        add_account(factory, f"wei{number}", "city:450100", Role.EDITOR)
    shown = shown_usernames(admin.get("/organizers?sort=username")[1])
    assert shown == ["admin", "wei0", "wei1", "wei2"]
    assert shown_usernames(admin.get("/organizers?role=system_admin")[1]) == ["admin"]
    assert shown_usernames(admin.get("/organizers?q=wei1&state=active")[1]) == ["wei1"]
    assert shown_usernames(admin.get("/organizers?q=nobody")[1]) == []
    form = {"file_format": "csv", "every_column": "all"}
    assert admin.ask("POST", "/organizers/export", form)[0] == 422
    file = admin.open("POST", "/organizers/export?q=wei", {**form, "reason": "核对"}).data
    lines = file.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("姓名,用户名,角色,管理范围,状态,动态口令")
    assert [line.split(",")[1] for line in lines[1:]] == ["wei2", "wei1", "wei0"]


def unfinished_work(uow: UnitOfWork, editor: OrganizerAccount, lan: OrganizerAccount) -> None:
    """One row of every kind that is handed over, and finished rows that keep their author."""
    writer = organizer_of(uow, editor)
    for state in (QuestionState.DRAFT, QuestionState.LIVE):
        make_question(uow, writer.scope, state, writer_id=editor.id)
    ref = start_job(uow, writer, EXPORT_JOB, {}, title_facts={"list": "x"})
    assert find_job(uow, writer, ref).organizer != lan.id
    uow.session.add(
        ConsoleView(ref="cvw_1", organizer=editor.id, list_slug="quiz.questions", title="x",
                    columns=[], filter_query="", created_at=uow.now)
    )  # fmt: skip
    for ref, published in (("con_1", None), ("con_2", uow.now)):
        uow.session.add(
            Contest(ref=ref, slug=ref, title=ref, bank="county-450103", opens_at=uow.now,
                    closes_at=uow.now + timedelta(days=1), made_at=uow.now,
                    published_at=published, drafted_by=editor.id, **owned_by(writer.scope))
        )  # fmt: skip
    uow.session.flush()


def test_unfinished_work_goes_to_the_successor_and_finished_work_keeps_its_author(
    admin: Browser, factory: UnitOfWorkFactory
) -> None:
    leaving = add_account(factory, "wei", "county:450103", Role.EDITOR)
    fit = add_account(factory, "lan", "city:450100", Role.EDITOR)
    wei, lan = read_account(factory, "wei"), read_account(factory, "lan")
    with factory.begin() as uow:
        unfinished_work(uow, wei, lan)
    page = admin.get(f"/organizers/{leaving}/leave")[1]
    for told in ("未审核的题目1道", "未发布的竞赛草稿1项", "后台任务及其文件1项"):
        assert told in page
    form = {"successor": fit, "reason": "调走"}
    assert admin.ask("POST", f"/organizers/{leaving}/leave", form)[0] == 303
    with factory.begin(read_only=True) as uow:
        writers = dict(uow.session.execute(select(Question.state, Question.writer_id)).all())
        assert writers == {QuestionState.DRAFT: lan.id, QuestionState.LIVE: wei.id}
        drafted = dict(uow.session.execute(select(Contest.ref, Contest.drafted_by)).all())
        assert drafted == {"con_1": lan.id, "con_2": wei.id}
        assert uow.session.scalars(select(ConsoleJob.organizer)).all() == [lan.id]
        assert uow.session.scalars(select(ConsoleView.id)).all() == []
        trail = uow.session.scalars(
            select(AuditRecord.after).where(AuditRecord.act == "organizers.leave_post")
        ).one()
    assert '"quiz.hand_over.questions":1' in trail.replace(" ", "")
    assert "没有未完成的工作" in admin.get(f"/organizers/{leaving}/leave")[1]


def test_a_successor_who_becomes_an_approver_cannot_approve_what_was_handed_to_him(
    admin: Browser, factory: UnitOfWorkFactory
) -> None:
    leaving = add_account(factory, "wei", "county:450103", Role.EDITOR)
    fit = add_account(factory, "lan", "county:450103", Role.EDITOR)
    wei = read_account(factory, "wei")
    with factory.begin() as uow:
        made = make_question(uow, scope_of(wei), QuestionState.DRAFT, sent=True, writer_id=wei.id)
    form = {"successor": fit, "reason": "调走"}
    assert admin.ask("POST", f"/organizers/{leaving}/leave", form)[0] == 303
    promoted = {"role": "approver", "place": "county:450103", "reason": "岗位调整"}
    assert admin.ask("POST", f"/organizers/{fit}/role", promoted)[0] == 303
    with factory.begin() as uow, pytest.raises(OwnQuestion):
        lan = uow.session.get_one(OrganizerAccount, read_account(factory, "lan").id)
        approve_question(uow, organizer_of(uow, lan), made["ref"])
