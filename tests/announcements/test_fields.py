"""Limits of WeChat's field types: what the check accepts, WeChat accepts."""

from __future__ import annotations

import random

import pytest

from server.announcements.rules.fields import (
    RULES,
    FieldFault,
    FieldFaultKind,
    check_field,
    clean_line,
    count_characters,
)
from server.emulator.fields import accepts_value
from tests.kit.effort import repeat_count

K = FieldFaultKind
ACCEPTED = {
    "thing": ["科普讲座", "a" * 20, "五象新区科技馆三楼报告厅（请走东门进）", "①★©"],
    "short_thing": ["进行中的活动"],
    "number": ["7", "-3.5", "9" * 32],
    "letter": ["ABCdef"],
    "symbol": ["!?", "￥"],
    "character_string": ["A-1029#7", " "[:0] + "x" * 32],
    "time": [
        "15:00", "15:00:30", "2026年5月1日 15:00", "2026-05-01 15:00~17:00",
        "2026年5月1日 09:30~2026年5月2日 17:00", "2026.5.1 8:05",
    ],
    "date": ["2026年5月1日", "2026/5/1", "2026-05-01 15:00", "2026年5月1日~2026年5月3日"],
    "amount": ["¥12.50", "100元"],
    "phone_number": ["0771-5555123", "+86 13800000000"],
    "car_number": ["桂A12345"],
    "name": ["韦小妹", "Anna Li", "十个汉字也可以用的名"],
    "phrase": ["已改期"],
}  # fmt: skip
REFUSED = [
    ("thing1", "", K.EMPTY),
    ("thing1", "   ", K.EMPTY),
    ("thing1", "一\n二", K.LINE_BREAK),
    ("thing1", "一\u2028二", K.LINE_BREAK),
    ("thing1", "一\t二", K.CONTROL),
    ("thing1", "一\u202e二", K.CONTROL),
    ("thing1", "讲座🎉", K.EMOJI),
    ("thing1", "讲座✅", K.EMOJI),
    ("thing1", "☎\ufe0f电话", K.EMOJI),
    ("thing1", "一" * 21, K.TOO_LONG),
    # A rare character counts as two.
    ("thing1", "𠮷" * 10 + "一", K.TOO_LONG),
    ("short_thing1", "一" * 11, K.TOO_LONG),
    ("number3", "七", K.FORMAT),
    ("number3", "1,000", K.FORMAT),
    ("letter1", "A1", K.FORMAT),
    ("character_string1", "编号7", K.FORMAT),
    ("time2", "下午三点", K.FORMAT),
    ("time2", "2026年5月1日", K.FORMAT),
    ("time2", "24:00", K.FORMAT),
    ("time2", "2026年2月30日 15:00", K.NO_SUCH_DAY),
    ("time2", "15:00~2026-04-31 16:00", K.NO_SUCH_DAY),
    ("date2", "15:00", K.FORMAT),
    ("date2", "2026年13月1日", K.FORMAT),
    ("date2", "2025-02-29", K.NO_SUCH_DAY),
    ("amount1", "十元", K.FORMAT),
    ("phone_number1", "请打电话", K.FORMAT),
    ("car_number1", "桂A-12345", K.FORMAT),
    ("name3", "汉字加上letters超过十个", K.FORMAT),
    ("name3", "韦2妹", K.FORMAT),
    ("phrase2", "OK", K.FORMAT),
    ("phrase2", "超过了五个字", K.TOO_LONG),
    ("enum1", "别的", K.NOT_LISTED),
    ("unheard1", "一", K.NOT_LISTED),
]


@pytest.mark.parametrize(("kind", "value"), [(k, v) for k, vs in ACCEPTED.items() for v in vs])
def test_a_good_value_is_accepted_here_and_at_wechat(kind: str, value: str) -> None:
    assert check_field(f"{kind}1", value) is None
    assert accepts_value(f"{kind}1", value)


@pytest.mark.parametrize(("key", "value", "kind"), REFUSED)
def test_a_wrong_value_is_refused_with_its_kind(key: str, value: str, kind: FieldFaultKind) -> None:
    fault = check_field(key, value, listed=("已开始", "已结束"))
    assert fault is not None
    assert fault.kind is kind


def test_every_type_has_examples_and_a_listed_value_is_accepted() -> None:
    assert set(ACCEPTED) == set(RULES)
    assert check_field("enum1", "已开始", listed=("已开始", "已结束")) is None


def test_a_text_that_is_too_long_names_the_limit() -> None:
    assert check_field("thing4", "长" * 30) == FieldFault(kind=K.TOO_LONG, most=20)


def test_wechat_counts_code_units() -> None:
    assert [count_characters(text) for text in ("科普", "𠮷", "a𠮷b")] == [2, 2, 4]


def test_random_values_that_pass_are_accepted_by_wechat() -> None:
    chance = random.Random(10)
    alphabet = "一二年月日时2026:./-~ 05AaZz桂!?￥元¥()+#，。①𠮷🎉\n\t\u200d\u00a0"
    passed = 0
    for _ in range(repeat_count(200_000, 20_000)):
        kind = chance.choice(list(RULES))
        value = "".join(chance.choices(alphabet, k=chance.randint(0, 22)))
        if check_field(kind, value) is None:
            passed += 1
            assert accepts_value(kind, value), (kind, value)
    assert passed > 1000


def test_a_cleaned_nickname_fits_into_one_line() -> None:
    assert clean_line(" 小\n明🎉\u202e 同学✅ ") == "小 明 同学"
    assert clean_line("🎉") == ""
