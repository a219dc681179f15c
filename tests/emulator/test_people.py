"""People and followers as the official account may know them."""

from __future__ import annotations

from server.emulator.apps import new_apps
from server.emulator.testing import Emulator, emulated_wechat
from tests.emulator.conftest import Api

INFO, BATCH, LIST = "/cgi-bin/user/info", "/cgi-bin/user/info/batchget", "/cgi-bin/user/get"


def test_a_follower_is_known_without_name_or_face(wechat: Emulator, api: Api) -> None:
    wei = wechat.create_person("韦小宝")
    wechat.follow_account(wei["person"], "unit-9")
    info = api.official(INFO, openid=wei["openid_oa"])
    assert (info["subscribe"], info["nickname"], info["headimgurl"]) == (1, "", "")
    assert (info["unionid"], info["qr_scene_str"]) == (wei["unionid"], "unit-9")
    assert info["subscribe_time"] == int(wechat.world.now())


def test_who_does_not_follow_is_only_known_not_to(wechat: Emulator, api: Api) -> None:
    wei = wechat.create_person()
    info = api.official(INFO, openid=wei["openid_oa"])
    assert info["subscribe"] == 0
    assert "subscribe_time" not in info
    assert api.official(INFO, openid="nobody")["errcode"] == 40003
    assert api.official(INFO, openid=wei["openid_mp"])["errcode"] == 40003


def test_openids_have_28_characters_and_differ_per_app(wechat: Emulator) -> None:
    people = [wechat.create_person(), wechat.create_person()]
    ids = {p[name] for p in people for name in ("openid_oa", "openid_mp", "unionid")}
    assert len(ids) == 6
    assert {len(value) for value in ids} == {28}
    assert {value[0] for value in ids} == {"o"}


def test_a_batch_holds_up_to_a_hundred(wechat: Emulator, api: Api) -> None:
    wei = wechat.create_person()
    asked = [{"openid": wei["openid_oa"], "lang": "zh_CN"}]
    listed = api.official(BATCH, {"user_list": asked})["user_info_list"]
    assert [row["openid"] for row in listed] == [wei["openid_oa"]]
    assert api.official(BATCH, {"user_list": asked * 101})["errcode"] == 40032
    assert api.official(BATCH, {"user_list": []})["errcode"] == 40032
    assert api.official(BATCH, {"user_list": [{"openid": "nobody"}]})["errcode"] == 40003


def test_followers_come_ten_thousand_a_page(wechat: Emulator, api: Api) -> None:
    assert wechat.post_control("seed", followers=10_003, seed=7) == {
        "added": 10_003,
        "followers": 10_003,
    }
    first = api.official(LIST)
    assert (first["total"], first["count"]) == (10_003, 10_000)
    assert first["next_openid"] == first["data"]["openid"][-1]
    second = api.official(LIST, next_openid=first["next_openid"])
    assert second["count"] == 3
    everybody = {*first["data"]["openid"], *second["data"]["openid"]}
    assert len(everybody) == 10_003
    end = api.official(LIST, next_openid=second["next_openid"])
    assert end == {"total": 10_003, "count": 0, "next_openid": ""}
    assert api.official(LIST, next_openid="nobody")["errcode"] == 40003


def test_the_same_seed_makes_the_same_people() -> None:
    apps = new_apps()
    seen = []
    for chance in (1, 2):
        with emulated_wechat(registered=apps, seed=chance) as emulator:
            emulator.post_control("seed", followers=5, seed=7)
            assert emulator.post_control("seed", followers=5, seed=7)["added"] == 0
            emulator.post_control("seed", followers=5, seed=8)
            seen.append(emulator.get_control("people")["items"])
    assert seen[0] == seen[1]
    assert len({row["openid_oa"] for row in seen[0]}) == 10


def test_who_left_is_not_listed(wechat: Emulator, api: Api) -> None:
    wei = wechat.create_person()
    wechat.follow_account(wei["person"])
    assert api.official(LIST)["total"] == 1
    wechat.unfollow_account(wei["person"])
    assert api.official(LIST) == {"total": 0, "count": 0, "next_openid": ""}
