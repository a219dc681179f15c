"""What the subscription sheet asks, what it remembers, and the answer about privacy."""

from __future__ import annotations

from typing import Any

import pytest

from server.emulator.testing import Emulator


@pytest.fixture
def wei(wechat: Emulator) -> str:
    return str(wechat.create_person("韦小妹")["person"])


@pytest.fixture
def ids(wechat: Emulator) -> list[str]:
    return list(wechat.world.templates)


def sheet(wechat: Emulator, person: str, *templates: str) -> dict[str, Any]:
    return wechat.post_control("sheet", person=person, templates=templates)


def grants(wechat: Emulator, person: str) -> dict[str, int]:
    listed = wechat.post_control("settings", person=person)["templates"]
    return {item["id"]: item["grants"] for item in listed if item["grants"]}


def test_a_sheet_asks_for_what_is_not_settled(wechat: Emulator, wei: str, ids: list[str]) -> None:
    first, second = ids[:2]
    wechat.post_control("templates", template_id=second, banned=True)
    found = sheet(wechat, wei, first, second)
    assert [item["id"] for item in found["templates"]] == [first]
    assert found["templates"][0]["title"] == wechat.world.templates[first].title
    assert found["results"] == {second: "ban"}


def test_a_template_named_twice_is_asked_once(wechat: Emulator, wei: str, ids: list[str]) -> None:
    found = sheet(wechat, wei, ids[0], ids[0])
    assert len(found["templates"]) == 1
    assert found["results"] == {ids[0]: "filter"}


def test_an_answer_that_is_kept_is_given_by_itself_and_still_adds_a_grant(
    wechat: Emulator, wei: str, ids: list[str]
) -> None:
    yes, no, open_ = ids[:3]
    wechat.post_control("consent", person=wei, results={yes: "accept", no: "reject"}, keep=True)
    wechat.post_control("consent", person=wei, results={open_: "accept"})
    found = sheet(wechat, wei, yes, no, open_)
    assert found["results"] == {yes: "accept", no: "reject"}
    assert [item["id"] for item in found["templates"]] == [open_]
    wechat.post_control("consent", person=wei, results=found["results"])
    assert grants(wechat, wei) == {yes: 2, open_: 1}
    assert wechat.post_control("settings", person=wei)["kept"] == {yes: "accept", no: "reject"}
    assert sheet(wechat, wechat.create_person("莫一")["person"], yes)["results"] == {}


def test_a_stronger_yes_is_kept_as_it_was_said(wechat: Emulator, wei: str, ids: list[str]) -> None:
    wechat.post_control("consent", person=wei, results={ids[0]: "acceptWithAudio"}, keep=True)
    assert wechat.post_control("settings", person=wei)["kept"] == {ids[0]: "acceptWithAudio"}
    assert sheet(wechat, wei, ids[0])["results"] == {ids[0]: "acceptWithAudio"}
    wechat.post_control("consent", person=wei, results={ids[1]: "later"}, keep=True)
    assert [item["id"] for item in sheet(wechat, wei, ids[1])["templates"]] == [ids[1]]


def test_what_was_turned_off_is_refused_until_it_is_accepted_again(
    wechat: Emulator, wei: str, ids: list[str]
) -> None:
    wechat.answer_sheet(wei, ids[0])
    wechat.answer_sheet(wei, ids[0], "turn_off")
    assert grants(wechat, wei) == {}
    assert sheet(wechat, wei, ids[0])["results"] == {ids[0]: "reject"}
    wechat.answer_sheet(wei, ids[0])
    assert sheet(wechat, wei, ids[0])["results"] == {}
    assert grants(wechat, wei) == {ids[0]: 1}


@pytest.mark.parametrize(
    ("templates", "errcode"),
    [([], 10001), ("x", 10001), (["x"] * 6, 20003), (["made-up"], 20001), ([1], 20001)],
)
def test_a_sheet_that_wechat_would_not_show_says_why(
    wechat: Emulator, wei: str, templates: object, errcode: int
) -> None:
    assert wechat.post_control("sheet", person=wei, templates=templates)["errcode"] == errcode


def test_with_the_main_switch_off_there_is_no_sheet(
    wechat: Emulator, wei: str, ids: list[str]
) -> None:
    assert wechat.post_control("settings", person=wei)["main_switch"] is True
    assert wechat.post_control("settings", person=wei, main_switch=False)["main_switch"] is False
    assert sheet(wechat, wei, ids[0])["errcode"] == 20004
    wechat.post_control("settings", person=wei, main_switch=True)
    assert len(sheet(wechat, wei, ids[0])["templates"]) == 1


def test_a_ban_stands_above_a_kept_answer(wechat: Emulator, wei: str, ids: list[str]) -> None:
    wechat.post_control("consent", person=wei, results={ids[0]: "accept"}, keep=True)
    wechat.post_control("templates", template_id=ids[0], banned=True)
    assert wechat.post_control("settings", person=wei)["kept"] == {ids[0]: "ban"}
    assert sheet(wechat, wei, ids[0])["results"] == {ids[0]: "ban"}


def test_each_person_agrees_to_the_privacy_guidelines_alone(wechat: Emulator, wei: str) -> None:
    mo = wechat.create_person("莫一")["person"]
    assert wechat.post_control("privacy", person=wei) == {"agreed": False}
    assert wechat.post_control("privacy", person=wei, agreed=True) == {"agreed": True}
    assert wechat.post_control("privacy", person=wei) == {"agreed": True}
    assert wechat.post_control("privacy", person=mo) == {"agreed": False}
    assert wechat.post_control("privacy", person=wei, agreed=False) == {"agreed": False}
