"""The phone's page and what it reads: whole, strict about scripts, and cheap to ask again."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest

from server.emulator.app import create_app
from server.emulator.apps import MINI
from server.emulator.phone_page import FILES, PAGES, SHOWN_PEOPLE
from server.emulator.testing import Emulator
from tests.emulator.conftest import Api, Receiver
from tests.emulator.kit import replying


def read(wechat: Emulator, path: str, **query: object) -> dict[str, Any]:
    address = f"{wechat.base}/phone/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(address) as answer:
        shown: dict[str, Any] = json.load(answer)
        return shown


@pytest.mark.parametrize("path", ["/phone", "/phone/", "/phone/?person=person-x&path=pages/a"])
def test_the_page_answers_under_a_strict_policy(wechat: Emulator, path: str) -> None:
    with urllib.request.urlopen(f"{wechat.base}{path}") as answer:
        policy, text = answer.headers["Content-Security-Policy"], answer.read().decode()
    assert "模拟微信，仅供演示和测试" in text
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_every_part_of_the_page_is_served_with_its_type(wechat: Emulator) -> None:
    html = (PAGES / "phone.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:src|href)="(phone\.\w+)"', html))
    scripts = {name for name in FILES if name.endswith(".js")}
    front = {"front.html", "front.css"}
    assert named == set(FILES) - {"phone.html"} - front - (scripts - {"phone.js"})
    for name in named | scripts | {"front.css"}:
        with urllib.request.urlopen(f"{wechat.base}/phone/{name}") as answer:
            assert answer.headers["Content-Type"] == FILES[name]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.read() == (PAGES / name).read_bytes()


def test_a_feed_holds_groups_and_only_the_cards_that_are_new(wechat: Emulator) -> None:
    wei, mo = (wechat.create_person(name)["person"] for name in ("韦小妹", "莫一"))
    group = wechat.post_control("groups", name="三年级", members=[wei, mo])
    card = {"title": "一起来答题", "path": "/pages/home/index", "image": "/phone/app/share.png"}
    wechat.post_control("share", person=wei, to={"group": group["group"]}, **card)
    feed = read(wechat, "feed", person=mo)
    assert feed["program"] == {"name": "八桂科普", "appid": wechat.apps[MINI].appid}
    assert feed["groups"] == [group]
    shown = feed["cards"][0]
    assert (shown["talk"], shown["name"], shown["image"]) == (
        group["group"],
        "韦小妹",
        "/phone/app/share.png",
    )
    assert read(wechat, "feed", person=mo, cards=shown["id"])["cards"] == []


@pytest.mark.parametrize("name", ["phone.html", "phone.py", "..%2Fapp.py", "%2e%2e/texts.toml"])
def test_nothing_else_is_served(wechat: Emulator, name: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{wechat.base}/phone/{name}")
    with error.value:
        assert error.value.code == 404


def test_the_page_holds_no_script_or_style_of_its_own() -> None:
    html = (PAGES / "phone.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", html) == []
    runs = r"(?:inner|outer)HTML|insertAdjacentHTML|document\.write|eval\(|new Function"
    for path in PAGES.glob("*.js"):
        script = path.read_text(encoding="utf-8")
        assert re.findall(runs, script) == []
        assert len(script.splitlines()) <= 400


def test_every_module_is_imported_by_another_and_every_import_is_there() -> None:
    imported = {
        name
        for path in PAGES.glob("*.js")
        for name in re.findall(r'from "\./([\w-]+\.js)"', path.read_text(encoding="utf-8"))
    }
    assert imported | {"phone.js"} == {name for name in FILES if name.endswith(".js")}


def test_a_feed_holds_both_sides_and_then_only_what_is_new(
    wechat: Emulator, receiver: Receiver
) -> None:
    wei = wechat.create_person("韦小妹")
    receiver.answer = replying(lambda: wechat.apps["official_account"], "欢迎")
    wechat.follow_account(wei["person"])
    wechat.say_text(wei["person"], "帮助")
    feed = read(wechat, "feed", person=wei["person"], after=0)
    assert feed["person"] == {**wei, "subscribed": True}
    assert re.fullmatch(r"13\d\*{4}\d{4}", feed["number"])
    assert [(line["direction"], line["content"]) for line in feed["chat"]] == [
        ("in", "欢迎"),
        ("out", "帮助"),
        ("in", "欢迎"),
    ]
    assert (feed["notices"], feed["menu"], feed["codes"]) == ([], {"button": []}, 0)
    assert feed["now"].endswith("+08:00")
    latest = feed["chat"][-1]["id"]
    assert read(wechat, "feed", person=wei["person"], after=latest)["chat"] == []
    wechat.say_text(wei["person"], "排行榜")
    news = read(wechat, "feed", person=wei["person"], after=latest)["chat"]
    assert [line["content"] for line in news] == ["排行榜", "欢迎"]


def test_a_feed_holds_notices_menu_and_the_number_of_codes(wechat: Emulator, api: Api) -> None:
    wei = wechat.create_person()
    template = next(iter(wechat.world.templates.values()))
    wechat.answer_sheet(wei["person"], template.id)
    values = {key: template.listed.get(key) or SAMPLES[key.rstrip("0123456789")]
              for key in template.keys}  # fmt: skip
    data = {key: {"value": value[0]} for key, value in values.items()}
    sent = {"touser": wei["openid_mp"], "template_id": template.id, "data": data}
    assert api.mini("/cgi-bin/message/subscribe/send", sent)["errcode"] == 0
    menu = {"button": [{"type": "click", "name": "排行榜", "key": "BOARD"}]}
    assert api.official("/cgi-bin/menu/create", menu)["errcode"] == 0
    scene = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "a"}}}
    assert "ticket" in api.official("/cgi-bin/qrcode/create", scene)
    feed = read(wechat, "feed", person=wei["person"])
    assert [line["content"] for line in feed["notices"]] == [template.title]
    assert feed["notices"][0]["names"] == dict(zip(template.keys, template.names, strict=True))
    assert feed["menu"]["button"][0]["name"] == "排行榜"
    assert feed["codes"] == 1
    latest = feed["notices"][0]["id"]
    assert read(wechat, "feed", person=wei["person"], after=latest)["notices"] == []


SAMPLES = {
    "thing": ["科普"],
    "time": ["2026-05-01 09:00"],
    "date": ["2026-05-01"],
    "number": ["1"],
    "phrase": ["成功"],
    "character_string": ["A1"],
    "name": ["韦小妹"],
}


def test_a_feed_of_nobody_says_so(wechat: Emulator) -> None:
    assert read(wechat, "feed", person="person-gone") == {"person": None}
    assert read(wechat, "feed") == {"person": None}


def test_people_are_offered_newest_first_and_found_by_name(
    wechat: Emulator, receiver: Receiver
) -> None:
    nobody = read(wechat, "people")
    assert (nobody["items"], nobody["total"], nobody["cut"]) == ([], 0, False)
    assert nobody["now"].endswith("+08:00")
    wechat.post_control("seed", followers=SHOWN_PEOPLE + 5)
    receiver.answer = replying(lambda: wechat.apps["official_account"], "欢迎")
    wei, mo = wechat.create_person("韦小妹"), wechat.create_person("莫_一%")
    wechat.follow_account(wei["person"])
    offered = read(wechat, "people")
    assert len(offered["items"]) == SHOWN_PEOPLE
    assert offered["total"] == SHOWN_PEOPLE + 7
    first, second = offered["items"][:2]
    assert first == {"person": mo["person"], "name": "莫_一%", "subscribed": False, "latest": 0}
    assert (second["name"], second["subscribed"], second["latest"] > 0) == ("韦小妹", True, True)
    for part, names in (("小妹", ["韦小妹"]), ("_一%", ["莫_一%"]), ("没有", [])):
        found = read(wechat, "people", q=part)
        assert [item["name"] for item in found["items"]] == names
        assert found["total"] == len(names)


def test_the_front_page_leads_to_phone_server_documents_and_health(wechat: Emulator) -> None:
    client = create_app(wechat.world).test_client()
    shown = client.get("/")
    assert (shown.status_code, shown.mimetype) == (200, "text/html")
    page = shown.get_data(as_text=True)
    links = re.findall(r'href="([^"]+)"', page)
    here = {link for link in links if link.startswith("/")}
    assert {"/phone/", "/_emu/health"} <= here
    assert {client.get(link).status_code for link in here} == {200}
    server = wechat.world.settings.server
    assert {f"{server}/", f"{server}/docs"} <= set(links)
    assert "{" not in page


def test_the_health_tells_of_calls_that_wechat_does_not_have(wechat: Emulator) -> None:
    client = create_app(wechat.world).test_client()
    told = {"status": "ok", "server": wechat.world.settings.server, "failing_calls": 0}
    assert client.get("/_emu/health").get_json() == told
    client.get("/api/cgi-bin/tokens")
    assert client.get("/_emu/health").get_json() == {**told, "failing_calls": 1}
