"""Groups, the cards in them, and what a page learns of where it was opened."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from server.emulator import people as crowd
from server.emulator import phone_page, posts
from server.emulator.apps import MINI
from server.emulator.testing import ControlError, Emulator
from tests.emulator.conftest import Api

CARD = {"title": "一起来答题", "path": "/packages/quiz/round/index?contest=c1&from=&name=%E9%9F%A6"}


@pytest.fixture
def people(wechat: Emulator) -> list[str]:
    return [wechat.create_person(name)["person"] for name in ("韦小妹", "莫一", "陆二")]


def cards(wechat: Emulator, person: str, after: int = 0) -> list[dict[str, Any]]:
    known = crowd.find_person(wechat.world, person)
    return posts.seen_by(wechat.world, known, after)


def session_key(api: Api, code: str) -> bytes:
    app = api.emulator.apps[MINI]
    asked = {"appid": app.appid, "secret": app.secret, "js_code": code}
    found = api.get("/sns/jscode2session", **asked, grant_type="authorization_code")
    return base64.b64decode(found["session_key"])


def unsealed(info: dict[str, Any], key: bytes) -> dict[str, Any]:
    opener = Cipher(algorithms.AES(key), modes.CBC(base64.b64decode(info["iv"]))).decryptor()
    padded = opener.update(base64.b64decode(info["encrypted_data"])) + opener.finalize()
    stripper = padding.PKCS7(128).unpadder()
    opened: dict[str, Any] = json.loads(stripper.update(padded) + stripper.finalize())
    return opened


def test_a_group_is_made_grows_shrinks_and_changes_its_name(
    wechat: Emulator, people: list[str]
) -> None:
    wei, mo, lu = people
    made = wechat.post_control("groups", name="三年级", members=[wei, mo])
    assert [member["name"] for member in made["members"]] == ["韦小妹", "莫一"]
    grown = wechat.post_control("groups", group=made["group"], add=[lu, lu], name="四年级")
    assert [member["person"] for member in grown["members"]] == people
    assert grown["name"] == "四年级"
    assert grown["opengid"] == made["opengid"]
    shrunk = wechat.post_control("groups", group=made["group"], remove=[mo])
    assert [member["person"] for member in shrunk["members"]] == [wei, lu]
    assert wechat.get_control("groups")["items"] == [shrunk]
    wechat.post_control("reset")
    assert wechat.get_control("groups")["items"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": " "}, 400),
        ({"name": "长" * 31}, 400),
        ({"name": "三年级", "members": "person-x"}, 400),
        ({"name": "三年级", "members": ["person-gone"]}, 404),
        ({"group": "group-gone", "add": []}, 404),
    ],
)
def test_a_group_that_cannot_be_is_refused_and_leaves_nothing(
    wechat: Emulator, body: dict[str, Any], status: int
) -> None:
    with pytest.raises(ControlError) as refused:
        wechat.post_control("groups", **body)
    assert refused.value.status == status
    assert wechat.get_control("groups")["items"] == []


def test_a_card_in_a_group_reaches_its_members_and_whoever_joins_later_misses_it(
    wechat: Emulator, people: list[str]
) -> None:
    wei, mo, lu = people
    group = wechat.post_control("groups", name="三年级", members=[wei, mo])["group"]
    wechat.post_control("share", person=wei, to={"group": group}, **CARD)
    wechat.post_control("groups", group=group, add=[lu])
    shown = cards(wechat, mo)
    assert [(card["talk"], card["name"], card["title"]) for card in shown] == [
        (group, "韦小妹", "一起来答题")
    ]
    assert cards(wechat, wei) == shown
    assert cards(wechat, lu) == []
    wechat.post_control("share", person=mo, to={"group": group}, **CARD)
    assert [card["sender"] for card in cards(wechat, lu)] == [mo]
    assert len(cards(wechat, wei, after=shown[-1]["id"])) == 1


def test_a_card_between_two_people_stands_in_both_chats_and_in_no_third(
    wechat: Emulator, people: list[str]
) -> None:
    wei, mo, _lu = people
    wechat.post_control("share", person=wei, to={"person": mo}, **CARD)
    talks = [[(card["talk"], card["talk_name"]) for card in cards(wechat, one)] for one in people]
    assert talks == [[(mo, "莫一")], [(wei, "韦小妹")], []]


@pytest.mark.parametrize(
    ("place", "with_ticket", "scene"),
    [("person", True, 1007), ("group", False, 1008), ("group", True, 1044)],
)
def test_an_opened_card_says_where_it_stood(
    wechat: Emulator, people: list[str], place: str, with_ticket: bool, scene: int
) -> None:
    wei, mo, _lu = people
    group = wechat.post_control("groups", name="三年级", members=[wei, mo])["group"]
    to = {place: group if place == "group" else mo}
    post = wechat.post_control("share", person=wei, to=to, with_ticket=with_ticket, **CARD)["post"]
    found = wechat.post_control("open", person=mo, post=post)
    assert found["path"] == "packages/quiz/round/index"
    assert found["query"] == {"contest": "c1", "from": "", "name": "%E9%9F%A6"}
    assert (found["scene"], found["mode"]) == (scene, "default")
    assert ("share_ticket" in found) == (scene == 1044)


def test_a_card_on_the_timeline_is_everybodys_and_opens_as_a_single_page(
    wechat: Emulator, people: list[str]
) -> None:
    wei, _mo, lu = people
    post = wechat.post_control("share", person=wei, to={"timeline": True}, **CARD)["post"]
    assert [card["place"] for card in cards(wechat, lu)] == ["timeline"]
    found = wechat.post_control("open", person=lu, post=post)
    assert (found["scene"], found["mode"]) == (1154, "singlePage")
    assert wechat.post_control("group_enter_info", person=lu, post=post)["errcode"] == 40097


def test_members_learn_the_same_group_with_the_key_of_their_own_login(
    wechat: Emulator, api: Api, people: list[str]
) -> None:
    wei, mo, _lu = people
    made = wechat.post_control("groups", name="三年级", members=[wei, mo])
    post = wechat.post_control("share", person=wei, to={"group": made["group"]}, **CARD)["post"]
    found = []
    for person in (wei, mo):
        with pytest.raises(ControlError, match=r"wx\.login comes first"):
            wechat.post_control("group_enter_info", person=person, post=post)
        key = session_key(api, wechat.login_code(person))
        info = wechat.post_control("group_enter_info", person=person, post=post)
        found.append(unsealed(info, key))
    assert {entry["opengid"] for entry in found} == {made["opengid"]}
    assert found[0]["group_openid"] != found[1]["group_openid"]


def test_who_left_the_group_neither_opens_its_cards_nor_learns_of_it(
    wechat: Emulator, people: list[str]
) -> None:
    wei, mo, _lu = people
    group = wechat.post_control("groups", name="三年级", members=[wei, mo])["group"]
    post = wechat.post_control("share", person=wei, to={"group": group}, **CARD)["post"]
    wechat.post_control("groups", group=group, remove=[mo])
    assert wechat.post_control("group_enter_info", person=mo, post=post)["errcode"] == 65206
    with pytest.raises(ControlError) as refused:
        wechat.post_control("open", person=mo, post=post)
    assert refused.value.status == 404
    with pytest.raises(ControlError) as outside:
        wechat.post_control("share", person=mo, to={"group": group}, **CARD)
    assert outside.value.status == 409


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"title": ""}, 400),
        ({"path": "pages/home/index"}, 400),
        ({"path": "/" + "x" * 1024}, 400),
        ({"image": "https://elsewhere.example.org/a.png"}, 400),
        ({"image": "data:image/png;base64," + "A" * 300_000}, 400),
        ({"to": {"crowd": "x"}}, 400),
        ({"to": "person-x"}, 400),
        ({"to": {"person": "person-gone"}}, 404),
        ({"to": {"group": "group-gone"}}, 404),
    ],
)
def test_a_card_that_wechat_would_not_send_is_refused(
    wechat: Emulator, people: list[str], changed: dict[str, Any], status: int
) -> None:
    with pytest.raises(ControlError) as refused:
        wechat.post_control(
            "share", **{"person": people[0], "to": {"person": people[1]}, **CARD, **changed}
        )
    assert refused.value.status == status
    assert cards(wechat, people[0]) == []


def test_words_in_a_group_reach_its_members_and_open_nothing(wechat: Emulator) -> None:
    wei, mo, lu = (str(wechat.create_person(name)["person"]) for name in ("Wei", "Mo", "Lu"))
    group = wechat.post_control("groups", name="class 3", members=[wei, mo])["group"]
    said = wechat.post_control("say", person=wei, to={"group": group}, content="hello")
    for person, seen in ((mo, ["hello"]), (lu, [])):
        cards = phone_page.read_feed(wechat.world, person)["cards"]
        assert [card["title"] for card in cards] == seen
    with pytest.raises(ControlError, match="404"):
        wechat.post_control("open", person=mo, post=said["post"])
    wechat.post_control("say", person=wei, to={"person": lu}, content="only for you")
    assert len(phone_page.read_feed(wechat.world, mo)["cards"]) == 1


@pytest.mark.parametrize(
    ("to", "content", "status"),
    [
        ({"group": "?"}, " ", 400),
        ({"group": "?"}, "x" * 601, 400),
        ({"group": "?"}, None, 400),
        ({"timeline": True}, "hello", 400),
        ({"group": "none"}, "hello", 404),
        ({"person": "nobody"}, "hello", 404),
    ],
)
def test_words_that_cannot_be_said_are_refused(
    wechat: Emulator, to: dict[str, Any], content: object, status: int
) -> None:
    wei = str(wechat.create_person("Wei")["person"])
    group = wechat.post_control("groups", name="class 3", members=[wei])["group"]
    goal = {"group": group} if to == {"group": "?"} else to
    with pytest.raises(ControlError, match=str(status)):
        wechat.post_control("say", person=wei, to=goal, content=content)


def test_who_is_not_in_a_group_says_nothing_there(wechat: Emulator) -> None:
    wei, mo = (str(wechat.create_person(name)["person"]) for name in ("Wei", "Mo"))
    group = wechat.post_control("groups", name="class 3", members=[wei])["group"]
    with pytest.raises(ControlError, match="409"):
        wechat.post_control("say", person=mo, to={"group": group}, content="hello")
