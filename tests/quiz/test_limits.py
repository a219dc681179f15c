"""How fast one citizen may go: what makes something is counted, telling it again is free."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.base.errors import TooManyRequests
from server.base.settings import Settings
from server.base.work import Desk
from server.quiz import attempts
from tests.kit.clock import FakeClock
from tests.kit.quiz import all_right, citizens, open_contest, shown, started


@pytest.fixture
def limited(desk: Desk, with_limits: Settings) -> Desk:
    return Desk(desk.engine, replace(desk.tools, settings=with_limits))


def test_a_fourth_start_at_once_waits_and_the_open_paper_is_free(
    limited: Desk, clock: FakeClock
) -> None:
    contest = open_contest(limited, papers_per_day=10)
    me, other = citizens(limited, 2)
    for _ in range(3):
        with limited.work() as work:
            ref = started(work, contest, me).sheet.ref
        for _again in range(20):
            with limited.work() as work:
                assert not attempts.start(work, contest.ref, me).fresh
        with limited.work() as work:
            attempts.submit(work, ref, me, {})
    with pytest.raises(TooManyRequests) as refusal, limited.work() as work:
        attempts.start(work, contest.ref, me)
    assert 1 <= refusal.value.retry_after_seconds <= 11
    with limited.work() as work:
        assert attempts.start(work, contest.ref, other).fresh
    clock.advance(10)
    with limited.work() as work:
        assert attempts.start(work, contest.ref, me).fresh


def test_answers_are_limited_and_a_repeated_submission_is_free(limited: Desk) -> None:
    contest = open_contest(limited)
    (me,) = citizens(limited, 1)
    with limited.work() as work:
        view = started(work, contest, me)
    answers = all_right(shown(view))
    for _ in range(59):
        with limited.work() as work:
            attempts.save_answers(work, view.sheet.ref, me, answers)
    with limited.work() as work:
        first = attempts.submit(work, view.sheet.ref, me, {})
    for _ in range(200):
        with limited.work() as work:
            assert attempts.submit(work, view.sheet.ref, me, {}).result == first.result


def test_the_sixty_first_answer_at_once_waits(limited: Desk) -> None:
    contest = open_contest(limited)
    (me,) = citizens(limited, 1)
    with limited.work() as work:
        ref = started(work, contest, me).sheet.ref
    for _ in range(60):
        with limited.work() as work:
            attempts.save_answers(work, ref, me, {})
    with pytest.raises(TooManyRequests), limited.work() as work:
        attempts.save_answers(work, ref, me, {})
    with pytest.raises(TooManyRequests), limited.work() as work:
        attempts.submit(work, ref, me, {})
