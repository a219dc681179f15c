"""Erasing, merging and exporting, table by table, as the declarations say."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Table

from server import slices
from server.accounts import identities, privacy
from server.base.personal_data import Erase, Merge, Personal, PersonalData
from server.base.settings import ROOT
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.accounts import a_citizen
from tests.kit.personal import a_row_about, a_row_of, every_row, rows_about

ORDER = slices.PERSONAL_DATA.order
# Tables whose merge is a function, because some rows stay with the double or become one; each is
# tried in the folder of its slice.
BY_FUNCTION = {
    "announcement_recipient",
    "participation_change",
    "participant",
    "avatar",
    "certificate",
    "citizen",
    "entry",
    "follower",
    "kept_answer",
    "scene_visit",
    "signup",
}
# Tried elsewhere: told only to who is found by a keyed hash (tests/quiz/test_returning.py), and
# told of the other of two apps (tests/quiz/test_shares.py), and told once they are published
# (tests/quiz/test_sealing.py).
OTHERWISE = {"earlier_erasures", "visits", "final_ranks"}
each_table = pytest.mark.parametrize("one", ORDER, ids=lambda one: one.name)


def filled(uow: UnitOfWork, one: Personal, letter: str) -> int:
    """A citizen with a row in this table; everything told of them carries the letter."""
    person = a_citizen(uow, consented=False, nickname=f"mark-{letter}", openid=f"mark-{letter}")
    if not one.is_person and one.name != "identity":
        a_row_about(uow, one, person.id, f"mark-{letter}")
    return person.id


def table_of(one: Personal) -> Table:
    table = one.table.__table__
    assert isinstance(table, Table)
    return table


def left_after_erasing(
    uow: UnitOfWork, one: Personal, citizen_id: int, before: list[dict[str, Any]]
) -> list[str]:
    """What stands in a table of an erased citizen that its declaration does not allow."""
    keys = [column.name for column in table_of(one).primary_key]
    mine = {tuple(row[key] for key in keys): row for row in before}
    wrong = [
        complaint
        for row in every_row(uow, table_of(one))
        if (old := mine.get(tuple(row[key] for key in keys))) is not None
        for complaint in left_in_row(one, old, row)
    ]
    if one.erase is Erase.KEEP_ANONYMOUS and len(before) != len(rows_about(uow, one, citizen_id)):
        wrong.append(f"{one.name} lost rows")
    return wrong


def left_in_row(one: Personal, old: dict[str, Any], row: dict[str, Any]) -> list[str]:
    wrong = [f"{one.name} still holds a row"] if one.erase is Erase.DELETE else []
    written = [name for name, value in one.blank.items() if not callable(value)]
    wrong += [f"{one.name}.{name} is not blanked" for name in written if row[name] == old[name]]
    wrong += [f"{one.name}.{name} did not stay" for name in one.stays if row[name] != old[name]]
    return wrong


@each_table
def test_an_erasure_leaves_what_the_declaration_allows_and_all_of_others(
    uow_factory: UnitOfWorkFactory, one: Personal
) -> None:
    with uow_factory.begin() as uow:
        person, noise = filled(uow, one, "甲"), filled(uow, one, "乙")
        before, others = rows_about(uow, one, person), rows_about(uow, one, noise)
        assert before != [], "nothing was erased"
        if one.is_person:
            filled_profile(uow, person)
            before = rows_about(uow, one, person)
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person)
    with uow_factory.begin() as uow:
        assert left_after_erasing(uow, one, person, before) == []
        assert rows_about(uow, one, noise) == others


def filled_profile(uow: UnitOfWork, citizen_id: int) -> None:
    """Something in each column of a citizen that an erasure blanks."""
    (citizen,) = (one for one in ORDER if one.is_person)
    row = a_row_of(uow, table_of(citizen), "mark-丙")
    model: Any = uow.session.get_one(citizen.table, citizen_id)
    other = {"elder_mode": True, "public_rank": True, "topics": ["x"], "nickname_state": "shown"}
    other |= {"muted_topics": ["x"], "announcements_off": True}
    for name in citizen.blank:
        if name not in ("erased_at", "unionid"):
            setattr(model, name, other.get(name, row[name]))
    model.unionid = "mark-unionid"


@pytest.mark.parametrize(
    ("table", "wrong", "seen"),
    [
        (
            "share",
            {"erase": Erase.KEEP_ANONYMOUS, "kept_because": "a mistake"},
            "share still holds a row",
        ),
        (
            "consent",
            {
                "blank": {"guardian_name": None},
                "stays": (
                    *("id", "ref", "policy_version", "guardian", "guardian_relation"),
                    *("under_14", "given_at"),
                ),
            },
            "consent.guardian_relation is not blanked",
        ),
    ],
)
def test_a_wrong_declaration_is_seen(
    uow_factory: UnitOfWorkFactory, table: str, wrong: dict[str, Any], seen: str
) -> None:
    (right,) = (one for one in ORDER if one.name == table)
    declared = replace(right, **wrong)
    with uow_factory.begin() as uow:
        person = filled(uow, right, "甲")
        before = rows_about(uow, right, person)
        PersonalData([[declared]]).erase_person(uow, person)
        assert left_after_erasing(uow, right, person, before) == [seen]


@each_table
def test_two_citizens_who_are_one_have_each_row_once(
    uow_factory: UnitOfWorkFactory, one: Personal
) -> None:
    with uow_factory.begin() as uow:
        keep, gone, noise = (filled(uow, one, letter) for letter in "甲乙丙")
        kept, others = rows_about(uow, one, keep), rows_about(uow, one, noise)
        twins(uow, one, kept[0], gone)
        count = len(rows_about(uow, one, gone))
    with uow_factory.begin() as uow:
        assert identities.merge_citizens(uow, keep, gone) == keep
    with uow_factory.begin() as uow:
        after = rows_about(uow, one, keep)
        assert rows_about(uow, one, noise) == others
        if isinstance(one.merge, Merge):
            assert rows_about(uow, one, gone) == []
            assert [row for row in after if row in kept] == kept
            limit_of_one = one.merge is Merge.KEEP_ONE and () in one.unique_keys
            dropped = one.merge is Merge.KEEP_ONE
            assert len(after) == (1 if limit_of_one else len(kept) + count - dropped)
        elif one.merge is not None:
            assert one.name in BY_FUNCTION, "try its merge in the folder of its slice"


def twins(uow: UnitOfWork, one: Personal, row: dict[str, Any], gone: int) -> None:
    """Give the double a row that has the survivor's unique key, where there can be one."""
    if one.merge is not Merge.KEEP_ONE or () in one.unique_keys:
        return
    (names,) = one.unique_keys
    given = {name: row[name] for name in names}
    a_row_of(uow, table_of(one), "twin", **given, **{one.owner_column: gone})


