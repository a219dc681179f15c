"""Rule sets from the file of presets: what can be used, and every reason why others cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.quiz.contests.presets import PRESETS, preset_body
from server.quiz.enums import QuestionKind, Season, Timer
from server.quiz.errors import NoSuchPreset
from server.quiz.rule_check import RuleSetRefused, find_rewards, read_rule_set
from server.quiz.rules import Part

USABLE = {
    "default",
    "nanjing-2018",
    "ningxia-2018",
    "jiangsu-2017",
    "chongqing-2019",
    "guangdong-2021",
    "qingdao-2023",
    "fujian-2025",
}


def reasons(**changes: Any) -> list[str]:
    with pytest.raises(RuleSetRefused) as refusal:
        read_rule_set({**preset_body("default"), **changes})
    return refusal.value.reasons


def test_the_default_rules_are_those_of_the_file() -> None:
    rules = read_rule_set(preset_body("default"))
    assert {(part.kind, part.count) for part in rules.parts} == {
        (QuestionKind.SINGLE, 6),
        (QuestionKind.JUDGE, 2),
        (QuestionKind.MULTIPLE, 2),
    }
    assert (rules.papers_per_day, rules.paper_seconds, rules.max_score) == (1, 300, 100)
    assert (rules.timer, rules.season) == (Timer.PAPER, Season.SUM_OF_DAILY_BEST)
    assert rules.seconds_per_question is None


def test_the_nanjing_rules_are_those_of_the_file() -> None:
    rules = read_rule_set(preset_body("nanjing-2018"))
    assert {(part.kind, part.count) for part in rules.parts} == {
        (QuestionKind.JUDGE, 7),
        (QuestionKind.SINGLE, 7),
        (QuestionKind.MULTIPLE, 6),
    }
    assert (rules.question_count, rules.max_score, rules.paper_seconds) == (20, 100, 600)
    assert (rules.timer, rules.seconds_per_question) == (Timer.ITEM, 30)
    assert (rules.papers_per_day, rules.season) == (1, Season.BEST)


def test_presets_that_need_what_is_not_built_are_refused_not_bent() -> None:
    for body in json.loads(PRESETS.read_text(encoding="utf-8"))["presets"]:
        if body["slug"] in USABLE:
            assert read_rule_set(body).slug == body["slug"]
        else:
            with pytest.raises(RuleSetRefused):
                read_rule_set(body)


@pytest.mark.parametrize(
    ("divisions", "reason"),
    [
        ([{"key": "a", "title": "甲组"}], "divisions: from 2 to 12"),
        ([{"key": "a", "title": "甲组"}, {"key": "a", "title": "乙组"}], "the same key"),
        ([{"key": "a", "title": "甲组"}, {"key": "b", "title": "甲组"}], "the same key or title"),
        ([{"key": "A b", "title": "甲组"}, {"key": "b", "title": "乙组"}], "key: small letters"),
        ([{"key": "a", "title": ""}, {"key": "b", "title": "乙组"}], "title: from 1"),
        ([{"key": "a"}, "b"], "title: missing"),
        ([{"key": "a", "title": "甲组", "bonus": 1}, {"key": "b", "title": "乙组"}], "bonus"),
        (
            [
                {"key": "a", "title": "甲组", "parts": [{"count": 9}]},
                {"key": "b", "title": "乙组"},
            ],
            "parts: they come to another number",
        ),
    ],
)
def test_groups_that_cannot_work_are_refused(divisions: list[Any], reason: str) -> None:
    assert any(reason in one for one in reasons(divisions=divisions))


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(NoSuchPreset):
        preset_body("nobody-1999")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"share_bonus": {"draws": 1}}, "share_bonus"),
        ({"prizes": "分享到朋友圈再抽一次"}, "prizes"),
        ({"ranking": ["score", "follow the account: +1"]}, "ranking"),
        ({"draw_pass": {"extra": "转发得一次机会"}}, "draw_pass.extra"),
        ({"boards": ["邀请榜"]}, "boards"),
    ],
)
def test_a_rule_that_rewards_sharing_or_following_is_refused(
    changes: dict[str, Any], path: str
) -> None:
    found = reasons(**changes)
    assert any(reason.startswith(f"{path}: sharing and following") for reason in found)
    assert any("2.1.2" in reason and "5.1" in reason for reason in found)


def test_a_source_may_say_what_a_contest_elsewhere_gave() -> None:
    body = {**preset_body("default"), "left_out": "points for sharing", "source": "高校转发通知"}
    assert find_rewards(body) == []
    read_rule_set(body)


def test_every_reason_is_given_at_once() -> None:
    found = reasons(
        papers_per_day=0,
        season_score="luck",
        wrong_penalty=1,
        multiple_partial_credit=True,
        questions_per_paper=11,
        duels=True,
    )
    assert [reason.split(":")[0] for reason in found] == [
        "questions_per_paper",
        "papers_per_day",
        "season_score",
        "multiple_partial_credit",
        "wrong_penalty",
        "duels",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"timer": "item"},
        {"timer": "sand"},
        {"papers_per_day": "1"},
        {"papers_per_day": True},
        {"mix": {"single": 9, "essay": 1}},
        {"mix": None, "parts": [{"count": 10, "colour": "red"}]},
        {"mix": None, "parts": [{"count": 10, "benchmarks": ["1"]}]},
        {"parts": [{"count": 10}]},
    ],
)
def test_what_cannot_be_read_is_refused(changes: dict[str, Any]) -> None:
    assert reasons(**changes)


def test_a_blueprint_may_ask_for_difficulty_benchmarks_and_audience() -> None:
    body = {
        **preset_body("default"),
        "mix": None,
        "parts": [
            {"count": 4, "kind": "single", "difficulty": 1},
            {"count": 6, "benchmarks": [1, 2, 3], "audience": "youth"},
        ],
    }
    assert read_rule_set(body).parts == (
        Part(count=4, kind=QuestionKind.SINGLE, difficulty=1),
        Part(count=6, benchmarks=(1, 2, 3), audience="youth"),
    )


def test_the_version_names_exactly_these_rules() -> None:
    body = dict(preset_body("default"))
    turned = dict(reversed(body.items()))
    assert read_rule_set(body).version == read_rule_set(turned).version
    assert read_rule_set(body).version != read_rule_set({**body, "papers_per_day": 2}).version
