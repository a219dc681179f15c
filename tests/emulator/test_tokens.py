"""Access tokens as the platform hands them out and lets them die."""

from __future__ import annotations

import re

import pytest

from server.emulator.apps import MINI, OFFICIAL
from server.emulator.testing import Emulator
from tests.emulator.conftest import Api

IPS = "/cgi-bin/getcallbackip"


def errcode(api: Api, token: str) -> int:
    return int(api.get(IPS, access_token=token).get("errcode", 0))


def test_a_stable_token_stays_the_same_while_it_lasts(wechat: Emulator, api: Api) -> None:
    first = api.stable()
    wechat.advance_time(7200 - 301)
    again = api.stable()
    assert again["access_token"] == first["access_token"]
    assert (first["expires_in"], again["expires_in"]) == (7200, 301)
    assert len(first["access_token"]) >= 136


def test_in_the_last_five_minutes_a_new_stable_token_comes_and_both_work_for_five(
    wechat: Emulator, api: Api
) -> None:
    old = api.token()
    wechat.advance_time(7200 - 100)
    new = api.stable()
    assert new["access_token"] != old
    assert new["expires_in"] == 7200
    wechat.advance_time(299)
    assert errcode(api, old) == 0
    wechat.advance_time(1)
    assert errcode(api, old) in (40001, 42001)
    assert errcode(api, new["access_token"]) == 0
    assert api.token() == new["access_token"]


def test_an_expired_stable_token_says_so_and_is_replaced(wechat: Emulator, api: Api) -> None:
    old = api.token()
    wechat.advance_time(7200)
    assert errcode(api, old) == 42001
    assert api.stable()["expires_in"] == 7200


def test_a_forced_refresh_kills_the_old_token_at_once(api: Api) -> None:
    old = api.token()
    new = api.stable(force_refresh=True)["access_token"]
    assert new != old
    assert errcode(api, old) == 40001
    assert errcode(api, new) == 0


def test_a_second_forced_refresh_within_half_a_minute_changes_nothing(
    wechat: Emulator, api: Api
) -> None:
    first = api.stable(force_refresh=True)["access_token"]
    wechat.advance_time(29)
    assert api.stable(force_refresh=True)["access_token"] == first
    wechat.advance_time(1)
    assert api.stable(force_refresh=True)["access_token"] != first


def test_twenty_forced_refreshes_a_day_are_the_limit(wechat: Emulator, api: Api) -> None:
    for _ in range(20):
        assert "access_token" in api.stable(force_refresh=True)
        wechat.advance_time(30)
    assert api.stable(force_refresh=True)["errcode"] == 45009
    assert "access_token" in api.stable()


def test_the_old_normal_token_lives_five_minutes_after_a_new_one(
    wechat: Emulator, api: Api
) -> None:
    old, new = api.normal()["access_token"], api.normal()["access_token"]
    assert old != new
    wechat.advance_time(299)
    assert errcode(api, old) == 0
    wechat.advance_time(1)
    assert errcode(api, old) == 40001
    assert errcode(api, new) == 0


def test_normal_and_stable_tokens_do_not_disturb_each_other(wechat: Emulator, api: Api) -> None:
    stable, normal = api.token(), api.normal()["access_token"]
    api.stable(force_refresh=True)
    wechat.advance_time(301)
    assert errcode(api, normal) == 0
    second = api.token()
    api.normal()
    wechat.advance_time(301)
    assert errcode(api, second) == 0
    assert errcode(api, stable) == 40001


def test_the_other_apps_token_is_no_token(api: Api) -> None:
    answer = api.get("/cgi-bin/menu/get", access_token=api.token(MINI))
    assert answer["errcode"] == 40001
    sent = api.post("/cgi-bin/message/subscribe/send", {}, access_token=api.token(OFFICIAL))
    assert sent["errcode"] == 40001


