"""A picture has no public address before its verdict: one for WeChat's check, one for its owner."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from server.accounts import avatars, privacy, tasks
from server.accounts.avatar_links import PrivateLink, Viewer, check_link, sign_link
from server.accounts.chat import HANDLERS
from server.accounts.models import Avatar
from server.base.jobs import TaskContext
from server.base.log import JsonLines
from server.base.signing import Keys
from server.base.uow import UnitOfWorkFactory
from tests.conftest import application_of
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.notices import an_event

EVENT = "wxa_media_check"


class Sender:
    """A citizen who has sent a picture, and what the world sees of it."""

    def __init__(self, app: Flask, client: Any, gateway: RecordingGateway) -> None:
        self.client, self.gateway = client, gateway
        self.uow_factory: UnitOfWorkFactory = application_of(app).uow_factory
        self.task_context = TaskContext(uow_factory=self.uow_factory, gateway=gateway)
        with self.uow_factory.begin() as uow:
            self.person: Person = a_citizen(uow, public_rank=True)
            self.token = a_session(uow, self.person)
        gateway.answers["check_picture"] = "trace-1"

    def gives(self, content: bytes = b"jpeg") -> None:
        with self.uow_factory.begin() as uow:
            avatars.keep_picture(uow, self.person.id, content)

    def sweeps(self) -> None:
        tasks.check_pictures(self.task_context)

    def hears(self, suggest: str, trace: str = "trace-1") -> None:
        fields = {"trace_id": trace, "errcode": "0", "result": {"suggest": suggest}}
        with self.uow_factory.begin() as uow:
            at = int(uow.now.timestamp())
            dict(HANDLERS)[EVENT](uow, an_event("somebody", EVENT, at, fields))
        self.sweeps()

    @property
    def public(self) -> str:
        """The address that the picture has, or would have once it has passed."""
        with self.uow_factory.begin(read_only=True) as uow:
            name = uow.session.scalar(select(Avatar.name).order_by(Avatar.id.desc()).limit(1))
        assert name is not None
        return avatars.path_of(name)

    @property
    def checked(self) -> str:
        """The address that WeChat was given."""
        return urlsplit(self.gateway.called("check_picture")[-1][1]).path

    @property
    def own(self) -> str | None:
        """The address that the citizen is told."""
        found = self.client.get("/me", citizen=self.token).get_json()["avatar_preview_url"]
        assert found is None or isinstance(found, str)
        return found

    def statuses(self, *paths: str | None) -> list[int]:
        return [self.client.get(path).status_code for path in paths if path is not None]


@pytest.fixture
def sender(app: Flask, client: Any, gateway: RecordingGateway) -> Sender:
    return Sender(app, client, gateway)


def test_before_its_verdict_a_picture_has_only_its_two_private_addresses(sender: Sender) -> None:
    sender.gives()
    assert sender.statuses(sender.public, sender.own) == [404, 200]
    sender.sweeps()
    assert sender.statuses(sender.public, sender.checked, sender.own) == [404, 200, 200]
    answer = sender.client.get(sender.checked)
    assert (answer.data, answer.mimetype) == (b"jpeg", "image/jpeg")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_picture_that_passed_has_only_its_public_address(sender: Sender) -> None:
    sender.gives()
    sender.sweeps()
    before = [sender.checked, sender.own]
    sender.hears("pass")
    assert sender.own is None
    assert sender.statuses(sender.public, *before) == [200, 404, 404]


def test_in_review_a_picture_is_shown_to_its_owner_alone(sender: Sender) -> None:
    sender.gives()
    sender.sweeps()
    checked = sender.checked
    sender.hears("review")
    assert sender.statuses(sender.public, checked, sender.own) == [404, 404, 200]


def test_a_refused_picture_is_shown_to_nobody(sender: Sender) -> None:
    sender.gives()
    sender.sweeps()
    old = [sender.public, sender.checked, sender.own]
    sender.hears("risky")
    assert sender.statuses(*old) == [404, 404, 404]
    assert sender.own is None


def test_a_replaced_picture_is_shown_to_nobody(sender: Sender) -> None:
    sender.gives(b"first")
    sender.sweeps()
    waiting = [sender.public, sender.checked, sender.own]
    sender.gives(b"second")
    assert sender.statuses(*waiting) == [404, 404, 404]
    sender.gateway.answers["check_picture"] = "trace-2"
    sender.sweeps()
    sender.hears("pass", "trace-2")
    shown = sender.public
    assert sender.statuses(shown) == [200]
    sender.gateway.answers["check_picture"] = "trace-3"
    sender.gives(b"third")
    sender.sweeps()
    sender.hears("pass", "trace-3")
    assert sender.statuses(shown, sender.public) == [404, 200]


@pytest.mark.parametrize("verdict", [None, "review", "pass"])
def test_an_erased_picture_is_shown_to_nobody(sender: Sender, verdict: str | None) -> None:
    sender.gives()
    sender.sweeps()
    old = [sender.public, sender.checked, sender.own]
    if verdict is not None:
        sender.hears(verdict)
    with sender.uow_factory.begin() as uow:
        privacy.erase_citizen(uow, sender.person.id)
    assert sender.statuses(*old) == [404] * len(old)


def test_the_owners_address_lives_ten_minutes(sender: Sender, clock: FakeClock) -> None:
    sender.gives()
    sender.sweeps()
    own = sender.own
    clock.advance(599)
    assert sender.statuses(own) == [200]
    clock.advance(1)
    assert sender.statuses(own) == [404]
    assert sender.statuses(sender.own) == [200]  # a fresh one


def test_the_address_of_the_check_ends_when_nobody_judges_any_more(
    sender: Sender, clock: FakeClock
) -> None:
    sender.gives()
    sender.sweeps()
    clock.advance(45 * 60 - 1)
    assert sender.statuses(sender.checked) == [200]
    clock.advance(1)
    assert sender.statuses(sender.checked) == [404]


def test_no_address_is_made_from_another(sender: Sender) -> None:
    sender.gives()
    sender.sweeps()
    own, checked = str(sender.own), sender.checked
    forged = [
        own.replace("/owner/", "/check/"),
        checked.replace("/check/", "/owner/"),
        checked.replace("/check/", "/nobody/"),
        "/".join([*own.split("/")[:4], "9999999999", own.split("/")[5]]),
        "/".join([*own.split("/")[:5], "0" * 64 + ".jpg"]),
        "/".join([*own.split("/")[:4], "x", own.split("/")[5]]),
        "/".join([*own.split("/")[:4], "9" * 400, own.split("/")[5]]),
        "/".join([*own.split("/")[:5], "é.jpg"]),
        own.replace("ava_", "ava_%00"),
    ]
    assert sender.statuses(*forged) == [404] * len(forged)


def test_a_signature_holds_for_its_viewer_name_and_instant_alone(clock: FakeClock) -> None:
    keys = Keys("k" * 48)
    link = sign_link(keys, Viewer.OWNER, "ava_1", clock.now())
    assert check_link(keys, clock.now(), link) is None  # over at that instant
    later = sign_link(keys, Viewer.OWNER, "ava_1", clock.now().replace(hour=5))
    assert check_link(keys, clock.now(), later) is Viewer.OWNER
    for changed in ({"viewer": "check"}, {"name": "ava_2"}, {"until": later.until + "0"}):
        assert check_link(keys, clock.now(), PrivateLink(**{**vars(later), **changed})) is None
    assert check_link(Keys("j" * 48), clock.now(), later) is None


def test_the_address_of_the_check_stands_in_no_answer_log_or_export(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sender.gives()
    sender.sweeps()
    checked = sender.checked
    secret = checked.rsplit("/", 1)[1].removesuffix(".jpg")
    told = [sender.client.get(checked).headers.to_wsgi_list()]
    for path in ("/me", "/me/export"):
        told.append(sender.client.get(path, citizen=sender.token).get_data(as_text=True))
    sender.client.patch("/me", json={"elder_mode": True}, citizen=sender.token)
    sender.hears("review")
    told.append(sender.client.get("/me/export", citizen=sender.token).get_data(as_text=True))
    told += [JsonLines("server").format(record) for record in caplog.records]
    told += [record.getMessage() for record in caplog.records]
    assert len(told) > 6
    assert not [words for words in told if secret in str(words) or "/check/" in str(words)]


def test_the_export_names_an_address_only_of_a_public_picture(sender: Sender) -> None:
    def exported() -> list[Any]:
        held = sender.client.get("/me/export", citizen=sender.token).get_json()["held"]
        return [(picture["state"], picture["path"]) for picture in held["pictures"]]

    sender.gives()
    sender.sweeps()
    assert exported() == [("asked", None)]
    sender.hears("pass")
    assert exported() == [("shown", sender.public)]
