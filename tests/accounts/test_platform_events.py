"""What an emulated WeChat tells of a citizen's data, through the real callbacks into the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest

from server.accounts import phones, service
from server.accounts.models import Citizen
from server.base.settings import WeChatApp
from server.base.uow import UnitOfWorkFactory
from server.callbacks import with_callbacks
from server.channel.models import Follower
from server.emulator.sender import Outcome
from server.emulator.testing import Emulator, emulated_wechat
from server.wechat.callback.webhook import Webhook
from server.wechat.gateway import PhoneNumber, WeChatIdentity
from tests.kit.accounts import a_consent
from tests.kit.callback_handlers import beyond
from tests.kit.channel import rows
from tests.kit.wechat_side import knock

SETTINGS = ("appid", "secret", "token", "aes_key", "mode", "original_id")


@dataclass
class Line:
    """The wire between the emulated WeChat and our callbacks."""

    webhook: Webhook | None = None

    def send(
        self, method: str, url: str, body: bytes, content_type: str, _deadline_s: float
    ) -> Outcome:
        assert self.webhook is not None
        parts = urlsplit(url)
        reached = knock(
            self.webhook,
            parts.path,
            parts.query,
            body,
            REQUEST_METHOD=method,
            CONTENT_TYPE=content_type,
        )
        return Outcome(reached.status, reached.body, 1)


@pytest.fixture
def wechat(uow_factory: UnitOfWorkFactory) -> Iterator[Emulator]:
    line = Line()
    with emulated_wechat(sender=line.send, pause=lambda _seconds: None) as emulator:
        apps = {
            name: WeChatApp(**{key: getattr(app, key) for key in SETTINGS})
            for name, app in emulator.apps.items()
        }
        settings = uow_factory.dependencies.settings
        known = replace(settings.wechat, **apps)
        dependencies = replace(uow_factory.dependencies, settings=replace(settings, wechat=known))
        line.webhook = with_callbacks(beyond, UnitOfWorkFactory(uow_factory.engine, dependencies))
        yield emulator


@dataclass(frozen=True)
class Somebody:
    person: str
    citizen_id: int
    token: str


@pytest.fixture
def somebody(uow_factory: UnitOfWorkFactory, wechat: Emulator) -> Somebody:
    """A follower who logged in, with a name, a picture and a phone number."""
    wei = wechat.create_person("Wei")
    wechat.follow_account(wei["person"])
    with uow_factory.begin() as uow:
        signed = service.sign_in(
            uow, WeChatIdentity(openid=wei["openid_mp"], unionid=wei["unionid"])
        )
        service.learn_unionid(uow, "official_account", wei["openid_oa"], wei["unionid"])
    with uow_factory.begin() as uow:
        a_consent(uow, signed.citizen_id)
        row = uow.session.get_one(Citizen, signed.citizen_id)
        row.nickname, row.nickname_state = "小明", "shown"  # type: ignore[assignment]
        row.avatar_url = "https://x/a.png"
        phones.keep_number(uow, signed.citizen_id, PhoneNumber(number="13800138000", country="86"))
    return Somebody(wei["person"], signed.citizen_id, signed.token)


def held(
    uow_factory: UnitOfWorkFactory, somebody: Somebody
) -> tuple[str | None, str | None, str | None]:
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.get_one(Citizen, somebody.citizen_id)
        return row.nickname, row.avatar_url, phones.masked_of(uow, somebody.citizen_id)


@pytest.mark.parametrize(
    ("revoked", "kept"),
    [
        (("6",), (None, None, True)),
        (("6", "8"), (None, None, None)),
        (("8",), ("小明", "https://x/a.png", None)),
        (("13", "5"), ("小明", "https://x/a.png", True)),
    ],
)
def test_what_is_withdrawn_is_gone_and_the_rest_stays(
    uow_factory: UnitOfWorkFactory,
    wechat: Emulator,
    somebody: Somebody,
    revoked: tuple[str, ...],
    kept: tuple[str | None, str | None, bool | None],
) -> None:
    # Within one second: a withdrawal is no repeat of another.
    wechat.post_control("clock", freeze=True)
    for number in revoked:
        (attempt,) = wechat.post_control(
            "authorization", person=somebody.person, event="revoke", revoked=number
        )["attempts"]
        assert attempt["verdict"] == "ok-success"
    name, avatar, phone = held(uow_factory, somebody)
    assert (name, avatar, True if phone else None) == kept


def test_a_profile_that_wechat_cleaned_is_cleaned(
    uow_factory: UnitOfWorkFactory, wechat: Emulator, somebody: Somebody
) -> None:
    wechat.post_control("authorization", person=somebody.person, event="modified")
    name, avatar, phone = held(uow_factory, somebody)
    assert (name, avatar, bool(phone)) == (None, None, True)


def test_a_closed_account_leaves_nothing_of_the_person(
    uow_factory: UnitOfWorkFactory, wechat: Emulator, somebody: Somebody
) -> None:
    told = wechat.post_control("authorization", person=somebody.person, event="cancellation")[
        "attempts"
    ]
    assert [attempt["verdict"] for attempt in told] == ["ok-success"] * 2
    assert held(uow_factory, somebody) == (None, None, None)
    assert rows(uow_factory, Follower) == []
    with uow_factory.begin(read_only=True) as uow:
        assert service.resolve_token(uow, somebody.token) is None
        row = uow.session.get_one(Citizen, somebody.citizen_id)
        assert (row.erased_at is not None, row.unionid) == (True, None)
        for app in ("official_account", "mini_program"):
            assert service.openid_of(uow, somebody.citizen_id, app) is None  # type: ignore[arg-type]
