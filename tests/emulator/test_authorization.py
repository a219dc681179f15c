"""What the platform pushes when a person's data changes, is withdrawn, or the account is closed."""

from __future__ import annotations

from typing import Any

import pytest

from server.emulator.apps import MINI, OFFICIAL
from server.emulator.testing import ControlError, Emulator
from tests.emulator.conftest import Api, Receiver
from tests.emulator.kit import opened

NAMES = {
    "modified": "user_info_modified",
    "revoke": "user_authorization_revoke",
    "cancellation": "user_authorization_cancellation",
}


@pytest.fixture
def wei(wechat: Emulator, receiver: Receiver) -> dict[str, Any]:
    wei = wechat.create_person("Wei")
    wechat.follow_account(wei["person"])
    receiver.pushes.clear()
    return wei


def told(wechat: Emulator, receiver: Receiver) -> list[dict[str, Any]]:
    accounts = {app.callback: app for app in wechat.apps.values()}
    return [opened(accounts[push.path], push) for push in receiver.pushes]


@pytest.mark.parametrize("form", ["xml", "json"])
def test_a_withdrawal_is_pushed_in_the_platforms_name(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], form: str
) -> None:
    wechat.post_control("apps", mini_program={"format": form})
    wechat.post_control("authorization", person=wei["person"], event="revoke", revoked="6,8")
    (event,) = told(wechat, receiver)
    mini = wechat.apps[MINI]
    assert event["FromUserName"] not in (wei["openid_mp"], wei["openid_oa"])
    assert (event["ToUserName"], event["MsgType"]) == (mini.original_id, "event")
    assert {name: event[name] for name in ("Event", "OpenID", "AppID", "RevokeInfo")} == {
        "Event": "user_authorization_revoke",
        "OpenID": wei["openid_mp"],
        "AppID": mini.appid,
        "RevokeInfo": "6,8",
    }
    assert not event.keys() & {"PluginID", "OpenPID", "UnionID"}


def test_a_plugins_withdrawal_names_the_plugin(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    plugin = "wx" + "1" * 16
    wechat.post_control(
        "authorization", person=wei["person"], event="revoke", revoked="1", plugin=plugin
    )
    (event,) = told(wechat, receiver)
    assert event["PluginID"] == plugin
    assert len(event["OpenPID"]) == 28


def test_a_change_is_told_to_the_app_that_is_named(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.post_control("authorization", person=wei["person"], event="modified", app=OFFICIAL)
    (event,) = told(wechat, receiver)
    assert (event["Event"], event["OpenID"]) == (NAMES["modified"], wei["openid_oa"])
    assert "RevokeInfo" not in event


def test_after_a_closed_account_nobody_is_there_and_both_apps_know(
    wechat: Emulator, api: Api, receiver: Receiver, wei: dict[str, Any]
) -> None:
    code = wechat.login_code(wei["person"])
    wechat.post_control("authorization", person=wei["person"], event="cancellation")
    assert [(event["Event"], event["OpenID"]) for event in told(wechat, receiver)] == [
        (NAMES["cancellation"], wei["openid_oa"]),
        (NAMES["cancellation"], wei["openid_mp"]),
    ]
    app = wechat.apps[MINI]
    query = {"appid": app.appid, "secret": app.secret, "grant_type": "authorization_code"}
    assert "openid" not in api.get("/sns/jscode2session", js_code=code, **query)
    assert api.official("/cgi-bin/user/info", openid=wei["openid_oa"])["errcode"] == 40003
    assert api.official("/cgi-bin/user/get")["total"] == 0
    assert wechat.get_control("people")["items"] == []
    with pytest.raises(ControlError, match="404"):
        wechat.say_text(wei["person"], "still here?")


@pytest.mark.parametrize(
    "wish",
    [
        {"event": "regret"},
        {"event": "revoke"},
        {"event": "revoke", "revoked": "phone"},
        {"event": "modified", "revoked": "6"},
    ],
)
def test_a_wish_that_wechat_has_no_event_for_is_refused(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], wish: dict[str, Any]
) -> None:
    with pytest.raises(ControlError, match="400"):
        wechat.post_control("authorization", person=wei["person"], **wish)
    assert receiver.pushes == []
