"""The menu by WeChat's rules, and the shipped one."""

from __future__ import annotations

from typing import Any

import pytest

from server.channel import menus
from server.channel.links import Program
from server.channel.loading import read_shipped, released_pages

ANSWERED = frozenset({"A", "B", "C", "D", "E", "F"})
PAGES = frozenset({"pages/home/index", "packages/quiz/board/index"})
PROGRAM = Program(appid="wx0123456789abcdef", instead="https://old.example", pages=PAGES)


def click(name: str = "一二", key: str = "A") -> dict[str, Any]:
    return {"name": name, "type": "click", "key": key}


def page(path: Any = "pages/home/index", **more: Any) -> dict[str, Any]:
    return {"name": "首页", "type": "miniprogram", "pagepath": path, **more}


def test_a_menu_at_the_limits_is_good() -> None:
    subs = [click("一二三四五六七", key) for key in "ABCDE"]
    menu = {"button": [{"name": "一二三四", "sub_button": subs}, click("一二三四", "F"), page()]}
    assert menus.menu_faults(menu, ANSWERED, PAGES) == []
    menu = {"button": [page("packages/quiz/board/index?id=cts_1"), page()]}
    assert menus.menu_faults(menu, ANSWERED, PAGES) == []


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
        ({"button": [{"name": "扫码", "type": "scancode_waitmsg", "key": "A"}]}, "nothing answers"),
        ({"button": [{"name": "一", "type": "view", "url": "https://a.b"}]}, "in the chat"),
        ({"button": [page("pages/gone/index")]}, "首页: app.json has no page pages/gone/index"),
        ({"button": [page("/pages/home/index")]}, "no page as app.json writes it"),
        ({"button": [page("pages/home/index.html")]}, "no page as app.json writes it"),
        ({"button": [page("pages/home/index?a=1&b=2")]}, "one value at most"),
        ({"button": [page('pages/home/index?a={"b":1}')]}, "no page as app.json writes it"),
        ({"button": [page(None)]}, "no page as app.json writes it"),
        ({"button": [page(appid="wx0123456789abcdef", url="https://a.b")]}, "appid, url"),
        ({"button": [{"name": "一", "sub_button": [page("pages/gone")]}]}, "no page pages/gone"),
    ],
)
def test_a_menu_over_a_limit_is_told_why(menu: dict[str, Any], word: str) -> None:
    faults = menus.menu_faults(menu, ANSWERED, PAGES)
    assert any(word in fault for fault in faults), faults


def test_the_shipped_menu_leads_to_pages_and_the_rest_is_answered() -> None:
    shipped = read_shipped()
    assert menus.menu_faults(shipped.menu, frozenset(shipped.clicks), released_pages()) == []
    leaves = {
        leaf["name"]: leaf.get("pagepath", leaf.get("key"))
        for top in shipped.menu["button"]
        for leaf in (top.get("sub_button") or [top])
    }
    assert leaves == {
        "每日答题": "packages/quiz/round/index",
        "排行榜": "packages/quiz/board/index",
        "我的战绩": "MY_RESULT",
        "练一练": "packages/quiz/practice/index",
        "竞赛规则": "RULES",
        "讲座报名": "packages/lectures/list/index",
        "我的报名": "packages/lectures/ticket/index",
        "扫码签到": "CHECK_IN",
        "全部活动": "pages/programme/index",
        "我的": "pages/mine/index",
        "收件箱": "packages/mine/inbox/index",
        "联系我们": "CONTACT",
    }


def test_the_appid_and_the_address_for_old_phones_are_put_in() -> None:
    menu = {"button": [{"name": "服务", "sub_button": [page(), click()]}, page()]}
    whole = page(appid="wx0123456789abcdef", url="https://old.example")
    assert menus.complete_menu(menu, PROGRAM) == {
        "button": [{"name": "服务", "sub_button": [whole, click()]}, whole]
    }


def test_a_menu_reads_as_lines() -> None:
    menu = {"button": [{"name": "答题", "sub_button": [click("规则", "A")]}, click("联系", "B")]}
    assert menus.menu_lines(menu) == ["答题", "  规则 [click key=A]", "联系 [click key=B]"]
    shown_by_wechat = {
        "button": [
            {"name": "答题", "sub_button": [{**click("规则", "A"), "sub_button": []}]},
            {**click("联系", "B"), "sub_button": []},
        ]
    }
    assert menus.menu_lines(shown_by_wechat) == menus.menu_lines(menu)
