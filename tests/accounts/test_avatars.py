"""A citizen's picture is shown only after WeChat has passed it, whatever comes first."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.accounts import avatars, identities, privacy, tasks
from server.accounts.chat import HANDLERS
from server.accounts.models import Avatar, Citizen, MediaVerdict, PictureUpload
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.base.web.uploads import UPLOAD_LIMIT_BYTES
from server.wechat.errors import NotSent
from tests.conftest import application_of
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.notices import an_event
from tests.kit.outbox import without_jitter
from tests.kit.pictures import a_heic, a_picture, as_form, opened

EVENT = "wxa_media_check"
HANDLE = dict(HANDLERS)


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    gateway.answers["check_picture"] = "trace-1"
    return TaskContext(uow_factory=without_jitter(uow_factory), gateway=gateway)


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        a_citizen(uow, avatar_url="/pictures/noise.jpg")
        return a_citizen(uow, public_rank=True)


def give(uow_factory: UnitOfWorkFactory, person: Person, picture: bytes = b"jpeg") -> None:
    with uow_factory.begin() as uow:
        avatars.keep_picture(uow, person.id, picture)


def hear(
    uow_factory: UnitOfWorkFactory, trace: str, suggest: str | None, errcode: str = "0"
) -> None:
    fields: dict[str, Any] = {"trace_id": trace, "errcode": errcode}
    if suggest is not None:
        fields["result"] = {"suggest": suggest, "label": "100"}
    with uow_factory.begin() as uow:
        HANDLE[EVENT](uow, an_event("somebody", EVENT, int(uow.now.timestamp()), fields))


def url_of(uow_factory: UnitOfWorkFactory, person: Person) -> str | None:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.get_one(Citizen, person.id).avatar_url


def states(uow_factory: UnitOfWorkFactory, person: Person) -> list[str]:
    with uow_factory.begin(read_only=True) as uow:
        asked = select(Avatar.state).where(Avatar.citizen_id == person.id).order_by(Avatar.id)
        return [state.value for state in uow.session.scalars(asked)]


def served(uow_factory: UnitOfWorkFactory, url: str | None) -> bytes | None:
    assert url is not None
    with uow_factory.begin(read_only=True) as uow:
        return avatars.public_picture(uow, url.removeprefix("/pictures/").removesuffix(".jpg"))


def test_a_picture_is_shown_once_it_has_passed(
    uow_factory: UnitOfWorkFactory,
    context: TaskContext,
    person: Person,
    gateway: RecordingGateway,
    rung: list[Any],
) -> None:
    give(uow_factory, person)
    assert rung == [(avatars.TASK, ())]
    assert (url_of(uow_factory, person), states(uow_factory, person)) == (None, ["waiting"])
    assert tasks.check_pictures(context) == 1
    ((openid, address),) = gateway.called("check_picture")
    assert openid == person.openid
    assert address.startswith("http://127.0.0.1:8000/pictures/check/ava_")
    assert states(uow_factory, person) == ["asked"]
    assert tasks.check_pictures(context) == 0
    hear(uow_factory, "trace-1", "pass")
    assert url_of(uow_factory, person) is None
    assert tasks.check_pictures(context) == 1
    assert states(uow_factory, person) == ["shown"]
    assert str(url_of(uow_factory, person)) == f"/pictures/{address.split('/')[5]}.jpg"
    assert served(uow_factory, url_of(uow_factory, person)) == b"jpeg"


def test_a_verdict_may_come_before_we_know_what_it_is_about(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person
) -> None:
    give(uow_factory, person)
    hear(uow_factory, "trace-1", "pass")
    hear(uow_factory, "trace-1", "risky")  # a repeat changes nothing
    assert tasks.check_pictures(context) == 2
    assert states(uow_factory, person) == ["shown"]


@pytest.mark.parametrize(
    ("suggest", "state"), [("risky", "refused"), ("review", "review"), ("passWithCare", "review")]
)
def test_a_picture_that_did_not_pass_leaves_the_earlier_one(
    uow_factory: UnitOfWorkFactory,
    context: TaskContext,
    person: Person,
    gateway: RecordingGateway,
    suggest: str,
    state: str,
) -> None:
    give(uow_factory, person, b"first")
    hear(uow_factory, "trace-1", "pass")
    tasks.check_pictures(context)
    before = url_of(uow_factory, person)
    gateway.answers["check_picture"] = "trace-2"
    give(uow_factory, person, b"second")
    hear(uow_factory, "trace-2", suggest)
    tasks.check_pictures(context)
    assert url_of(uow_factory, person) == before
    assert served(uow_factory, before) == b"first"
    assert states(uow_factory, person) == ["shown", state]
    with uow_factory.begin(read_only=True) as uow:
        kept = uow.session.scalars(select(Avatar.picture).order_by(Avatar.id)).all()
    assert kept == [b"first", None if suggest == "risky" else b"second"]


def test_a_newer_picture_takes_the_place_of_the_older(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person, gateway: RecordingGateway
) -> None:
    for number in (1, 2):
        gateway.answers["check_picture"] = f"trace-{number}"
        give(uow_factory, person, b"picture %d" % number)
        hear(uow_factory, f"trace-{number}", "pass")
        tasks.check_pictures(context)
    assert states(uow_factory, person) == ["shown"]
    assert served(uow_factory, url_of(uow_factory, person)) == b"picture 2"


def test_the_verdict_on_a_replaced_picture_is_none_on_the_one_in_its_place(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person, gateway: RecordingGateway
) -> None:
    def replaced_meanwhile(_openid: str, _address: str) -> str:
        give(uow_factory, person, b"second")
        return "trace-1"

    give(uow_factory, person, b"first")
    gateway.answers["check_picture"] = replaced_meanwhile
    tasks.check_pictures(context)
    hear(uow_factory, "trace-1", "pass")
    gateway.answers["check_picture"] = "trace-2"
    tasks.check_pictures(context)
    assert (url_of(uow_factory, person), states(uow_factory, person)) == (None, ["asked"])


def test_wechat_away_is_asked_again_and_given_up_in_the_end(
    uow_factory: UnitOfWorkFactory,
    context: TaskContext,
    person: Person,
    gateway: RecordingGateway,
    clock: FakeClock,
) -> None:
    gateway.answers["check_picture"] = NotSent()
    give(uow_factory, person)
    assert tasks.check_pictures(context) == tasks.check_pictures(context) == 0
    assert len(gateway.called("check_picture")) == 1
    clock.advance(60)
    tasks.check_pictures(context)
    assert len(gateway.called("check_picture")) == 2
    clock.advance(7200)
    assert tasks.check_pictures(context) == 1
    assert states(uow_factory, person) == ["unchecked"]


def test_a_picture_that_wechat_could_not_fetch_is_offered_again(
    uow_factory: UnitOfWorkFactory,
    context: TaskContext,
    person: Person,
    gateway: RecordingGateway,
    clock: FakeClock,
) -> None:
    give(uow_factory, person)
    tasks.check_pictures(context)
    hear(uow_factory, "trace-1", None, errcode="-1008")
    tasks.check_pictures(context)
    assert states(uow_factory, person) == ["waiting"]
    gateway.answers["check_picture"] = "trace-2"
    clock.advance(60)
    hear(uow_factory, "trace-2", "pass")
    tasks.check_pictures(context)
    assert states(uow_factory, person) == ["shown"]


def test_a_verdict_that_never_comes_is_left_to_a_person(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person, clock: FakeClock
) -> None:
    give(uow_factory, person)
    tasks.check_pictures(context)
    clock.advance(45 * 60)
    assert tasks.check_pictures(context) == 1
    assert states(uow_factory, person) == ["review"]


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
def test_an_event_that_says_nothing_changes_nothing(
    uow_factory: UnitOfWorkFactory, fields: dict[str, Any]
) -> None:
    with uow_factory.begin() as uow:
        HANDLE[EVENT](uow, an_event("somebody", EVENT, int(uow.now.timestamp()), fields))
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(MediaVerdict)) == 0


def test_old_verdicts_go(
    uow_factory: UnitOfWorkFactory, context: TaskContext, clock: FakeClock
) -> None:
    hear(uow_factory, "trace-9", "pass")
    clock.advance(86_401)
    tasks.check_pictures(context)
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(MediaVerdict)) == 0


def test_pictures_are_exported_handed_over_and_forgotten(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person
) -> None:
    give(uow_factory, person)
    hear(uow_factory, "trace-1", "pass")
    tasks.check_pictures(context)
    url = url_of(uow_factory, person)
    with uow_factory.begin() as uow:
        double = a_citizen(uow)
        keep = identities.merge_citizens(uow, person.id, double.id)
        (told,) = privacy.export_citizen(uow, keep)["pictures"]  # type: ignore[misc]
        assert (told["path"], told["state"]) == (url, "shown")
        privacy.erase_citizen(uow, keep)
    assert served(uow_factory, url) is None


def test_the_one_picture_of_two_who_are_one_goes_on_being_shown(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person
) -> None:
    with uow_factory.begin() as uow:
        elder = a_citizen(uow)
    give(uow_factory, elder)
    hear(uow_factory, "trace-1", "pass")
    tasks.check_pictures(context)
    url = url_of(uow_factory, elder)
    with uow_factory.begin() as uow:
        keep = identities.merge_citizens(uow, person.id, elder.id)
    assert keep == person.id
    assert url_of(uow_factory, person) == url
    assert served(uow_factory, url) == b"jpeg"


def a_phone(app: Flask, **columns: Any) -> tuple[Person, str]:
    with application_of(app).uow_factory.begin() as uow:
        person = a_citizen(uow, **columns)
        return person, a_session(uow, person)


def test_a_citizen_gives_and_takes_back_a_picture(
    client: Any, app: Flask, gateway: RecordingGateway
) -> None:
    _, phone = a_phone(app)
    answer = client.post("/me/avatar", citizen=phone, **as_form(a_picture()))
    assert (answer.status_code, answer.data) == (202, b"")
    me = client.get("/me", citizen=phone).get_json()
    assert (me["avatar_url"], me["avatar_state"]) == (None, "checking")
    gateway.answers["check_picture"] = "trace-1"
    context = TaskContext(uow_factory=application_of(app).uow_factory, gateway=gateway)
    assert tasks.make_pictures_small(context) == 1
    me = client.get("/me", citizen=phone).get_json()
    assert (me["avatar_url"], me["avatar_state"]) == (None, "checking")
    tasks.check_pictures(context)
    seen = gateway.called("check_picture")[0][1]
    hear(context.uow_factory, "trace-1", "pass")
    tasks.check_pictures(context)
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
    with application_of(app).uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(PictureUpload)) == 1
    other = as_form(a_picture(colour=(1, 2, 3)))
    reused = client.post("/me/avatar", citizen=phone, headers=headers, **other)
    assert (reused.status_code, reused.get_json()["code"]) == (409, "idempotency_key_reused")


def test_names_that_nobody_has_show_nothing(app: Flask) -> None:
    for name in ("ava_0", "%00", "..%2f", "x" * 500):
        assert app.test_client().get(f"/pictures/{name}.jpg").status_code == 404
