"""Many people with their past, in one call."""

from __future__ import annotations

from typing import Any

import pytest

from server.emulator.apps import new_apps
from server.emulator.testing import ControlError, Emulator, emulated_wechat
from tests.emulator.conftest import Api

INFO = "/cgi-bin/user/info"
TEMPLATE = "rr-y4R6mDzExmtlkEQOJaDd4wMpe8DqOmHIrgDrKXAH"
AT = 1_779_000_000
FOLLOWER = {"name": "韦一", "followed_at": AT, "scene": "contest", "used_at": AT + 60,
            "grants": {TEMPLATE: 2}}  # fmt: skip


def test_people_come_with_the_day_they_followed_and_what_they_granted(
    wechat: Emulator, api: Api
) -> None:
    told = wechat.post_control("population", seed="s", people=[FOLLOWER, {"name": "莫二"}])
    assert told["added"] == 2
    wei, mo = told["items"]
    info = api.official(INFO, openid=wei["openid_oa"])
    assert (info["subscribe"], info["subscribe_time"]) == (1, AT)
    assert (info["qr_scene_str"], info["subscribe_scene"]) == ("contest", "ADD_SCENE_QR_CODE")
    assert api.official(INFO, openid=mo["openid_oa"])["subscribe"] == 0
    granted = wechat.world.store.all_rows("SELECT openid, template_id, count FROM grants")
    assert [tuple(row) for row in granted] == [(wei["openid_mp"], TEMPLATE, 2)]
    names = ("openid_oa", "openid_mp", "unionid")
    assert {len(one[name]) for one in (wei, mo) for name in names} == {28}
    # A person of the list uses the phone like any other.
    assert wechat.post_control("login_code", person=wei["person"])["code"]


def test_a_repeated_call_changes_nothing_and_the_rest_can_follow_later(wechat: Emulator) -> None:
    first = wechat.post_control("population", seed="s", people=[FOLLOWER])
    again = wechat.post_control("population", seed="s", people=[FOLLOWER, {"name": "莫二"}])
    assert (again["added"], again["items"][0]) == (1, first["items"][0])
    more = wechat.post_control("population", seed="s", first=1, people=[{"name": "莫二"}])
    assert (more["added"], more["items"][0]) == (0, again["items"][1])
    assert wechat.world.store.select_number("SELECT sum(count) FROM grants") == 2


def test_the_same_seed_makes_the_same_people_in_the_same_apps() -> None:
    apps, seen = new_apps(), []
    for chance in (1, 2):
        with emulated_wechat(registered=apps, seed=chance) as emulator:
            seen.append(
                emulator.post_control("population", seed=7, people=[{"name": "a"}, {"name": "b"}])
            )
    assert seen[0] == seen[1]
    assert len({one["openid_mp"] for one in seen[0]["items"]}) == 2


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ([{"name": "a", "age": 7}], "a person has a name"),
        ([{"followed_at": AT}], "a person has a name"),
        ([{"name": "a"}] * 1001, "at most 1000"),
        ([{"name": "a", "grants": {"nobody": 1}}], "no template"),
    ],
)
def test_a_wrong_list_is_refused_as_a_whole(wechat: Emulator, people: list[Any], said: str) -> None:
    with pytest.raises(ControlError, match=said):
        wechat.post_control("population", seed="s", people=[{"name": "good"}, *people])
    assert wechat.get_control("people")["items"] == []