def test_the_merge_that_only_repoints_fails_where_one_must_be_kept(
    uow_factory: UnitOfWorkFactory,
) -> None:
    (right,) = (one for one in ORDER if one.name == "question_report")

    class Careless(Personal):
        """A declaration that says nothing of the unique key."""

        @property
        def unique_keys(self) -> list[tuple[str, ...]]:
            return []

    facts = {name: getattr(right, name) for name in right.__dataclass_fields__}
    careless = Careless(**{**facts, "merge": Merge.REPOINT})
    with uow_factory.begin() as uow:
        keep, gone = filled(uow, right, "甲"), filled(uow, right, "乙")
        twins(uow, right, rows_about(uow, right, keep)[0], gone)
        with pytest.raises(Exception, match=r"(?i)unique"), uow.session.begin_nested():
            PersonalData([[careless]]).merge_persons(uow, keep, gone)
        PersonalData([[right]]).merge_persons(uow, keep, gone)


@each_table
def test_the_export_tells_what_is_held_of_this_citizen_alone(
    uow_factory: UnitOfWorkFactory, one: Personal
) -> None:
    with uow_factory.begin() as uow:
        person = filled(uow, one, "甲")
        filled(uow, one, "乙")
    with uow_factory.begin(read_only=True) as uow:
        told = privacy.export_citizen(uow, person)
    assert "mark-乙" not in str(told)
    for key, part in one.export.items():
        assert key in told
        assert key in OTHERWISE or told[key], key
        if not callable(part) and key not in OTHERWISE:
            names = {name if isinstance(name, str) else name[0] for name in part}
            assert [set(row) for row in told[key]] == [names]  # type: ignore[attr-defined]


def test_the_export_begins_with_the_person_and_names_every_part_once(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        told = list(privacy.export_citizen(uow, a_citizen(uow).id))
    declared = [key for one in ORDER for key in one.export]
    assert sorted(told) == sorted(declared)
    assert told == [
        *(
            "person",
            "audit",
            "identities",
            "sessions",
            "consents",
            "picture_uploads",
            "pictures",
            "phone",
        ),
        *("earlier_erasures", "participation", "message_grants", "messages_counted"),
        *("inbox", "pushes", "follower"),
        *(
            "scene_visits",
            "visits",
            "late_replies",
            "recent_replies",
            "certificates",
            "unit_requests",
        ),
        *("contest_entries", "contest_papers", "final_ranks", "practice", "mistakes"),
        "rank_changes",
        *("question_reports", "devices", "held_results", "shares", "groups", "signups"),
        *("scanner_grants", "attendance", "feedback", "announcements"),
    ], (
        "add a new key of the export to this list, where its slice stands in server/slices.py, and"
        " its name for citizens to miniprogram/packages/mine/data/held.ts"
    )


def test_the_phone_has_a_name_for_every_part_of_the_export() -> None:
    """A part without one is shown to the citizen under its technical name."""
    page = (ROOT / "miniprogram/packages/mine/data/held.ts").read_text("utf-8")
    named = set(re.findall(r"^ {4}(\w+): t\.kept_\w+,$", page, re.MULTILINE))
    parts = {part for one in slices.PERSONAL_DATA.order for part in one.export} - {"person"}
    assert parts - named == set(), "add these to `namesOf` in held.ts, with a text in zh_mine.ts"
    assert named - parts == set(), "no part of the export has these names"
