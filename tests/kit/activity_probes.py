"""Activities of every owner for the console's tests, and the forms of one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from server.activities import drafts
from server.activities.activity_files import ACTIVITY_FILES
from server.activities.kinds import ActivityState
from server.activities.models import ActivityFile
from server.base.access import Organizer, Scope
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork
from server.console.models import FileState
from tests.kit.activities import a_lecture
from tests.kit.console_matrix import Probe, list_probes

DESCRIPTION_FORM = {
    "speaker": "韦明",
    "speaker_post": "广西大学教授",
    "speaker_bio": "研究甘蔗二十年。",
    "abstract": "讲甘蔗的一生。",
    "notes": "请从东门进。",
    "live_link": "https://live.example.cn/1",
    "office_phone": "0771-5550100",
}
FORM = {
    **DESCRIPTION_FORM,
    "kind": "lecture",
    "title": "甘蔗为什么这么甜",
    "programme": "",
    "audiences": "elder",
    "place": "450100/450103",
    "venue": "广西科技馆报告厅",
    "address": "民族大道20号",
    "point": "22.817002,108.366543",
    "starts_at": "2026-05-16T15:00",
    "ends_at": "2026-05-16T17:00",
    "seats": "200",
    "room_limit": "220",
    "signup_opens_at": "2026-05-03T09:00",
    "signup_closes_at": "2026-05-16T12:00",
    "party_max": "2",
    "waitlist_most": "",
    "offer_minutes": "30",
    "draw_at": "",
    "phone_needed": "y",
    "questions": "年级：一年级/二年级*\n想问什么",
}


def good_content(uow: UnitOfWork) -> dict[str, Any]:
    """Content without a fault, for `ActivityDraft`."""
    return {
        "kind": "lecture", "title": "讲", "venue": "馆", "seats": 5,
        "starts_at": uow.now + timedelta(days=9), "ends_at": uow.now + timedelta(days=10),
        "signup_opens_at": uow.now, "signup_closes_at": uow.now + timedelta(days=8),
    }  # fmt: skip


def wrong_drafts(uow: UnitOfWork) -> list[drafts.ActivityDraft]:
    """Drafts that have every fault among them."""
    good = good_content(uow)
    wrong: list[Mapping[str, Any]] = [
        dict.fromkeys(drafts.LONGEST, "长" * 5000),
        {"title": " ", "venue": ""},
        {"live_link": "x"},
        {"city": "999999"},
        {"city": "450100", "county": "450203"},
        {"latitude": 1},
        {"latitude": 1, "longitude": 1},
        {"programme": "x"},
        {"ends_at": uow.now, "signup_closes_at": uow.now},
        {"signup_closes_at": uow.now + timedelta(days=11)},
        {"draw_at": uow.now},
        {"signup_closes_at": uow.now + timedelta(days=10), "draw_at": uow.now + timedelta(days=10)},
        {"seats": 0, "party_max": 99, "waitlist_most": -1, "offer_minutes": -1},
        {"room_limit": 1},
    ]
    return [drafts.ActivityDraft(**{**good, **one}) for one in wrong]


def make_in_state(
    uow: UnitOfWork, owner: Scope, state: ActivityState, **columns: Any
) -> dict[str, str]:
    """An activity of an owner in a state; its public id as an address needs it."""
    given: dict[str, Any] = {**owned_by(owner), **columns}
    return {"ref": a_lecture(uow, state=state, **given).ref}


MOVE_FORM = {
    "starts_at": "2026-05-16T15:00",
    "ends_at": "2026-05-16T17:00",
    "venue": "广西科技馆报告厅",
    "address": "民族大道20号",
    "point": "22.817002,108.366543",
    "reason": "场地检修",
    "agreed": "y",
}
CHANGE_FORM = {"reason": "受台风影响", "agreed": "y"}


def publishes_nothing(organizer: Organizer) -> bool:
    """An organizer of a county or a unit, whose activities the city publishes."""
    return organizer.scope.spelled.startswith(("county:", "unit:"))


def make_activity(uow: UnitOfWork, owner: Scope, published: bool) -> dict[str, str]:
    """A published activity, or a draft."""
    state = ActivityState.PUBLISHED if published else ActivityState.DRAFT
    return make_in_state(uow, owner, state)


def make_draft(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A draft, whatever is requested."""
    return make_in_state(uow, owner, ActivityState.DRAFT)


def make_in_review(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """An activity in review, whatever is requested."""
    return make_in_state(uow, owner, ActivityState.REVIEW)


def make_published(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A published activity, whatever is requested."""
    return make_in_state(uow, owner, ActivityState.PUBLISHED)


def make_file(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A checked file of activities with one good row."""
    columns: dict[str, Any] = dict(owned_by(owner))
    row = ActivityFile(
        ref=uow.new_ref("acf"), file_name="活动.csv", content=b"x", said={},
        report={**ACTIVITY_FILES.empty_report, "added": 1}, state=FileState.CHECKED, writer_id=0,
        made_at=uow.now, **columns,
    )  # fmt: skip
    uow.session.add(row)
    uow.session.flush()
    return {"ref": row.ref}


ACTIVITY_PROBES = {
    "GET /activities": Probe(make=make_activity, shows="ref", upward=True),
    **list_probes("/activities"),
    "GET /activities/new": Probe(),
    "POST /activities/new": Probe(form=FORM),
    "GET /activities/<ref>": Probe(make=make_activity, upward=True),
    "GET /activities/<ref>/edit": Probe(make=make_draft),
    "POST /activities/<ref>/edit": Probe(make=make_draft, form=FORM),
    "GET /activities/<ref>/describe": Probe(make=make_published),
    "POST /activities/<ref>/describe": Probe(make=make_published, form=DESCRIPTION_FORM),
    "POST /activities/<ref>/send": Probe(make=make_draft),
    "POST /activities/<ref>/recall": Probe(make=make_in_review),
    "POST /activities/<ref>/delete": Probe(make=make_draft),
    "POST /activities/<ref>/publish": Probe(make=make_in_review, refused_to=publishes_nothing),
    "GET /activities/<ref>/return": Probe(make=make_in_review),
    "POST /activities/<ref>/return": Probe(make=make_in_review, form={"reason": "时间不对"}),
    "GET /activities/<ref>/weekly": Probe(make=make_published),
    "POST /activities/<ref>/weekly": Probe(
        make=make_published, form={"copies": "2", "title": "八桂讲坛"}
    ),
    "GET /activities/import": Probe(),
    "POST /activities/import": Probe(answers=422),
    "GET /activities/import/example": Probe(),
    "GET /activities/imports/<ref>": Probe(make=make_file),
    "GET /activities/imports/<ref>/columns": Probe(make=make_file),
    "POST /activities/imports/<ref>/columns": Probe(make=make_file),
    "POST /activities/imports/<ref>/all": Probe(make=make_file),
    "POST /activities/imports/<ref>/good": Probe(make=make_file),
    "POST /activities/imports/<ref>/drop": Probe(make=make_file),
    "GET /activities/<ref>/move": Probe(make=make_published),
    "POST /activities/<ref>/move": Probe(make=make_published, form=MOVE_FORM),
    "GET /activities/<ref>/postpone": Probe(make=make_published),
    "POST /activities/<ref>/postpone": Probe(make=make_published, form=CHANGE_FORM),
    "GET /activities/<ref>/cancel": Probe(make=make_published),
    "POST /activities/<ref>/cancel": Probe(make=make_published, form=CHANGE_FORM),
}
