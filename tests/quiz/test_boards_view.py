"""What a reader of a board is told, from Redis and without it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.base.work import Desk
from server.quiz import board_tasks, board_view
from server.quiz.board_view import Board
from server.quiz.contests import ContestView
from tests.kit import boards as kit
from tests.kit.boards import a_contest, entries, hand_in, recounted
from tests.kit.clock import FakeClock

SEASONS = (
    "best_single_paper",
    "sum_of_daily_best",
    "sum_of_scores",
    "mean_of_papers",
    "last_paper",
)


def read(desk: Desk, contest: ContestView, **asked: object) -> Board:
    with desk.work(read_only=True) as work:
        return board_view.board(work, contest, **asked)  # type: ignore[arg-type]


def test_a_board_shows_the_best_first(desk: Desk) -> None:
    with desk.work() as work:
        contest = a_contest(work)
        for entry, score in zip(entries(work, contest, 3), (50, 90, 70), strict=True):
            hand_in(work, contest, entry, score=score)
    found = read(desk, contest)
    assert [(line.rank, line.score) for line in found.items] == [(1, 90), (2, 70), (3, 50)]
    assert found.total == 3
