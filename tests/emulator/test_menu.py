"""The menu: what is refused, and both forms in which it comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from server.emulator.apps import MINI, OFFICIAL
from server.emulator.testing import Emulator, emulated_wechat
from tests.emulator.conftest import Api

CREATE, GET = "/cgi-bin/menu/create", "/cgi-bin/menu/get"


def click(name: str = "答题", key: str = "QUIZ") -> dict[str, Any]:
    return {"type": "click", "name": name, "key": key}


def test_a_menu_is_kept_until_it_is_deleted(wechat: Emulator, api: Api) -> None:
    assert api.official(GET)["errcode"] == 46003
    menu = {"button": [click(), {"name": "服务", "sub_button": [click("联系我们", "CONTACT")]}]}
    assert api.official(CREATE, menu)["errcode"] == 0
    top = api.official(GET)["menu"]["button"]
    assert top[0] == {**click(), "sub_button": []}
    assert top[1]["sub_button"][0]["key"] == "CONTACT"
    assert wechat.get_control("menu")["button"] == top
    listed = api.official("/cgi-bin/get_current_selfmenu_info")
    assert listed["is_menu_open"] == 1
    assert listed["selfmenu_info"]["button"][1]["sub_button"]["list"][0]["key"] == "CONTACT"
    assert api.official("/cgi-bin/menu/delete")["errcode"] == 0
    assert api.official("/cgi-bin/get_current_selfmenu_info")["is_menu_open"] == 0


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([], 40016),
        ([click()] * 4, 40016),
        (["words"], 40016),
        ([{"name": "a", "sub_button": [click()] * 6}], 40023),
        ([{"name": "a", "sub_button": ["words"]}], 40023),
        ([click(name="六个汉字太长")], 40018),
        ([click(name="")], 40018),
        ([{"name": "a", "sub_button": [click(name="长" * 21)]}], 40025),
        ([click(key="k" * 129)], 40019),
        ([{"type": "poem", "name": "a"}], 40017),
        ([{"type": "view", "name": "a", "url": "x" * 1025}], 40020),
        ([{"type": "view", "name": "a", "url": "ftp://x"}], 40055),
        ([{"type": "media_id", "name": "a", "media_id": "m"}], 40007),
    ],
)
def test_a_wrong_menu_is_refused(api: Api, buttons: list[Any], errcode: int) -> None:
    assert api.official(CREATE, {"button": buttons})["errcode"] == errcode


def page(wechat: Emulator, **changed: Any) -> dict[str, Any]:
    return {
        "type": "miniprogram",
        "name": "答题",
        "url": "https://example.org",
        "appid": wechat.apps[MINI].appid,
        "pagepath": "pages/quiz/index",
        **changed,
    }


def test_only_the_linked_mini_program_can_be_opened(wechat: Emulator, api: Api) -> None:
    def pushed(**changed: Any) -> int:
        return int(api.official(CREATE, {"button": [page(wechat, **changed)]})["errcode"])

    assert pushed() == 0
    assert pushed(appid="wx0123456789abcdef") == 45064
    for wrong in (wechat.apps[OFFICIAL].original_id, "", None):
        assert pushed(appid=wrong) == 40166
    assert pushed(url="") == 40020
    assert pushed(url="weixin://somewhere") == 40055


@pytest.mark.parametrize(
    ("path", "errcode"),
    [
        ("pages/quiz/index?id=1&from=menu", 0),
        ("pages/quiz/index?facts=%7B%22a%22%3A1%7D", 0),
        ("/pages/quiz/index", 40165),
        ("pages/quiz/index.html", 40165),
        ('pages/quiz/index?facts={"a":1}', 40165),
        ("", 40165),
        (None, 40165),
        ("p" * 1025, 40165),
    ],
)
def test_a_page_is_written_as_in_app_json(
    wechat: Emulator, api: Api, path: str | None, errcode: int
) -> None:
    menu = {"button": [page(wechat, pagepath=path)]}
    assert api.official(CREATE, menu)["errcode"] == errcode


def test_a_page_that_was_not_released_is_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "app.json"
    packages = [{"root": "packages/quiz", "pages": ["board/index"]}]
    manifest.write_text(json.dumps({"pages": ["pages/home/index"], "subPackages": packages}))
    with emulated_wechat(app_json=manifest) as wechat:
        api = Api(wechat)
        for path, errcode in (
            ("pages/home/index", 0),
            ("packages/quiz/board/index?id=1", 0),
            ("packages/quiz/gone/index", 40165),
        ):
            menu = {"button": [page(wechat, pagepath=path)]}
            assert api.official(CREATE, menu)["errcode"] == errcode, path


@pytest.mark.parametrize(
    ("name", "errcode"),
    [(b"\\u7b54\\u9898", 40033), (b"\\\\\\u7b54", 40033), (b"\\\\u7b54", 0), (b"a\\u0041", 0)],
)
def test_escaped_chinese_is_refused_and_an_escaped_backslash_is_not(
    api: Api, name: bytes, errcode: int
) -> None:
    body = b'{"button": [{"type": "click", "name": "%s", "key": "K"}]}' % name
    assert api.official(CREATE, body)["errcode"] == errcode
