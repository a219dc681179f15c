"""The pages about the people of an activity: who waits and why, seats, guests, removal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.activities.kinds import ActivityState
from server.activities.models import Seating
from server.audit.models import AuditRecord
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.signups import service
from server.signups.console import PAGES
from server.signups.contacts import Contact
from server.signups.kinds import Hindrance, SignUpState
from server.signups.models import SignUp, SignUpNotice
from server.signups.people import mask_name
from server.signups.service import Wish
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture, live_signups, recount, stored_counts
from tests.kit.console import NANNING, Browser, console_app
from tests.kit.signup_probes import seat_guest

GUEST = {"name": "韦明", "phone": "138 0013 8000", "party_size": "1"}


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


def make_lecture(uow_factory: UnitOfWorkFactory, **columns: Any) -> Lecture:
    with uow_factory.begin() as uow:
        return a_lecture(uow, **{**owned_by(NANNING), **columns})


def sign_up_people(uow_factory: UnitOfWorkFactory, lecture: Lecture, *sizes: int) -> list[str]:
    refs = []
    for size in sizes:
        with uow_factory.begin() as uow:
            wish = Wish(party_size=size, contact=Contact(name="覃丽", phone="+8613900139000"))
            refs.append(service.sign_up(uow, a_citizen(uow).id, lecture.ref, wish).ref)
    return refs


def states_of(uow_factory: UnitOfWorkFactory, lecture: Lecture) -> list[str]:
    with uow_factory.begin(read_only=True) as uow:
        assert stored_counts(uow, lecture) == recount(uow, lecture)
        return [row.state.value for row in live_signups(uow, lecture)]


def reasons_of(uow: UnitOfWork, act: str) -> list[str]:
    return list(uow.session.scalars(select(AuditRecord.reason).where(AuditRecord.act == act)))


def test_everybody_on_the_waitlist_has_a_reason_in_words(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory, seats=2, party_max=2)
    sign_up_people(uow_factory, lecture, 2, 1, 2)
    status, shown = Browser(app, "editor-city").get(f"/activities/{lecture.ref}/people")
    assert status == 200
    assert shown.count("没有空余名额") == 2
    with uow_factory.begin(read_only=True) as uow:
        told = [uow.texts.fill_text(f"signups.hindrance.{one}", count=2) for one in Hindrance]
    assert len(set(told)) == len(Hindrance)


def test_a_name_and_a_number_are_whole_only_after_a_recorded_reason(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory)
    (ref,) = sign_up_people(uow_factory, lecture, 1)
    editor, other = Browser(app, "editor-city"), Browser(app, "approver-city")
    for page in (f"/signups/{ref}", "/signups"):
        shown = editor.get(page)[1]
        assert "覃**" in shown
        assert "覃丽" not in shown
        assert "13900139000" not in shown
    assert editor.ask("POST", f"/signups/{ref}/contact", {"reason": " "})[0] == 422
    assert editor.ask("POST", f"/signups/{ref}/contact", {"reason": "改了门口"})[0] == 303
    shown = editor.get(f"/signups/{ref}")[1]
    assert "覃丽" in shown
    assert "13900139000" in shown
    assert "覃丽" not in other.get(f"/signups/{ref}")[1]
    with uow_factory.begin(read_only=True) as uow:
        assert reasons_of(uow, "signups.show_contact") == ["改了门口"]


def test_an_export_of_people_needs_a_reason_and_keeps_them_masked(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture, other = make_lecture(uow_factory), make_lecture(uow_factory)
    sign_up_people(uow_factory, lecture, 1)
    sign_up_people(uow_factory, other, 1)
    editor = Browser(app, "editor-city")
    path = f"/signups/export?activity={lecture.ref}"
    assert editor.ask("POST", path, {"file_format": "csv", "reason": ""})[0] == 422
    answer = editor.open("POST", path, {"file_format": "csv", "reason": "核对人数"})
    lines = answer.data.decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "覃**" in lines[1]
    assert "*******9000" in lines[1]


def test_people_are_found_by_a_number_or_its_tail(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory)
    (ref,) = sign_up_people(uow_factory, lecture, 1)
    editor = Browser(app, "editor-city")
    for words, found in (("13900139000", True), ("9000", True), ("13900139001", False)):
        assert (ref in editor.get(f"/signups?words={words}")[1]) is found


def test_a_removed_person_is_informed_and_the_seat_goes_to_the_next(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory, seats=1)
    first, second = sign_up_people(uow_factory, lecture, 1, 1)
    editor = Browser(app, "editor-city")
    assert Browser(app, "approver-city").ask("POST", f"/signups/{first}/remove", {})[0] == 403
    assert editor.ask("POST", f"/signups/{first}/remove", {"reason": "重复报名"})[0] == 303
    assert editor.ask("POST", f"/signups/{first}/remove", {"reason": "重复报名"})[0] == 409
    assert states_of(uow_factory, lecture) == ["confirmed"]
    with uow_factory.begin(read_only=True) as uow:
        seated = uow.session.scalars(select(SignUp).where(SignUp.ref == second)).one()
        assert seated.state is SignUpState.CONFIRMED
        kinds = uow.session.scalars(select(SignUpNotice.kind).order_by(SignUpNotice.id)).all()
        assert [one.value for one in kinds][-2:] == ["removed", "promoted"]
        assert reasons_of(uow, "signups.remove_person") == ["重复报名"]


def test_more_seats_go_to_the_waitlist_at_once(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    lecture = make_lecture(uow_factory, seats=1)
    sign_up_people(uow_factory, lecture, 1, 1, 1)
    editor = Browser(app, "editor-city")
    assert editor.ask("POST", f"/activities/{lecture.ref}/seats", {"seats": "2"})[0] == 303
    assert sorted(states_of(uow_factory, lecture)) == ["confirmed", "confirmed", "waitlisted"]


def test_there_are_never_more_seats_than_the_room_holds(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory, seats=2, room_limit=3)
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/seats"
    status, shown = editor.ask("POST", path, {"seats": "4"})
    assert (status, "场地最多容纳3人" in shown) == (409, True)
    assert editor.ask("POST", path, {"seats": "3"})[0] == 303
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.get_one(Seating, lecture.id).seats == 3


def test_fewer_seats_than_taken_need_people_who_go_back_first_in_line(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory, seats=3)
    refs = sign_up_people(uow_factory, lecture, 1, 1, 1, 1)
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/seats"
    status, shown = editor.ask("POST", path, {"seats": "1"})
    assert status == 409
    assert "退回候补" in shown
    boxes = re.findall(r'<input[^>]*name="put_back"[^>]*>', shown)
    assert ["checked" in one for one in boxes] == [True, True, False]
    answer = editor.client.post(
        f"/console{path}",
        data={"csrf_token": editor.token(), "seats": "1", "put_back": [refs[2], refs[1]]},
    )
    assert answer.status_code == 303
    with uow_factory.begin(read_only=True) as uow:
        assert stored_counts(uow, lecture) == recount(uow, lecture)
        queue = [one.ref for one in live_signups(uow, lecture) if one.sequence is not None]
        assert queue == [refs[1], refs[2], refs[3]]
        assert uow.session.get_one(Seating, lecture.id).seats == 1


def test_a_guest_follows_the_rules_of_everybody(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    lecture = make_lecture(uow_factory, seats=1, phone_needed=True)
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/guest"
    assert editor.ask("POST", path, {**GUEST, "phone": "12345"})[0] == 422
    assert editor.ask("POST", path, {**GUEST, "phone": ""})[0] == 409
    assert editor.ask("POST", path, {**GUEST, "party_size": "2"})[0] == 422
    assert editor.ask("POST", path, GUEST)[0] == 303
    status, shown = editor.ask("POST", path, GUEST)
    assert status == 409
    assert "名单里已经有“韦明”" in shown
    assert editor.ask("POST", path, {**GUEST, "name": "黄强"})[0] == 303
    assert sorted(states_of(uow_factory, lecture)) == ["confirmed", "waitlisted"]


QUESTIONS = [
    {"key": "q1", "label": "年级", "options": ["初一", "初二"], "needed": True},
    {"key": "q2", "label": "想问什么", "options": [], "needed": False},
]


@pytest.mark.parametrize(
    ("page", "form"),
    [("guest", GUEST), ("group", {"label": "初二（3）班", "people": "韦明\n覃丽"})],
)
def test_a_question_that_needs_an_answer_is_asked_and_named(
    app: Flask, uow_factory: UnitOfWorkFactory, page: str, form: dict[str, str]
) -> None:
    lecture = make_lecture(uow_factory, questions=QUESTIONS)
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/{page}"
    assert "年级" in editor.get(path)[1]
    status, shown = editor.ask("POST", path, {**form, "answers-0": "", "answers-1": "为什么"})
    assert status == 409
    assert "“年级”是必答的问题" in shown
    assert 'value="为什么"' in shown
    long = {**form, "answers-0": "初二", "answers-1": "问" * 101}
    status, shown = editor.ask("POST", path, long)
    assert status == 422
    assert "回答太长" in shown
    assert editor.ask("POST", path, {**form, "answers-0": "初二", "answers-1": ""})[0] == 303
    with uow_factory.begin(read_only=True) as uow:
        answers = [one.answers for one in live_signups(uow, lecture)]
    assert answers == [{"q1": "初二"}] * (1 if page == "guest" else 2)


def test_nobody_is_entered_before_the_opening_or_after_the_closing(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin(read_only=True) as uow:
        now = uow.now
    closed = make_lecture(uow_factory, starts_at=now, signup_closes_at=now)
    status, shown = Browser(app, "editor-city").ask(
        "POST", f"/activities/{closed.ref}/guest", GUEST
    )
    assert status == 409
    assert "报名已经结束" in shown


def test_a_group_is_entered_line_by_line_or_not_at_all(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory, seats=2)
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/group"
    wrong = {"label": "初二（3）班", "people": "韦明\n13800138000"}
    status, shown = editor.ask("POST", path, wrong)
    assert status == 422
    assert "第2行没有姓名：“13800138000”" in shown
    twice = {"label": "初二（3）班", "people": "韦明\n覃丽\n\n韦明"}
    status, shown = editor.ask("POST", path, twice)
    assert (status, "第4行“韦明”与第1行相同" in shown) == (422, True)
    assert states_of(uow_factory, lecture) == []
    good = {"label": "初二（3）班", "people": "韦明，13800138000\n覃丽\t13900139000\n\n黄强"}
    assert editor.ask("POST", path, good)[0] == 303
    assert sorted(states_of(uow_factory, lecture)) == ["confirmed", "confirmed", "waitlisted"]
    assert "报名成功2人次，候补1人次" in editor.get(f"/activities/{lecture.ref}/people")[1]
    with uow_factory.begin(read_only=True) as uow:
        counted = select(func.count()).where(SignUp.group_label == "初二（3）班")
        assert uow.session.scalar(counted) == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("韦明 1380013800", "第2行“韦明 1380013800”里的号码不对"),
        (f"韦明 {10**30}", "第2行“韦明 10000000000000000”里的号码不对"),
        ("13800138000", "第2行没有姓名：“13800138000”"),
        ("\u202e\u200b", "第2行没有姓名"),
        ("韦" * 31, f"第2行“{'韦' * 20}”的姓名太长，最多30字"),
        ("韦&amp;amp;明", "第2行“韦&amp;amp;amp;明”里有网页代码“&amp;amp;”"),
        ("覃丽", "第2行“覃丽”与第1行相同"),
    ],
)
def test_a_line_of_a_group_that_cannot_be_read_is_named(
    app: Flask, uow_factory: UnitOfWorkFactory, line: str, said: str
) -> None:
    lecture = make_lecture(uow_factory, seats=9)
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/group"
    status, shown = editor.ask("POST", path, {"label": "班", "people": f"覃丽\r\n{line}\r\n黄强"})
    assert (status, said in shown) == (422, True)
    assert states_of(uow_factory, lecture) == []


def test_all_faults_of_a_group_are_named_at_once_and_many_are_counted(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory, seats=9)
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/group"
    people = "\n".join(f"人{number}" for number in range(12))
    _, shown = editor.ask("POST", path, {"label": "班", "people": people})
    assert "第1行“人0”里的号码不对" in shown
    assert "第10行“人9”里的号码不对" in shown
    assert "第11行" not in shown
    assert "还有2行也要修改" in shown
    _, shown = editor.ask("POST", path, {"label": "班", "people": "韦明\n" * 201})
    assert "名单有201人，一次最多登记200人" in shown


def test_a_person_of_a_group_who_is_known_or_has_no_number_is_named_with_the_line(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory, seats=9, phone_needed=True)
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/group"
    group = {"label": "班", "people": "韦明 13800138000\n\n覃丽"}
    status, shown = editor.ask("POST", path, group)
    assert (status, "名单第3行：“覃丽”没有手机号码" in shown) == (409, True)
    assert editor.ask("POST", path, {**group, "people": "韦明 13800138000"})[0] == 303
    status, shown = editor.ask("POST", path, {**group, "people": "\n韦明 13800138000"})
    assert (status, "名单第2行：“韦明”已经登记过" in shown) == (409, True)


@pytest.mark.parametrize(("name", "masked"), [(None, ""), ("韦", "韦**"), ("欧阳娜娜", "欧**")])
def test_a_masked_name_tells_neither_its_length_nor_its_end(name: str | None, masked: str) -> None:
    assert mask_name(name) == masked


def test_people_of_a_higher_place_are_not_shown_below(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow)
        ref = seat_guest(uow, lecture).ref
    editor = Browser(app, "editor-city")
    assert ref not in editor.get("/signups")[1]
    assert editor.get(f"/signups/{ref}")[0] == 404
    assert editor.get(f"/activities/{lecture.ref}/people")[0] == 404


def test_a_draft_has_no_people_and_takes_none(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    lecture = make_lecture(uow_factory, state=ActivityState.DRAFT)
    editor = Browser(app, "editor-city")
    assert editor.get(f"/activities/{lecture.ref}/people")[0] == 200
    assert editor.ask("POST", f"/activities/{lecture.ref}/guest", GUEST)[0] == 404
    assert editor.ask("POST", f"/activities/{lecture.ref}/seats", {"seats": "9"})[0] == 404
