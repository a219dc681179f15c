"""Pictures of announcements: uploaded, converted, replaced, removed, copied, served, deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from server.announcements.compose.pictures import (
    KEPT_UNUSED,
    SIDE,
    announcement_picture_of,
    convert_announcement_picture,
    drop_unused_announcement_pictures,
    picture_address,
)
from server.announcements.models import Announcement, AnnouncementPicture
from server.announcements.slice import SLICE
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from tests.kit.announcement_form_probes import BASICS_FORM
from tests.kit.clock import FakeClock
from tests.kit.console import Browser, console_app
from tests.kit.gateway import RecordingGateway
from tests.kit.pictures import a_heic, a_picture, opened

# The first bytes of a camera's metadata.
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> Flask:
    return console_app(uow_factory, *SLICE.pages, gateway=gateway)[0]


def send_form(app: Flask, path: str, picture: bytes = b"", **changed: str) -> tuple[int, str]:
    """Post the basics of an announcement with a picture; the status, and the path or the page."""
    form = {**BASICS_FORM, **changed}
    return Browser(app, "editor-region").send_files(path, form, {"picture": picture})


def write_draft(app: Flask, picture: bytes, **changed: str) -> str:
    """A new draft with a picture; its ref."""
    status, page = send_form(app, "/announcements/new", picture, **changed)
    assert status == 303, page
    return page.split("/announcements/")[1].split("/")[0]


def picture_of(uow_factory: UnitOfWorkFactory, ref: str) -> str | None:
    """The name of the picture of an announcement."""
    with uow_factory.begin(read_only=True) as uow:
        asked = select(Announcement.picture).where(Announcement.ref == ref)
        return uow.session.scalars(asked).one()


def stored(uow_factory: UnitOfWorkFactory) -> dict[str, bytes]:
    """The stored pictures by name."""
    with uow_factory.begin(read_only=True) as uow:
        asked = select(AnnouncementPicture.name, AnnouncementPicture.content)
        return {row[0]: row[1] for row in uow.session.execute(asked)}


def test_a_picture_is_converted_stripped_and_stored_once(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    photo = a_picture("JPEG", (3200, 1600), exif=EXIF)
    refs = [write_draft(app, photo, title=title) for title in ("讲座甲", "讲座乙")]
    ((name, content),) = stored(uow_factory).items()
    assert [picture_of(uow_factory, ref) for ref in refs] == [name, name]
    assert opened(content).size == (SIDE, SIDE // 2)
    assert opened(content).format == "JPEG"
    assert (b"Exif" in photo, b"Exif" in content) == (True, False)
    shown = Browser(app, "editor-region").get(f"/announcements/{refs[0]}")[1]
    assert picture_address(name) in shown


def test_a_picture_is_replaced_and_removed(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    ref = write_draft(app, a_picture("PNG", (600, 400)))
    first = picture_of(uow_factory, ref)
    edit = f"/announcements/{ref}/edit"
    assert send_form(app, edit, title="讲座改到三楼")[0] == 303
    assert picture_of(uow_factory, ref) == first, "a form without a file keeps the picture"
    assert send_form(app, edit, a_picture("PNG", (400, 600)))[0] == 303
    second = picture_of(uow_factory, ref)
    assert second not in (None, first)
    assert send_form(app, edit, picture_gone="y")[0] == 303
    assert picture_of(uow_factory, ref) is None


@pytest.mark.parametrize(
    "raw",
    [b"no picture", b"%PDF-1.7 text", a_heic(), a_picture("PNG", (5000, 5000))],
    ids=["text", "pdf", "heic", "too many pixels"],
)
def test_a_file_that_is_no_usable_picture_is_refused_beside_the_field(
    app: Flask, uow_factory: UnitOfWorkFactory, raw: bytes
) -> None:
    status, page = send_form(app, "/announcements/new", raw, title="留在表单里的标题")
    assert status == 422
    assert "留在表单里的标题" in page
    assert stored(uow_factory) == {}
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(Announcement)).all() == []


def test_a_picture_that_no_announcement_uses_is_deleted_after_a_week(
    app: Flask, uow_factory: UnitOfWorkFactory, clock: FakeClock, gateway: RecordingGateway
) -> None:
    kept = write_draft(app, a_picture("PNG", (300, 200)))
    other = write_draft(app, a_picture("PNG", (200, 300)), title="另一条")
    assert send_form(app, f"/announcements/{other}/edit", picture_gone="y")[0] == 303
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    assert drop_unused_announcement_pictures(context) == 0
    clock.advance((KEPT_UNUSED + timedelta(hours=1)).total_seconds())
    assert drop_unused_announcement_pictures(context) == 1
    assert list(stored(uow_factory)) == [picture_of(uow_factory, kept)]


def test_the_same_picture_gives_the_same_content_and_an_unknown_name_gives_none(
    uow_factory: UnitOfWorkFactory,
) -> None:
    photo = a_picture("PNG", (320, 240))
    one, two = convert_announcement_picture(photo), convert_announcement_picture(photo)
    assert one.digest == two.digest
    with uow_factory.begin(read_only=True) as uow:
        assert announcement_picture_of(uow, "apc_none") is None
