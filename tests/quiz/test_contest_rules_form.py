"""The form of a rule set, harmless changes, and the blueprint beside the bank."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from server.quiz.bank.drawing import Item
from server.quiz.contests.blueprint import check_blueprint
from server.quiz.contests.harmless import find_harm
from server.quiz.contests.presets import PRESETS, preset_body
from server.quiz.contests.rule_form import read_fields, write_body
from server.quiz.enums import QuestionKind, Season, Timer
from server.quiz.rule_check import RuleSetRefused, read_rule_set
from server.quiz.rules import Part, RuleSet


def usable_presets() -> list[str]:
    found = []
    for body in json.loads(PRESETS.read_text(encoding="utf-8"))["presets"]:
        try:
            found.append(read_rule_set(body).slug)
        except RuleSetRefused:
            continue
    return found


def rules(preset: str = "default", **changes: Any) -> RuleSet:
    body = {**preset_body(preset), **changes}
    return read_rule_set({name: value for name, value in body.items() if value is not None})


@pytest.mark.parametrize("preset", usable_presets())
def test_a_preset_through_the_form_is_the_same_rules(preset: str) -> None:
    body = preset_body(preset)
    written = write_body(read_fields(body), body)
    before, after = read_rule_set(body), read_rule_set(written)
    assert replace(after, version=before.version) == before
    assert read_fields(written) == read_fields(body)


def test_new_groups_get_keys_of_their_own_and_old_ones_keep_theirs() -> None:
    body = preset_body("jiangsu-2017")
    fields = replace(read_fields(body), divisions="成人组\n 老年组 \n\n小学组\n亲子组")
    made = read_rule_set(write_body(fields, body)).divisions
    assert [(one.key, one.title) for one in made] == [
        ("adult", "成人组"), ("g1", "老年组"), ("primary", "小学组"), ("g2", "亲子组"),
    ]  # fmt: skip


def test_a_finer_blueprint_stays_while_its_numbers_stay() -> None:
    parts = [{"count": 6, "kind": "single", "difficulty": 1}, {"count": 4, "kind": "judge"}]
    body = {**preset_body("default"), "parts": parts, "questions_per_paper": 10}
    del body["mix"]
    same = write_body(read_fields(body), body)
    assert read_rule_set(same).parts == read_rule_set(body).parts
    fewer = write_body(replace(read_fields(body), counts=(5, 0, 4)), body)
    assert [part.count for part in read_rule_set(fewer).parts] == [5, 4]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"points_per_question": 20}, "points_per_question"),
        ({"paper_seconds": 299}, "paper_seconds"),
        ({"season_score": "best_single_paper"}, "season"),
        ({"papers_total": 40}, "papers_total"),
        ({"warm_up_questions": 1}, "warm_up_questions"),
        ({"mix": {"single": 7, "judge": 1, "multiple": 2}}, "single"),
        ({"cover_topics": False}, "cover_topics"),
        ({"timer": "item", "seconds_per_question": 30}, "timer"),
        (
            {"divisions": [{"key": "a", "title": "甲"}, {"key": "b", "title": "乙"}]},
            "divisions",
        ),
    ],
)
def test_a_change_that_harms_handed_in_papers_names_its_field(
    change: dict[str, Any], field: str
) -> None:
    assert find_harm(rules(), rules(**change)) == [field]


@pytest.mark.parametrize(
    "change",
    [{"papers_per_day": 2}, {"paper_seconds": 400}, {"title": "另一个名称"}, {"note": "说明"}],
)
def test_more_papers_and_more_time_harm_nobody(change: dict[str, Any]) -> None:
    assert find_harm(rules(), rules(**change)) == []


def test_limits_may_only_widen() -> None:
    assert find_harm(rules(papers_total=10), rules(papers_total=None)) == []
    assert find_harm(rules(papers_total=10), rules(papers_total=9)) == ["papers_total"]
    assert find_harm(rules(papers_per_day=2), rules()) == ["papers_per_day"]
    item = {"timer": "item", "seconds_per_question": 30}
    shorter = {"timer": "item", "seconds_per_question": 20}
    assert find_harm(rules(**item), rules(**shorter)) == ["seconds_per_question"]


def test_groups_may_be_added_to_groups() -> None:
    divisions = preset_body("jiangsu-2017")["divisions"]
    more = [*divisions, {"key": "g1", "title": "亲子组"}]
    assert find_harm(rules("jiangsu-2017"), rules("jiangsu-2017", divisions=more)) == []
    assert find_harm(rules("jiangsu-2017"), rules("jiangsu-2017", divisions=more[1:])) == [
        "divisions"
    ]


def item(number: int, kind: QuestionKind) -> Item:
    return Item(
        id=number, ref=f"q{number}", kind=kind, topic="t", benchmark_no=None, difficulty=1,
        audience=None, stem="s", options=("a", "b"), answer=(0,), explanation="",
    )  # fmt: skip


def test_the_blueprint_says_what_runs_out_when() -> None:
    plan = RuleSet(
        version="v", slug="s", title="t", papers_per_day=2, papers_total=None,
        parts=(Part(count=2, kind=QuestionKind.SINGLE), Part(count=3, kind=QuestionKind.JUDGE)),
        cover_topics=False, points_per_question=1, timer=Timer.PAPER, paper_seconds=60,
        seconds_per_question=None, season=Season.BEST,
    )  # fmt: skip
    items = [item(n, QuestionKind.SINGLE) for n in range(9)]
    items += [item(n, QuestionKind.JUDGE) for n in range(20, 22)]
    single, judge = check_blueprint(plan, items, days=30)
    # Nine single questions make four papers: two days; on the third they repeat.
    assert (single.supply, single.papers, single.repeats_on_day, single.enough) == (9, 4, 3, True)
    assert (judge.supply, judge.papers, judge.enough) == (2, 0, False)
    assert check_blueprint(plan, items, days=2)[0].repeats_on_day is None
    few = replace(plan, papers_total=4)
    assert check_blueprint(few, items, days=30)[0].repeats_on_day is None
