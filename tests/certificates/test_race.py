"""Two requests at once issue one certificate; without the lock and the key they issue two."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, select, text

from server.accounts import service as accounts
from server.base.uow import UnitOfWorkFactory
from server.certificates import service
from server.certificates.models import Certificate
from tests.kit.accounts import Person
from tests.kit.effort import repeat_count
from tests.kit.quiz import all_at_once

pytestmark = pytest.mark.race

AT_ONCE = 4


def issue_at_once(few: UnitOfWorkFactory, citizen_id: int, count: int) -> list[tuple[str, bool]]:
    def step() -> tuple[str, bool]:
        with few.begin() as uow:
            view = service.issue_certificate(uow, citizen_id, "quiz_score", "src_1", "韦小明")
            return view.row.serial, view.fresh

    issued = all_at_once([step] * count)
    assert [one for one in issued if isinstance(one, Exception)] == []
    return [one for one in issued if not isinstance(one, Exception)]


@pytest.mark.parametrize("_round", range(repeat_count(20, 3)))
def test_requests_at_once_get_one_number(
    few: UnitOfWorkFactory, person: Person, _round: int
) -> None:
    issued = issue_at_once(few, person.id, AT_ONCE)
    assert len({serial for serial, _ in issued}) == 1
    assert sorted(fresh for _, fresh in issued) == [False] * (AT_ONCE - 1) + [True]


def test_the_race_is_seen_without_the_lock_and_the_key(
    few: UnitOfWorkFactory, person: Person, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database_kind == "sqlite":
        pytest.skip("SQLite has one writer at a time: nobody else can look before the insert")
    both_looked = threading.Barrier(2)
    find_live = service._find_live

    def look_together(*given: Any) -> Certificate | None:
        found = find_live(*given)
        if found is None:
            both_looked.wait(timeout=30)
        return found

    monkeypatch.setattr(service, "_find_live", look_together)
    monkeypatch.setattr(accounts, "lock_citizen", lambda *_given: None)
    with few.begin() as uow:
        uow.session.execute(text("DROP INDEX uq_certificate_live_citizen_id_kind_source_id"))
    issue_at_once(few, person.id, 2)
    with few.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(Certificate)) == 2
