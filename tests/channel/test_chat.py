"""What the official account answers to words, clicks, follows and scans."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from server.base.clock import SystemClock
from server.base.settings import Operator
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import commands, models
from server.channel.callback_handler import official_account_handler
from server.channel.loading import read_shipped
from server.channel.readings import as_rule_word
from server.channel.rule_stats import RuleStats, unmatched_by_frequency
from server.units import service as units
from server.wechat.callback.inbound import Envelope, Message
from server.wechat.callback.replies import TEXT_LIMIT_BYTES
from tests.kit.boards import at_most
from tests.kit.channel import (
    NOON,
    NotToday,
    a_handler,
    a_message,
    a_player,
    a_rule,
    an_event,
    rows,
    said,
)
from tests.kit.clock import FakeClock


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("答题", "quiz.today"),
        ("竞赛", "quiz.today"),
        ("开始！", "quiz.today"),
        ("“答题”", "quiz.today"),
        ("排行榜", "quiz.board"),
        ("排名", "quiz.my_result"),
        ("我的成绩", "quiz.my_result"),
        ("看看我的成绩怎么样", "quiz.my_result"),
        ("规则", "quiz.rules"),
        ("讲座", "signups.lectures"),
        ("報名", "signups.open"),
        ("我的讲座", "signups.own"),
        ("签到。", "signups.check_in"),
    ],
)
def test_words_of_contests_and_lectures_are_answered_from_live_data(
    uow_factory: UnitOfWorkFactory, written: str, answer: str
) -> None:
    commands.seed_replies(uow_factory)
    handler = a_handler(uow_factory)
    message = a_message(content=written)
    assert handler.reply_without_effects(message) is None
    assert said(handler, message) == f"{answer} for somebody"


@pytest.mark.parametrize(
    "written",
    [
        "答題",
        "#答题#",
        "＃答題＃",
        "答题😀",
        "答题❤️",
        "【答题】",
        "「答題」",
        "答 题",
        "答题。。。",
        "答题～",
        "答题[微笑]",
        "[微笑]答题",
        "答题/:rose",
        "*答题*",
        "答題\u200b！",
    ],
)
def test_a_decorated_or_traditional_keyword_is_the_keyword(
    uow_factory: UnitOfWorkFactory, written: str
) -> None:
    assert said(a_handler(uow_factory), a_message(content=written)) == "quiz.today for somebody"


@pytest.mark.parametrize(
    "written",
    ["{}排行榜", "{}市排行榜", "{}市 排行榜", "{}的排行榜", "{}市排名", "排行榜{}", "#{}排行榜#😀"],
)
def test_every_city_has_its_board(uow_factory: UnitOfWorkFactory, written: str) -> None:
    handler = a_handler(uow_factory)
    for city in units.load_regions().cities:
        asked = a_message(content=written.format(city.short))
        assert said(handler, asked) == f"quiz.board.{city.code} for somebody"
    assert said(handler, a_message(content="南寧排行榜")) == "quiz.board.450100 for somebody"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("你好", "你好！"),
        ("您好！", "你好！"),
        ("Hello", "你好！"),
        ("谢谢", "不客气"),
        ("謝謝😀", "不客气"),
        ("帮忙", "回复下面的词"),
        ("幫忙", "回复下面的词"),
        ("退订", "订阅消息"),
        ("退訂。", "订阅消息"),
        ("TD", "订阅消息"),
        ("隐私", "隐私政策"),
        ("隱私", "隐私政策"),
        ("注销", "永久删除"),
    ],
)
def test_small_talk_and_wishes_are_understood_at_once(
    uow_factory: UnitOfWorkFactory, written: str, told: str
) -> None:
    reply = a_handler(uow_factory).reply_without_effects(a_message(content=written))
    assert reply is not None
    assert told in reply.text


@pytest.mark.parametrize(
    "message",
    [
        *(a_message(content=words) for words in ("xyzzy", "今天天气", "😀", "？！。，", "1")),
        *(a_message(kind) for kind in ("image", "voice", "video", "location", "link", "new_kind")),
        an_event("click", "A_KEY_OF_AN_OLD_MENU"),
    ],
    ids=lambda message: f"{message.kind}-{message.content}",
)
def test_what_is_not_understood_leads_onward(
    uow_factory: UnitOfWorkFactory, message: Message
) -> None:
    told = said(a_handler(uow_factory), message)
    if message.content == "？！。，":
        assert "回复下面的词" in told
        return
    for way in ("帮助", "联系", "菜单"):
        assert way in told


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("青秀区排行榜", "quiz.board.450103"),
        ("青秀排行榜", "quiz.board.450103"),
        ("南宁市青秀区的排行榜", "quiz.board.450103"),
        ("排行榜宾阳县", "quiz.board.450126"),
        ("金秀瑶族自治县排名", "quiz.board.451324"),
        ("金秀榜", "quiz.board.451324"),
        ("横县排行榜", "quiz.board.450181"),
        ("橫州市排行榜！", "quiz.board.450181"),
        ("南宁市排行榜", "quiz.board.450100"),
        ("谁第一", "quiz.board"),
        ("第一名是谁？", "quiz.board"),
        ("积分", "quiz.my_result"),
        ("查一下我的积分", "quiz.my_result"),
        ("怎么答题", "quiz.today"),
        ("怎么答题？", "quiz.today"),
        ("怎么参加", "quiz.today"),
        ("在哪答题", "quiz.today"),
    ],
)
def test_a_place_or_a_plain_question_gets_the_answer_meant(
    uow_factory: UnitOfWorkFactory, written: str, answer: str
) -> None:
    commands.seed_replies(uow_factory)
    assert said(a_handler(uow_factory), a_message(content=written)) == f"{answer} for somebody"


def test_every_county_of_today_has_a_rule_and_no_word_stands_in_two_rules() -> None:
    shipped = read_shipped()
    slugs = {rule.slug for rule in shipped.keywords}
    for city in units.load_regions().cities:
        for county in city.counties:
            if county.valid_to is None:
                assert f"board-{county.code}" in slugs, county.name
    words = [as_rule_word(word) for rule in shipped.keywords for word in rule.words]
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize("written", ["联系", "电话", "联系电话是多少", "人工", "投诉", "我要投诉"])
def test_who_asks_for_a_telephone_gets_the_number_at_once(
    uow_factory: UnitOfWorkFactory, written: str
) -> None:
    reply = a_handler(uow_factory).reply_without_effects(a_message(content=written))
    assert reply is not None
    assert "电话：0771-1\n投诉：0771-2\n" in reply.text


def with_operator(uow_factory: UnitOfWorkFactory, operator: Operator) -> UnitOfWorkFactory:
    settings = replace(uow_factory.dependencies.settings, operator=operator)
    return UnitOfWorkFactory(
        uow_factory.engine, replace(uow_factory.dependencies, settings=settings)
    )


@pytest.mark.parametrize("seeded", [False, True])
def test_the_reply_names_the_operator_of_the_settings_without_asking_the_database(
    uow_factory: UnitOfWorkFactory, seeded: bool
) -> None:
    if seeded:
        commands.seed_replies(uow_factory)
    operator = Operator(name="某科协", phone="0771-7654321", complaints="<12345>热线")
    handler = a_handler(with_operator(uow_factory, operator))
    assert handler.reply_without_effects(a_message(content="帮助")) is not None
    with at_most(uow_factory, 0):
        reply = handler.reply_without_effects(a_message(content="投诉"))
    assert reply is not None
    assert "0771-7654321" in reply.text
    assert "投诉：＜12345＞热线" in reply.text


def test_a_line_of_the_reply_without_a_setting_is_left_out(uow_factory: UnitOfWorkFactory) -> None:
    some = said(
        a_handler(with_operator(uow_factory, Operator(phone="0771-7"))), a_message(content="投诉")
    )
    assert "电话：0771-7" in some
    assert "投诉：" not in some
    none = said(a_handler(with_operator(uow_factory, Operator())), a_message(content="投诉"))
    assert "电话：" not in none
    assert "{" not in none
    assert "联系与投诉" in none


@pytest.mark.parametrize("written", ["帮助", "?", "？", "？？", "菜单", "帮助。"])
def test_help_lists_words_and_every_listed_word_works(
    uow_factory: UnitOfWorkFactory, written: str
) -> None:
    handler = a_handler(uow_factory)
    reply = handler.reply_without_effects(a_message(content=written))
    assert reply is not None
    listed = [
        word
        for line in reply.text.splitlines()
        if line[-1:] != "：" and "：" in line
        for word in line.split("：")[0].split("、")
    ]
    assert listed == [
        *("答题", "排行榜", "南宁排行榜", "我的成绩", "规则", "活动", "讲座", "报名", "我的讲座"),
        *("签到", "练习", "联系", "隐私", "退订"),
    ]
    fallback = said(handler, a_message(content="xyzzy"))
    for word in listed:
        assert said(handler, a_message(content=word)) != fallback, word


def test_a_reply_without_effects_touches_no_database(uow_factory: UnitOfWorkFactory) -> None:
    handler = a_handler(uow_factory)
    handler.reply_without_effects(a_message(content="帮助"))
    uow_factory.engine.dispose()
    uow_factory.engine.pool.connect = None  # type: ignore[assignment, method-assign]  # any use would fail
    for kind in ("image", "voice", "video", "shortvideo", "location", "link", "miniprogrampage"):
        reply = handler.reply_without_effects(a_message(kind))
        assert reply is not None
        assert reply.says_something
    for written in ("帮助", "电话", "没有这个词"):
        reply = handler.reply_without_effects(a_message(content=written))
        assert reply is not None
        assert reply.says_something


def test_an_unknown_text_gets_the_fallback_and_is_listed_by_frequency(
    uow_factory: UnitOfWorkFactory,
) -> None:
    rule_stats = RuleStats(uow_factory, flush_seconds=None)
    handler = a_handler(uow_factory, rule_stats=rule_stats)
    for written in ("大篷车", "大篷车。", "志愿者", "大篷车 "):
        assert "帮助" in said(handler, a_message(content=written))
    rule_stats.flush_counts()
    with uow_factory.begin(read_only=True) as uow:
        assert unmatched_by_frequency(uow) == [("大篷车", 3), ("志愿者", 1)]


def test_the_highest_rule_in_its_window_answers(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    commands.seed_replies(uow_factory)
    with uow_factory.begin() as uow:
        a_rule(
            uow,
            "festival",
            ["答题"],
            priority=99,
            starts_at=uow.now + timedelta(hours=1),
            ends_at=uow.now + timedelta(hours=2),
        )
        commands.replies_changed(uow)
    handler = a_handler(uow_factory)
    heard = []
    for _ in range(3):
        heard.append(said(handler, a_message(content="答题")))
        clock.advance(3600)
    assert heard == ["quiz.today for somebody", "text of festival", "quiz.today for somebody"]


def test_a_changed_rule_answers_after_a_second_without_a_restart(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    commands.seed_replies(uow_factory)
    handler = a_handler(uow_factory)
    before = said(handler, a_message(content="帮助"))
    with uow_factory.begin() as uow:
        uow.session.execute(
            update(models.KeywordRule)
            .where(models.KeywordRule.slug == "help")
            .values(text="changed", edited=True)
        )
        commands.replies_changed(uow)
    assert said(handler, a_message(content="帮助")) == before
    clock.advance(1)
    assert said(handler, a_message(content="帮助")) == "changed"


def test_a_rule_that_is_off_answers_nothing(uow_factory: UnitOfWorkFactory) -> None:
    commands.seed_replies(uow_factory)
    with uow_factory.begin() as uow:
        uow.session.execute(
            update(models.KeywordRule)
            .where(models.KeywordRule.slug == "contact")
            .values(state=models.RuleState.OFF)
        )
        commands.replies_changed(uow)
    assert "0771" not in said(a_handler(uow_factory), a_message(content="电话"))


@pytest.mark.parametrize(
    ("key", "heard"),
    [
        ("QUIZ_TODAY", "quiz.today for somebody"),
        ("QUIZ_BOARD", "quiz.board for somebody"),
        ("MY_RESULT", "quiz.my_result for somebody"),
        ("RULES", "quiz.rules for somebody"),
    ],
)
def test_a_click_gets_the_answer_of_its_word(
    uow_factory: UnitOfWorkFactory, key: str, heard: str
) -> None:
    assert said(a_handler(uow_factory), an_event("click", key)) == heard


def test_fixed_clicks_and_old_entries_are_answered_at_once(uow_factory: UnitOfWorkFactory) -> None:
    handler = a_handler(uow_factory)
    contact, old = (
        handler.reply_without_effects(an_event("click", "CONTACT")),
        handler.reply_without_effects(an_event("click", "GONE")),
    )
    assert contact is not None
    assert "0771-1" in contact.text
    assert old is not None
    assert "菜单" in old.text


@pytest.mark.parametrize("event", ["view", "view_miniprogram", "location", "nobody_knows_this"])
def test_events_that_nobody_waits_for_are_ignored_quietly(
    uow_factory: UnitOfWorkFactory, event: str
) -> None:
    reply = a_handler(uow_factory).reply_without_effects(an_event(event, "https://example.org"))
    assert reply is not None
    assert not reply.says_something


def test_the_self_test_of_wechat_is_answered(uow_factory: UnitOfWorkFactory) -> None:
    reply = a_handler(uow_factory).reply_without_effects(an_event("debug_demo"))
    assert reply is not None
    assert reply.kind == "json"


def test_there_are_two_welcomes(uow_factory: UnitOfWorkFactory) -> None:
    handler = a_handler(uow_factory)
    plain = said(handler, an_event("subscribe", openid="o-one"))
    by_code = said(handler, an_event("subscribe", "qrscene_somewhere", openid="o-two"))
    assert plain != by_code
    assert "欢迎" in plain
    assert "欢迎" in by_code


def test_a_known_scene_answers_new_and_old_followers(uow_factory: UnitOfWorkFactory) -> None:
    commands.seed_replies(uow_factory)
    handler = a_handler(uow_factory)
    new = said(handler, an_event("subscribe", "qrscene_contest"))
    a_player(uow_factory)
    old = said(handler, an_event("scan", "contest", created_at=NOON + 60))
    assert new.startswith("欢迎")
    # Somebody who only follows has played nothing that could be told.
    assert new.endswith("quiz.today for somebody")
    assert old == "quiz.today for a citizen"


def test_a_scene_is_matched_by_its_beginning_too(uow_factory: UnitOfWorkFactory) -> None:
    handler = a_handler(uow_factory)
    a_player(uow_factory)
    assert said(handler, an_event("scan", "contest-nanning")) == "quiz.today for a citizen"
    assert said(handler, an_event("scan", "elsewhere")).startswith("欢迎再来")


def test_a_repeated_event_gets_the_same_reply_and_is_done_once(
    uow_factory: UnitOfWorkFactory,
) -> None:
    told: list[int] = []

    def today(_work: UnitOfWork, _citizen_id: int | None) -> str:
        told.append(1)
        return f"answer number {len(told)}"

    handler = a_handler(uow_factory, answers={"quiz.today": today})
    scan = an_event("scan", "contest")
    assert [said(handler, scan) for _ in range(3)] == ["answer number 1"] * 3
    word = a_message(content="答题")
    assert [said(handler, word) for _ in range(3)] == ["answer number 2"] * 3
    assert len(rows(uow_factory, models.SceneVisit)) == 1


def test_a_refusal_is_said_and_what_it_had_begun_is_undone(uow_factory: UnitOfWorkFactory) -> None:
    def refuses(uow: UnitOfWork, _citizen_id: int | None) -> str:
        a_rule(uow, "half-done", ["半"])
        uow.enqueue_after_commit("nobody")
        uow.session.flush()
        raise NotToday

    handler = a_handler(uow_factory, answers={"quiz.today": refuses})
    heard = said(handler, an_event("subscribe", "qrscene_contest"))
    assert heard.endswith("请先阅读并同意隐私政策。")
    assert [row.subscribed for row in rows(uow_factory, models.Follower)] == [True]
    assert rows(uow_factory, models.KeywordRule) == []


def test_an_answer_that_nobody_offers_refuses_to_start(uow_factory: UnitOfWorkFactory) -> None:
    envelope = Envelope(
        "official_account", uow_factory.dependencies.settings.wechat.official_account, SystemClock()
    )
    with pytest.raises(ValueError, match=r"quiz\.board"):
        official_account_handler(uow_factory, envelope, answers={})


def test_an_answer_that_was_taken_away_is_not_silence(uow_factory: UnitOfWorkFactory) -> None:
    commands.seed_replies(uow_factory)
    with uow_factory.begin() as uow:
        a_rule(uow, "odd", ["怪"], answer="gone.answer")
        commands.replies_changed(uow)
    assert "帮助" in said(a_handler(uow_factory), a_message(content="怪"))


def test_every_sentence_fits_and_promises_only_what_works(uow_factory: UnitOfWorkFactory) -> None:
    texts = uow_factory.dependencies.texts.sentences["zh"]
    sentences = [words for key, words in texts.items() if key.startswith("channel.")]
    commands.seed_replies(uow_factory)
    sentences += [row.text for row in rows(uow_factory, models.KeywordRule) if row.text]
    for words in sentences:
        assert len(words.encode()) <= TEXT_LIMIT_BYTES
        for not_yet in ("大篷车", "志愿者", "抖音", "http"):
            assert not_yet not in words


def test_a_message_dated_absurdly_far_ahead_is_no_error(uow_factory: UnitOfWorkFactory) -> None:
    handler = a_handler(uow_factory)
    assert said(handler, an_event("subscribe", created_at=999_999_999_999)).startswith("欢迎")
    assert said(handler, an_event("unsubscribe", created_at=0)) == ""
    assert [row.subscribed for row in rows(uow_factory, models.Follower)] == [True]