@pytest.mark.parametrize(
    ("token", "code"), [("", 41001), ("short", 40014), ("42_" + "x" * 150, 40001)]
)
def test_a_missing_malformed_or_unknown_token_is_told_apart(
    api: Api, token: str, code: int
) -> None:
    assert errcode(api, token) == code


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"grant_type": "password"}, 40002),
        ({"appid": ""}, 41002),
        ({"appid": "wx0000000000000000"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "0" * 32}, 40125),
    ],
)
def test_wrong_credentials_are_told_apart(api: Api, wrong: dict[str, str], code: int) -> None:
    assert api.stable(**wrong)["errcode"] == code
    if "grant_type" not in wrong:
        assert api.normal(**wrong)["errcode"] == code


def test_the_method_and_the_body_are_checked(api: Api) -> None:
    assert api.post("/cgi-bin/token", {})["errcode"] == 43001
    assert api.get("/cgi-bin/stable_token")["errcode"] == 43002
    assert api.post("/cgi-bin/stable_token", b"")["errcode"] == 44002
    assert api.post("/cgi-bin/stable_token", b"{not json")["errcode"] == 47001


def test_every_errmsg_ends_with_a_request_id(api: Api) -> None:
    said = api.get(IPS, access_token="nonsense")["errmsg"]
    assert re.search(r" rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$", said)


def test_a_caller_outside_the_whitelist_is_refused_by_name(wechat: Emulator, api: Api) -> None:
    wechat.post_control("apps", ip_whitelist=["10.0.0.1"])
    answer = api.stable()
    assert answer["errcode"] == 40164
    assert "127.0.0.1" in answer["errmsg"]


def test_all_tokens_can_be_expired_and_superseded_by_another_host(
    wechat: Emulator, api: Api
) -> None:
    stable, normal = api.token(), api.normal()["access_token"]
    wechat.post_control("tokens", supersede=OFFICIAL)
    wechat.advance_time(300)
    assert errcode(api, normal) == 40001
    assert errcode(api, stable) == 0
    wechat.post_control("tokens", expire=True)
    assert errcode(api, stable) == 42001


def test_a_daily_quota_ends_at_midnight_in_beijing_or_by_clearing(
    wechat: Emulator, api: Api
) -> None:
    wechat.post_control("quota", path=IPS, limit=2)
    assert [errcode(api, api.token()) for _ in range(3)] == [0, 0, 45009]
    quota = api.official("/cgi-bin/openapi/quota/get", {"cgi_path": IPS})["quota"]
    assert quota == {"daily_limit": 2, "used": 2, "remain": 0}
    appid = wechat.apps[OFFICIAL].appid
    assert api.official("/cgi-bin/clear_quota", {"appid": appid})["errcode"] == 0
    assert [errcode(api, api.token()) for _ in range(3)] == [0, 0, 45009]
    wechat.advance_time(86_400)
    assert errcode(api, api.token()) == 0


def test_quotas_can_be_cleared_ten_times_a_month(wechat: Emulator, api: Api) -> None:
    app = wechat.apps[OFFICIAL]
    body = {"appid": app.appid, "appsecret": app.secret}
    codes = [api.post("/cgi-bin/clear_quota/v2", body)["errcode"] for _ in range(11)]
    assert codes == [0] * 10 + [48006]


def test_a_minutes_rate_ends_with_the_minute(wechat: Emulator, api: Api) -> None:
    wechat.post_control("quota", path=IPS, minute=1)
    assert [errcode(api, api.token()) for _ in range(2)] == [0, 45011]
    wechat.advance_time(60)
    assert errcode(api, api.token()) == 0


@pytest.mark.parametrize(
    ("path", "code"), [("/cgi-bin/nothing", 76021), ("/wxa/msg_sec_check", 76022)]
)
def test_a_quota_is_shown_of_own_apis_only(api: Api, path: str, code: int) -> None:
    assert api.official("/cgi-bin/openapi/quota/get", {"cgi_path": path})["errcode"] == code
