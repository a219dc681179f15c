"""Reading a whole board for Redis: every entry once, by one statement of any length."""

from __future__ import annotations

from itertools import islice

import pytest

from server.base.sql.prepared import _prepare_statement
from server.base.uow import UnitOfWorkFactory
from server.quiz.leaderboards import standings_queries
from tests.kit.boards import a_contest, at_most, entries, hand_in


@pytest.mark.parametrize("scope", ["region", "city:450100"])
def test_one_statement_reads_a_board_of_many_batches_and_every_entry_once(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        placed = entries(uow, contest, 12, city="450100")
        for entry in placed:
            hand_in(uow, contest, entry, score=10)
    monkeypatch.setattr(standings_queries, "CHUNK", 5)
    # A statement per batch made the time of a rebuild grow with the square of the players.
    with uow_factory.begin(read_only=True) as uow, at_most(uow_factory, 1):
        rows = list(standings_queries.board_rows(uow, contest.id, "total", scope))
    assert sorted(row.entry_id for row in rows) == placed


def test_a_board_that_is_not_read_to_its_end_leaves_the_transaction_usable(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        for entry in entries(uow, contest, 12, city="450100"):
            hand_in(uow, contest, entry, score=10)
    monkeypatch.setattr(standings_queries, "CHUNK", 5)
    with uow_factory.begin(read_only=True) as uow:
        reading = standings_queries.board_rows(uow, contest.id, "total", "region")
        assert len(list(islice(reading, 3))) == 3
        assert standings_queries.board_size(uow, contest.id, "total", "region") == 12
        reading.close()
        assert standings_queries.board_size(uow, contest.id, "total", "region") == 12


def test_the_names_of_a_board_come_from_the_database_as_they_are_used(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin(read_only=True) as uow:
        dialect = uow.transaction.statement_dialect
    # Otherwise every row of neighbours is copied and converted, in every look at a board.
    ready = _prepare_statement(standings_queries._PLAYERS, dialect, {"entry_ids": [1, 2, 3]})
    assert ready.out == ()
