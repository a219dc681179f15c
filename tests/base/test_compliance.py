"""Texts against the operating rules of WeChat, and texts that only speak of sharing."""

from __future__ import annotations

import pytest

from server.base.compliance import Breach, Clause, find_breaches, find_in_fields

WRONG = [
    ("share → +1 draw", Clause.SHARE_REWARD),
    ("Invite a friend to get 10 points", Clause.SHARE_REWARD),
    ("分享到朋友圈，即可多抽奖一次，规则见活动页。", Clause.SHARE_REWARD),
    ("每天转发可加1次答题机会。", Clause.SHARE_REWARD),
    ("邀请三位好友就送红包！", Clause.SHARE_REWARD),
    ("集赞满20个领礼品。", Clause.SHARE_REWARD),
    ("想多得积分，只要转发本文。", Clause.SHARE_REWARD),
    ("关注公众号领取礼品。", Clause.FOLLOW_REWARD),
    ("关注我们，就有红包。", Clause.FOLLOW_REWARD),
    ("follow us and get a prize", Clause.FOLLOW_REWARD),
    ("转发后才能查看答案。", Clause.FORCED_SHARE),
    ("分享即可解锁解析。", Clause.FORCED_SHARE),
    ("查看成绩请先关注公众号。", Clause.FORCED_SHARE),
    ("答对的市民可以参加抽奖。", Clause.DRAW_WITHOUT_RULES),
    ("现场将抽取幸运观众十名。", Clause.DRAW_WITHOUT_RULES),
    ("请回复您的姓名和身份证号码。", Clause.DATA_WITHOUT_CONSENT),
    ("请填写手机号参加。", Clause.DATA_WITHOUT_CONSENT),
]
RIGHT = [
    "科学家分享会：现场有奖问答，欢迎参加。",
    "院士将分享他发现新物种的故事，答案就在讲座里。",
    "知识在分享中增长，请把讲座告诉身边的朋友。",
    "欢迎转发给家人。讲座在周六上午九点开始。",
    "蚂蚁通过分享食物维持群体，这个结果发表在《科学》上。",
    "请关注食品安全，读懂配料表。",
    "老年人要关注血压，测量结果请告诉医生。",
    "不需要分享，也能查看答案和成绩。",
    "无需关注公众号即可参加抽奖，抽奖规则见活动页。",
    "答对十题的市民可以参加抽奖，抽奖规则见活动页。",
    "本次活动采取抽签方式确定名额。",
    "请填写手机号，仅用于通知讲座变更。",
    "成绩前一百名获得证书和奖品。",
    "分享、转发、关注都不会带来分数、答题次数或名次。",
    "",
]


@pytest.mark.parametrize(("text", "clause"), WRONG)
def test_a_promise_is_found_with_its_clause_and_words(text: str, clause: Clause) -> None:
    found = find_breaches(text)
    assert clause in [one.clause for one in found]
    assert all(one.words in text and one.words for one in found)


@pytest.mark.parametrize("text", RIGHT)
def test_a_text_without_a_promise_passes(text: str) -> None:
    assert find_breaches(text) == []


def test_each_clause_is_told_once() -> None:
    text = "分享得积分。转发得积分。关注公众号领礼品。"
    assert [one.clause for one in find_breaches(text)] == [
        Clause.SHARE_REWARD,
        Clause.FOLLOW_REWARD,
    ]


def test_a_long_text_is_read_quickly_in_steps_that_grow_with_its_length() -> None:
    text = "分享" * 2000 + "转发可以" * 500
    assert find_breaches(text) == []


def test_words_are_those_of_the_text() -> None:
    assert find_breaches("好消息：转发得红包！") == [Breach(Clause.SHARE_REWARD, "转发得红包")]


def test_rules_and_purpose_may_stand_in_another_text_of_the_same_publication() -> None:
    draw = {"title": "科普答题抽奖活动", "body": "欢迎参加，抽奖规则见活动页。"}
    assert list(find_in_fields(draw)) == []
    (found,) = find_in_fields({**draw, "body": "欢迎参加。"})
    assert (found[0], found[1].clause) == ("title", Clause.DRAW_WITHOUT_RULES)
    names = [name for name, _ in find_in_fields({**draw, "notes": "转发得红包。"})]
    assert names == ["notes"]
