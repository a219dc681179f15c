"""A person who erases themself and comes back: limits go on, and a board shows them once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts import privacy
from server.accounts import service as accounts
from server.base.jobs import Shop
from server.base.work import Desk
from server.quiz import attempts, board_view, groups, service
from server.quiz.contests import ContestView
from server.quiz.errors import NoAttemptsLeft
from server.quiz.models import Attempt, Entry
from server.quiz.tasks import close_expired
from server.wechat.gateway import GroupEntry
from tests.kit.accounts import a_citizen, known_as
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import all_right, open_contest, seen, shown, take

DAY = timedelta(days=1).total_seconds()
OPENID, UNIONID = "openid-of-the-player", "union-of-the-player"


def comes(desk: Desk, openid: str = OPENID, unionid: str | None = None) -> int:
    with desk.work() as work:
        return a_citizen(work, openid=openid, unionid=unionid).id


def erased(desk: Desk, citizen_id: int) -> None:
    with desk.work() as work:
        privacy.erase(work, citizen_id)


def board(desk: Desk, contest: ContestView, period: str = "total") -> list[tuple[str, float]]:
    with desk.work(read_only=True) as work:
        found = board_view.board(work, contest, period=period, limit=100)
    return [(line.nickname, line.score) for line in found.items]


def left(desk: Desk, contest: ContestView, citizen_id: int) -> tuple[int, int | None, int | None]:
    with desk.work(read_only=True) as work:
        mine = service.mine(work, [contest], citizen_id)[contest.id]
    return mine.attempts_left_today, mine.attempts_left_total, mine.best_score


def test_erasing_oneself_over_http_gives_no_second_paper_of_the_day(
    client: Any, desk: Desk, gateway: RecordingGateway
) -> None:
    contest = open_contest(desk)
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


def test_the_day_after_one_plays_again_and_stands_once(desk: Desk, clock: FakeClock) -> None:
    contest = open_contest(desk)
    for right in (10, 7, 9):
        me = comes(desk)
        take(desk, contest, me, right=right)
        assert [score for _, score in board(desk, contest)] == [10 * right]
        erased(desk, me)
        assert board(desk, contest) == [("已注销用户", 10 * right)]
        clock.advance(DAY)
    # Who does not come back to play stays as they are.
    me = comes(desk)
    assert board(desk, contest) == [("已注销用户", 90)]
    assert left(desk, contest, me) == (1, None, None)


def test_a_second_id_of_the_same_person_is_found_by_the_unionid(
    desk: Desk, clock: FakeClock
) -> None:
    contest = open_contest(desk)
    me = comes(desk, unionid=UNIONID)
    take(desk, contest, me)
    erased(desk, me)
    again = comes(desk, openid="openid-of-the-player-elsewhere", unionid=UNIONID)
    with pytest.raises(NoAttemptsLeft):
        take(desk, contest, again)
    stranger = comes(desk, openid="openid-of-a-stranger", unionid="union-of-a-stranger")
    take(desk, contest, stranger)


def test_ids_that_were_learned_between_two_erasures_lead_to_both(desk: Desk) -> None:
    contest = open_contest(desk, papers_per_day=2)
    for unionid in (None, UNIONID):
        me = comes(desk, unionid=unionid)
        take(desk, contest, me)
        erased(desk, me)
    again = comes(desk, openid="openid-of-the-player-elsewhere", unionid=UNIONID)
    assert left(desk, contest, again)[0] == 0
    with pytest.raises(NoAttemptsLeft):
        take(desk, contest, again)


def test_the_limit_of_the_whole_contest_goes_on(desk: Desk, clock: FakeClock) -> None:
    contest = open_contest(desk, papers_total=2)
    for _ in range(2):
        me = comes(desk)
        take(desk, contest, me)
        erased(desk, me)
        clock.advance(DAY)
    me = comes(desk)
    assert left(desk, contest, me) == (0, 0, None)
    with pytest.raises(NoAttemptsLeft):
        take(desk, contest, me)


def test_an_open_paper_that_is_left_behind_counts_as_begun(desk: Desk) -> None:
    contest = open_contest(desk)
    me = comes(desk)
    with desk.work() as work:
        attempts.start(work, contest.ref, me)
    erased(desk, me)
    again = comes(desk)
    with pytest.raises(NoAttemptsLeft):
        take(desk, contest, again)


def test_questions_whose_key_was_seen_before_the_erasure_are_dealt_last(
    desk: Desk, clock: FakeClock
) -> None:
    contest = open_contest(desk, papers_per_day=9)
    first = comes(desk)
    known = {question.id for question in shown(take(desk, contest, first))}
    erased(desk, first)
    again = comes(desk)
    second = {question.id for question in shown(take(desk, contest, again))}
    assert known & second == set()


def test_a_mean_is_not_bettered_by_an_erasure(desk: Desk, clock: FakeClock) -> None:
    contest = open_contest(desk, season_score="mean_of_papers")
    me = comes(desk)
    take(desk, contest, me, right=2)
    erased(desk, me)
    clock.advance(DAY)
    again = comes(desk)
    result = take(desk, contest, again, right=10).result
    assert result is not None
    assert result.score == 100
    assert board(desk, contest) == [("已注销用户", 20)]


def test_a_paper_of_before_that_the_clock_closes_does_not_come_back(
    desk: Desk, clock: FakeClock
) -> None:
    contest = open_contest(desk, papers_per_day=2)
    me = comes(desk)
    with desk.work() as work:
        attempts.start(work, contest.ref, me)
    erased(desk, me)
    again = comes(desk)
    take(desk, contest, again, right=4)
    clock.advance(600)
    assert close_expired(Shop(desk=desk, gateway=None)) == 1
    assert [score for _, score in board(desk, contest)] == [40]


def test_two_halves_of_a_person_that_join_keep_to_what_was_begun_before(
    desk: Desk, clock: FakeClock
) -> None:
    contest = open_contest(desk, papers_per_day=2)
    me = comes(desk)
    take(desk, contest, me)
    erased(desk, me)
    one = comes(desk)
    take(desk, contest, one)
    other = comes(desk, openid="openid-of-the-player-elsewhere", unionid=UNIONID)
    take(desk, contest, other)
    take(desk, contest, other)
    with desk.work() as work:
        left_over = accounts.learn_unionid(work, "mini_program", OPENID, UNIONID)
    with desk.work(read_only=True) as work:
        counted = work.session.scalars(
            select(Attempt.citizen_id)
            .join(Entry, Entry.id == Attempt.entry_id)
            .where(Entry.merged_at.is_(None))
        ).all()
    # Two papers a day and person: one before the erasure, one after.
    assert counted == [left_over]


def test_joined_papers_keep_to_the_limit_of_the_contest(desk: Desk, clock: FakeClock) -> None:
    contest = open_contest(desk, papers_total=2, papers_per_day=1)
    one, other = comes(desk), comes(desk, openid="openid-elsewhere", unionid=UNIONID)
    for citizen in (one, other):
        take(desk, contest, citizen, right=5)
        clock.advance(DAY)
        take(desk, contest, citizen, right=5)
        clock.advance(DAY)
    with desk.work() as work:
        accounts.learn_unionid(work, "mini_program", OPENID, UNIONID)
    assert [score for _, score in board(desk, contest)] == [100]


def test_a_groups_board_shows_a_returning_person_once(desk: Desk, clock: FakeClock) -> None:
    contest = open_contest(desk)
    entry = GroupEntry(openid=OPENID, opengid="G-one")
    for right in (10, 6):
        me = comes(desk)
        with desk.work() as work:
            group = groups.enter(work, me, entry)
        take(desk, contest, me, right=right)
        with desk.work(read_only=True) as work:
            found = board_view.board(work, contest, scope=f"group:{group}", citizen_id=me)
        assert [(line.score, line.me) for line in found.items] == [(10 * right, True)]
        assert found.total == 1
        erased(desk, me)
        clock.advance(DAY)


def test_another_contest_is_not_touched(desk: Desk, clock: FakeClock) -> None:
    first = open_contest(desk)
    second = open_contest(desk, slug="other")
    me = comes(desk)
    take(desk, first, me)
    erased(desk, me)
    again = comes(desk)
    take(desk, second, again, right=3)
    assert board(desk, first) == [("已注销用户", 100)]
    assert [score for _, score in board(desk, second)] == [30]


def test_answers_are_told_to_nobody_who_comes_back(desk: Desk, clock: FakeClock) -> None:
    contest = open_contest(desk)
    me = comes(desk)
    ref = take(desk, contest, me).sheet.ref
    erased(desk, me)
    again = comes(desk)
    with desk.work(read_only=True) as work:
        held = privacy.export(work, again)
        assert held["contest_papers"] == []
        assert len(held["earlier_erasures"]) == 1
        assert ref not in str(held)
