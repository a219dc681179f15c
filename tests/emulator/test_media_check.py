"""The emulated check of pictures: it fetches the address and tells its verdict by an event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from server.emulator.apps import MINI
from server.emulator.testing import Emulator
from tests.emulator.conftest import Api, Push, Receiver
from tests.emulator.kit import opened

CHECK = "/wxa/media_check_async"
JPEG = b"\xff\xd8\xff\xe0 a picture"


@pytest.fixture
def emulator(receiver: Receiver) -> Iterator[Emulator]:
    """An emulator whose events come at once, before a server that has one picture."""

    def answer(push: Push) -> tuple[int, bytes]:
        if push.method == "GET":
            return (200, JPEG) if push.path == "/p.jpg" else (404, b"")
        return 200, b"success"

    receiver.answer = answer
    made = Emulator(server=receiver.url, sent_event_s=(0.0, 0.0)).start_server()
    yield made
    made.stop_servers()


def a_person(emulator: Emulator, name: str = "Wei") -> str:
    person = emulator.create_person(name)
    emulator.login_code(person["person"])
    return str(person["openid_mp"])


def body(openid: str, address: str) -> dict[str, Any]:
    return {"version": 2, "media_type": 2, "scene": 1, "openid": openid, "media_url": address}


def event_of(emulator: Emulator, receiver: Receiver) -> dict[str, Any]:
    assert emulator.wait_settled()
    pushes = [push for push in receiver.pushes if push.method == "POST"]
    return opened(emulator.apps[MINI], pushes[-1])


@pytest.mark.parametrize(
    ("name", "suggest"), [("Wei", "pass"), ("Wei [risky]", "risky"), ("[review]", "review")]
)
def test_the_picture_is_fetched_and_judged(
    emulator: Emulator, receiver: Receiver, name: str, suggest: str
) -> None:
    openid = a_person(emulator, name)
    told = Api(emulator).mini(CHECK, body(openid, f"{receiver.url}/p.jpg"))
    event = event_of(emulator, receiver)
    assert [push.path for push in receiver.pushes if push.method == "GET"] == ["/p.jpg"]
    assert event["Event"] == "wxa_media_check"
    assert event["FromUserName"] not in (openid, "")
    assert event["trace_id"] == told["trace_id"]
    assert (str(event["errcode"]), event["result"]["suggest"]) == ("0", suggest)


@pytest.mark.parametrize("address", ["{server}/none.jpg", "https://example.org/p.jpg", "x"])
def test_what_cannot_be_fetched_gets_no_verdict(
    emulator: Emulator, receiver: Receiver, address: str
) -> None:
    openid = a_person(emulator)
    Api(emulator).mini(CHECK, body(openid, address.format(server=receiver.url)))
    event = event_of(emulator, receiver)
    assert str(event["errcode"]) == "-1008"
    assert "result" not in event


@pytest.mark.parametrize(("form", "listed"), [("json", list), ("xml", dict)])
def test_the_verdict_has_the_shape_of_its_format(
    emulator: Emulator, receiver: Receiver, form: str, listed: type
) -> None:
    emulator.post_control("apps", mini_program={"format": form})
    openid = a_person(emulator)
    trace = Api(emulator).mini(CHECK, body(openid, f"{receiver.url}/p.jpg"))["trace_id"]
    event = event_of(emulator, receiver)
    number = int if form == "json" else str
    result = {"suggest": "pass", "label": number(100)}
    detail = {"strategy": "content_model", "errcode": number(0), **result, "prob": number(90)}
    assert isinstance(event["detail"], listed)
    assert event["detail"] == ([detail] if listed is list else detail)
    envelope = {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"}
    assert {name: value for name, value in event.items() if name not in envelope} == {
        "appid": emulator.apps[MINI].appid,
        "trace_id": trace,
        "version": number(2),
        "detail": event["detail"],
        "errcode": number(0),
        "errmsg": "ok",
        "result": result,
    }


def test_a_question_that_wechat_would_not_take_is_refused(emulator: Emulator) -> None:
    openid = a_person(emulator)
    stranger = emulator.create_person("Lan")["openid_mp"]
    api = Api(emulator)
    for changes, errcode in (
        ({"version": 1}, 40097),
        ({"scene": 5}, 40129),
        ({"media_type": 3}, 40097),
        ({"media_url": ""}, 40097),
        ({"openid": "nobody"}, 40003),
        ({"openid": stranger}, 61010),
    ):
        asked = {**body(openid, "http://127.0.0.1:9/p"), **changes}
        assert api.mini(CHECK, asked)["errcode"] == errcode
