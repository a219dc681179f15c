"""Every way to compute a rank gives the order of an independent sort, on boards full of ties."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import insert

from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.attempts.progress import season_progress
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import board_keys, board_view, rank_order, standings_queries
from server.quiz.leaderboards import tasks as board_tasks
from server.quiz.leaderboards.board_keys import REGION, TOTAL
from server.quiz.leaderboards.standings_queries import Stand
from server.quiz.models import Standing
from tests.kit.boards import a_contest, an_entry, people
from tests.kit.effort import repeat_count

CITIES = ("450100", "450200", None)
SCOPES = (REGION, "city:450100")
COUNT = 60


def before(one: Stand, other: Stand) -> bool:
    """By the published rules, written out: points, then time, then the instant, then the entry."""
    if one.points != other.points:
        return one.points > other.points
    if one.time_ms != other.time_ms:
        return one.time_ms < other.time_ms
    if one.reached_at != other.reached_at:
        return one.reached_at < other.reached_at
    return one.entry_id < other.entry_id


def in_order(stands: list[Stand]) -> list[Stand]:
    """The place of each by counting who is before it."""
    placed = {sum(before(other, one) for other in stands): one for one in stands}
    return [placed[at] for at in range(len(stands))]


class Played:
    """A contest whose standings are drawn from few values, so that most of them are ties."""

    def __init__(self, uow_factory: UnitOfWorkFactory, seed: int) -> None:
        chance = random.Random(seed)
        with uow_factory.begin() as uow:
            self.contest: ContestView = a_contest(uow)
            self.citizens = people(uow, COUNT)
            self.city_of: dict[int, str | None] = {}
            self.stands: list[Stand] = []
            for citizen in chance.sample(self.citizens, COUNT):
                city = chance.choice(CITIES)
                entry = an_entry(uow, self.contest, citizen, city=city)
                self.city_of[entry] = city
                self.stands.append(a_stand(uow, self.contest, entry, chance))
            self.entry_of = {
                citizen: standings_queries.entry_of(uow, self.contest.id, citizen)
                for citizen in self.citizens
            }

    def on_board(self, scope: str) -> list[Stand]:
        city = scope.removeprefix("city:")
        here = [s for s in self.stands if scope == REGION or self.city_of[s.entry_id] == city]
        return in_order(here)


def a_stand(uow: UnitOfWork, contest: ContestView, entry: int, chance: random.Random) -> Stand:
    stand = Stand(
        entry_id=entry,
        points=chance.choice((0, 10, 20)),
        time_ms=chance.choice((1, 60_000, rank_order.MOST_TIME_MS)),
        reached_at=uow.now + timedelta(milliseconds=chance.choice((0, 1, 1000))),
        version=1,
    )
    row = {**stand._asdict(), "contest_id": contest.id, "period": TOTAL, "changed_at": uow.now}
    uow.session.execute(insert(Standing).values(row))
    return stand


@pytest.fixture(params=range(repeat_count(3, 1)))
def played(request: pytest.FixtureRequest, either: UnitOfWorkFactory) -> Played:
    return Played(either, request.param)


@pytest.mark.parametrize("scope", SCOPES)
def test_the_database_places_like_an_independent_sort(
    either: UnitOfWorkFactory, played: Played, scope: str
) -> None:
    order = played.on_board(scope)
    with either.begin(read_only=True) as uow:
        where = (uow, played.contest.id, TOTAL, scope)
        assert standings_queries.top_stands(*where, COUNT) == order
        for at, stand in enumerate(order):
            assert standings_queries.place_on(*where, stand) == at + 1
            near = standings_queries.stands_around(*where, stand, 2)
            assert near.above == order[max(0, at - 2) : at]
            assert near.below == order[at + 1 : at + 3]
    assert sorted(played.on_board(scope), key=rank_order.rank_key) == order


def test_the_ranks_of_a_closed_paper_are_those_of_an_independent_sort(
    either: UnitOfWorkFactory, played: Played
) -> None:
    everywhere, in_city = played.on_board(REGION), played.on_board("city:450100")
    with either.begin(read_only=True) as uow:
        for at, stand in enumerate(everywhere):
            region, city = standings_queries.count_ahead(uow, played.contest.id, "450100", stand)
            assert region == at
            assert city == sum(before(other, stand) for other in in_city)
            ties = standings_queries.ties_ahead(uow, played.contest.id, "450100", stand)
            same = [o for o in everywhere[:at] if (o.points, o.time_ms) == stand.kept]
            assert ties == (len(same), sum(one in in_city for one in same))


@pytest.mark.parametrize("ready", [False, True], ids=["database", "redis"])
def test_progress_and_boards_place_like_an_independent_sort(
    either: UnitOfWorkFactory, played: Played, *, ready: bool
) -> None:
    order = played.on_board(REGION)
    if ready:
        board = board_keys.board_name(TOTAL, REGION)
        assert board_tasks.build_board(either, played.contest.id, board)
    places = {stand.entry_id: at for at, stand in enumerate(order, start=1)}
    with either.begin(read_only=True) as uow:
        for citizen in played.citizens:
            entry = played.entry_of[citizen]
            assert entry is not None
            place = places[entry]
            reached = season_progress(uow, [played.contest], citizen)[played.contest.id]
            assert reached.rank == place
            mine, above = order[place - 1], order[place - 2] if place > 1 else None
            assert reached.behind_next == (None if above is None else above.points - mine.points)
            seen = board_view.read_board(uow, played.contest, limit=COUNT, citizen_id=citizen).me
            assert seen is not None
            assert seen.rank == place
            at = next(n for n, line in enumerate(seen.around) if line.me)
            assert seen.around[0].rank == place - at


@pytest.mark.parametrize("scope", SCOPES)
def test_redis_lists_and_places_like_an_independent_sort(
    either: UnitOfWorkFactory, played: Played, scope: str
) -> None:
    order = played.on_board(scope)
    group, board = board_keys.group_name(played.contest.id), board_keys.board_name(TOTAL, scope)
    assert board_tasks.build_board(either, played.contest.id, board)
    leaderboard = either.dependencies.kv.leaderboard
    listed = leaderboard.read_top(group, board, COUNT)
    assert listed == [(one.entry_id, rank_order.pack_score(one.kept)) for one in order]
    for at, stand in enumerate(order, start=1):
        rank = leaderboard.read_rank(group, board, stand.entry_id)
        assert rank is not None
        assert rank.place == at
        score = rank_order.pack_score(stand.kept)
        (ahead,) = leaderboard.count_ahead(group, [board], score, stand.entry_id)
        assert ahead is not None
        assert ahead.better == sum(
            (o.points, -o.time_ms) > (stand.points, -stand.time_ms) for o in order
        )
        assert rank_order.unpack_score(score) == stand.kept


def test_an_order_that_forgets_the_instant_is_seen(
    either: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: these boards are full enough of ties to show a criterion that is missing."""
    played = Played(either, 1)
    blind = (*rank_order.SCORED, rank_order.TIES[1])
    monkeypatch.setattr(rank_order, "RANK_ORDER", blind)
    assert sorted(played.stands, key=rank_order.rank_key) != played.on_board(REGION)
