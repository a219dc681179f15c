"""Who took part in what, where and when: the rows, what is asked of them, and their indexes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text

from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.programme.models import Participation
from server.programme.participation import (
    Fact,
    TookPart,
    citizens_who,
    history_of,
    record_missing,
    record_participation,
    recorded_refs,
    refs_after,
    withdraw_participation,
)
from tests.kit.boards import a_unit

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


def a_fact(citizen_id: int = 1, source_ref: str = "att_1", **facts: Any) -> Fact:
    usual: dict[str, Any] = {
        "kind": "paper",
        "programme": "quiz-contest",
        "city": None,
        "county": None,
        "unit_id": None,
        "on_day": MAY,
    }
    return Fact(citizen_id=citizen_id, source_ref=source_ref, **{**usual, **facts})


def refs(uow: UnitOfWork) -> list[str]:
    return list(uow.session.scalars(select(Participation.source_ref).order_by(Participation.id)))


def test_a_fact_is_written_once_and_a_repeat_leaves_its_first_place(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        record_participation(uow, a_fact(city="450100"))
        record_participation(uow, a_fact(city="450200"))
        assert record_missing(uow, [a_fact(city="450300"), a_fact(source_ref="att_2")]) == 1
        assert record_missing(uow, []) == 0
        # Another kind of fact may have the same name.
        record_participation(uow, a_fact(kind="attendance"))
        assert refs(uow) == ["att_1", "att_2", "att_1"]
        cities = uow.session.scalars(select(Participation.city).order_by(Participation.id))
        assert list(cities) == ["450100", None, None]
        assert recorded_refs(uow, "paper", ["att_1", "att_9"]) == {"att_1"}


def test_undoing_a_fact_removes_its_row_alone(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        record_missing(uow, [a_fact(source_ref=f"att_{n}") for n in range(3)])
        record_participation(uow, a_fact(kind="attendance", source_ref="att_1"))
        assert withdraw_participation(uow, "paper", ["att_1", "att_9"]) == 1
        assert withdraw_participation(uow, "paper", ["att_1"]) == 0
        assert refs(uow) == ["att_0", "att_2", "att_1"]
        first, second = refs_after(uow, "paper", 0, 10)
        assert refs_after(uow, "paper", first[0], 10) == [second]


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        ({}, {1, 2, 3, 4}),
        ({"programme": "quiz-contest"}, {1, 2, 3}),
        ({"programme": "quiz-contest", "city": "450100"}, {1, 2}),
        ({"city": "450100", "county": "450103"}, {1}),
        ({"unit_id": 7}, {2}),
        ({"kind": "attendance"}, {4}),
        ({"first_day": JUNE}, {3}),
        ({"last_day": MAY}, {1, 2, 4}),
        ({"first_day": MAY, "last_day": MAY, "city": "450100"}, {1, 2}),
        ({"city": "450200"}, set()),
    ],
)
def test_who_took_part_is_asked_by_programme_kind_place_and_day(
    uow_factory: UnitOfWorkFactory, asked: dict[str, Any], who: set[int]
) -> None:
    with uow_factory.begin() as uow:
        record_missing(
            uow,
            [
                a_fact(1, "a", city="450100", county="450103"),
                a_fact(1, "b", city="450100", county="450103"),
                a_fact(2, "c", city="450100", county="450105", unit_id=7),
                a_fact(3, "d", on_day=JUNE),
                a_fact(4, "e", kind="attendance", programme=None),
            ],
        )
        found = uow.session.scalars(citizens_who(TookPart(**asked))).all()
    assert (set(found), len(found)) == (who, len(who))


def test_the_history_is_told_by_day_with_the_units_name(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        unit = a_unit(uow)
        record_missing(
            uow,
            [
                a_fact(1, "later", on_day=JUNE, programme=None),
                a_fact(
                    1,
                    "first",
                    city="450100",
                    county="450103",
                    unit_id=unit.id,
                    audience="youth",
                    hour=20,
                ),
                a_fact(2, "another"),
            ],
        )
        assert history_of(uow, 1) == [
            {
                "kind": "paper",
                "programme": "quiz-contest",
                "day": MAY,
                "city": "450100",
                "county": "450103",
                "unit": unit.name,
                "audience": "youth",
                "hour": 20,
                "completed": True,
            },
            {
                "kind": "paper",
                "programme": None,
                "day": JUNE,
                "city": None,
                "county": None,
                "unit": None,
                "audience": None,
                "hour": None,
                "completed": True,
            },
        ]


@pytest.mark.parametrize(
    ("index", "statement"),
    [
        (
            "ix_participation_place",
            "SELECT citizen_id FROM participation WHERE programme = 'p3' AND city = '450103'"
            " AND county = '450103' AND on_day BETWEEN '2026-05-01' AND '2026-05-02'",
        ),
        (
            "ix_participation_citizen_id_on_day",
            "SELECT kind FROM participation WHERE citizen_id = 77 ORDER BY on_day",
        ),
        (
            "kind_source_ref",
            "SELECT id FROM participation WHERE kind = 'paper' AND source_ref = 'att_77'",
        ),
    ],
)
def test_both_questions_are_answered_from_an_index(
    uow_factory: UnitOfWorkFactory, index: str, statement: str
) -> None:
    with uow_factory.begin() as uow:
        for start in range(0, 3000, 500):
            record_missing(
                uow,
                [
                    a_fact(
                        number,
                        f"att_{number}",
                        programme=f"p{number % 30}",
                        city=f"4501{number % 14:02}",
                        county=f"4501{number % 14:02}",
                    )
                    for number in range(start, start + 500)
                ],
            )
        sqlite = uow.transaction.dialect.name == "sqlite"
        if not sqlite:
            uow.session.execute(text("ANALYZE participation"))
        plan = uow.session.execute(
            text(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{statement}")
        ).all()
    told = " ".join(str(part) for row in plan for part in row)
    assert index in told or (sqlite and "kind=? AND source_ref=?" in told), told
