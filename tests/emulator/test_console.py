"""What is set in WeChat's consoles: callbacks, address lists, the open platform, refused words."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from server.emulator.apps import MINI, OFFICIAL
from server.emulator.state import ADDED, Store
from server.emulator.testing import ControlError, Emulator
from tests.emulator.conftest import Api, Receiver

CHECK = "/wxa/msg_sec_check"


@pytest.fixture
def wei(wechat: Emulator) -> dict[str, Any]:
    return wechat.create_person("Wei")


@pytest.mark.parametrize(
    ("callback", "path"),
    [("/wx", "/wx"), ("/wx?account=1", "/wx"), ("{server}/elsewhere", "/elsewhere")],
)
def test_a_callback_stands_where_the_console_says(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], callback: str, path: str
) -> None:
    wechat.push_to("http://127.0.0.1:9" if "{" in callback else receiver.url)
    wechat.post_control("apps", official_account={"callback": callback.format(server=receiver.url)})
    attempts = wechat.follow_account(wei["person"])
    assert [attempt["verdict"] for attempt in attempts] == ["ok-success"]
    (push,) = receiver.pushes
    assert push.path == path
    assert ("account" in push.query) == ("?" in callback)
    assert {"signature", "timestamp", "nonce"} <= push.query.keys()
    receiver.answer = lambda push: (200, push.query["echostr"].encode())
    assert wechat.post_control("url_check", app=OFFICIAL)["ok"] is True
    assert receiver.pushes[-1].path == path


def test_each_app_has_a_list_of_addresses_of_its_own(wechat: Emulator, api: Api) -> None:
    wechat.post_control("apps", official_account={"ip_whitelist": ["10.0.0.1"]})
    assert api.stable(OFFICIAL)["errcode"] == 40164
    assert api.normal(OFFICIAL)["errcode"] == 40164
    assert "access_token" in api.stable(MINI)
    assert wechat.get_control("apps")[OFFICIAL]["ip_whitelist"] == ["10.0.0.1"]
    wechat.post_control("apps", ip_whitelist=["127.0.0.1"])
    assert "access_token" in api.stable(OFFICIAL)
    wechat.post_control("apps", ip_whitelist=[])
    assert "access_token" in api.stable(OFFICIAL)


def test_one_persons_unionid_can_be_withheld_and_told_later(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    wechat.follow_account(wei["person"])
    wechat.post_control("people", person=wei["person"], bound=False)
    assert "unionid" not in api.official("/cgi-bin/user/info", openid=wei["openid_oa"])
    wechat.post_control("people", person=wei["person"], bound=True)
    shown = api.official("/cgi-bin/user/info", openid=wei["openid_oa"])
    assert shown["unionid"] == wei["unionid"]


@pytest.mark.parametrize(
    "wish",
    [
        {"ip_whitelist": "10.0.0.1"},
        {"open_platform": "no"},
        {"unionid": False},
        {"official_account": {"callback": "no-slash"}},
        {"official_account": {"callback": "ftp://127.0.0.1/x"}},
        {"official_account": {"mode": "loud"}},
        {"official_account": {"url": "/x"}},
        {"refused_words": [""]},
    ],
)
def test_a_setting_that_the_console_has_not_is_refused_and_changes_nothing(
    wechat: Emulator, wish: dict[str, Any]
) -> None:
    before = wechat.get_control("apps")
    with pytest.raises(ControlError, match="400"):
        wechat.post_control("apps", **{"mini_program": {"callback": "/changed"}, **wish})
    assert wechat.get_control("apps") == before


@pytest.mark.parametrize(
    ("name", "passes"),
    [("韦小宝", True), ("[risky] x", False), ("[review]", False), ("某词", False)],
)
def test_the_nickname_keyboard_refuses_what_the_content_check_refuses(
    wechat: Emulator, api: Api, wei: dict[str, Any], name: str, passes: bool
) -> None:
    wechat.post_control("apps", refused_words=["某词"])
    wechat.login_code(wei["person"])
    assert wechat.post_control("nickname", person=wei["person"], name=name)["pass"] is passes
    asked = {"version": 2, "scene": 1, "openid": wei["openid_mp"], "content": name}
    assert (api.mini(CHECK, asked)["result"]["suggest"] == "pass") is passes


def test_a_file_of_an_earlier_version_gets_the_columns_that_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "emulator.sqlite3"
    Store(str(path)).close_file()
    with sqlite3.connect(path) as file:
        for name in ADDED["people"]:
            file.execute(f"ALTER TABLE people DROP COLUMN {name}")
        file.execute(
            "INSERT INTO people (person, name, openid_oa, openid_mp, unionid, phone) "
            "VALUES ('p', 'Wei', 'o1', 'o2', 'u', '13')"
        )
    file.close()
    store = Store(str(path))
    row = store.first_row("SELECT bound, closed FROM people")
    assert row is not None
    assert tuple(row) == (1, 0)
    store.close_file()
