"""The JSON of an audience's rule."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from server.announcements.audience.rule import (
    AudienceRule,
    CameBy,
    ContestResult,
    SignedUp,
    SignUpBand,
    TookPartIn,
    read_rule,
    rule_content,
)
from server.announcements.errors import WrongAudienceRule

FULL = AudienceRule(
    cities=("450100", "450200"),
    counties=("450103",),
    units=("unt_1",),
    topics=("lectures",),
    took_part=TookPartIn(programme="quiz-contest", kind="paper", first_day=date(2026, 5, 1)),
    contest=ContestResult(contest="cst_1", completed=True, best_rank=1, last_rank=100),
    signups=SignedUp(activities=("act_1",), states=(SignUpBand.CONFIRMED, SignUpBand.ABSENT)),
    came_by=CameBy(scenes=("poster-1",), last_day=date(2026, 5, 31)),
)


@pytest.mark.parametrize(
    "rule", [AudienceRule(), FULL, AudienceRule(correction_of="ann_1")], ids=["all", "full", "fix"]
)
def test_a_rule_survives_storing(rule: AudienceRule) -> None:
    assert read_rule(rule_content(rule)) == rule


def test_an_empty_rule_stores_nothing() -> None:
    assert rule_content(AudienceRule()) == {}


@pytest.mark.parametrize(
    ("stored", "part"),
    [
        ({"cities": ["450100' OR 1=1"]}, "cities"),
        ({"cities": "450100"}, "cities"),
        ({"cities": ["450100"] * 21}, "cities"),
        ({"counties": [450103]}, "counties"),
        ({"topics": ['a"]'], "cities": []}, "topics"),
        ({"topics": ["%"]}, "topics"),
        ({"units": [""]}, "units"),
        ({"scope": "region"}, "scope"),
        ({"took_part": {"city": "450200"}}, "took_part"),
        ({"took_part": {"first_day": "2026-05-02", "last_day": "2026-05-01"}}, "took_part"),
        ({"contest": {"contest": "c", "best_rank": 0}}, "contest"),
        ({"contest": {"contest": "c", "best_rank": 9, "last_rank": 3}}, "contest"),
        ({"contest": {"contest": "c", "minimum_score": -1}}, "contest"),
        ({"contest": {}}, "contest"),
        ({"signups": {"states": ["removed"]}}, "signups"),
        ({"signups": {"states": ["confirmed"]}}, "signups"),
        ({"came_by": {"scenes": []}}, "came_by"),
        ({"correction_of": "ann_1", "cities": ["450100"]}, "correction_of"),
        ({"correction_of": ""}, "correction_of"),
    ],
)
def test_a_wrong_part_is_named(stored: dict[str, Any], part: str) -> None:
    with pytest.raises(WrongAudienceRule) as refused:
        read_rule(stored)
    assert refused.value.part == part
