"""The desk at the entrance: people found, admitted and taken back by hand, walk-ins, the list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.audit.models import AuditRecord
from server.base.uow import UnitOfWorkFactory
from server.checkin.console import PAGES
from server.checkin.desk import PartyLine, PartyState
from server.checkin.kinds import AdmissionWay
from server.checkin.models import Admission, HallTally
from server.checkin.service import HallCounters, read_counters
from server.signups.contacts import Contact, sealed_contact
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from tests.kit.activities import Lecture, recount, stored_counts
from tests.kit.checkin import (
    add_unseated,
    give_grant,
    recount_hall,
    scan_in,
    stored_hall,
    ticket_of,
)
from tests.kit.checkin_probes import admit_row, open_hall
from tests.kit.clock import FakeClock
from tests.kit.console import NANNING, Browser, console_app
from tests.kit.signup_probes import seat_guest

ADMIT = {"why": "battery", "more": ""}
GUEST = {"name": "莫离", "phone": "", "party_size": "1"}


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


def make_hall(uow_factory: UnitOfWorkFactory, **columns: Any) -> Lecture:
    with uow_factory.begin() as uow:
        return open_hall(uow, NANNING, **columns)


def add_guest(uow_factory: UnitOfWorkFactory, lecture: Lecture, name: str, **columns: Any) -> str:
    with uow_factory.begin() as uow:
        return seat_guest(uow, lecture, name, **columns).ref


def counters_of(uow_factory: UnitOfWorkFactory, lecture: Lecture) -> HallCounters:
    """The counters of a hall, which equal its rows."""
    with uow_factory.begin(read_only=True) as uow:
        assert stored_hall(uow, lecture) == recount_hall(uow, lecture)
        assert stored_counts(uow, lecture) == recount(uow, lecture)
        return read_counters(uow, lecture.id)


def admitted_in(uow_factory: UnitOfWorkFactory, lecture: Lecture) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return read_counters(uow, lecture.id).admitted


def reasons_of(uow_factory: UnitOfWorkFactory, act: str) -> list[str]:
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(AuditRecord.reason).where(AuditRecord.act == act)))


def tiles_of(page: str) -> list[str]:
    return re.findall(r'<span class="value">(\d+)</span>', page)


def refs_of(page: str) -> set[str]:
    return set(re.findall(r"/console/attendances/(sgn_\w+)", page))


def test_somebody_found_by_the_last_digits_is_admitted_and_taken_back(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_hall(uow_factory)
    ref = add_guest(uow_factory, lecture, "韦明", party_size=3)
    editor, desk = Browser(app, "editor-city"), f"/activities/{lecture.ref}/checkin"
    assert tiles_of(editor.get(desk)[1]) == ["3", "0", "3", "0", "0"]
    assert ref in editor.get(f"/attendances?activity={lecture.ref}&words=8000")[1]
    path = f"/attendances/{ref}"
    assert "手机没电" in editor.get(path)[1]
    assert editor.ask("POST", path, ADMIT)[0] == 303
    assert "已经补签" in editor.get(path)[1]
    assert tiles_of(editor.get(desk)[1]) == ["3", "3", "0", "3", "0"]
    assert editor.ask("POST", path, ADMIT)[0] == 409
    assert editor.ask("POST", f"{path}/undo", {"reason": " "})[0] == 422
    assert editor.ask("POST", f"{path}/undo", {"reason": "点错了人"})[0] == 303
    assert "点错了人" in editor.get(path)[1]
    assert editor.ask("POST", f"{path}/undo", {"reason": "点错了人"})[0] == 409
    assert counters_of(uow_factory, lecture) == HallCounters(
        admitted=0, inside=0, walk_ins=0, expected=3
    )
    assert reasons_of(uow_factory, "checkin.admit_by_hand") == ["手机没电或者没带手机"]
    assert reasons_of(uow_factory, "checkin.undo_admission") == ["点错了人"]


def test_another_reason_for_an_admission_by_hand_needs_words(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = add_guest(uow_factory, make_hall(uow_factory), "韦明")
    editor, path = Browser(app, "editor-city"), f"/attendances/{ref}"
    assert editor.ask("POST", path, {"why": "other", "more": " "})[0] == 422
    assert editor.ask("POST", path, {"why": "other", "more": "票被雨淋坏了"})[0] == 303
    assert reasons_of(uow_factory, "checkin.admit_by_hand") == ["其他原因：票被雨淋坏了"]


def test_a_name_is_found_whole_or_by_its_first_character_within_one_activity(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture, other = make_hall(uow_factory), make_hall(uow_factory)
    ref, namesake = (add_guest(uow_factory, one, "欧阳娜娜") for one in (lecture, other))
    editor = Browser(app, "editor-city")
    for words, found in (("欧阳娜娜", True), ("欧阳 娜娜", True), ("欧", True), ("娜娜", False)):
        page = editor.get(f"/attendances?activity={lecture.ref}&words={words}")[1]
        assert (ref in page) is found, words
        assert namesake not in page
    assert ref not in editor.get("/attendances?words=欧阳娜娜")[1]
    number = editor.get("/attendances?words=138 0013 8000")[1]
    assert {ref, namesake} <= refs_of(number)


@pytest.mark.parametrize(("seats", "status", "admitted"), [(1, 409, 0), (2, 303, 1)])
def test_somebody_on_the_waitlist_is_found_and_gets_a_seat_only_when_there_is_room(
    app: Flask, uow_factory: UnitOfWorkFactory, clock: FakeClock, seats: int, status: int,
    admitted: int,
) -> None:  # fmt: skip
    lecture = make_hall(uow_factory, seats=seats, signup_closes_at=clock.now())
    add_guest(uow_factory, lecture, "韦明")
    with uow_factory.begin() as uow:
        contact = sealed_contact(uow, "sgn_waits", Contact(name="覃丽"))
        waits = {"ref": "sgn_waits", **contact}
        ref = add_unseated(uow, lecture, SignUpState.WAITLISTED, **waits).ref
    editor = Browser(app, "editor-city")
    assert ref not in refs_of(editor.get(f"/attendances?activity={lecture.ref}")[1])
    assert ref in refs_of(editor.get(f"/attendances?activity={lecture.ref}&words=覃丽")[1])
    assert "他还没有名额" in editor.get(f"/attendances/{ref}")[1]
    answered, shown = editor.ask("POST", f"/attendances/{ref}", ADMIT)
    assert answered == status
    assert ("座位已满" in shown) is (status == 409)
    assert admitted_in(uow_factory, lecture) == admitted


def test_a_walk_in_takes_a_free_seat_and_is_refused_without_one(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_hall(uow_factory, seats=2)
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/walk-in"
    assert editor.ask("POST", path, {**GUEST, "name": ""})[0] == 422
    assert editor.ask("POST", path, {**GUEST, "phone": "123"})[0] == 422
    # Blanks are no number.
    assert editor.ask("POST", path, {**GUEST, "party_size": "2", "phone": "  "})[0] == 303
    assert "共2人" in editor.get(path)[1]
    status, shown = editor.ask("POST", path, GUEST)
    assert status == 409
    assert "座位已满" in shown
    assert 'value="莫离"' in shown
    assert counters_of(uow_factory, lecture) == HallCounters(
        admitted=2, inside=2, walk_ins=2, expected=2
    )
    with uow_factory.begin(read_only=True) as uow:
        acts = uow.session.scalars(select(AuditRecord.act)).all()
    assert acts.count("checkin.admit_walk_in") == 1


@pytest.fixture
def hall(uow_factory: UnitOfWorkFactory) -> tuple[Lecture, Mapping[str, str]]:
    """A hall with somebody of each kind."""
    lecture = make_hall(uow_factory, seats=20)
    with uow_factory.begin() as uow:
        rows = {name: seat_guest(uow, lecture, name) for name in ("到", "未", "补", "离", "撤")}
        rows["到"].group_label = "=1+1"
        admit_row(uow, rows["到"])
        admit_row(uow, rows["补"], way=AdmissionWay.WALK_IN)
        admit_row(uow, rows["离"], inside_since=None, last_out_at=uow.now, stayed_seconds=600)
        undone = {"holds": False, "inside_since": None, "undone_at": uow.now}
        admit_row(uow, rows["撤"], **undone, undo_reason="点错")
        refs = {name: row.ref for name, row in rows.items()}
    return lecture, refs


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("came", "到补离"),
        ("waiting", "未"),
        ("walk_in", "补"),
        ("left", "离"),
        ("undone", "撤"),
        ("", "到未补离撤"),
    ],
)
def test_list_and_export_have_the_same_people(
    app: Flask, hall: tuple[Lecture, Mapping[str, str]], state: str, names: str
) -> None:
    """One statement gives both, whatever the filter.

    Source: the public issue https://github.com/HiEventsDev/Hi.Events/issues/329, where the list
    and the export of attendees disagreed.
    """
    lecture, refs = hall
    query = f"activity={lecture.ref}" + (f"&state={state}" if state else "")
    editor = Browser(app, "editor-city")
    assert refs_of(editor.get(f"/attendances?{query}")[1]) == {refs[name] for name in names}
    form = {"file_format": "csv", "every_column": "all", "reason": "核对人数"}
    answer = editor.open("POST", f"/attendances/export?{query}", form)
    lines = answer.data.decode("utf-8-sig").splitlines()[1:]
    assert sorted(line[0] for line in lines) == sorted(names)


def test_an_export_needs_a_reason_and_has_no_formula(
    app: Flask, hall: tuple[Lecture, Mapping[str, str]]
) -> None:
    lecture, _ = hall
    editor, path = Browser(app, "editor-city"), f"/attendances/export?activity={lecture.ref}"
    assert editor.ask("POST", path, {"file_format": "csv", "reason": ""})[0] == 422
    answer = editor.open("POST", path, {"file_format": "csv", "reason": "核对人数"})
    text = answer.data.decode("utf-8-sig")
    assert ",'=1+1," in text
    assert ",=1+1," not in text
    assert "8000" in text
    assert "13800138000" not in text


def test_somebody_in_the_hall_leaves_by_hand(
    app: Flask, uow_factory: UnitOfWorkFactory, hall: tuple[Lecture, Mapping[str, str]]
) -> None:
    _, refs = hall
    editor = Browser(app, "editor-city")
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(SignUp).where(SignUp.ref == refs["未"])).one()
        lecture_id = row.activity_id
    assert editor.ask("POST", f"/attendances/{refs['未']}", ADMIT)[0] == 303
    assert editor.ask("POST", f"/attendances/{refs['未']}/leave", {})[0] == 303
    assert "已离场" in editor.get(f"/attendances/{refs['未']}")[1]
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.get_one(HallTally, lecture_id).inside == 2


def test_an_approver_reads_the_desk_and_changes_nothing(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_hall(uow_factory)
    ref = add_guest(uow_factory, lecture, "韦明")
    approver = Browser(app, "approver-city")
    status, shown = approver.get(f"/activities/{lecture.ref}/checkin")
    assert status == 200
    assert f"/activities/{lecture.ref}/walk-in" not in shown
    assert "补签</button>" not in approver.get(f"/attendances/{ref}")[1]
    assert approver.ask("POST", f"/attendances/{ref}", ADMIT)[0] == 403


def admission(**columns: Any) -> Admission:
    """An admission that is not stored."""
    return Admission(**{"holds": True, "inside_since": None, "last_out_at": None, **columns})


NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("signup", "kept", "state", "may_enter"),
    [
        (SignUpState.CONFIRMED, None, PartyState.WAITING, True),
        (SignUpState.WAITLISTED, None, PartyState.HOPEFUL, True),
        (SignUpState.ENTERED, None, PartyState.HOPEFUL, True),
        (SignUpState.EXPIRED, None, PartyState.HOPEFUL, True),
        (SignUpState.WITHDRAWN, None, PartyState.ENDED, False),
        (SignUpState.CALLED_OFF, None, PartyState.ENDED, False),
        (SignUpState.CONFIRMED, {"inside_since": NOON}, PartyState.CAME, True),
        (SignUpState.CONFIRMED, {"last_out_at": NOON}, PartyState.LEFT, True),
        (SignUpState.CONFIRMED, {"inside_since": NOON, "last_out_at": NOON}, PartyState.CAME, True),
        (SignUpState.CONFIRMED, {"holds": False, "undone_at": NOON}, PartyState.UNDONE, True),
        (SignUpState.REMOVED, {"holds": False, "undone_at": NOON}, PartyState.UNDONE, False),
    ],
)
def test_a_party_is_in_one_state_that_says_what_can_be_done(
    signup: SignUpState, kept: dict[str, Any] | None, state: PartyState, may_enter: bool
) -> None:
    line = PartyLine(
        row=SignUp(state=signup), activity="溶洞", activity_ref="act", name="韦**", phone="",
        admission=None if kept is None else admission(**kept),
    )  # fmt: skip
    assert line.state is state
    assert line.may_enter is may_enter
    assert line.is_admitted is (state in (PartyState.CAME, PartyState.LEFT))


def test_scans_that_need_a_look_are_on_the_desk_with_the_reason(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_hall(uow_factory)
    with uow_factory.begin() as uow:
        for gate in ("东门", "西门"):
            held = give_grant(uow, lecture, gate)
            twice = seat_guest(uow, lecture, f"韦{gate}")
            for scanner in (held, give_grant(uow, lecture, "北门")):
                scan_in(uow, scanner, ticket_of(uow, twice))
    page = Browser(app, "editor-city").get(f"/activities/{lecture.ref}/checkin")[1]
    assert page.count("同一张票从两个检票口进场") == 2
    assert "北门" in page
    with uow_factory.begin() as uow:
        row = uow.session.scalars(select(SignUp).where(SignUp.ref == twice.ref)).one()
        row.state = SignUpState.REMOVED
    page = Browser(app, "editor-city").get(f"/activities/{lecture.ref}/checkin")[1]
    assert page.count("同一张票从两个检票口进场") == 1
    assert page.count("报名已经取消，人已经放进来") == 1


def test_absent_people_give_their_seats_to_walk_ins_some_time_after_the_start(
    app: Flask, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    lecture = make_hall(uow_factory, seats=1)
    absent = add_guest(uow_factory, lecture, "韦明")
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/walk-in"
    clock.advance(35 * 60)
    assert editor.ask("POST", path, GUEST)[0] == 409
    clock.advance(15 * 60)
    assert editor.ask("POST", path, GUEST)[0] == 303
    assert absent not in refs_of(editor.get(f"/attendances?activity={lecture.ref}")[1])
    found = editor.get(f"/attendances?activity={lecture.ref}&words=韦明")[1]
    assert absent in refs_of(found)
    assert counters_of(uow_factory, lecture) == HallCounters(
        admitted=1, inside=1, walk_ins=1, expected=1
    )


def test_the_room_is_never_fuller_than_its_limit(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_hall(uow_factory, seats=1, room_limit=3)
    add_guest(uow_factory, lecture, "韦明")
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/walk-in"
    answers = [editor.ask("POST", path, {**GUEST, "name": f"莫{n}"})[0] for n in range(3)]
    assert answers == [303, 303, 409]
    assert counters_of(uow_factory, lecture).expected == 3


def test_people_of_another_place_are_neither_found_nor_admitted(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_hall(uow_factory)
    ref = add_guest(uow_factory, lecture, "韦明")
    for who in ("editor-other", "editor-county"):
        stranger = Browser(app, who)
        for words in ("", "&words=8000", "&words=韦明"):
            page = stranger.get(f"/attendances?activity={lecture.ref}{words}")[1]
            assert refs_of(page) == set()
        assert stranger.get(f"/activities/{lecture.ref}/checkin")[0] == 404
        assert stranger.ask("POST", f"/attendances/{ref}", ADMIT)[0] == 404
        assert stranger.ask("POST", f"/activities/{lecture.ref}/walk-in", GUEST)[0] == 404
    assert admitted_in(uow_factory, lecture) == 0


@pytest.mark.parametrize(
    ("minutes", "sentence"), [(-120, "签到还没有开始"), (0, "已经补签"), (180, "已经补签")]
)
def test_nobody_is_admitted_before_the_check_in_and_later_ones_are_corrections(
    app: Flask, uow_factory: UnitOfWorkFactory, clock: FakeClock, minutes: int, sentence: str
) -> None:
    ref = add_guest(uow_factory, make_hall(uow_factory), "韦明")
    clock.advance(minutes * 60)
    editor, path = Browser(app, "editor-city"), f"/attendances/{ref}"
    status, shown = editor.ask("POST", path, ADMIT)
    assert status == (409 if minutes < 0 else 303)
    assert sentence in (shown if minutes < 0 else editor.get(path)[1])
