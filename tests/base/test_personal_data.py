"""Declarations that contradict each other or their tables keep the house from starting."""

from __future__ import annotations

from typing import Any

import pytest

from server import slices
from server.accounts.models import Citizen, Consent, Phone
from server.base.personal_data import Erase, Merge, Personal, PersonalData, WronglyDeclared
from server.notices.models import InboxMessage, MessageGrant
from server.quiz.models import Practice, PracticeAnswer
from tests.kit.floors import floors

GRANT = Personal(
    MessageGrant,
    "citizen_id",
    erase=Erase.DELETE,
    merge=Merge.REPOINT,
    export={"grants": ("template_id",)},
)
LETTER = Personal(
    InboxMessage,
    "citizen_id",
    erase=Erase.DELETE,
    merge=Merge.KEEP_ONE,
    export={"letters": ("title",)},
)
PRACTICE = Personal(
    Practice, "citizen_id", erase=Erase.DELETE, merge=Merge.REPOINT, untold_because="a test"
)
ANSWER = Personal(PracticeAnswer, "practice_id", erase=Erase.DELETE, untold_because="a test")


def test_the_order_is_from_the_top_floor_down_and_the_person_comes_last() -> None:
    order = slices.PERSONAL_DATA.order
    places = [floors()[one.table.__module__.split(".")[1]] for one in order[:-1]]
    assert places == sorted(places, reverse=True)
    assert [one.is_person for one in order] == [False] * (len(order) - 1) + [True]
    assert order[-1].table is Citizen


def test_the_order_follows_the_slices_and_not_the_place_in_the_code() -> None:
    (person,) = (one for one in slices.PERSONAL_DATA.order if one.is_person)
    for floors_up in ([[person, GRANT], [LETTER]], [[GRANT], [person], [LETTER]]):
        assert [one.name for one in PersonalData(floors_up).order] == [
            "inbox_message",
            "message_grant",
            "citizen",
        ]
    turned = PersonalData([[LETTER], [GRANT], [person]])
    assert [one.name for one in turned.order] == ["message_grant", "inbox_message", "citizen"]


@pytest.mark.parametrize(
    ("declared", "complaint"),
    [
        ([[GRANT], [GRANT]], "the table message_grant is declared 2 times"),
        (
            [[GRANT], [Personal(InboxMessage, "citizen_id", erase=Erase.DELETE,
                                merge=Merge.KEEP_ONE, export={"grants": ("title",)})]],
            "the export has 2 parts called grants",
        ),
        ([[PRACTICE, ANSWER]], "declare practice_answer before practice"),
        ([[PRACTICE], [ANSWER, GRANT]], ""),
        ([[ANSWER]], "practice_answer: `merge` stands where rows refer to the citizen"),
    ],
)  # fmt: skip
def test_declarations_that_contradict_each_other_are_refused(
    declared: list[list[Personal]], complaint: str
) -> None:
    if not complaint:
        assert PersonalData(declared).order
        return
    with pytest.raises(WronglyDeclared, match=complaint):
        PersonalData(declared)


@pytest.mark.parametrize(
    ("table", "declared", "complaint"),
    [
        (MessageGrant, {"export": {"grants": ("colour",)}}, "there is no column colour"),
        (MessageGrant, {"export": {}}, "say what the export tells"),
        (MessageGrant, {"untold_because": "x"}, "say what the export tells"),
        (MessageGrant, {"merge": Merge.KEEP_ONE}, "part of no unique key"),
        (Phone, {"export": {"phone": ("ref",)}}, "part of a unique key"),
        (MessageGrant, {"erase": Erase.BLANK}, "`blank` says what"),
        (MessageGrant, {"erase": Erase.KEEP_ANONYMOUS}, "`kept_because` says why"),
        (
            Consent,
            {
                "erase": Erase.BLANK,
                "export": {"consents": ("given_at",)},
                "blank": {"guardian_name": None},
                "stays": ("id", "ref", "policy_version", "guardian", "under_14", "given_at"),
            },
            "whether an erasure blanks the column guardian_relation or it stays",
        ),
    ],
)
def test_a_declaration_that_does_not_fit_its_table_is_refused(
    table: type, declared: dict[str, Any], complaint: str
) -> None:
    usual: dict[str, Any] = {
        "erase": Erase.DELETE,
        "merge": Merge.REPOINT,
        "export": {"grants": ("template_id",)},
    }
    with pytest.raises(WronglyDeclared, match=complaint):
        Personal(table, "citizen_id", **{**usual, **declared})
