"""What a reader of a board is told: the same from Redis and without it, and what a recount says."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select, update

from server.accounts import privacy
from server.accounts.models import Audience, Citizen
from server.base.errors import Invalid, NotFound
from server.base.uow import UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import board_pages, board_view, scopes
from server.quiz.leaderboards import tasks as board_tasks
from server.quiz.leaderboards.board_view import Board
from server.quiz.leaderboards.schemas import BoardLineOut
from server.quiz.leaderboards.scopes import AUDIENCES
from server.quiz.models import Entry
from tests.kit import boards as kit
from tests.kit.boards import (
    SEASONS,
    a_contest,
    a_paper,
    a_season,
    an_entry,
    at_most,
    entries,
    hand_in,
    recounted,
)
from tests.kit.clock import FakeClock

NANNING, LIUZHOU = "450100", "450200"


def read(uow_factory: UnitOfWorkFactory, contest: ContestView, **asked: object) -> Board:
    with uow_factory.begin(read_only=True) as uow:
        board = board_view.read_board(uow, contest, **asked)  # type: ignore[arg-type]
    # The response takes the encoded rows, all other readers the rows.
    assert bytes(board.encoded_items) == msgspec.json.encode(board.items)
    return board


def in_bytes(board: Board) -> bytes:
    return msgspec.json.encode(board)


def build(uow_factory: UnitOfWorkFactory, contest: ContestView, *boards: str) -> None:
    for board in boards or ("total/region",):
        assert board_tasks.build_board(uow_factory, contest.id, board)


def plain(board: Board, scale: int) -> list[tuple[int, int, int]]:
    return [(line.rank, round(line.score * scale), line.duration_ms) for line in board.items]


@pytest.mark.parametrize("season", SEASONS)
def test_every_board_of_every_policy_equals_a_recount(
    season: str, either: UnitOfWorkFactory, without: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with either.begin() as uow:
        contest = a_contest(uow, season=season, papers_per_day=9)
        boards = a_season(uow, contest, clock)
        units = {str(unit.id): unit.ref for unit in uow.session.scalars(select(kit.Unit))}
        preflight = uow.session.scalar(select(Entry.citizen_id).where(Entry.unit_id.is_not(None)))
    for period, scope in boards:
        kind, _, value = scope.partition(":")
        asked = {
            "period": period,
            "scope": f"unit:{units[value]}" if kind == "unit" else scope,
            "limit": 100,
            "citizen_id": preflight,
        }
        from_database = read(without, contest, **asked)
        build(either, contest, f"{period}/{scope}")
        with at_most(either, 6) as said:
            from_redis = read(either, contest, **asked)
        assert not any("FROM standing" in statement for statement in said)
        assert in_bytes(from_redis) == in_bytes(from_database)
        with either.begin(read_only=True) as uow:
            truth = recounted(uow.session, contest, scope, period)
        scale = 10_000 if season == "mean_of_papers" else 1
        assert truth
        assert from_redis.total == len(truth)
        assert plain(from_redis, scale) == [
            (rank, points, time_ms) for rank, (_, points, time_ms) in enumerate(truth, start=1)
        ]


def test_equal_papers_rank_by_the_earlier_finish_then_by_the_older_entry(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with either.begin() as uow:
        contest = a_contest(uow)
        people = kit.people(uow, 5)
        placed = [an_entry(uow, contest, citizen) for citizen in people]
        late, early = clock.now() + timedelta(milliseconds=2), clock.now()
        for entry, at, ms in zip(
            placed, (late, early, late, early, early), (1, 1, 1, 1, 0), strict=True
        ):
            hand_in(uow, contest, entry, score=70, time_ms=ms, closed_at=at)
    expected = [placed[at] for at in (4, 1, 3, 0, 2)]
    build(either, contest)
    for source in (either, without):
        ranks = [read(source, contest, citizen_id=citizen).me for citizen in people]
        by_rank = sorted(zip([me.rank for me in ranks if me], placed, strict=True))
        assert [entry for _, entry in by_rank] == expected


def test_around_me_is_a_piece_of_the_whole_order(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    with either.begin() as uow:
        contest = a_contest(uow)
        people = kit.people(uow, 23)
        for at, citizen in enumerate(people):
            hand_in(uow, contest, an_entry(uow, contest, citizen), score=at % 4 * 10)
    build(either, contest)
    for source in (either, without):
        whole = read(source, contest, limit=100)
        assert [line.rank for line in whole.items] == list(range(1, 24))
        met = []
        for citizen in people:
            mine = read(source, contest, limit=1, citizen_id=citizen).me
            assert mine is not None
            met.append(mine.rank)
            first, last = max(1, mine.rank - 3), min(23, mine.rank + 3)
            assert [line.rank for line in mine.around] == list(range(first, last + 1))
            assert [line.me for line in mine.around].count(True) == 1
            for line in mine.around:
                told = whole.items[line.rank - 1]
                assert (line.nickname, line.score) == (told.nickname, told.score)
                assert line.me is (line.rank == mine.rank)
        assert sorted(met) == list(range(1, 24))


def test_limits_cut_the_top_and_never_the_total(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    with either.begin() as uow:
        contest = a_contest(uow)
        for at, entry in enumerate(entries(uow, contest, 12)):
            hand_in(uow, contest, entry, score=at * 5)
    build(either, contest)
    for source in (either, without):
        for limit in (1, 5, 12, 100):
            found = read(source, contest, limit=limit)
            assert len(found.items) == min(limit, 12)
            assert found.total == 12


def test_who_is_not_on_a_board_has_no_place_on_it(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    with either.begin() as uow:
        contest = a_contest(uow)
        player, idle, stranger = kit.people(uow, 3)
        hand_in(uow, contest, an_entry(uow, contest, player, city=NANNING), score=10)
        an_entry(uow, contest, idle, city=NANNING)
    here, elsewhere = f"city:{NANNING}", f"city:{LIUZHOU}"
    build(either, contest, f"total/{here}", f"total/{elsewhere}", "day:2026-05-01/region")
    for source in (either, without):
        assert read(source, contest, scope=here, citizen_id=player).me is not None
        assert read(source, contest, scope=elsewhere, citizen_id=player).me is None
        assert read(source, contest, period="day:2026-04-30", citizen_id=player).me is None
        assert read(source, contest, scope=here, citizen_id=idle).me is None
        assert read(source, contest, scope=here, citizen_id=stranger).me is None
        assert read(source, contest, scope=here).me is None
        assert read(source, contest, scope=elsewhere).total == 0


def test_other_contests_never_leak_in(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    with either.begin() as uow:
        contest, noise = a_contest(uow), a_contest(uow)
        (citizen,) = kit.people(uow, 1)
        hand_in(uow, noise, an_entry(uow, noise, citizen, city=NANNING), score=100)
        hand_in(uow, contest, an_entry(uow, contest, citizen, city=NANNING), score=10)
    build(either, contest, "total/region", f"total/city:{NANNING}")
    build(either, noise)
    for source in (either, without):
        for scope in ("region", f"city:{NANNING}"):
            found = read(source, contest, scope=scope, citizen_id=citizen)
            assert (found.total, [line.score for line in found.items]) == (1, [10])
            assert found.me is not None
            assert found.me.rank == 1


def test_a_board_is_frozen_when_no_paper_can_change_it_any_more(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        (entry,) = entries(uow, contest, 1)
    assert not read(uow_factory, contest).frozen
    clock.set(contest.closes_at)
    with uow_factory.begin() as uow:
        paper = a_paper(uow, contest, entry, score=0, state="open")
    assert not read(uow_factory, contest).frozen
    with uow_factory.begin() as uow:
        kit.close_paper(uow, paper, score=10, time_ms=5)
    assert read(uow_factory, contest).frozen
    assert read(uow_factory, contest).as_of == contest.closes_at


@pytest.mark.parametrize(
    "scope",
    ["", "Region", "region:", "city", "city:", "city:450103", "city:999999", "county:450100",
     "county:0", "unit:", "unit:nowhere", "unit:1", "audience:cats", "audience:", "group",
     "group:", "planet:mars", "city:450100\x00", "city:４５０１００"],
)  # fmt: skip
def test_an_unknown_scope_is_refused(scope: str, uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
    with pytest.raises(Invalid):
        read(uow_factory, contest, scope=scope)


def test_a_board_of_a_group_that_nobody_made_is_not_there(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
    with pytest.raises(NotFound):
        read(uow_factory, contest, scope="group:anything")


@pytest.mark.parametrize(
    "period",
    ["", "all", "Total", "day", "day:", "day:2026-5-1", "day:2026-02-30", "day:20260501",
     "day:2026-05-01T00:00", "week:2026-18", "week:2026-W00", "week:2026-W54", "week:2025-W53",
     "week:2026-W1", "day:２０２６-05-01", "total ", "week:0000-W01"],
)  # fmt: skip
def test_a_malformed_period_is_refused(period: str, uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
    with pytest.raises(Invalid):
        read(uow_factory, contest, period=period)


def test_week_53_exists_in_the_years_that_have_it(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
    assert read(uow_factory, contest, period="week:2026-W53").total == 0


def test_an_old_county_code_shows_its_successor(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        found = scopes.known_scope(uow, "county:450127")
    assert found == "county:450181"


def test_the_key_groups_are_those_of_the_profile() -> None:
    assert {audience.value for audience in Audience} == set(AUDIENCES)


def test_names_are_masked_unless_their_owner_is_public(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    with either.begin() as uow:
        contest = a_contest(uow)
        for score, columns in (
            (90, {"nickname": "韦小明", "avatar_url": "https://wx.cn/a"}),
            (
                80,
                {"nickname": "黄大山", "avatar_url": "https://wx.cn/b", "public_rank": True},
            ),
            (70, {"nickname": "小朋友", "public_rank": True, "under_14": True}),
        ):
            (citizen,) = kit.people(uow, 1, **columns)
            hand_in(uow, contest, an_entry(uow, contest, citizen, city=NANNING), score=score)
    build(either, contest)
    for source in (either, without):
        lines = read(source, contest).items
        assert [line.nickname for line in lines] == ["韦*", "黄大山", "小*"]
        assert [line.avatar_url for line in lines] == [None, "https://wx.cn/b", None]
        assert {(line.city, line.city_name) for line in lines} == {(NANNING, "南宁市")}


def test_an_answer_holds_no_number_of_a_person(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        people = kit.people(uow, 5, unionid=None)
        for citizen in people:
            hand_in(uow, contest, an_entry(uow, contest, citizen), score=10)
        refs = uow.session.scalars(select(Citizen.ref)).all()
    found = read(uow_factory, contest, citizen_id=people[0])
    said = in_bytes(found).decode()
    assert not any(ref in said for ref in refs)
    shown = {field.name for field in msgspec.structs.fields(BoardLineOut)}
    assert shown == {
        "rank", "nickname", "avatar_url", "city", "city_name", "score", "duration_ms", "me",
    }  # fmt: skip


def test_a_board_costs_few_questions_to_the_database(
    uow_factory: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        people = kit.people(uow, 60)
        for at, citizen in enumerate(people):
            hand_in(uow, contest, an_entry(uow, contest, citizen), score=at)
    build(uow_factory, contest)
    with at_most(uow_factory, 3):
        read(uow_factory, contest, limit=50, citizen_id=people[3])
    with at_most(without, 9):
        read(without, contest, limit=50, citizen_id=people[3])


def test_an_entry_younger_than_the_reader_is_answered_from_the_database(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        for entry in entries(uow, contest, 2):
            hand_in(uow, contest, entry, score=10)
    build(uow_factory, contest)
    with uow_factory.begin(read_only=True) as reader:
        before = board_view.read_board(reader, contest)
        with uow_factory.begin() as uow:
            (late,) = entries(uow, contest, 1)
            hand_in(uow, contest, late, score=100)
        after = board_view.read_board(reader, contest)
    assert before.total == 2
    # SQLite's reader sees its snapshot, PostgreSQL's the newest rows: neither a half of both.
    assert after.total in (2, 3)
    assert len(after.items) == after.total


def test_each_reader_of_one_page_is_marked_on_it_alone(either: UnitOfWorkFactory) -> None:
    with either.begin() as uow:
        contest = a_contest(uow)
        people = kit.people(uow, 5)
        for at, citizen in enumerate(people):
            hand_in(uow, contest, an_entry(uow, contest, citizen), score=at * 10)
    build(either, contest)
    for place, citizen in enumerate(reversed(people), start=1):
        found = read(either, contest, limit=3, citizen_id=citizen)
        marked = [line.rank for line in found.items if line.me]
        assert marked == ([place] if place <= 3 else [])
        assert found.me is not None
        assert [line.rank for line in found.me.around if line.me] == [place]
        assert found.me.rank == place
    assert not any(line.me for line in read(either, contest, limit=3).items)


def test_a_page_that_still_stands_is_not_looked_up_again(either: UnitOfWorkFactory) -> None:
    with either.begin() as uow:
        contest = a_contest(uow)
        for entry in entries(uow, contest, 8):
            hand_in(uow, contest, entry, score=10)
    build(either, contest)
    first = read(either, contest, limit=8)
    with at_most(either, 0):
        assert in_bytes(read(either, contest, limit=8)) == in_bytes(first)
    with at_most(either, 1) as anew:
        read(either, contest, limit=7)
    assert anew


def test_what_moves_on_the_first_places_is_seen_at_once_by_everybody(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    with either.begin() as uow:
        contest = a_contest(uow, papers_per_day=20)
        people = kit.people(uow, 3)
        placed = [an_entry(uow, contest, citizen) for citizen in people]
        for at, entry in enumerate(placed):
            hand_in(uow, contest, entry, score=at * 10)
    build(either, contest)
    for best in (90, 91, 92):
        read(either, contest)
        for entry in placed:
            with either.begin() as uow:
                hand_in(uow, contest, entry, score=best)
            for citizen in (None, people[0]):
                told = read(either, contest, citizen_id=citizen)
                truth = read(without, contest, citizen_id=citizen)
                assert in_bytes(told) == in_bytes(truth)


def test_a_new_name_is_seen_within_a_second(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        (citizen,) = kit.people(uow, 1, public_rank=True)
        hand_in(uow, contest, an_entry(uow, contest, citizen), score=10)
    build(uow_factory, contest)
    before = read(uow_factory, contest).items[0].nickname
    with uow_factory.begin() as uow:
        renamed = update(Citizen).where(Citizen.id == citizen).values(nickname="陈新")
        uow.session.execute(renamed)
    clock.advance(board_pages.NAMES_LAST.total_seconds())
    assert before != "陈新"
    assert read(uow_factory, contest).items[0].nickname == "陈新"
    mine = read(uow_factory, contest, citizen_id=citizen).me
    assert mine is not None
    assert mine.around[0].nickname == "陈新"


def a_public_winner(uow_factory: UnitOfWorkFactory) -> tuple[ContestView, int]:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        (citizen,) = kit.people(uow, 1, nickname="黄大山", public_rank=True)
        hand_in(uow, contest, an_entry(uow, contest, citizen), score=10)
    build(uow_factory, contest)
    return contest, citizen


def test_who_is_erased_by_another_process_has_a_name_for_a_second_at_most(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest, citizen = a_public_winner(uow_factory)
    assert [line.nickname for line in read(uow_factory, contest).items] == ["黄大山"]
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(board_view, "_pages", board_pages.BoardPages())
        with uow_factory.begin() as uow:
            privacy.erase_citizen(uow, citizen)
    clock.advance(board_pages.NAMES_LAST.total_seconds())
    for preflight in (None, citizen):
        assert "黄大山" not in in_bytes(read(uow_factory, contest, citizen_id=preflight)).decode()


def test_a_reader_on_the_way_at_an_erasure_does_not_keep_the_name_for_others(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen = a_public_winner(uow_factory)
    with uow_factory.begin(read_only=True) as early:
        assert early.session.get(Citizen, citizen) is not None
        with uow_factory.begin() as uow:
            privacy.erase_citizen(uow, citizen)
        clock.advance(board_pages.NAMES_LAST.total_seconds() * 0.9)
        assert board_view.read_board(early, contest).total == 1
    clock.advance(board_pages.NAMES_LAST.total_seconds() * 0.1)
    assert "黄大山" not in in_bytes(read(uow_factory, contest)).decode()


def test_a_clock_that_is_put_back_keeps_no_name(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen = a_public_winner(uow_factory)
    assert "黄大山" in in_bytes(read(uow_factory, contest)).decode()
    with uow_factory.begin() as uow:
        renamed = update(Citizen).where(Citizen.id == citizen).values(nickname="陈新")
        uow.session.execute(renamed)
    clock.set(clock.now() - timedelta(hours=1))
    assert "黄大山" not in in_bytes(read(uow_factory, contest)).decode()


def test_pages_in_memory_are_few(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_pages, "MOST_PAGES", 3)
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        hand_in(uow, contest, *entries(uow, contest, 1), score=10)
    build(uow_factory, contest)
    for limit in range(1, 20):
        assert read(uow_factory, contest, limit=limit).total == 1
    assert len(board_view._pages._kept) <= 3
