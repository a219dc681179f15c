"""Reading a whole board for Redis: every entry once, and no piece from the beginning again."""

from __future__ import annotations

import pytest

from server.base.uow import UnitOfWorkFactory
from server.quiz.leaderboards import standings_queries
from tests.kit.boards import a_contest, at_most, entries, hand_in


@pytest.mark.parametrize("scope", ["region", "city:450100"])
def test_pieces_of_a_board_hold_every_entry_once_and_begin_after_the_last_piece(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        placed = entries(uow, contest, 12, city="450100")
        for entry in placed:
            hand_in(uow, contest, entry, score=10)
    monkeypatch.setattr(standings_queries, "CHUNK", 5)
    with uow_factory.begin(read_only=True) as uow, at_most(uow_factory, 3) as said:
        rows = list(standings_queries.board_rows(uow, contest.id, "total", scope))
    assert [row.entry_id for row in rows] == placed
    # Bounded in both tables: with the entry's bound alone PostgreSQL read a million standings again
    # for every piece.
    for statement in said:
        assert "entry.id > " in statement
        assert "standing.entry_id > " in statement
