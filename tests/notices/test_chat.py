"""Events about subscription messages, in every form they were seen."""

from __future__ import annotations

import pytest

from server.base.uow import UnitOfWorkFactory
from server.base.web.metrics import UNKNOWN_WORDS
from server.notices import service
from server.notices.chat import HANDLERS, choices_in
from server.notices.service import Choice
from server.wechat.callback.documents import Fields, read_document
from tests.kit.accounts import Person, a_citizen
from tests.kit.clock import FakeClock
from tests.kit.notices import FIRST, SECOND, an_event

HANDLE = dict(HANDLERS)
POPUP, CHANGE = "subscribe_msg_popup_event", "subscribe_msg_change_event"
SENT = "subscribe_msg_sent_event"


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow)


def tell(
    uow_factory: UnitOfWorkFactory,
    openid: str,
    event: str,
    fields: Fields,
    *,
    later_seconds: int = 0,
) -> None:
    with uow_factory.begin() as uow:
        at = int(uow.now.timestamp()) + later_seconds
        HANDLE[event](uow, an_event(openid, event, at, fields))


def left(uow_factory: UnitOfWorkFactory, person: Person) -> tuple[int, int]:
    with uow_factory.begin(read_only=True) as uow:
        said = service.remaining_grants(uow, person.id)
    return said[FIRST], said[SECOND]


def item(template: str, status: str) -> dict[str, object]:
    return {"TemplateId": template, "SubscribeStatusString": status, "PopupScene": "0"}


def xml(frame: str, *items: tuple[str, str]) -> Fields:
    listed = "".join(
        f"<List><TemplateId><![CDATA[{template}]]></TemplateId>"
        f"<SubscribeStatusString><![CDATA[{status}]]></SubscribeStatusString>"
        "<PopupScene>0</PopupScene></List>"
        for template, status in items
    )
    return read_document(f"<xml><{frame}>{listed}</{frame}></xml>".encode())[0]


@pytest.mark.parametrize(
    "fields",
    [
        xml("SubscribeMsgPopupEvent", (FIRST, "accept"), (SECOND, "accept")),
        xml("SubscribeMsgChangeEvent", (FIRST, "accept"), (SECOND, "accept")),
        {"List": [item(FIRST, "accept"), item(SECOND, "accept")]},
    ],
)
def test_several_choices_are_read_in_every_form(
    uow_factory: UnitOfWorkFactory, person: Person, fields: Fields
) -> None:
    tell(uow_factory, person.openid, POPUP, fields)
    assert left(uow_factory, person) == (1, 1)


@pytest.mark.parametrize(
    "fields",
    [xml("SubscribeMsgPopupEvent", (FIRST, "accept")), {"List": item(FIRST, "accept")}],
)
def test_one_choice_is_read_in_every_form(
    uow_factory: UnitOfWorkFactory, person: Person, fields: Fields
) -> None:
    tell(uow_factory, person.openid, POPUP, fields)
    assert left(uow_factory, person) == (1, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"List": ""},
        {"List": []},
        {"List": ["x", {}, {"TemplateId": FIRST}, {"TemplateId": {"a": "b"}}]},
        {"SubscribeMsgPopupEvent": ""},
        {"SubscribeMsgPopupEvent": {"List": {"TemplateId": [], "SubscribeStatusString": "accept"}}},
    ],
)
def test_an_event_without_choices_does_nothing(
    uow_factory: UnitOfWorkFactory, person: Person, fields: Fields
) -> None:
    assert choices_in(fields) == []
    tell(uow_factory, person.openid, POPUP, fields)
    assert left(uow_factory, person) == (0, 0)


def test_the_clients_answer_and_the_event_are_one_permission(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    with uow_factory.begin() as uow:
        service.record_client_results(uow, person.id, {FIRST: "accept"})
    tell(uow_factory, person.openid, POPUP, {"List": item(FIRST, "accept")})
    assert left(uow_factory, person) == (1, 0)


def test_turning_a_template_off_ends_its_permissions(
    uow_factory: UnitOfWorkFactory, person: Person, clock: FakeClock
) -> None:
    tell(
        uow_factory, person.openid, POPUP, {"List": [item(FIRST, "accept"), item(SECOND, "accept")]}
    )
    clock.advance(5)
    tell(uow_factory, person.openid, CHANGE, xml("SubscribeMsgChangeEvent", (FIRST, "reject")))
    assert left(uow_factory, person) == (0, 1)


@pytest.mark.parametrize("word", ["acceptWithAudio", "acceptWithAlert", "acceptWithForcePush"])
def test_a_stronger_yes_is_a_permission(
    uow_factory: UnitOfWorkFactory, person: Person, word: str
) -> None:
    chosen = xml("SubscribeMsgPopupEvent", (FIRST, word), (SECOND, "perhaps"))
    tell(uow_factory, person.openid, POPUP, chosen)
    assert left(uow_factory, person) == (1, 0)
    with uow_factory.begin() as uow:
        service.record_client_results(uow, person.id, {FIRST: word})
    assert left(uow_factory, person) == (1, 0)


@pytest.mark.parametrize(
    ("word", "still"), [("reject", 0), ("rejectWithAudio", 0), ("acceptWithAudio", 1), ("new", 1)]
)
def test_a_change_ends_permissions_only_by_a_no(
    uow_factory: UnitOfWorkFactory, person: Person, word: str, still: int
) -> None:
    tell(uow_factory, person.openid, POPUP, {"List": item(FIRST, "accept")})
    tell(uow_factory, person.openid, CHANGE, xml("SubscribeMsgChangeEvent", (FIRST, word)))
    assert left(uow_factory, person) == (still, 0)


def delivery(template: str, errcode: str) -> dict[str, object]:
    return {"TemplateId": template, "MsgID": "1", "ErrorCode": errcode, "ErrorStatus": "words"}


@pytest.mark.parametrize(
    ("errcode", "still", "unknown"),
    [("0", 1, 0), ("43101", 0, 0), ("43108", 1, 0), ("777777", 1, 1), ("no number", 1, 1)],
)
@pytest.mark.parametrize("framed", [True, False])
def test_a_refused_delivery_ends_the_permissions_of_its_template(
    uow_factory: UnitOfWorkFactory,
    person: Person,
    errcode: str,
    still: int,
    unknown: int,
    framed: bool,
) -> None:
    counted = UNKNOWN_WORDS.labels("subscribe_sent")
    before = counted._value.get()
    tell(
        uow_factory, person.openid, POPUP, {"List": [item(FIRST, "accept"), item(SECOND, "accept")]}
    )
    told: Fields = {"List": [delivery(FIRST, errcode), delivery(SECOND, "0")]}
    tell(
        uow_factory, person.openid, SENT, {"SubscribeMsgSentEvent": dict(told)} if framed else told
    )
    assert left(uow_factory, person) == (still, 1)
    assert counted._value.get() == before + unknown


def test_an_event_from_ahead_of_our_clock_happened_now(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    tell(uow_factory, person.openid, POPUP, {"List": item(FIRST, "accept")}, later_seconds=3600)
    with uow_factory.begin() as uow:
        service.record_client_results(uow, person.id, {FIRST: "accept"})
    assert left(uow_factory, person) == (1, 0)


def test_an_event_of_a_stranger_makes_nobody(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    tell(uow_factory, "openid-of-a-stranger", POPUP, {"List": item(FIRST, "accept")})
    assert left(uow_factory, person) == (0, 0)
    assert choices_in({"List": item(FIRST, "accept")}) == [
        Choice(template_id=FIRST, status="accept")
    ]
