"""A person who erases themself and comes back: limits go on, and a board shows them once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts import privacy
from server.accounts import service as accounts
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.quiz.attempts import service as attempts
from server.quiz.attempts.contest_progress import contest_progress
from server.quiz.contests.service import ContestView
from server.quiz.errors import NoAttemptsLeft
from server.quiz.leaderboards import board_view, groups
from server.quiz.models import Attempt, Entry
from server.quiz.tasks import close_expired
from server.wechat.gateway import GroupEntry
from tests.kit.accounts import a_citizen, known_as
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import all_right, open_contest, seen, shown, take

DAY = timedelta(days=1).total_seconds()
OPENID, UNIONID = "openid-of-the-player", "union-of-the-player"


def comes(uow_factory: UnitOfWorkFactory, openid: str = OPENID, unionid: str | None = None) -> int:
    with uow_factory.begin() as uow:
        return a_citizen(uow, openid=openid, unionid=unionid).id


def erased(uow_factory: UnitOfWorkFactory, citizen_id: int) -> None:
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, citizen_id)


def board(
    uow_factory: UnitOfWorkFactory, contest: ContestView, period: str = "total"
) -> list[tuple[str, float]]:
    with uow_factory.begin(read_only=True) as uow:
        found = board_view.read_board(uow, contest, period=period, limit=100)
    return [(line.nickname, line.score) for line in found.items]


def left(
    uow_factory: UnitOfWorkFactory, contest: ContestView, citizen_id: int
) -> tuple[int, int | None, int | None]:
    with uow_factory.begin(read_only=True) as uow:
        mine = contest_progress(uow, [contest], citizen_id)[contest.id]
    return mine.attempts_left_today, mine.attempts_left_total, mine.best_score


def test_erasing_oneself_over_http_gives_no_second_paper_of_the_day(
    client: Any, uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    contest = open_contest(uow_factory)
    gateway.answers["code_to_identity"] = known_as(OPENID, UNIONID)
    starts = []
    for _ in range(12):
        citizen = client.post("/login", json={"code": "a-code"}).get_json()
        phone, version = citizen["token"], citizen["citizen"]["policy_version"]
        consent = {"policy_version": version, "guardian": False}
        assert client.post("/me/consents", json=consent, citizen=phone).status_code == 201
        begun = client.post(f"/contests/{contest.ref}/attempts", citizen=phone)
        starts.append(begun.status_code)
        if begun.status_code == 201:
            paper = begun.get_json()
            answers = {"answers": all_right(seen(paper))}
            path = f"/attempts/{paper['id']}/submission"
            assert client.post(path, json=answers, citizen=phone).status_code == 200
        else:
            assert begun.get_json()["code"] == "no_attempts_left"
            me = client.get(f"/contests/{contest.ref}", citizen=phone).get_json()["me"]
            assert (me["attempts_left_today"], me["best_score"]) == (0, None)
        assert client.delete("/me", citizen=phone).status_code == 204
    assert starts == [201] + [409] * 11
    items = client.get(f"/contests/{contest.ref}/leaderboard").get_json()["items"]
    assert [(line["nickname"], line["score"]) for line in items] == [("已注销用户", 100)]


def test_the_day_after_one_plays_again_and_stands_once(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    for right in (10, 7, 9):
        me = comes(uow_factory)
        take(uow_factory, contest, me, right=right)
        assert [score for _, score in board(uow_factory, contest)] == [10 * right]
        erased(uow_factory, me)
        assert board(uow_factory, contest) == [("已注销用户", 10 * right)]
        clock.advance(DAY)
    # Who does not come back to play stays as they are.
    me = comes(uow_factory)
    assert board(uow_factory, contest) == [("已注销用户", 90)]
    assert left(uow_factory, contest, me) == (1, None, None)


def test_a_second_id_of_the_same_person_is_found_by_the_unionid(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    me = comes(uow_factory, unionid=UNIONID)
    take(uow_factory, contest, me)
    erased(uow_factory, me)
    again = comes(uow_factory, openid="openid-of-the-player-elsewhere", unionid=UNIONID)
    with pytest.raises(NoAttemptsLeft):
        take(uow_factory, contest, again)
    stranger = comes(uow_factory, openid="openid-of-a-stranger", unionid="union-of-a-stranger")
    take(uow_factory, contest, stranger)


def test_ids_that_were_learned_between_two_erasures_lead_to_both(
    uow_factory: UnitOfWorkFactory,
) -> None:
    contest = open_contest(uow_factory, papers_per_day=2)
    for unionid in (None, UNIONID):
        me = comes(uow_factory, unionid=unionid)
        take(uow_factory, contest, me)
        erased(uow_factory, me)
    again = comes(uow_factory, openid="openid-of-the-player-elsewhere", unionid=UNIONID)
    assert left(uow_factory, contest, again)[0] == 0
    with pytest.raises(NoAttemptsLeft):
        take(uow_factory, contest, again)


def test_the_limit_of_the_whole_contest_goes_on(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory, papers_total=2)
    for _ in range(2):
        me = comes(uow_factory)
        take(uow_factory, contest, me)
        erased(uow_factory, me)
        clock.advance(DAY)
    me = comes(uow_factory)
    assert left(uow_factory, contest, me) == (0, 0, None)
    with pytest.raises(NoAttemptsLeft):
        take(uow_factory, contest, me)


def test_an_open_paper_that_is_left_behind_counts_as_begun(uow_factory: UnitOfWorkFactory) -> None:
    contest = open_contest(uow_factory)
    me = comes(uow_factory)
    with uow_factory.begin() as uow:
        attempts.start_paper(uow, contest.ref, me)
    erased(uow_factory, me)
    again = comes(uow_factory)
    with pytest.raises(NoAttemptsLeft):
        take(uow_factory, contest, again)


def test_questions_whose_key_was_seen_before_the_erasure_are_dealt_last(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory, papers_per_day=9)
    first = comes(uow_factory)
    known = {question.id for question in shown(take(uow_factory, contest, first))}
    erased(uow_factory, first)
    again = comes(uow_factory)
    second = {question.id for question in shown(take(uow_factory, contest, again))}
    assert known & second == set()


def test_a_mean_is_not_bettered_by_an_erasure(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory, season_score="mean_of_papers")
    me = comes(uow_factory)
    take(uow_factory, contest, me, right=2)
    erased(uow_factory, me)
    clock.advance(DAY)
    again = comes(uow_factory)
    result = take(uow_factory, contest, again, right=10).result
    assert result is not None
    assert result.score == 100
    assert board(uow_factory, contest) == [("已注销用户", 20)]


def test_a_paper_of_before_that_the_clock_closes_does_not_come_back(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory, papers_per_day=2)
    me = comes(uow_factory)
    with uow_factory.begin() as uow:
        attempts.start_paper(uow, contest.ref, me)
    erased(uow_factory, me)
    again = comes(uow_factory)
    take(uow_factory, contest, again, right=4)
    clock.advance(600)
    assert close_expired(TaskContext(uow_factory=uow_factory, gateway=None)) == 1
    assert [score for _, score in board(uow_factory, contest)] == [40]


def test_two_halves_of_a_person_that_join_keep_to_what_was_begun_before(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory, papers_per_day=2)
    me = comes(uow_factory)
    take(uow_factory, contest, me)
    erased(uow_factory, me)
    one = comes(uow_factory)
    take(uow_factory, contest, one)
    other = comes(uow_factory, openid="openid-of-the-player-elsewhere", unionid=UNIONID)
    take(uow_factory, contest, other)
    take(uow_factory, contest, other)
    with uow_factory.begin() as uow:
        left_over = accounts.learn_unionid(uow, "mini_program", OPENID, UNIONID)
    with uow_factory.begin(read_only=True) as uow:
        entry_lock = uow.session.scalars(
            select(Attempt.citizen_id)
            .join(Entry, Entry.id == Attempt.entry_id)
            .where(Entry.merged_at.is_(None))
        ).all()
    # Two papers a day and person: one before the erasure, one after.
    assert entry_lock == [left_over]


def test_joined_papers_keep_to_the_limit_of_the_contest(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory, papers_total=2, papers_per_day=1)
    one, other = comes(uow_factory), comes(uow_factory, openid="openid-elsewhere", unionid=UNIONID)
    for citizen in (one, other):
        take(uow_factory, contest, citizen, right=5)
        clock.advance(DAY)
        take(uow_factory, contest, citizen, right=5)
        clock.advance(DAY)
    with uow_factory.begin() as uow:
        accounts.learn_unionid(uow, "mini_program", OPENID, UNIONID)
    assert [score for _, score in board(uow_factory, contest)] == [100]


def test_a_groups_board_shows_a_returning_person_once(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    entry = GroupEntry(openid=OPENID, opengid="G-one")
    for right in (10, 6):
        me = comes(uow_factory)
        with uow_factory.begin() as uow:
            group = groups.join_group(uow, me, entry)
        take(uow_factory, contest, me, right=right)
        with uow_factory.begin(read_only=True) as uow:
            found = board_view.read_board(uow, contest, scope=f"group:{group}", citizen_id=me)
        assert [(line.score, line.me) for line in found.items] == [(10 * right, True)]
        assert found.total == 1
        erased(uow_factory, me)
        clock.advance(DAY)


def test_another_contest_is_not_touched(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> None:
    first = open_contest(uow_factory)
    second = open_contest(uow_factory, slug="other")
    me = comes(uow_factory)
    take(uow_factory, first, me)
    erased(uow_factory, me)
    again = comes(uow_factory)
    take(uow_factory, second, again, right=3)
    assert board(uow_factory, first) == [("已注销用户", 100)]
    assert [score for _, score in board(uow_factory, second)] == [30]


def test_answers_are_told_to_nobody_who_comes_back(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    me = comes(uow_factory)
    ref = take(uow_factory, contest, me).sheet.ref
    erased(uow_factory, me)
    again = comes(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        held = privacy.export_citizen(uow, again)
        assert held["contest_papers"] == []
        assert len(held["earlier_erasures"]) == 1
        assert ref not in str(held)
