"""A citizen's picture is shown only after WeChat has passed it, whatever comes first."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.accounts import avatars, identities, privacy, tasks
from server.accounts.chat import HANDLERS
from server.accounts.models import Avatar, Citizen, MediaVerdict, PictureUpload
from server.base.jobs import Shop
from server.base.web.uploads import UPLOAD_LIMIT_BYTES
from server.base.work import Desk
from server.wechat.errors import NotSent
from tests.conftest import house_of
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.notices import an_event
from tests.kit.pictures import a_heic, a_picture, as_form, opened

EVENT = "wxa_media_check"
HANDLE = dict(HANDLERS)


@pytest.fixture
def shop(desk: Desk, gateway: RecordingGateway) -> Shop:
    gateway.answers["check_picture"] = "trace-1"
    return Shop(desk=desk, gateway=gateway)


@pytest.fixture
def person(desk: Desk) -> Person:
    with desk.work() as work:
        a_citizen(work, avatar_url="/pictures/noise.jpg")
        return a_citizen(work, public_rank=True)


def give(desk: Desk, person: Person, picture: bytes = b"jpeg") -> None:
    with desk.work() as work:
        avatars.keep(work, person.id, picture)


def hear(desk: Desk, trace: str, suggest: str | None, errcode: str = "0") -> None:
    fields: dict[str, Any] = {"trace_id": trace, "errcode": errcode}
    if suggest is not None:
        fields["result"] = {"suggest": suggest, "label": "100"}
    with desk.work() as work:
        HANDLE[EVENT](work, an_event("somebody", EVENT, int(work.now.timestamp()), fields))


def url_of(desk: Desk, person: Person) -> str | None:
    with desk.work(read_only=True) as work:
        return work.session.get_one(Citizen, person.id).avatar_url


def states(desk: Desk, person: Person) -> list[str]:
    with desk.work(read_only=True) as work:
        asked = select(Avatar.state).where(Avatar.citizen_id == person.id).order_by(Avatar.id)
        return [state.value for state in work.session.scalars(asked)]


def served(desk: Desk, url: str | None) -> bytes | None:
    assert url is not None
    with desk.work(read_only=True) as work:
        return avatars.picture(work, url.removeprefix("/pictures/").removesuffix(".jpg"))


def test_a_picture_is_shown_once_it_has_passed(
    desk: Desk, shop: Shop, person: Person, gateway: RecordingGateway, rung: list[Any]
) -> None:
    give(desk, person)
    assert rung == [(avatars.TASK, ())]
    assert (url_of(desk, person), states(desk, person)) == (None, ["waiting"])
    assert tasks.check_pictures(shop) == 1
    ((openid, address),) = gateway.called("check_picture")
    assert openid == person.openid
    assert address.startswith("http://127.0.0.1:8000/pictures/check/ava_")
    assert states(desk, person) == ["asked"]
    assert tasks.check_pictures(shop) == 0
    hear(desk, "trace-1", "pass")
    assert url_of(desk, person) is None
    assert tasks.check_pictures(shop) == 1
    assert states(desk, person) == ["shown"]
    assert str(url_of(desk, person)) == f"/pictures/{address.split('/')[5]}.jpg"
    assert served(desk, url_of(desk, person)) == b"jpeg"


def test_a_verdict_may_come_before_we_know_what_it_is_about(
    desk: Desk, shop: Shop, person: Person
) -> None:
    give(desk, person)
    hear(desk, "trace-1", "pass")
    hear(desk, "trace-1", "risky")  # a repeat changes nothing
    assert tasks.check_pictures(shop) == 2
    assert states(desk, person) == ["shown"]


@pytest.mark.parametrize(
    ("suggest", "state"), [("risky", "refused"), ("review", "review"), ("passWithCare", "review")]
)
def test_a_picture_that_did_not_pass_leaves_the_earlier_one(
    desk: Desk, shop: Shop, person: Person, gateway: RecordingGateway, suggest: str, state: str
) -> None:
    give(desk, person, b"first")
    hear(desk, "trace-1", "pass")
    tasks.check_pictures(shop)
    before = url_of(desk, person)
    gateway.answers["check_picture"] = "trace-2"
    give(desk, person, b"second")
    hear(desk, "trace-2", suggest)
    tasks.check_pictures(shop)
    assert url_of(desk, person) == before
    assert served(desk, before) == b"first"
    assert states(desk, person) == ["shown", state]
    with desk.work(read_only=True) as work:
        kept = work.session.scalars(select(Avatar.picture).order_by(Avatar.id)).all()
    assert kept == [b"first", None if suggest == "risky" else b"second"]


def test_a_newer_picture_takes_the_place_of_the_older(
    desk: Desk, shop: Shop, person: Person, gateway: RecordingGateway
) -> None:
    for number in (1, 2):
        gateway.answers["check_picture"] = f"trace-{number}"
        give(desk, person, b"picture %d" % number)
        hear(desk, f"trace-{number}", "pass")
        tasks.check_pictures(shop)
    assert states(desk, person) == ["shown"]
    assert served(desk, url_of(desk, person)) == b"picture 2"


def test_the_verdict_on_a_replaced_picture_is_none_on_the_one_in_its_place(
    desk: Desk, shop: Shop, person: Person, gateway: RecordingGateway
) -> None:
    def replaced_meanwhile(_openid: str, _address: str) -> str:
        give(desk, person, b"second")
        return "trace-1"

    give(desk, person, b"first")
    gateway.answers["check_picture"] = replaced_meanwhile
    tasks.check_pictures(shop)
    hear(desk, "trace-1", "pass")
    gateway.answers["check_picture"] = "trace-2"
    tasks.check_pictures(shop)
    assert (url_of(desk, person), states(desk, person)) == (None, ["asked"])


def test_wechat_away_is_asked_again_and_given_up_in_the_end(
    desk: Desk, shop: Shop, person: Person, gateway: RecordingGateway, clock: FakeClock
) -> None:
    gateway.answers["check_picture"] = NotSent()
    give(desk, person)
    assert tasks.check_pictures(shop) == tasks.check_pictures(shop) == 0
    assert len(gateway.called("check_picture")) == 1
    clock.advance(60)
    tasks.check_pictures(shop)
    assert len(gateway.called("check_picture")) == 2
    clock.advance(7200)
    assert tasks.check_pictures(shop) == 1
    assert states(desk, person) == ["unchecked"]


def test_a_picture_that_wechat_could_not_fetch_is_offered_again(
    desk: Desk, shop: Shop, person: Person, gateway: RecordingGateway, clock: FakeClock
) -> None:
    give(desk, person)
    tasks.check_pictures(shop)
    hear(desk, "trace-1", None, errcode="-1008")
    tasks.check_pictures(shop)
    assert states(desk, person) == ["waiting"]
    gateway.answers["check_picture"] = "trace-2"
    clock.advance(60)
    hear(desk, "trace-2", "pass")
    tasks.check_pictures(shop)
    assert states(desk, person) == ["shown"]


def test_a_verdict_that_never_comes_is_left_to_a_person(
    desk: Desk, shop: Shop, person: Person, clock: FakeClock
) -> None:
    give(desk, person)
    tasks.check_pictures(shop)
    clock.advance(45 * 60)
    assert tasks.check_pictures(shop) == 1
    assert states(desk, person) == ["review"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"trace_id": ""},
        {"trace_id": "x" * 129, "result": {"suggest": "pass"}},
        {"trace_id": ["t"], "result": {"suggest": "pass"}},
        {"trace_id": "trace-1", "result": "pass"},
        {"trace_id": "trace-1", "result": {"suggest": ["pass"]}},
    ],
)
def test_an_event_that_says_nothing_changes_nothing(desk: Desk, fields: dict[str, Any]) -> None:
    with desk.work() as work:
        HANDLE[EVENT](work, an_event("somebody", EVENT, int(work.now.timestamp()), fields))
    with desk.work(read_only=True) as work:
        assert work.session.scalar(select(func.count()).select_from(MediaVerdict)) == 0


def test_old_verdicts_go(desk: Desk, shop: Shop, clock: FakeClock) -> None:
    hear(desk, "trace-9", "pass")
    clock.advance(86_401)
    tasks.check_pictures(shop)
    with desk.work(read_only=True) as work:
        assert work.session.scalar(select(func.count()).select_from(MediaVerdict)) == 0


def test_pictures_are_exported_handed_over_and_forgotten(
    desk: Desk, shop: Shop, person: Person
) -> None:
    give(desk, person)
    hear(desk, "trace-1", "pass")
    tasks.check_pictures(shop)
    url = url_of(desk, person)
    with desk.work() as work:
        double = a_citizen(work)
        keep = identities.join(work, person.id, double.id)
        (told,) = privacy.export(work, keep)["pictures"]  # type: ignore[misc]
        assert (told["path"], told["state"]) == (url, "shown")
        privacy.erase(work, keep)
    assert served(desk, url) is None


def test_the_one_picture_of_two_who_are_one_goes_on_being_shown(
    desk: Desk, shop: Shop, person: Person
) -> None:
    with desk.work() as work:
        elder = a_citizen(work)
    give(desk, elder)
    hear(desk, "trace-1", "pass")
    tasks.check_pictures(shop)
    url = url_of(desk, elder)
    with desk.work() as work:
        keep = identities.join(work, person.id, elder.id)
    assert keep == person.id
    assert url_of(desk, person) == url
    assert served(desk, url) == b"jpeg"


def a_phone(app: Flask, **columns: Any) -> tuple[Person, str]:
    with house_of(app).desk.work() as work:
        person = a_citizen(work, **columns)
        return person, a_session(work, person)


def test_a_citizen_gives_and_takes_back_a_picture(
    client: Any, app: Flask, gateway: RecordingGateway
) -> None:
    _, phone = a_phone(app)
    answer = client.post("/me/avatar", citizen=phone, **as_form(a_picture()))
    assert (answer.status_code, answer.data) == (202, b"")
    me = client.get("/me", citizen=phone).get_json()
    assert (me["avatar_url"], me["avatar_state"]) == (None, "checking")
    gateway.answers["check_picture"] = "trace-1"
    shop = Shop(desk=house_of(app).desk, gateway=gateway)
    assert tasks.make_pictures_small(shop) == 1
    me = client.get("/me", citizen=phone).get_json()
    assert (me["avatar_url"], me["avatar_state"]) == (None, "checking")
    tasks.check_pictures(shop)
    seen = gateway.called("check_picture")[0][1]
    hear(shop.desk, "trace-1", "pass")
    tasks.check_pictures(shop)
    me = client.get("/me", citizen=phone).get_json()
    assert (me["avatar_state"], me["avatar_preview_url"]) == ("shown", None)
    assert me["avatar_url"] == f"/pictures/{seen.split('/')[5]}.jpg"
    picture = app.test_client().get(me["avatar_url"])
    assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert opened(picture.data).size == (256, 256)
    assert client.patch("/me", json={"avatar": None}, citizen=phone).status_code == 200
    me = client.get("/me", citizen=phone).get_json()
    assert (me["avatar_url"], me["avatar_state"]) == (None, "none")
    assert app.test_client().get(picture.request.path).status_code == 404
    assert client.patch("/me", json={"avatar": "x"}, citizen=phone).status_code == 422


def test_what_is_no_picture_is_refused(client: Any, app: Flask) -> None:
    _, phone = a_phone(app)
    _, stranger = a_phone(app, consented=False)
    path = "/me/avatar"
    big = a_picture("BMP", size=(1500, 1300))
    assert len(big) > UPLOAD_LIMIT_BYTES
    assert client.post(path, citizen=phone, **as_form(big)).status_code == 413
    for raw, code in (
        (b"x", "picture_unreadable"),
        (a_heic(), "picture_kind_unsupported"),
        (a_picture("JPEG", size=(5000, 4000), progressive=True), "picture_too_large"),
    ):
        refused = client.post(path, citizen=phone, **as_form(raw))
        assert (refused.status_code, refused.get_json()["code"]) == (422, code)
        assert "照片" in refused.get_json()["detail"]
    two = as_form(a_picture(), a_picture())
    assert client.post(path, citizen=phone, **two).status_code == 422
    assert client.post(path, citizen=phone, **as_form()).status_code == 422
    assert client.post(path, citizen=phone, json={}).status_code == 415
    assert client.post(path, citizen=stranger, **as_form(a_picture())).status_code == 409
    assert client.post(path, **as_form(a_picture())).status_code == 401


def test_a_picture_just_under_the_limit_is_taken_once_for_one_key(client: Any, app: Flask) -> None:
    _, phone = a_phone(app)
    raw = a_picture("PNG")
    raw += b"\0" * (UPLOAD_LIMIT_BYTES - len(raw))
    headers = {"Idempotency-Key": "one-picture"}
    for _ in range(2):
        answer = client.post("/me/avatar", citizen=phone, headers=headers, **as_form(raw))
        assert answer.status_code == 202
    with house_of(app).desk.work(read_only=True) as work:
        assert work.session.scalar(select(func.count()).select_from(PictureUpload)) == 1
    other = as_form(a_picture(colour=(1, 2, 3)))
    reused = client.post("/me/avatar", citizen=phone, headers=headers, **other)
    assert (reused.status_code, reused.get_json()["code"]) == (409, "idempotency_key_reused")


def test_names_that_nobody_has_show_nothing(app: Flask) -> None:
    for name in ("ava_0", "%00", "..%2f", "x" * 500):
        assert app.test_client().get(f"/pictures/{name}.jpg").status_code == 404
