"""The trail says rules by what differs, and every state in words."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from server.audit.wording import describe_changes
from server.base.access import REGION
from server.base.uow import UnitOfWorkFactory
from server.quiz.bank.importing import lock_bank
from server.quiz.enums import CaseState, SealState, VoidState

CHINESE = re.compile("[\u4e00-\u9fff]")


def test_rules_are_told_by_what_differs(uow_factory: UnitOfWorkFactory) -> None:
    before = {"rules": {"papers_per_day": 1, "timer": "paper", "mix": {"single": 6}, "age": "a"}}
    after = {"rules": {"papers_per_day": 3, "timer": "paper", "mix": {"single": 7}, "age": "b"}}
    with uow_factory.begin(read_only=True) as uow:
        told = describe_changes(uow, "quiz.change_contest", before, after)
    assert [(one.name, one.before, one.after) for one in told] == [
        ("规则 · 每天份数", "1", "3"),
        ("规则 · 单选题数", "6", "7"),
        ("规则", "—", "另有 1 项说明"),
    ]


def test_the_bank_of_a_contest_is_told_by_its_name(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        lock_bank(uow, "bnk-1", REGION, "科普日竞赛题")
        told = describe_changes(uow, "quiz.change_contest", {"bank": "demo"}, {"bank": "bnk-1"})
        assert [(one.name, one.before, one.after) for one in told] == [
            ("题库", "demo", "科普日竞赛题（广西壮族自治区）"),
        ]
        lock_bank(uow, "demo", REGION)
        (told,) = describe_changes(uow, "quiz.change_contest", {}, {"bank": "demo"})
    assert told.after == "广西壮族自治区题库"


@pytest.mark.parametrize("state", [*VoidState, *SealState, *CaseState])
def test_every_state_that_a_decision_records_has_words(
    uow_factory: UnitOfWorkFactory, state: StrEnum
) -> None:
    with uow_factory.begin(read_only=True) as uow:
        (told,) = describe_changes(uow, "quiz.decide_hold", {}, {"state": state.value})
    assert CHINESE.search(told.after), state
