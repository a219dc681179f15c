"""The button 发布更正, the pages of a correction, and what the public reads of it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from server.announcements.compose.correcting import write_correction
from server.announcements.enums import AnnouncementState, Channel, Purpose
from server.announcements.models import Announcement
from server.announcements.publishing.feed import list_public
from server.announcements.publishing.publication import read_publishable
from server.announcements.slice import SLICE
from server.base.uow import UnitOfWorkFactory
from server.channel.service import CodeTarget
from tests.kit.announcement_form_probes import AUDIENCE_FORM, BASICS_FORM, CONTENTS_FORM
from tests.kit.console import Browser, console_app
from tests.kit.corrections import EDITOR, a_wrong_one, correct, row_of
from tests.kit.gateway import RecordingGateway

S = AnnouncementState
BUTTON = "/correct"


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> Flask:
    return console_app(uow_factory, *SLICE.pages, gateway=gateway)[0]


def a_wrong_ref(uow_factory: UnitOfWorkFactory, **columns: object) -> str:
    with uow_factory.begin() as uow:
        return a_wrong_one(uow, **columns)[0].ref


def pressed(app: Flask, ref: str) -> str:
    """The address of the draft that the button makes."""
    answer = Browser(app, "editor-region").open("POST", f"/announcements/{ref}/correct", {})
    assert answer.status_code == 303
    return answer.headers["Location"].removeprefix("/console")


@pytest.mark.parametrize("state", [S.DONE, S.CANCELLED])
def test_the_button_tells_how_many_people_and_makes_a_draft(
    app: Flask, uow_factory: UnitOfWorkFactory, state: AnnouncementState
) -> None:
    ref = a_wrong_ref(uow_factory, state=state)
    editor = Browser(app, "editor-region")
    page = editor.get(f"/announcements/{ref}/progress")[1]
    assert f"/announcements/{ref}/correct" in page
    assert "更正发给收到过《科普讲座下周开讲》的4人" in page
    path = pressed(app, ref)
    assert path == pressed(app, ref)
    shown = editor.get(path)[1]
    assert f'href="/console/announcements/{ref}/progress"' in shown
    assert "正文和原通知完全一样" in shown
    # The audience has no button, because it is fixed.
    assert f"{path}/audience" not in shown
    back = editor.get(f"/announcements/{ref}/progress")[1]
    assert f'href="/console{path}"' in back
    assert f'href="/console/announcements/{ref}/progress"' in editor.get(f"{path}/progress")[1]


def test_there_is_no_button_for_who_may_not_write_nor_while_it_is_sent(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = a_wrong_ref(uow_factory)
    assert BUTTON not in Browser(app, "approver-region").get(f"/announcements/{ref}/progress")[1]
    moving = a_wrong_ref(uow_factory, state=S.SENDING)
    editor = Browser(app, "editor-region")
    assert BUTTON not in editor.get(f"/announcements/{moving}/progress")[1]
    status, said = editor.ask("POST", f"/announcements/{moving}/correct", {})
    assert (status, "已经不在这一步" in said) == (409, True)


def test_the_audience_of_a_correction_has_no_form(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    path = pressed(app, a_wrong_ref(uow_factory))
    editor = Browser(app, "editor-region")
    asked = [
        ("GET", f"{path}/audience", {}),
        ("POST", f"{path}/audience", AUDIENCE_FORM),
        ("GET", f"{path}/audience/count", {}),
    ]
    for method, address, form in asked:
        status, said = editor.ask(method, address, form)
        assert (status, "不能另选接收人" in said) == (409, True), address


def test_a_correction_is_edited_without_its_grounds(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    path = pressed(app, a_wrong_ref(uow_factory))
    editor = Browser(app, "editor-region")
    form = editor.get(f"{path}/edit")[1]
    assert '<input type="hidden" name="topic" value="lectures">' in form
    assert 'value="news"' not in form
    # Another topic is not taken, whatever a browser sends.
    shown = BASICS_FORM | {"purpose": "correction", "topic": "quiz"}
    shown.pop("activity_ref")
    status, page = editor.ask("POST", f"{path}/edit", shown)
    assert status == 303, page
    assert editor.ask("POST", f"{path}/edit", {**shown, "purpose": "news"})[0] == 422
    ref = path.removeprefix("/announcements/")
    with uow_factory.begin(read_only=True) as uow:
        row = row_of(uow, ref)
        assert (row.title, row.purpose, row.topic) == ("讲座改期", Purpose.CORRECTION, "lectures")
        assert list(row.audience) == ["correction_of"]
    assert editor.ask("POST", f"{path}/contents", CONTENTS_FORM | {
        "template__oa_announcement__thing1": "更正：改到三楼"
    })[0] == 303  # fmt: skip
    assert editor.ask("POST", f"{path}/send", {})[0] == 303


def test_no_form_makes_a_correction(app: Flask) -> None:
    wanted = BASICS_FORM | {"purpose": "correction"}
    assert Browser(app, "editor-region").ask("POST", "/announcements/new", wanted)[0] == 422


def test_a_copy_of_a_correction_is_for_everybody_again(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = pressed(app, a_wrong_ref(uow_factory)).removeprefix("/announcements/")
    editor = Browser(app, "editor-region")
    page = editor.get(f"/announcements/new?copy={ref}")[1]
    assert 'value="correction"' not in page
    answer = editor.open("POST", f"/announcements/new?copy={ref}", BASICS_FORM)
    made = answer.headers["Location"].rpartition("/")[2]
    with uow_factory.begin(read_only=True) as uow:
        row = row_of(uow, made)
        assert (row.audience, row.corrects_id, row.purpose) == ({}, None, Purpose.NEWS)


def test_feed_and_pack_carry_the_correction_of_what_they_carried(
    uow_factory: UnitOfWorkFactory,
) -> None:
    public = a_wrong_ref(uow_factory)
    personal = a_wrong_ref(uow_factory, audience={"units": ["unt_1"]})
    cancelled = a_wrong_ref(uow_factory, state=S.CANCELLED)
    liuzhou = a_wrong_ref(uow_factory, audience={"cities": ["450200"]})
    made = {ref: correct(uow_factory, ref) for ref in (public, personal, cancelled, liuzhou)}
    again = {}
    with uow_factory.begin() as uow:
        for ref in made.values():
            row_of(uow, ref).state, row_of(uow, ref).began_at = S.DONE, uow.now
    with uow_factory.begin() as uow:
        # A correction of the correction is public like the announcement at the beginning.
        row = a_correction_of(uow.session.scalars(
            select(Announcement).where(Announcement.ref == made[public])
        ).one())  # fmt: skip
        row.made_at = row.changed_at = row.began_at = uow.now
        uow.session.add(row)
        uow.session.flush()
        again[public] = row.ref
    with uow_factory.begin(read_only=True) as uow:
        listed = {one.ref: one.text for one in list_public(uow)}
        nanning = {one.ref for one in list_public(uow, "450100")}
        packs = {
            ref: read_publishable(uow, EDITOR, CodeTarget.ANNOUNCEMENT, ref).publication
            for ref in made.values()
        }
    assert set(listed) == {public, liuzhou, made[public], made[liuzhou], again[public]}
    assert nanning == {public, made[public], again[public]}
    assert "的通知《科普讲座下周开讲》有误，请以这条为准。" in listed[made[public]]
    assert listed[made[public]].endswith("讲座改到三楼。")
    publication = packs[made[public]]
    assert publication is not None
    assert publication.body == listed[made[public]]
    assert [ref for ref, found in packs.items() if found is None] == [
        made[personal],
        made[cancelled],
    ]


def a_correction_of(row: Announcement) -> Announcement:
    return Announcement(
        ref=f"{row.ref}x",
        state=S.DONE,
        purpose=Purpose.CORRECTION,
        title=row.title,
        body="改到四楼。",
        corrects_id=row.id,
        ladder=[Channel.INBOX.value],
        audience={"correction_of": row.ref},
        owner=row.owner,
        owner_city=row.owner_city,
        owner_county=row.owner_county,
    )


def test_a_correction_of_another_place_is_not_to_be_seen(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = a_wrong_ref(uow_factory)
    with uow_factory.begin() as uow:
        made = write_correction(uow, EDITOR, ref)
    city = Browser(app, "editor-city")
    assert city.ask("POST", f"/announcements/{ref}/correct", {})[0] == 404
    assert city.get(f"/announcements/{made}")[0] == 404
