"""Posters of activities: uploaded, converted, replaced, removed, copied, served, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from server.activities import desk, lifecycle, planning_pages, posters
from server.activities.console import PAGES
from server.activities.models import Activity, ActivityPoster
from server.audit.models import AuditRecord
from server.base.jobs import TaskContext
from server.base.kept_pictures import KEPT_UNUSED
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.activity_probes import DESCRIPTION_FORM, FORM, make_published
from tests.kit.client import CheckedClient
from tests.kit.console import PEOPLE, QINGXIU, Browser, console_app
from tests.kit.pictures import a_heic, a_picture, opened

EDITOR = PEOPLE["editor-county"]
# The first bytes of a camera's metadata.
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"


@pytest.fixture
def desk_app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES, planning_pages.PAGES)[0]


def send_form(app: Flask, path: str, poster: bytes = b"", **changed: str) -> tuple[int, str]:
    """Post the form of an activity with a poster; the status, and the next path or the page."""
    form = DESCRIPTION_FORM if path.endswith("/describe") else FORM
    return Browser(app, "editor-county").send_files(path, {**form, **changed}, {"poster": poster})


def write_draft(app: Flask, poster: bytes, **changed: str) -> str:
    """A new draft with a poster; its ref."""
    status, page = send_form(app, "/activities/new", poster, **changed)
    assert status == 303, page
    return page.rpartition("/")[2]


def poster_of(uow_factory: UnitOfWorkFactory, ref: str) -> str | None:
    """The name of the poster of an activity."""
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalars(select(Activity.poster).where(Activity.ref == ref)).one()


def stored(uow_factory: UnitOfWorkFactory) -> dict[str, tuple[bytes, bytes]]:
    """The stored posters: whole and small, by name."""
    with uow_factory.begin(read_only=True) as uow:
        asked = select(ActivityPoster.name, ActivityPoster.content, ActivityPoster.small)
        return {row[0]: (row[1], row[2]) for row in uow.session.execute(asked)}


def publish(uow_factory: UnitOfWorkFactory, ref: str) -> None:
    with uow_factory.begin() as uow:
        lifecycle.send_activity(uow, EDITOR, ref)
        lifecycle.publish_activity(uow, PEOPLE["approver-city"], ref)


def test_a_poster_is_converted_stripped_and_stored_once(
    desk_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    photo = a_picture("JPEG", (3200, 1600), exif=EXIF)
    refs = [write_draft(desk_app, photo, title=title) for title in ("甲", "乙")]
    ((name, (whole, small)),) = stored(uow_factory).items()
    assert [poster_of(uow_factory, ref) for ref in refs] == [name, name]
    assert (opened(whole).size, opened(small).size) == ((1440, 720), (240, 240))
    assert (opened(whole).format, opened(small).format) == ("JPEG", "JPEG")
    assert (b"Exif" in photo, b"Exif" in whole, b"Exif" in small) == (True, False, False)
    assert len(whole) < 210_000
    shown = Browser(desk_app, "editor-county").get(f"/activities/{refs[0]}")[1]
    assert f'src="/pictures/activities/{name}.jpg" alt="《甲》的海报"' in shown


@pytest.mark.parametrize(
    ("poster", "sentence"),
    [
        (a_heic(), "这种格式不能用"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "这种格式不能用"),
        (b"\x89PNG\r\n\x1a\n broken", "读不出来"),
        (a_picture(size=(199, 199)), "太小或太窄"),
        (a_picture(size=(1600, 300)), "太小或太窄"),
        (a_picture(size=(4000, 4000), mode="1", colour=1), "尺寸太大"),
        (b"\x89PNG" + b"x" * (5 * 2**20), "超过 5 MB"),
    ],
    ids=range(7),
)
@pytest.mark.parametrize("published", [False, True])
def test_a_wrong_poster_is_refused_beside_its_field_and_what_was_typed_stays(
    desk_app: Flask, uow_factory: UnitOfWorkFactory, poster: bytes, sentence: str, published: bool
) -> None:
    path = "/activities/new"
    if published:
        with uow_factory.begin() as uow:
            path = f"/activities/{make_published(uow, QINGXIU, True)['ref']}/describe"
    status, shown = send_form(desk_app, path, poster, speaker="留着的主讲人")
    assert (status, sentence in shown, "留着的主讲人" in shown) == (422, True, True)
    assert stored(uow_factory) == {}


def test_a_poster_is_kept_replaced_and_removed_on_a_draft(
    desk_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = write_draft(desk_app, a_picture(size=(800, 450)))
    first = poster_of(uow_factory, ref)
    assert first is not None
    edit = f"/activities/{ref}/edit"
    page = Browser(desk_app, "editor-county").get(edit)[1]
    assert f"/pictures/activities/{first}.jpg" in page
    assert "去掉这张海报" in page
    assert send_form(desk_app, edit, title="新的标题")[0] == 303
    assert poster_of(uow_factory, ref) == first
    assert send_form(desk_app, edit, a_picture(size=(640, 480)))[0] == 303
    second = poster_of(uow_factory, ref)
    assert second not in (None, first)
    assert send_form(desk_app, edit, poster_gone="y")[0] == 303
    assert poster_of(uow_factory, ref) is None
    assert "去掉这张海报" not in Browser(desk_app, "editor-county").get(edit)[1]


def test_a_published_activity_gets_changes_and_loses_its_poster(
    desk_app: Flask, client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    ref = write_draft(desk_app, b"")
    publish(uow_factory, ref)
    describe = f"/activities/{ref}/describe"
    seen = []
    for picture, more in (
        (a_picture(size=(800, 450)), {}),
        (a_picture(size=(640, 480)), {}),
        (b"", {}),
        (b"", {"poster_gone": "y"}),
    ):
        assert send_form(desk_app, describe, picture, **more)[0] == 303
        seen.append(client.get(f"/activities/{ref}").get_json()["poster"])
    first, second, kept, gone = seen
    assert first.startswith("/pictures/activities/pst_")
    assert (second == kept, first == second, gone) == (True, False, None)
    with uow_factory.begin(read_only=True) as uow:
        entries = uow.session.scalars(
            select(AuditRecord)
            .where(AuditRecord.act == "activities.correct_descriptions")
            .order_by(AuditRecord.number)
        )
        # Sending the form without a change is no change.
        assert len(entries.all()) == 3


def addresses_of(client: CheckedClient, ref: str) -> tuple[str | None, str | None]:
    """The address of the poster in the detail and in the list."""
    listed: Sequence[dict[str, Any]] = client.get("/activities").get_json()["items"]
    in_list = next(one["poster"] for one in listed if one["id"] == ref)
    return client.get(f"/activities/{ref}").get_json()["poster"], in_list


def test_detail_and_list_name_the_poster_and_its_small_square_for_caches(
    desk_app: Flask, client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    bare, pictured = (
        write_draft(desk_app, b"", title="甲"),
        write_draft(desk_app, a_picture(), title="乙"),
    )
    for ref in (bare, pictured):
        publish(uow_factory, ref)
    assert addresses_of(client, bare) == (None, None)
    detail, listed = addresses_of(client, pictured)
    for address, size in ((detail, (400, 300)), (listed, (240, 240))):
        assert address is not None
        answer = client.get(address)
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        assert answer.headers["Cache-Control"] == "public, max-age=86400"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert opened(answer.data).size == size
    for guess in ("pst_0", "%00", "1"):
        for folder in ("activities", "activities/small"):
            assert client.get(f"/pictures/{folder}/{guess}.jpg").status_code == 404


def test_a_copy_and_a_weekly_series_have_the_poster_of_their_source(
    desk_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = write_draft(desk_app, a_picture())
    name = poster_of(uow_factory, ref)
    page = Browser(desk_app, "editor-county").get(f"/activities/new?copy={ref}")[1]
    assert f"/pictures/activities/{name}.jpg" in page
    for more, wanted in (({}, name), ({"poster_gone": "y"}, None)):
        status, place = send_form(desk_app, f"/activities/new?copy={ref}", **more)
        assert status == 303
        assert poster_of(uow_factory, place.rpartition("/")[2]) == wanted
    weekly = {"title": "讲坛", "copies": "2", "form_key": "frm_1"}
    assert (
        Browser(desk_app, "editor-county").ask("POST", f"/activities/{ref}/weekly", weekly)[0]
        == 303
    )
    with uow_factory.begin(read_only=True) as uow:
        in_series = Activity.series_id.is_not(None)
        assert uow.session.scalars(select(Activity.poster).where(in_series)).all() == [name] * 3


def age_posters(uow: UnitOfWork) -> None:
    old = uow.now - KEPT_UNUSED - timedelta(seconds=1)
    uow.session.execute(update(ActivityPoster).values(used_at=old))


def test_a_poster_is_kept_while_an_activity_has_it_and_deleted_a_week_after(
    desk_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    context = TaskContext(uow_factory=uow_factory, gateway=None)
    first = write_draft(desk_app, a_picture())
    copied = send_form(desk_app, f"/activities/new?copy={first}")[1].rpartition("/")[2]
    name = poster_of(uow_factory, first)
    for ref, left in ((first, {name}), (copied, set())):
        with uow_factory.begin() as uow:
            age_posters(uow)
        assert posters.drop_unused_posters(context) == 0
        with uow_factory.begin() as uow:
            desk.delete_draft(uow, EDITOR, ref)
        posters.drop_unused_posters(context)
        assert set(stored(uow_factory)) == left


def test_a_copy_of_an_activity_whose_poster_is_gone_has_none(
    desk_app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = write_draft(desk_app, a_picture())
    with uow_factory.begin() as uow:
        uow.session.execute(update(Activity).values(poster="pst_gone"))
    status, place = send_form(desk_app, f"/activities/new?copy={ref}")
    assert status == 303
    assert poster_of(uow_factory, place.rpartition("/")[2]) is None
