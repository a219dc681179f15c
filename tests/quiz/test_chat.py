"""What the official account says about the contest, from real rows."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from server.base.clock import BEIJING
from server.base.uow import UnitOfWorkFactory
from server.channel import service as channel
from server.channel.links import LINK_BYTES, fit_lines
from server.channel.rules import TEXT_LIMIT_BYTES as MOST_BYTES
from server.quiz.chat import ANSWERS
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import board_view
from server.quiz.leaderboards import tasks as board_tasks
from server.quiz.models import Attempt, Contest, RuleSetRow
from tests.kit import boards as kit
from tests.kit.accounts import a_citizen
from tests.kit.boards import a_contest, a_paper, an_entry, hand_in
from tests.kit.clock import FakeClock
from tests.kit.effort import repeat_count

NANNING = "450100"


def page(contest: ContestView, name: str) -> str:
    return f"(packages/quiz/{name}/index?id={contest.ref})"


def ask(uow_factory: UnitOfWorkFactory, name: str, citizen: int | None = None) -> str:
    with uow_factory.begin(read_only=True) as uow:
        said = ANSWERS[name](uow, citizen)
    assert 0 < len(said.encode()) <= MOST_BYTES
    assert "http" not in said
    return said


def a_game(uow_factory: UnitOfWorkFactory, **rules: int) -> tuple[ContestView, int, int]:
    with uow_factory.begin() as uow:
        contest = a_contest(uow, **rules)
        (citizen,) = kit.people(uow, 1, nickname="覃小莲")
        return contest, citizen, an_entry(uow, contest, citizen, city=NANNING)


@pytest.mark.parametrize("linked", [False, True])
def test_without_any_contest_every_answer_says_so(
    linked: bool, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        (citizen,) = kit.people(uow, 1)
    told = {name: ask(uow_factory, name, citizen if linked else None) for name in ANSWERS}
    start = "现在没有竞赛，请过些时候再来看看。"
    assert {n: t for n, t in told.items() if not (t.startswith(start) and "帮助" in t)} == {}


def test_today_tells_what_is_open_and_how_many_tries_are_left(
    uow_factory: UnitOfWorkFactory,
) -> None:
    contest, citizen, entry = a_game(uow_factory, papers_per_day=2)
    said = ask(uow_factory, "quiz.today", citizen)
    assert f"《{contest.title}》正在进行，6 月 30 日 12:00 结束" in said
    assert "还有 2 次" in said
    assert said.endswith(f"[点这里去答题]{page(contest, 'round')}")
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=10)
    assert "还有 1 次" in ask(uow_factory, "quiz.today", citizen)
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=10)
    said = ask(uow_factory, "quiz.today", citizen)
    assert "已经用完" in said
    assert said.endswith(f"[看完整的排行榜]{page(contest, 'board')}")


def test_tries_come_back_with_the_next_beijing_day(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen, entry = a_game(uow_factory)
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=10)
    clock.set(clock.now().replace(hour=15, minute=59, second=59))
    assert "已经用完" in ask(uow_factory, "quiz.today", citizen)
    clock.advance(1)
    assert "还有 1 次" in ask(uow_factory, "quiz.today", citizen)


def test_today_reminds_of_a_paper_that_is_still_open(uow_factory: UnitOfWorkFactory) -> None:
    contest, citizen, entry = a_game(uow_factory)
    with uow_factory.begin() as uow:
        paper = a_paper(uow, contest, entry, score=0, state="open")
        ref = uow.session.get_one(Attempt, paper).ref
    said = ask(uow_factory, "quiz.today", citizen)
    assert "还没有交" in said
    assert said.endswith(f"[点这里接着答](packages/quiz/answer/index?id={ref})")


def test_today_is_kind_to_somebody_nobody_knows_yet(uow_factory: UnitOfWorkFactory) -> None:
    contest, _, _ = a_game(uow_factory)
    said = ask(uow_factory, "quiz.today")
    assert contest.title in said
    assert "每人每天有 1 次" in said
    assert "登录过" in said
    assert said.endswith(f"[点这里去答题]{page(contest, 'round')}")


def test_a_used_up_total_is_told_as_such(uow_factory: UnitOfWorkFactory) -> None:
    contest, citizen, entry = a_game(uow_factory)
    with uow_factory.begin() as uow:
        row = uow.session.query(RuleSetRow).filter_by(contest_id=contest.id).one()
        row.body = {**row.body, "papers_total": 1}
        row.version = "at-most-one"
        hand_in(uow, contest, entry, score=10)
    assert "在这场竞赛的答题机会已经用完" in ask(uow_factory, "quiz.today", citizen)


def test_before_and_after_the_window_today_says_when(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen, _ = a_game(uow_factory)
    clock.set(contest.opens_at - timedelta(seconds=1))
    said = ask(uow_factory, "quiz.today", citizen)
    assert "将在 4 月 28 日 12:00 开始" in said
    assert said.endswith(f"[先看看这场竞赛]{page(contest, 'round')}")
    clock.set(contest.closes_at)
    for who in (citizen, None):
        said = ask(uow_factory, "quiz.today", who)
        assert "已经在 6 月 30 日 12:00 结束" in said
        assert said.endswith(f"[看完整的排行榜]{page(contest, 'board')}")


def test_an_end_at_midnight_is_told_as_the_end_of_the_day(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen, _ = a_game(uow_factory)
    with uow_factory.begin() as uow:
        row = uow.session.get_one(Contest, contest.id)
        row.opens_at, row.closes_at = (
            datetime(2026, month, day, tzinfo=BEIJING) for month, day in ((3, 17), (6, 1))
        )
    clock.set(datetime(2026, 3, 16, tzinfo=BEIJING))
    assert "将在 3 月 17 日 00:00 开始" in ask(uow_factory, "quiz.today", citizen)
    clock.set(datetime(2026, 5, 1, tzinfo=BEIJING))
    assert "，5 月 31 日 24:00 结束" in ask(uow_factory, "quiz.today", citizen)
    assert "2026年3月17日 00:00 开始，到 2026年5月31日 24:00 结束" in ask(uow_factory, "quiz.rules")
    clock.set(datetime(2027, 5, 1, tzinfo=BEIJING))
    assert "已经在 2026 年 5 月 31 日 24:00 结束" in ask(uow_factory, "quiz.today", citizen)


def test_a_day_of_another_year_is_told_with_its_year(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen, _ = a_game(uow_factory)
    clock.set(contest.closes_at.replace(year=contest.closes_at.year + 1))
    said = ask(uow_factory, "quiz.today", citizen)
    assert f"已经在 {contest.closes_at.year} 年 6 月 30 日 12:00 结束" in said


def test_all_open_contests_are_named(uow_factory: UnitOfWorkFactory) -> None:
    first, citizen, _ = a_game(uow_factory)
    with uow_factory.begin() as uow:
        second = a_contest(uow)
    said = ask(uow_factory, "quiz.today", citizen)
    for contest in (first, second):
        assert contest.title in said
        assert page(contest, "round") in said


@pytest.mark.parametrize("ready", [False, True])
def test_my_result_tells_score_and_both_places(ready: bool, uow_factory: UnitOfWorkFactory) -> None:
    contest, citizen, entry = a_game(uow_factory)
    with uow_factory.begin() as uow:
        better, elsewhere = kit.people(uow, 2)
        hand_in(uow, contest, entry, score=80, time_ms=83_000)
        hand_in(uow, contest, an_entry(uow, contest, better, city=NANNING), score=90)
        hand_in(uow, contest, an_entry(uow, contest, elsewhere), score=100)
    if ready:
        for board in ("total/region", f"total/city:{NANNING}"):
            assert board_tasks.build_board(uow_factory, contest.id, board)
    assert ask(uow_factory, "quiz.my_result", citizen).splitlines() == [
        f"《{contest.title}》我的成绩",
        "总成绩 80 分，用时 1 分 23 秒。",
        "全区第 3 名（共 3 人）。",
        "南宁市第 2 名（共 2 人）。",
        f"[看完整的排行榜]{page(contest, 'board')}",
    ]


def test_my_result_without_a_city_says_how_to_get_a_rank_there(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        (citizen,) = kit.people(uow, 1)
        hand_in(uow, contest, an_entry(uow, contest, citizen), score=80)
    said = ask(uow_factory, "quiz.my_result", citizen)
    assert "全区第 1 名（共 1 人）。" in said
    assert "在个人资料里选好所在的城市，就能看到在全市的名次。" in said


def test_my_result_without_a_paper_or_a_person(uow_factory: UnitOfWorkFactory) -> None:
    contest, citizen, _ = a_game(uow_factory)
    assert "还没有你的成绩" in ask(uow_factory, "quiz.my_result", citizen)
    unlinked = ask(uow_factory, "quiz.my_result")
    assert "过一分钟再问" in unlinked
    assert "登录" in unlinked
    for who in (citizen, None):
        said = ask(uow_factory, "quiz.my_result", who)
        assert said.endswith(f"[点这里去答题]{page(contest, 'round')}")


def test_a_mean_is_told_with_at_most_two_decimals(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow, season="mean_of_papers", papers_per_day=3)
        (citizen,) = kit.people(uow, 1)
        entry = an_entry(uow, contest, citizen)
        for score in (100, 100, 50):
            hand_in(uow, contest, entry, score=score)
    assert "总成绩 83.33 分" in ask(uow_factory, "quiz.my_result", citizen)


def test_the_board_shows_ten_masked_names_and_the_own_place(uow_factory: UnitOfWorkFactory) -> None:
    contest, citizen, entry = a_game(uow_factory)
    with uow_factory.begin() as uow:
        for at, other in enumerate(kit.people(uow, 11, nickname="韦大山")):
            hand_in(uow, contest, an_entry(uow, contest, other), score=100, time_ms=at)
        hand_in(uow, contest, entry, score=70)
    lines = ask(uow_factory, "quiz.board", citizen).splitlines()
    assert lines == [
        f"《{contest.title}》全区排行榜",
        *(f"{rank}. 韦* 100 分" for rank in range(1, 11)),
        "你是第 12 名，70 分（共 12 人）。",
        f"[看完整的排行榜]{page(contest, 'board')}",
    ]
    assert ask(uow_factory, "quiz.board").splitlines()[-2] == "榜上还没有你，答完一份题就有名次。"


def test_the_board_of_a_county_ranks_its_own_people_alone(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        near, far = (a_citizen(uow, nickname=name).id for name in ("青秀人", "兴宁人"))
        for citizen, county, score in ((near, "450103", 50), (far, "450102", 90)):
            entry = an_entry(uow, contest, citizen, city=NANNING, county=county)
            hand_in(uow, contest, entry, score=score)
    said = ask(uow_factory, "quiz.board.450103", near)
    assert f"《{contest.title}》青秀区排行榜" in said
    assert "1. 青* 50 分" in said
    assert "兴*" not in said
    assert "你是第 1 名，50 分（共 1 人）" in said
    assert "这里只排在个人资料里选了青秀区的参加者" in ask(uow_factory, "quiz.board.450103", far)


def test_the_board_of_a_city_ranks_its_own_people_alone(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        one, other, elsewhere = kit.people(uow, 3, nickname="覃小莲")
        for citizen, city, score in (
            (one, NANNING, 90),
            (other, NANNING, 80),
            (elsewhere, "450300", 100),
        ):
            hand_in(uow, contest, an_entry(uow, contest, citizen, city=city), score=score)
    lines = ask(uow_factory, "quiz.board.450100", other).splitlines()
    assert lines[0] == f"《{contest.title}》南宁市排行榜"
    assert [line.split()[0] for line in lines[1:3]] == ["1.", "2."]
    assert "你是第 2 名，80 分（共 2 人）。" in lines
    assert "这里只排在个人资料里选了南宁市的参加者。" in ask(
        uow_factory, "quiz.board.450100", elsewhere
    )
    assert "还没有人上榜" in ask(uow_factory, "quiz.board.451400", one)


def test_an_empty_board_invites(uow_factory: UnitOfWorkFactory) -> None:
    contest, citizen, _ = a_game(uow_factory)
    said = ask(uow_factory, "quiz.board", citizen)
    assert "还没有人上榜" in said
    assert said.endswith(f"[点这里去答题]{page(contest, 'round')}")


def test_long_names_never_push_the_own_place_out(uow_factory: UnitOfWorkFactory) -> None:
    contest, citizen, entry = a_game(uow_factory)
    with uow_factory.begin() as uow:
        family = "👨‍👩‍👧‍👦" * 14
        for other in kit.people(uow, 10, nickname=family, public_rank=True):
            hand_in(uow, contest, an_entry(uow, contest, other), score=100)
        hand_in(uow, contest, entry, score=70)
    said = ask(uow_factory, "quiz.board", citizen)
    assert "你是第 11 名，70 分（共 11 人）。" in said
    assert said.endswith(page(contest, "board"))
    assert len(said.encode()) + LINK_BYTES <= MOST_BYTES


def test_a_name_that_looks_like_a_link_is_none(uow_factory: UnitOfWorkFactory) -> None:
    contest, _, _ = a_game(uow_factory)
    with uow_factory.begin() as uow:
        named = kit.people(uow, 1, nickname='[奖](a/b)<a href="x">', public_rank=True)
        hand_in(uow, contest, an_entry(uow, contest, named[0]), score=90)
    said = ask(uow_factory, "quiz.board")
    assert '1. ［奖］(a/b)＜a href="x"＞ 90 分' in said
    assert said.count("](") == 1


def test_the_board_of_the_last_contest_stays_readable_after_its_end(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen, entry = a_game(uow_factory)
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=70)
    running = ask(uow_factory, "quiz.board")
    assert running.startswith(f"《{contest.title}》全区排行榜\n")
    assert "榜上还没有你，答完一份题就有名次。" in running
    clock.set(contest.closes_at + timedelta(days=3))
    assert "你是第 1 名" in ask(uow_factory, "quiz.board", citizen)
    final = ask(uow_factory, "quiz.board")
    assert final.startswith(f"《{contest.title}》全区排行榜（竞赛已结束，最终名次等待公布）\n")
    assert "榜上没有你的成绩。" in final
    assert "答完一份题" not in final
    assert "总成绩 70 分" in ask(uow_factory, "quiz.my_result", citizen)


def test_the_rules_are_those_in_force(uow_factory: UnitOfWorkFactory) -> None:
    contest, _, _ = a_game(uow_factory, papers_per_day=3)
    said = ask(uow_factory, "quiz.rules")
    assert said.startswith(f"《{contest.title}》规则\n")
    assert "每人每天可以答 3 份题" in said
    assert said.splitlines()[-2:] == [
        "分享、转发、关注都不会带来分数、答题次数或名次。",
        f"[看全部规则]{page(contest, 'rules')}",
    ]


def test_texts_that_are_too_long_lose_whole_lines_only() -> None:
    lines = [f"{at}" + "字" * 200 for at in range(9)]
    said = fit_lines(lines, ["末行"])
    assert len(said.encode()) <= MOST_BYTES
    assert said.splitlines() == [*lines[:3], "末行"]


def test_following_scanning_and_leaving_change_no_answer_and_no_board(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow, papers_per_day=2)
        person = a_citizen(uow, app="official_account", nickname="覃小莲")
        hand_in(uow, contest, an_entry(uow, contest, person.id, city=NANNING), score=70)

    def everything() -> tuple[dict[str, str], board_view.Board]:
        with uow_factory.begin(read_only=True) as uow:
            board = board_view.read_board(uow, contest, citizen_id=person.id)
        return {name: ask(uow_factory, name, person.id) for name in ANSWERS}, board

    before = everything()
    for step in range(repeat_count(10, 2)):
        with uow_factory.begin() as uow:
            at = uow.now + timedelta(seconds=step)
            channel.record_follow(uow, person.openid, at, f"share-{step}")
            channel.record_scan(uow, person.openid, at, f"share-{step}")
        assert everything() == before
        with uow_factory.begin() as uow:
            channel.record_unfollow(uow, person.openid, at)
        assert everything() == before
