"""The menu by WeChat's rules, and the shipped one."""

from __future__ import annotations

from typing import Any

import pytest

from server.channel import menus
from server.channel.loading import read_shipped

ANSWERED = frozenset({"A", "B", "C", "D", "E", "F"})


def click(name: str = "一二", key: str = "A") -> dict[str, Any]:
    return {"name": name, "type": "click", "key": key}


def test_a_menu_at_the_limits_is_good() -> None:
    subs = [click("一二三四五六七", key) for key in "ABCDE"]
    menu = {"button": [{"name": "一二三四", "sub_button": subs}, click("一二三四", "F")]}
    assert menus.faults(menu, ANSWERED) == []


@pytest.mark.parametrize(
    ("menu", "word"),
    [
        ({}, "top"),
        ({"button": []}, "top"),
        ({"button": [click(key=k) for k in "ABCD"]}, "top"),
        ({"button": [{"name": "一", "sub_button": [click(key=k) for k in "ABCDEF"]}]}, "more than"),
        ({"button": [click("一二三四五")]}, "too long"),
        ({"button": [click("abcdefghijklmnopq")]}, "too long"),
        ({"button": [{"name": "一", "sub_button": [click("一二三四五六七八")]}]}, "too long"),
        ({"button": [click("")]}, "no name"),
        ({"button": [click(key="")]}, "key"),
        ({"button": [click(key="K" * 129)]}, "key"),
        ({"button": [click(key="Z")]}, "nothing answers"),
        ({"button": [click(key="A"), click(key="A")]}, "twice"),
        ({"button": [{"name": "一", "type": "view", "url": "https://a.b"}]}, "in the chat"),
    ],
)
def test_a_menu_over_a_limit_is_told_why(menu: dict[str, Any], word: str) -> None:
    faults = menus.faults(menu, ANSWERED)
    assert any(word in fault for fault in faults), faults


def test_the_shipped_menu_has_the_five_entries_and_all_are_answered() -> None:
    shipped = read_shipped()
    assert menus.faults(shipped.menu, frozenset(shipped.clicks)) == []
    leaves = [
        leaf["name"] for top in shipped.menu["button"] for leaf in (top.get("sub_button") or [top])
    ]
    assert leaves == ["每日答题", "排行榜", "我的战绩", "竞赛规则", "联系我们"]


def test_a_menu_reads_as_lines() -> None:
    menu = {"button": [{"name": "答题", "sub_button": [click("规则", "A")]}, click("联系", "B")]}
    assert menus.lines(menu) == ["答题", "  规则 [click key=A]", "联系 [click key=B]"]
    shown_by_wechat = {
        "button": [
            {"name": "答题", "sub_button": [{**click("规则", "A"), "sub_button": []}]},
            {**click("联系", "B"), "sub_button": []},
        ]
    }
    assert menus.lines(shown_by_wechat) == menus.lines(menu)
