"""What WeChat tells of a citizen's wishes about their data."""

from __future__ import annotations

import pytest

from server.accounts import service
from server.accounts.chat import HANDLERS
from server.accounts.models import Citizen
from server.base.uow import UnitOfWorkFactory
from server.base.web.metrics import UNKNOWN_WORDS
from server.wechat.callback.documents import Fields
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.notices import an_event

HANDLE = dict(HANDLERS)
CLOSED, WITHDRAWN = "user_authorization_cancellation", "user_authorization_revoke"
CLEANED = "user_info_modified"


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        a_citizen(uow, nickname="旁人", avatar_url="https://x/noise.png")
        return a_citizen(uow, nickname="小明", avatar_url="https://x/a.png", city="450100")


def tell(uow_factory: UnitOfWorkFactory, openid: str, event: str, fields: Fields) -> None:
    with uow_factory.begin() as uow:
        HANDLE[event](uow, an_event(openid, event, int(uow.now.timestamp()), fields))


def row(uow_factory: UnitOfWorkFactory, person: Person) -> Citizen:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.get_one(Citizen, person.id)


def test_a_closed_account_is_erased(uow_factory: UnitOfWorkFactory, person: Person) -> None:
    with uow_factory.begin() as uow:
        token = a_session(uow, person)
    for _ in range(2):
        tell(uow_factory, person.openid, CLOSED, {})
    with uow_factory.begin(read_only=True) as uow:
        assert service.resolve_token(uow, token) is None
        assert service.names_of(uow, [person.id])[person.id].shown == "已注销用户"
        assert service.citizen_of_openid(uow, "mini_program", person.openid, create=False) is None


@pytest.mark.parametrize(
    ("taken_back", "nickname", "avatar"),
    [
        ("6", None, None),
        ("19", None, "https://x/a.png"),
        ("20", "小明", None),
        ("1, 19,20", None, None),
        ("205", None, None),
        ("201,204,206", "小明", "https://x/a.png"),
        ("8,13", "小明", "https://x/a.png"),
        ("", "小明", "https://x/a.png"),
    ],
)
def test_what_is_taken_back_is_dropped_and_nothing_else(
    uow_factory: UnitOfWorkFactory,
    person: Person,
    taken_back: str,
    nickname: str | None,
    avatar: str | None,
) -> None:
    tell(uow_factory, person.openid, WITHDRAWN, {"RevokeInfo": taken_back})
    now = row(uow_factory, person)
    assert (now.nickname, now.avatar_url, now.city) == (nickname, avatar, "450100")


def test_a_profile_that_wechat_cleaned_is_cleaned_here_too(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    tell(uow_factory, person.openid, CLEANED, {})
    now = row(uow_factory, person)
    assert (now.nickname, now.avatar_url, now.city) == (None, None, "450100")


def test_a_plugins_permission_is_not_ours(uow_factory: UnitOfWorkFactory, person: Person) -> None:
    tell(uow_factory, person.openid, WITHDRAWN, {"RevokeInfo": "6", "PluginID": "wx-plugin"})
    assert row(uow_factory, person).nickname == "小明"


def test_a_number_that_we_do_not_know_is_counted_and_hinders_no_other(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    counted = UNKNOWN_WORDS.labels("withdrawn_data")
    before = counted._value.get()
    tell(uow_factory, person.openid, WITHDRAWN, {"RevokeInfo": "301,19,,21"})
    assert row(uow_factory, person).nickname is None
    assert counted._value.get() == before + 2


@pytest.mark.parametrize("event", [CLOSED, WITHDRAWN, CLEANED])
def test_news_of_a_stranger_makes_nobody(
    uow_factory: UnitOfWorkFactory, person: Person, event: str
) -> None:
    tell(uow_factory, "openid-of-a-stranger", event, {"RevokeInfo": ["6"]})
    with uow_factory.begin(read_only=True) as uow:
        stranger = service.citizen_of_openid(
            uow, "mini_program", "openid-of-a-stranger", create=False
        )
    assert stranger is None
    assert row(uow_factory, person).nickname == "小明"
