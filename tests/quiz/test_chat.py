"""What the official account says about the contest, from real rows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.base.work import Desk
from server.channel import service as channel
from server.quiz import board_tasks, board_view, chat
from server.quiz.chat import ANSWERS, MOST_BYTES
from server.quiz.contests import ContestView
from server.quiz.models import RuleSetRow
from tests.kit import boards as kit
from tests.kit.accounts import a_citizen
from tests.kit.boards import a_contest, a_paper, an_entry, hand_in
from tests.kit.clock import FakeClock

NANNING = "450100"


def page(contest: ContestView, name: str) -> str:
    return f"(packages/quiz/{name}/index?id={contest.ref})"


def ask(desk: Desk, name: str, citizen: int | None = None) -> str:
    with desk.work(read_only=True) as work:
        said = ANSWERS[name](work, citizen)
    assert 0 < len(said.encode()) <= MOST_BYTES
    assert "http" not in said
    return said


def a_game(desk: Desk, **rules: int) -> tuple[ContestView, int, int]:
    with desk.work() as work:
        contest = a_contest(work, **rules)
        (citizen,) = kit.people(work, 1, nickname="覃小莲")
        return contest, citizen, an_entry(work, contest, citizen, city=NANNING)


@pytest.mark.parametrize("name", sorted(ANSWERS))
@pytest.mark.parametrize("linked", [False, True])
def test_without_any_contest_every_answer_says_so(name: str, linked: bool, desk: Desk) -> None:
    with desk.work() as work:
        (citizen,) = kit.people(work, 1)
    told = ask(desk, name, citizen if linked else None)
    assert told.startswith("现在没有竞赛，请过些时候再来看看。")
    assert "帮助" in told


def test_today_tells_what_is_open_and_how_many_tries_are_left(desk: Desk) -> None:
    contest, citizen, entry = a_game(desk, papers_per_day=2)
    said = ask(desk, "quiz.today", citizen)
    assert f"《{contest.title}》正在进行，6 月 30 日 12:00 结束" in said
    assert "还有 2 次" in said
    assert said.endswith(f"[点这里去答题]{page(contest, 'round')}")
    with desk.work() as work:
        hand_in(work, contest, entry, score=10)
    assert "还有 1 次" in ask(desk, "quiz.today", citizen)
    with desk.work() as work:
        hand_in(work, contest, entry, score=10)
    said = ask(desk, "quiz.today", citizen)
    assert "已经用完" in said
    assert said.endswith(f"[看完整的排行榜]{page(contest, 'board')}")


def test_tries_come_back_with_the_next_beijing_day(desk: Desk, clock: FakeClock) -> None:
    contest, citizen, entry = a_game(desk)
    with desk.work() as work:
        hand_in(work, contest, entry, score=10)
    clock.set(clock.now().replace(hour=15, minute=59, second=59))
    assert "已经用完" in ask(desk, "quiz.today", citizen)
    clock.advance(1)
    assert "还有 1 次" in ask(desk, "quiz.today", citizen)


def test_today_reminds_of_a_paper_that_is_still_open(desk: Desk) -> None:
    contest, citizen, entry = a_game(desk)
    with desk.work() as work:
        a_paper(work, contest, entry, score=0, state="open")
    said = ask(desk, "quiz.today", citizen)
    assert "还没有交" in said
    assert said.endswith(f"[点这里接着答]{page(contest, 'round')}")


def test_today_is_kind_to_somebody_nobody_knows_yet(desk: Desk) -> None:
    contest, _, _ = a_game(desk)
    said = ask(desk, "quiz.today")
    assert contest.title in said
    assert "每人每天有 1 次" in said
    assert "登录过" in said
    assert said.endswith(f"[点这里去答题]{page(contest, 'round')}")


def test_a_used_up_total_is_told_as_such(desk: Desk) -> None:
    contest, citizen, entry = a_game(desk)
    with desk.work() as work:
        row = work.session.query(RuleSetRow).filter_by(contest_id=contest.id).one()
        row.body = {**row.body, "papers_total": 1}
        row.version = "at-most-one"
        hand_in(work, contest, entry, score=10)
    assert "在这场竞赛的答题机会已经用完" in ask(desk, "quiz.today", citizen)


def test_before_and_after_the_window_today_says_when(desk: Desk, clock: FakeClock) -> None:
    contest, citizen, _ = a_game(desk)
    clock.set(contest.opens_at - timedelta(seconds=1))
    said = ask(desk, "quiz.today", citizen)
    assert "将在 4 月 28 日 12:00 开始" in said
    assert said.endswith(f"[先看看这场竞赛]{page(contest, 'round')}")
    clock.set(contest.closes_at)
    for who in (citizen, None):
        said = ask(desk, "quiz.today", who)
        assert "已经在 6 月 30 日 12:00 结束" in said
        assert said.endswith(f"[看完整的排行榜]{page(contest, 'board')}")


def test_a_day_of_another_year_is_told_with_its_year(desk: Desk, clock: FakeClock) -> None:
    contest, citizen, _ = a_game(desk)
    clock.set(contest.closes_at.replace(year=contest.closes_at.year + 1))
    said = ask(desk, "quiz.today", citizen)
    assert f"已经在 {contest.closes_at.year} 年 6 月 30 日 12:00 结束" in said


def test_all_open_contests_are_named(desk: Desk) -> None:
    first, citizen, _ = a_game(desk)
    with desk.work() as work:
        second = a_contest(work)
    said = ask(desk, "quiz.today", citizen)
    for contest in (first, second):
        assert contest.title in said
        assert page(contest, "round") in said


@pytest.mark.parametrize("ready", [False, True])
def test_my_result_tells_score_and_both_places(ready: bool, desk: Desk) -> None:
    contest, citizen, entry = a_game(desk)
    with desk.work() as work:
        better, elsewhere = kit.people(work, 2)
        hand_in(work, contest, entry, score=80, time_ms=83_000)
        hand_in(work, contest, an_entry(work, contest, better, city=NANNING), score=90)
        hand_in(work, contest, an_entry(work, contest, elsewhere), score=100)
    if ready:
        for board in ("total/region", f"total/city:{NANNING}"):
            assert board_tasks.build(desk, contest.id, board)
    assert ask(desk, "quiz.my_result", citizen).splitlines() == [
        f"《{contest.title}》我的成绩",
        "总成绩 80 分，用时 1 分 23 秒。",
        "全区第 3 名（共 3 人）。",
        "南宁市第 2 名（共 2 人）。",
        f"[看完整的排行榜]{page(contest, 'board')}",
    ]


def test_my_result_without_a_city_says_how_to_get_a_rank_there(desk: Desk) -> None:
    with desk.work() as work:
        contest = a_contest(work)
        (citizen,) = kit.people(work, 1)
        hand_in(work, contest, an_entry(work, contest, citizen), score=80)
    said = ask(desk, "quiz.my_result", citizen)
    assert "全区第 1 名（共 1 人）。" in said
    assert "在个人资料里选好所在的城市，就能看到在全市的名次。" in said


def test_my_result_without_a_paper_or_a_person(desk: Desk) -> None:
    contest, citizen, _ = a_game(desk)
    assert "还没有你的成绩" in ask(desk, "quiz.my_result", citizen)
    unlinked = ask(desk, "quiz.my_result")
    assert "过一分钟再问" in unlinked
    assert "登录" in unlinked
    for who in (citizen, None):
        said = ask(desk, "quiz.my_result", who)
        assert said.endswith(f"[点这里去答题]{page(contest, 'round')}")


def test_a_mean_is_told_with_at_most_two_decimals(desk: Desk) -> None:
    with desk.work() as work:
        contest = a_contest(work, season="mean_of_papers", papers_per_day=3)
        (citizen,) = kit.people(work, 1)
        entry = an_entry(work, contest, citizen)
        for score in (100, 100, 50):
            hand_in(work, contest, entry, score=score)
    assert "总成绩 83.33 分" in ask(desk, "quiz.my_result", citizen)


def test_the_board_shows_ten_masked_names_and_the_own_place(desk: Desk) -> None:
    contest, citizen, entry = a_game(desk)
    with desk.work() as work:
        for at, other in enumerate(kit.people(work, 11, nickname="韦大山")):
            hand_in(work, contest, an_entry(work, contest, other), score=100, time_ms=at)
        hand_in(work, contest, entry, score=70)
    lines = ask(desk, "quiz.board", citizen).splitlines()
    assert lines == [
        f"《{contest.title}》全区排行榜",
        *(f"{rank}. 韦* 100 分" for rank in range(1, 11)),
        "你是第 12 名，70 分（共 12 人）。",
        f"[看完整的排行榜]{page(contest, 'board')}",
    ]
    assert ask(desk, "quiz.board").splitlines()[-2] == "榜上还没有你，答完一份题就有名次。"


def test_the_board_of_a_city_ranks_its_own_people_alone(desk: Desk) -> None:
    with desk.work() as work:
        contest = a_contest(work)
        one, other, elsewhere = kit.people(work, 3, nickname="覃小莲")
        for citizen, city, score in (
            (one, NANNING, 90),
            (other, NANNING, 80),
            (elsewhere, "450300", 100),
        ):
            hand_in(work, contest, an_entry(work, contest, citizen, city=city), score=score)
    lines = ask(desk, "quiz.board.450100", other).splitlines()
    assert lines[0] == f"《{contest.title}》南宁市排行榜"
    assert [line.split()[0] for line in lines[1:3]] == ["1.", "2."]
    assert "你是第 2 名，80 分（共 2 人）。" in lines
    assert "这里只排在个人资料里选了南宁市的参加者。" in ask(desk, "quiz.board.450100", elsewhere)
    assert "还没有人上榜" in ask(desk, "quiz.board.451400", one)


def test_an_empty_board_invites(desk: Desk) -> None:
    contest, citizen, _ = a_game(desk)
    said = ask(desk, "quiz.board", citizen)
    assert "还没有人上榜" in said
    assert said.endswith(f"[点这里去答题]{page(contest, 'round')}")


def test_long_names_never_push_the_own_place_out(desk: Desk) -> None:
    contest, citizen, entry = a_game(desk)
    with desk.work() as work:
        family = "👨‍👩‍👧‍👦" * 14
        for other in kit.people(work, 10, nickname=family, public_rank=True):
            hand_in(work, contest, an_entry(work, contest, other), score=100)
        hand_in(work, contest, entry, score=70)
    said = ask(desk, "quiz.board", citizen)
    assert "你是第 11 名，70 分（共 11 人）。" in said
    assert said.endswith(page(contest, "board"))
    assert len(said.encode()) + chat.LINK_BYTES <= MOST_BYTES


def test_a_name_that_looks_like_a_link_is_none(desk: Desk) -> None:
    contest, _, _ = a_game(desk)
    with desk.work() as work:
        named = kit.people(work, 1, nickname='[奖](a/b)<a href="x">', public_rank=True)
        hand_in(work, contest, an_entry(work, contest, named[0]), score=90)
    said = ask(desk, "quiz.board")
    assert '1. ［奖］(a/b)＜a href="x"＞ 90 分' in said
    assert said.count("](") == 1


def test_the_board_of_the_last_contest_stays_readable_after_its_end(
    desk: Desk, clock: FakeClock
) -> None:
    contest, citizen, entry = a_game(desk)
    with desk.work() as work:
        hand_in(work, contest, entry, score=70)
    running = ask(desk, "quiz.board")
    assert running.startswith(f"《{contest.title}》全区排行榜\n")
    assert "榜上还没有你，答完一份题就有名次。" in running
    clock.set(contest.closes_at + timedelta(days=3))
    assert "你是第 1 名" in ask(desk, "quiz.board", citizen)
    final = ask(desk, "quiz.board")
    assert final.startswith(f"《{contest.title}》全区最终榜\n")
    assert "榜上没有你的成绩。" in final
    assert "答完一份题" not in final
    assert "总成绩 70 分" in ask(desk, "quiz.my_result", citizen)


def test_the_rules_are_those_in_force(desk: Desk) -> None:
    contest, _, _ = a_game(desk, papers_per_day=3)
    said = ask(desk, "quiz.rules")
    assert said.startswith(f"《{contest.title}》规则\n")
    assert "每人每天可以答 3 份题" in said
    assert said.splitlines()[-2:] == [
        "分享、转发、关注都不会带来分数、答题次数或名次。",
        f"[看全部规则]{page(contest, 'rules')}",
    ]


def test_texts_that_are_too_long_lose_whole_lines_only() -> None:
    lines = [f"{at}" + "字" * 200 for at in range(9)]
    said = chat._fitted(lines, ["末行"])
    assert len(said.encode()) <= MOST_BYTES
    assert said.splitlines() == [*lines[:3], "末行"]


def test_following_scanning_and_leaving_change_no_answer_and_no_board(desk: Desk) -> None:
    with desk.work() as work:
        contest = a_contest(work, papers_per_day=2)
        person = a_citizen(work, app="official_account", nickname="覃小莲")
        hand_in(work, contest, an_entry(work, contest, person.id, city=NANNING), score=70)

    def everything() -> tuple[dict[str, str], board_view.Board]:
        with desk.work(read_only=True) as work:
            board = board_view.board(work, contest, citizen_id=person.id)
        return {name: ask(desk, name, person.id) for name in ANSWERS}, board

    before = everything()
    for step in range(10):
        with desk.work() as work:
            at = work.now + timedelta(seconds=step)
            channel.followed(work, person.openid, at, f"share-{step}")
            channel.scanned(work, person.openid, at, f"share-{step}")
        assert everything() == before
        with desk.work() as work:
            channel.unfollowed(work, person.openid, at)
        assert everything() == before
