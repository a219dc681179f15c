"""Conditions, inserts and updates for many rows by few statements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Table, event, select, text

from server.base.outbox_rows import OutboxState
from server.base.sql.many import insert_many, is_any, write_changes
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.outbox import Letter, letters, letters_table, post

TABLE = cast(Table, Letter.__table__)


@pytest.fixture
def factory(uow_factory: UnitOfWorkFactory) -> Iterator[UnitOfWorkFactory]:
    with letters_table(uow_factory):
        yield uow_factory


def statements_of(factory: UnitOfWorkFactory) -> list[str]:
    seen: list[str] = []
    event.listen(
        factory.engine, "before_cursor_execute", lambda _c, _u, text, *_: seen.append(text)
    )
    return seen


@pytest.mark.parametrize("size", [0, 1, 7, 2000])
def test_a_condition_on_ids_selects_exactly_these(factory: UnitOfWorkFactory, size: int) -> None:
    post(factory, *"abcde")
    ids = [row.id for row in letters(factory)]
    wanted = {*ids[1:3][:size], *range(10_000, 10_000 + size)}
    with factory.begin(read_only=True) as uow:
        found = uow.session.scalars(select(Letter.id).where(is_any(Letter.id, wanted)))
        assert set(found) == set(ids) & wanted


def test_a_condition_has_one_text_for_every_number_of_ids(factory: UnitOfWorkFactory) -> None:
    seen = statements_of(factory)
    with factory.begin(read_only=True) as uow:
        for size in (1, 100, 5000):
            found = select(Letter.id).where(is_any(Letter.id, range(size)), Letter.text == "a")
            uow.session.execute(found).all()
    assert len({one for one in seen if "letter_of_the_tests" in one}) == 1


def plan_of(uow: UnitOfWork, spelled: str) -> str:
    explain = "EXPLAIN QUERY PLAN" if uow.session.get_bind().dialect.name == "sqlite" else "EXPLAIN"
    lines = uow.session.execute(text(f"{explain} {spelled}")).all()
    return " ".join(str(part) for line in lines for part in line)


def test_a_condition_on_row_ids_uses_their_index(factory: UnitOfWorkFactory) -> None:
    """SQLite compared the condition with 1, and read the whole table for it."""
    with factory.begin() as uow:
        insert_many(uow.session, TABLE, {"outbox_tries": 0, "note": ""}, {"text": ["a"] * 20_000})
    with factory.begin() as uow:
        uow.session.execute(text("ANALYZE letter_of_the_tests"))
        asked = select(Letter.id).where(is_any(Letter.id, [1, 2]), Letter.text == "a")
        spelled = str(asked.compile(uow.session.get_bind(), compile_kwargs={"literal_binds": True}))
        plan = plan_of(uow, spelled)
    assert "PRIMARY KEY" in plan or "Index" in plan, plan


def test_rows_are_inserted_with_common_and_with_own_values(factory: UnitOfWorkFactory) -> None:
    with factory.begin() as uow:
        same = {"outbox_state": OutboxState.QUEUED, "outbox_due_at": uow.now, "outbox_tries": 0}
        own = {"text": ["a", "b"], "note": ["x", "y"], "outbox_reason": [None, "r"]}
        assert insert_many(uow.session, TABLE, same, own) == 2
        assert insert_many(uow.session, TABLE, same, {"text": [], "note": []}) == 0
        now = uow.now
    rows = letters(factory)
    assert [(row.text, row.note, row.outbox_reason) for row in rows] == [
        ("a", "x", None), ("b", "y", "r"),
    ]  # fmt: skip
    assert {row.outbox_due_at for row in rows} == {now}
    assert {row.outbox_state for row in rows} == {OutboxState.QUEUED}


def test_a_row_whose_key_exists_is_left_out(factory: UnitOfWorkFactory) -> None:
    post(factory, "a")
    (row,) = letters(factory)
    same = {"outbox_tries": 0, "note": ""}
    with factory.begin() as uow:
        own = {"id": [row.id, row.id + 1], "text": ["b", "c"]}
        assert insert_many(uow.session, TABLE, same, own) == 1
    assert [one.text for one in letters(factory)] == ["a", "c"]


@pytest.mark.parametrize("kinds", [1, 3, 4, 5, 60])
def test_each_row_gets_its_own_new_values(factory: UnitOfWorkFactory, kinds: int) -> None:
    post(factory, *(["a"] * 60))
    ids = [row.id for row in letters(factory)]
    seen = statements_of(factory)
    with factory.begin() as uow:
        changed: dict[int, dict[str, Any]] = {
            one: {
                "outbox_state": OutboxState.DONE,
                "note": f"n{number % kinds}",
                "outbox_until": uow.now + timedelta(seconds=number % kinds),
                "outbox_reason": None,
            }
            for number, one in enumerate(ids[:50])
        }
        changed[ids[50]] = {}
        changed[ids[51]] = {"outbox_tries": 7}
        write_changes(uow.session, TABLE, changed)
        now = uow.now
    rows = letters(factory)
    assert [row.note for row in rows[:50]] == [f"n{n % kinds}" for n in range(50)]
    assert [row.outbox_until for row in rows[:50]] == [
        now + timedelta(seconds=n % kinds) for n in range(50)
    ]
    assert {row.outbox_state for row in rows[:50]} == {OutboxState.DONE}
    assert [row.outbox_tries for row in rows[50:53]] == [0, 7, 0]
    assert {row.note for row in rows[50:]} == {""}
    assert sum("UPDATE" in one for one in seen) <= 5
