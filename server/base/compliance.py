"""Operating rules of WeChat and of privacy law, checked on texts that organizers publish. Pure.

A finding needs a promise: a text about sharing, or a meeting at which people share experience,
says nothing against the rules. The sentences are in `texts.toml` under `base.breach`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple


class Clause(StrEnum):
    """A rule that a text can break.

    Source: 微信外部链接内容管理规范 2.1.2 (`share_reward`); 微信小程序平台运营规范 5.1
    (`follow_reward`, `forced_share`); notice on shared activities of December 2020, complete rules
    (`draw_without_rules`); 个人信息保护法 articles 13 and 17 (`data_without_consent`).
    """

    SHARE_REWARD = "share_reward"
    FOLLOW_REWARD = "follow_reward"
    FORCED_SHARE = "forced_share"
    DRAW_WITHOUT_RULES = "draw_without_rules"
    DATA_WITHOUT_CONSENT = "data_without_consent"


# Clauses that a short text breaks by itself; the others need words that may stand elsewhere.
PROMISES = (Clause.SHARE_REWARD, Clause.FOLLOW_REWARD, Clause.FORCED_SHARE)


class Breach(NamedTuple):
    """A clause, and the words of the text that break it."""

    clause: Clause
    words: str


# Meetings and reports where people share what they know, and the opposite of a demand.
_HARMLESS = re.compile(
    r"分享会|分享者|分享人|分享嘉宾|主题分享|经验分享|知识分享|专家分享|分享交流|交流分享"
    r"|(?:无需|不需要|不用|不必|不要|无须|请勿|不得|禁止|不因|不会因|与)(?:您|你)?"
    r"(?:分享|转发|关注|邀请)"
)
_SHARE = (
    r"(?:分享|转发|转到|发到朋友圈|发朋友圈|邀请|拉人|拉新|集赞|点赞满|助力|砍价"
    r"|\bshar(?:e|ing)\b|\bforward(?:ing)?\b|\binvit(?:e|ing)\b)"
)
_FOLLOW = r"(?:关注(?:本|我们|公众号|后|即|就|并|，|,|\s|领|送|得)|\bfollow(?:ing)?\b|\bsubscrib)"
_GIVES = (
    r"(?:即可|就可|可以?|便可|才能|才可|就能|能够?|即|就|后|送|赠|领|获|得|赢|赚|换|加|增|多|享|抽"
    r"|→|=>|->|—>|=|:|：|\+|＋|\bto\b|\band\b|\bfor\b|\bget)"
)
_PRIZE = (
    r"(?:奖品|奖金|奖励|有奖|大奖|抽奖|中奖|红包|现金|积分|礼品|礼物|好礼|礼包|优惠券|加分|话费|流量包"
    r"|抽\S{0,2}次|次(?:抽奖|答题|机会)|(?:答题|抽奖|参与)(?:次数|机会)|\d\s*(?:次|分|元)"
    r"|[一二两三五十]\s*(?:次机会|元)|\bdraws?\b|\bprizes?\b|\bpoints?\b|\bcoupons?\b)"
)
_LOCKED = r"(?:答案|解析|结果|成绩|名次|证书|下一步|继续答题|解锁|查看|下载)"
_DEMANDS = r"(?:才能|才可|方可|后(?:方|才)?(?:可|能)|即可|就可以?|就能|后)"
_ASKS = r"(?:请先|需要?|须|必须|只要|只需|先|就)"
_NEAR, _CLOSE = r"[^。！？!?；;\n]{0,16}?", r"[^。！？!?；;\n]{0,10}?"
_PATTERNS = (
    (Clause.FORCED_SHARE, rf"(?:{_SHARE}|{_FOLLOW}){_NEAR}{_DEMANDS}{_CLOSE}{_LOCKED}"),
    (Clause.FORCED_SHARE, rf"{_LOCKED}{_NEAR}{_ASKS}{_CLOSE}(?:{_SHARE}|{_FOLLOW})"),
    (Clause.SHARE_REWARD, rf"{_SHARE}{_NEAR}{_GIVES}{_CLOSE}{_PRIZE}"),
    (Clause.SHARE_REWARD, rf"{_PRIZE}{_NEAR}{_ASKS}{_CLOSE}{_SHARE}"),
    (Clause.FOLLOW_REWARD, rf"{_FOLLOW}{_NEAR}{_GIVES}{_CLOSE}{_PRIZE}"),
    (Clause.FOLLOW_REWARD, rf"{_FOLLOW}{_CLOSE}{_PRIZE}"),
    (Clause.FOLLOW_REWARD, rf"{_PRIZE}{_NEAR}{_ASKS}{_CLOSE}{_FOLLOW}"),
)
_PROMISES = tuple((clause, re.compile(one, re.IGNORECASE)) for clause, one in _PATTERNS)
_DRAW = re.compile(r"(?:抽奖|抽取幸运|幸运(?:观众|用户|市民)|随机抽取\S{0,6}(?:奖|名))")
_RULES = re.compile(r"规则|细则|办法")
_DATA = re.compile(
    r"(?:填写|提供|上传|登记|回复|发送|留下|提交)"
    + _CLOSE
    + r"(?:身份证|手机号|电话|住址|家庭地址|人脸)"
)
_CONSENT = re.compile(r"同意|隐私|个人信息|仅用于|只用于|授权")


def find_breaches(text: str) -> list[Breach]:
    """Every clause that a text breaks, each once with its first words, in the order of `Clause`."""
    found: dict[Clause, Breach] = {}
    for breach in _breaches_in(text):
        found.setdefault(breach.clause, breach)
    return [found[clause] for clause in Clause if clause in found]


def find_in_fields(texts: Mapping[str, str]) -> Iterator[tuple[str, Breach]]:
    """The first breach in each text of one publication, by the name of its field.

    The rules of a draw and the purpose of data may be stated in any of the texts.
    """
    whole = {breach.clause for breach in find_breaches("\n".join(texts.values()))}
    for name, text in texts.items():
        for breach in find_breaches(text):
            if breach.clause in whole:
                yield name, breach
                break


def _breaches_in(text: str) -> Iterator[Breach]:
    read = _HARMLESS.sub(lambda harmless: "〇" * len(harmless[0]), text)
    for clause, promise in _PROMISES:
        match = promise.search(read)
        if match:
            yield Breach(clause, text[match.start() : match.end()])
    draw, data = _DRAW.search(read), _DATA.search(read)
    if draw and not _RULES.search(text):
        yield Breach(Clause.DRAW_WITHOUT_RULES, draw[0])
    if data and not _CONSENT.search(text):
        yield Breach(Clause.DATA_WITHOUT_CONSENT, data[0])
