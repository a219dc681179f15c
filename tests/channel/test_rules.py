"""Which reply fits what somebody wrote or scanned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.channel import readings as rules_readings
from server.channel import rules
from server.channel.rules import Matcher, Rule, Said, SceneRule, Scenes

NOW = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)  # noon in Beijing


def rule(slug: str, *words: str, exact: bool = True, priority: int = 10, **more: object) -> Rule:
    return Rule(
        slug=slug,
        words=tuple(rules.normalise_text(word) for word in words),
        exact=exact,
        priority=priority,
        said=Said(text=slug),
        **more,  # type: ignore[arg-type]
    )


def winner(text: str, *every: Rule, now: datetime = NOW) -> str | None:
    found = Matcher(every).best_rule(rules.visible_text(text), now)
    return found.slug if found else None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("答题", "答题"),
        ("  答题。 ", "答题"),
        ("“答题”", "答题"),
        ("【答题】！！", "答题"),
        ("ＨＥＬＰ", "help"),
        ("Help!", "help"),
        ("？", "?"),
        ("?", "?"),
        ("？？？", "?"),
        ("我的\n 成绩", "我的 成绩"),
        ("答\u200b题", "答题"),
        ("\u202e答题", "答题"),
        ("#答题#", "答题"),
        ("答题😀", "答题"),
        ("*答题~~", "答题"),
        ("😀", "😀"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_text_is_read_without_its_dressing(written: str, read: str) -> None:
    assert rules.normalise_text(written) == read
    assert rules.normalise_text(read) == read


@pytest.mark.parametrize(
    ("written", "readings"),
    [
        ("答题", ["答题"]),
        ("答題", ["答題", "答题"]),
        ("[微笑]答題/:rose", ["微笑]答題/:rose", "微笑]答题/:rose", "答题", "微笑答题rose"]),
        ("桂林市 排行榜", ["桂林市 排行榜", "桂林市排行榜"]),
        ("[答题]", ["答题"]),
        ("?", ["?"]),
        ("", []),
    ],
)
def test_a_text_has_its_readings_the_closest_first(written: str, readings: list[str]) -> None:
    assert list(rules_readings.readings_of(rules.visible_text(written))) == readings


def test_a_rule_in_traditional_characters_answers_both_spellings() -> None:
    traditional = Rule(
        slug="t", words=(rules.as_rule_word("獎品"),), exact=True, priority=1, said=Said(text="t")
    )
    for written in ("奖品", "獎品", "#獎品#"):
        assert winner(written, traditional) == "t"


def test_another_reading_wins_only_by_priority() -> None:
    part = rule("part", "排行", exact=False, priority=40)
    whole = rule("whole", "桂林市排行榜", priority=60)
    assert winner("桂林市 排行榜", part, whole) == "whole"
    assert winner("桂林市 排行榜", part, rule("low", "桂林市排行榜", priority=10)) == "part"


def test_an_exact_word_is_the_whole_text_and_a_contained_one_a_part() -> None:
    whole, part = rule("whole", "规则"), rule("part", "电话", exact=False)
    assert winner("规则", whole, part) == "whole"
    assert winner("什么规则", whole, part) is None
    assert winner("请问电话是多少？", whole, part) == "part"


def test_the_highest_priority_wins_then_the_longer_word_then_the_slug() -> None:
    low = rule("low", "排行榜", priority=1)
    high = rule("high", "排行", exact=False, priority=2)
    assert winner("排行榜", low, high) == "high"
    longer = rule("longer", "我的成绩", exact=False)
    shorter = rule("a-shorter", "成绩", exact=False)
    assert winner("查我的成绩", shorter, longer) == "longer"
    assert winner("答题", rule("b", "答题"), rule("a", "答题")) == "a"


def test_a_rule_counts_from_its_start_to_before_its_end() -> None:
    second = timedelta(seconds=1)
    one = rule("one", "节日", starts_at=NOW, ends_at=NOW + timedelta(hours=1))
    assert winner("节日", one, now=NOW - second) is None
    assert winner("节日", one, now=NOW) == "one"
    assert winner("节日", one, now=NOW + timedelta(hours=1) - second) == "one"
    assert winner("节日", one, now=NOW + timedelta(hours=1)) is None


def test_out_of_its_window_a_high_rule_leaves_the_word_to_a_lower_one() -> None:
    high = rule("high", "讲座", priority=9, ends_at=NOW)
    low = rule("low", "讲座", priority=1)
    assert winner("讲座", high, low, now=NOW - timedelta(seconds=1)) == "high"
    assert winner("讲座", high, low, now=NOW) == "low"


@pytest.mark.parametrize(
    ("daily", "minute", "counts"),
    [
        ((9 * 60, 17 * 60), 9 * 60 - 1, False),
        ((9 * 60, 17 * 60), 9 * 60, True),
        ((9 * 60, 17 * 60), 17 * 60 - 1, True),
        ((9 * 60, 17 * 60), 17 * 60, False),
        ((22 * 60, 6 * 60), 23 * 60, True),
        ((22 * 60, 6 * 60), 0, True),
        ((22 * 60, 6 * 60), 6 * 60, False),
        ((22 * 60, 6 * 60), 12 * 60, False),
        ((0, rules.MINUTES_A_DAY), 12 * 60, True),
    ],
)
def test_a_daily_window_is_in_beijing_time(
    daily: tuple[int, int], minute: int, counts: bool
) -> None:
    beijing_midnight = datetime(2026, 4, 30, 16, 0, tzinfo=UTC)
    one = rule("one", "人工", daily=daily)
    assert one.counts_at(beijing_midnight + timedelta(minutes=minute)) is counts


def test_a_scene_is_looked_up_whole_then_by_its_longest_beginning() -> None:
    scenes = Scenes(
        [
            SceneRule(scene="contest", exact=True, said=Said(text="whole")),
            SceneRule(scene="contest-", exact=False, said=Said(text="short")),
            SceneRule(scene="contest-nanning", exact=False, said=Said(text="long")),
        ]
    )
    assert scenes.said_for("contest") == Said(text="whole")
    assert scenes.said_for("contest-liuzhou") == Said(text="short")
    assert scenes.said_for("contest-nanning-7") == Said(text="long")
    assert scenes.said_for("contes") is None


def test_an_unknown_text_is_kept_short_and_without_long_numbers() -> None:
    assert rules.unmatched_form("我的电话是13800138000请回电") == "我的电话是#请回电"
    assert rules.unmatched_form("450103 1990 0101 1234") == "#"
    assert rules.unmatched_form("2026年") == "2026年"
    assert len(rules.unmatched_form("长" * 200)) == 64
