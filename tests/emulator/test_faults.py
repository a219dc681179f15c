"""Failures on order: what the caller sees, and what had happened all the same."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from server.emulator.testing import ControlError, Emulator
from tests.emulator.conftest import Api

IPS, SEND = "/cgi-bin/getcallbackip", "/cgi-bin/message/custom/send"
BROKEN = (ConnectionError, http.client.HTTPException, urllib.error.URLError)


def errcode(api: Api) -> int:
    return int(api.official(IPS).get("errcode", 0))


@pytest.fixture
def sent(wechat: Emulator) -> dict[str, Any]:
    person = wechat.create_person("Wei")
    wechat.follow_account(person["person"])
    return {"touser": person["openid_oa"], "msgtype": "text", "text": {"content": "hi"}}


def test_an_errcode_comes_as_often_as_ordered(wechat: Emulator, api: Api) -> None:
    wechat.order_fault(IPS, errcode=-1, count=2)
    assert [errcode(api) for _ in range(3)] == [-1, -1, 0]


def test_a_fault_without_a_count_stays_until_it_is_lifted(wechat: Emulator, api: Api) -> None:
    order = wechat.order_fault("/api" + IPS, errcode=45009)
    assert [errcode(api) for _ in range(3)] == [45009] * 3
    assert wechat.get_control("faults")["items"][0]["hits"] == 3
    wechat.world.faults.lift_orders(order["id"] + 1)
    assert errcode(api) == 45009
    wechat.world.faults.lift_orders(order["id"])
    assert errcode(api) == 0


def test_chance_decides_when_told_so(wechat: Emulator, api: Api) -> None:
    wechat.order_fault(IPS, errcode=-1, probability=0.5)
    seen = {errcode(api) for _ in range(40)}
    assert seen == {-1, 0}


def test_a_refused_send_has_no_effect(wechat: Emulator, api: Api, sent: dict[str, Any]) -> None:
    wechat.order_fault(SEND, errcode=-1, count=1)
    assert api.official(SEND, sent)["errcode"] == -1
    assert wechat.read_inbox(sent["touser"]) == []


def test_a_fault_can_be_meant_for_one_person(
    wechat: Emulator, api: Api, sent: dict[str, Any]
) -> None:
    wechat.order_fault(SEND, errcode=45011, openid="somebody else")
    assert api.official(SEND, sent)["errcode"] == 0
    wechat.order_fault(SEND, errcode=45011, openid=sent["touser"])
    assert api.official(SEND, sent)["errcode"] == 45011


def test_an_accepted_call_whose_answer_is_lost_did_happen(
    wechat: Emulator, api: Api, sent: dict[str, Any]
) -> None:
    token = api.token()
    wechat.order_fault(SEND, mode="accept_then_drop", count=1)
    with pytest.raises(BROKEN):
        api.post(SEND, sent, access_token=token)
    assert [item["content"] for item in wechat.read_inbox(sent["touser"])] == ["hi"]
    assert wechat.list_calls(SEND)[0]["status"] == 0


def test_a_reset_call_did_not_happen(wechat: Emulator, api: Api, sent: dict[str, Any]) -> None:
    token = api.token()
    wechat.order_fault(SEND, mode="reset", count=1)
    with pytest.raises(BROKEN):
        api.post(SEND, sent, access_token=token)
    assert wechat.read_inbox(sent["touser"]) == []
    assert api.post(SEND, sent, access_token=token)["errcode"] == 0


def test_half_an_answer_is_no_json(wechat: Emulator, api: Api, sent: dict[str, Any]) -> None:
    token = api.token()
    wechat.order_fault(SEND, mode="truncate", count=1)
    with pytest.raises(http.client.IncompleteRead) as half:
        api.post(SEND, sent, access_token=token)
    assert half.value.partial.startswith(b'{"errcode"')
    with pytest.raises(json.JSONDecodeError):
        json.loads(half.value.partial)
    assert len(wechat.read_inbox(sent["touser"])) == 1


def test_a_gateway_page_instead_of_json(wechat: Emulator, api: Api) -> None:
    token = api.token()
    wechat.order_fault(IPS, mode="html", count=1)
    mime, content = api.raw(IPS, None, access_token=token)
    assert mime.startswith("text/html")
    assert content.startswith(b"<html>")


def test_an_http_status_instead_of_an_errcode(wechat: Emulator, api: Api) -> None:
    token = api.token()
    wechat.order_fault(IPS, http=502, count=1)
    with pytest.raises(urllib.error.HTTPError) as error:
        api.raw(IPS, None, access_token=token)
    with error.value:
        assert error.value.code == 502
    assert wechat.list_calls(IPS)[0]["status"] == 502


def test_a_delay_is_kept_and_adds_to_another_fault(
    wechat: Emulator, api: Api, pauses: list[float]
) -> None:
    wechat.order_fault(IPS, delay_s=3)
    wechat.order_fault(IPS, errcode=-1, delay_s=4, count=1)
    assert errcode(api) == -1
    assert errcode(api) == 0
    assert pauses == [7, 3]


@pytest.mark.parametrize("by_number", [True, False], ids=["that one", "all"])
def test_a_held_call_has_no_effect_before_its_fault_is_lifted(
    wechat: Emulator, api: Api, by_number: bool
) -> None:
    number = wechat.order_fault(IPS, mode="hold")["id"]
    token = api.token()
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(api.get, IPS, access_token=token)
        while not wechat.get_control("faults")["items"][0]["hits"]:
            assert not held.done()
        assert wechat.list_calls(IPS) == []
        address = f"{wechat.base}/_emu/faults{f'?id={number}' if by_number else ''}"
        with urllib.request.urlopen(urllib.request.Request(address, method="DELETE")) as lifted:
            assert json.load(lifted)["items"] == []
        assert held.result()["ip_list"]
    assert len(wechat.list_calls(IPS)) == 1


@pytest.mark.parametrize(
    "wish",
    [
        {"errcode": -1},
        {"path": IPS, "mode": "poem"},
        {"path": IPS, "colour": 1},
        {"path": IPS, "count": "two"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wechat: Emulator, wish: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="400"):
        wechat.post_control("faults", **wish)


NEW_SENDS = [
    "/cgi-bin/message/template/send",
    "/cgi-bin/message/subscribe/bizsend",
    "/cgi-bin/message/mass/send",
    "/cgi-bin/message/mass/sendall",
    "/cgi-bin/message/mass/preview",
    "/cgi-bin/draft/add",
    "/cgi-bin/material/get_materialcount",
]


@pytest.mark.parametrize("path", NEW_SENDS)
def test_every_send_can_be_refused_delayed_or_lose_its_token(
    wechat: Emulator, api: Api, pauses: list[float], path: str
) -> None:
    body = None if path.endswith("count") else {"touser": "o" * 28, "msgtype": "text"}
    wechat.order_fault(path, errcode=-1, count=1)
    wechat.order_fault(path, delay_s=3, count=1)
    codes = [api.official(path, body).get("errcode", 0) for _ in range(2)]
    assert codes[0] == -1
    assert codes[1] not in (-1, 40001)
    assert pauses == [3]
    token = api.token()
    wechat.post_control("tokens", expire=True)
    ask = {"access_token": token}
    told = api.get(path, **ask) if body is None else api.post(path, body, **ask)
    assert told["errcode"] == 42001
    assert wechat.get_control("deliveries")["items"] == []
