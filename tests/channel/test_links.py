"""Links into the mini-program: how they are spoken, and that every one of them leads somewhere."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from server import slices
from server.base.settings import WeChat, WeChatApp
from server.base.texts import FIRST_LANGUAGE, load_texts
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import commands, links, loading, models
from server.channel.links import Program
from server.quiz import chat as quiz_chat
from server.wechat.callback.replies import TEXT_LIMIT_BYTES
from tests.kit.channel import a_handler, a_message, a_rule, an_event, rows, said
from tests.kit.paths import ROOT

HOME = "pages/home/index"
PROGRAM = Program(
    appid="wx0123456789abcdef", instead="https://old.example", pages=frozenset({HOME})
)
ANCHOR = re.compile(
    r'<a href="(https://[^"]+)" data-miniprogram-appid="(wx[0-9a-f]{16})" '
    r'data-miniprogram-path="([^"&<>]+)">([^<]+)</a>'
)
LINK = f'<a href="https://old.example" data-miniprogram-appid="{PROGRAM.appid}" '


def test_a_link_is_written_as_wechat_wants_it() -> None:
    spoken = PROGRAM.link_pages(f"欢迎！\n[去首页]({HOME}?id=cts_1)，或[留下]({HOME})。")
    assert spoken == (
        f'欢迎！\n{LINK}data-miniprogram-path="{HOME}?id=cts_1">去首页</a>，'
        f'或{LINK}data-miniprogram-path="{HOME}">留下</a>。'
    )
    assert PROGRAM.link_pages("没有链接 [方括号] (圆括号)") == "没有链接 [方括号] (圆括号)"


@pytest.mark.parametrize(
    "address",
    ["pages/gone/index", f"/{HOME}", f"{HOME}?a=1&b=2", f'{HOME}"x', "https://bad.example", ""],
)
def test_a_link_that_leads_nowhere_is_its_words(address: str) -> None:
    assert PROGRAM.link_pages(f"看[这里]({address})。") == "看这里。"


def test_without_an_appid_links_are_their_words() -> None:
    assert replace(PROGRAM, appid="").link_pages(f"看[这里]({HOME})。") == "看这里。"


def test_where_there_is_no_room_for_the_markup_the_words_stay_whole() -> None:
    words = "字" * 600
    assert PROGRAM.link_pages(f"{words}[走]({HOME})").startswith(f"{words}<a href")
    words = "字" * 660
    assert PROGRAM.link_pages(f"{words}[走]({HOME})") == f"{words}走"


def test_what_a_person_wrote_becomes_no_link() -> None:
    for bad in (f"[我]({HOME})", '<a href="https://bad.example">我</a>'):
        assert PROGRAM.link_pages(links.plain_words(bad)) == links.plain_words(bad)
        assert "<" not in links.plain_words(bad)


def test_every_page_of_every_sentence_is_in_app_json() -> None:
    texts = load_texts(slices.TEXTS).sentences[FIRST_LANGUAGE]
    shipped = loading.read_shipped()
    said_by_rules = [rule.text for rule in (*shipped.keywords, *shipped.scenes) if rule.text]
    fixed = [
        address
        for words in (*texts.values(), *said_by_rules)
        for address in links.pages_linked(words)
        if "{" not in address
    ]
    assert HOME in fixed
    pages = loading.released_pages()
    made = [f"{page}?id=cts_1" for page in (quiz_chat.ROUND, quiz_chat.BOARD, quiz_chat.RULES)]
    assert {
        one: wrong for one in (*fixed, *made) if (wrong := links.address_fault(one, pages))
    } == {}


def test_the_pages_are_those_of_the_real_app_json() -> None:
    manifest = json.loads((ROOT / "miniprogram" / "app.json").read_text(encoding="utf-8"))
    packaged = {f"{p['root']}/{page}" for p in manifest["subPackages"] for page in p["pages"]}
    assert loading.released_pages() == {*manifest["pages"], *packaged}


@pytest.mark.parametrize("written", ["活动", "练习", "小程序", "帮助"])
def test_fixed_replies_open_pages_at_once(uow_factory: UnitOfWorkFactory, written: str) -> None:
    reply = a_handler(uow_factory).reply_without_effects(a_message(content=written))
    assert reply is not None
    found = ANCHOR.findall(reply.text)
    assert found
    assert {appid for _old, appid, _page, _words in found} == {"wx" + "b" * 16}
    assert reply.text.count("<a ") == len(found)
    assert "](" not in reply.text


def test_welcomes_and_scans_open_pages(uow_factory: UnitOfWorkFactory) -> None:
    handler = a_handler(uow_factory)
    for message in (an_event("subscribe", openid="o-1"), an_event("scan", "elsewhere")):
        assert ANCHOR.search(said(handler, message)), message.event


def test_links_of_live_answers_are_spoken_and_remembered_so(uow_factory: UnitOfWorkFactory) -> None:
    def today(_work: UnitOfWork, _citizen_id: int | None) -> str:
        return f"来吧。\n[答题]({HOME}?id=cts_1)"

    commands.seed_replies(uow_factory)
    handler = a_handler(uow_factory, answers={"quiz.today": today})
    for message in (
        a_message(content="答题"),
        an_event("click", "QUIZ_TODAY"),
        an_event("subscribe", "qrscene_contest"),
        an_event("scan", "contest"),
    ):
        first, again = said(handler, message), said(handler, message)
        assert first == again
        assert f"{HOME}?id=cts_1" in {page for _old, _appid, page, _words in ANCHOR.findall(first)}
        assert len(first.encode()) <= TEXT_LIMIT_BYTES


def test_the_texts_of_the_database_hold_links_and_no_appid(uow_factory: UnitOfWorkFactory) -> None:
    commands.seed_replies(uow_factory)
    texts = [row.text for row in rows(uow_factory, models.KeywordRule) if row.text]
    assert any("](" in text for text in texts)
    assert not any("<a" in text or "wx" in text for text in texts)


def test_a_rule_with_a_page_that_was_taken_away_still_answers(
    uow_factory: UnitOfWorkFactory,
) -> None:
    commands.seed_replies(uow_factory)
    with uow_factory.begin() as uow:
        a_rule(uow, "old", ["旧"], text="看[老页面](pages/gone/index)。")
        commands.replies_changed(uow)
    assert said(a_handler(uow_factory), a_message(content="旧")) == "看老页面。"


def test_the_settings_say_which_mini_program_it_is() -> None:
    wechat = WeChat(mini_program=WeChatApp(appid="wx1"), old_phone_url="https://old.example")
    program = Program.from_settings(wechat, frozenset({HOME}))
    assert (program.appid, program.instead) == ("wx1", "https://old.example")
