"""What outlives an erasure: keyed hashes, as long as a season counts by them, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from server.accounts import limit_traces, privacy
from server.accounts.models import LimitTrace
from server.accounts.tasks import drop_limit_traces
from server.base.jobs import Shop
from server.base.work import Desk
from tests.kit.accounts import a_citizen
from tests.kit.clock import FakeClock
from tests.kit.quiz import open_contest, take

OPENID, UNIONID = "openid-of-the-player", "union-of-the-player"


def an_erased_player(desk: Desk) -> int:
    contest = open_contest(desk, closes_at=desk.tools.clock.now() + timedelta(days=2))
    with desk.work() as work:
        me = a_citizen(work, openid=OPENID, unionid=UNIONID).id
    take(desk, contest, me)
    with desk.work() as work:
        privacy.erase(work, me)
    return me


def traces(desk: Desk) -> list[LimitTrace]:
    with desk.work(read_only=True) as work:
        return list(work.session.scalars(select(LimitTrace)))


def swept(desk: Desk) -> int:
    return drop_limit_traces(Shop(desk=desk, gateway=None))


def test_one_hash_of_each_id_is_kept_and_no_id(desk: Desk) -> None:
    me = an_erased_player(desk)
    rows = traces(desk)
    assert [row.citizen_id for row in rows] == [me, me]
    assert len({row.hash for row in rows}) == 2
    for row in rows:
        assert len(row.hash) == 64
        assert not {OPENID, UNIONID} & {row.hash}
    # Without the key of this house the hash cannot be made.
    with desk.work(read_only=True) as work:
        assert {row.hash for row in rows} == {
            work.keys.blind(f"mini_program:{OPENID}", "limit-trace"),
            work.keys.blind(f"unionid:{UNIONID}", "limit-trace"),
        }


def test_whoever_took_part_in_nothing_leaves_no_trace(desk: Desk) -> None:
    open_contest(desk)
    with desk.work() as work:
        me = a_citizen(work, openid=OPENID, unionid=UNIONID).id
        privacy.erase(work, me)
    assert traces(desk) == []


def test_traces_end_with_the_season_and_not_before(desk: Desk, clock: FakeClock) -> None:
    an_erased_player(desk)
    end = traces(desk)[0].keep_until
    clock.set(end - timedelta(seconds=1))
    assert swept(desk) == 0
    assert len(traces(desk)) == 2
    with desk.work() as work:
        again = a_citizen(work, openid=OPENID).id
    assert former(desk, again)
    clock.set(end + timedelta(seconds=3))
    assert former(desk, again) == []
    assert swept(desk) == 1
    assert traces(desk) == []
    assert swept(desk) == 0


def test_a_season_that_is_prolonged_keeps_its_traces(desk: Desk, clock: FakeClock) -> None:
    an_erased_player(desk)
    open_contest(desk, closes_at=desk.tools.clock.now() + timedelta(days=9))
    clock.advance(timedelta(days=3).total_seconds())
    assert swept(desk) == 1
    assert {row.keep_until > clock.now() for row in traces(desk)} == {True}
    clock.advance(timedelta(days=7).total_seconds())
    swept(desk)
    assert traces(desk) == []


def test_a_stranger_is_nobody_who_was_erased(desk: Desk) -> None:
    me = an_erased_player(desk)
    with desk.work() as work:
        again = a_citizen(work, openid=OPENID).id
        stranger = a_citizen(work, openid="openid-of-a-stranger", unionid="another-union").id
        # The same openid at the other app is another person's.
        follower = a_citizen(work, openid=OPENID, app="official_account").id
    assert former(desk, again) == [me]
    assert former(desk, stranger) == []
    assert former(desk, follower) == []


def former(desk: Desk, citizen_id: int) -> list[int]:
    with desk.work(read_only=True) as work:
        return limit_traces.former_ids(work, citizen_id)


def test_erasing_many_times_keeps_one_row_for_each_id_and_erasure(
    desk: Desk, clock: FakeClock
) -> None:
    contest = open_contest(desk)
    numbers = []
    for _ in range(3):
        with desk.work() as work:
            numbers.append(a_citizen(work, openid=OPENID, unionid=UNIONID).id)
        take(desk, contest, numbers[-1])
        with desk.work() as work:
            privacy.erase(work, numbers[-1])
        clock.advance(timedelta(days=1).total_seconds())
    with desk.work(read_only=True) as work:
        counted = work.session.execute(
            select(LimitTrace.citizen_id, func.count()).group_by(LimitTrace.citizen_id)
        )
        assert sorted(tuple(row) for row in counted) == [(number, 2) for number in numbers]


def test_the_export_tells_a_returning_person_until_when(desk: Desk, clock: FakeClock) -> None:
    an_erased_player(desk)
    with desk.work() as work:
        again = a_citizen(work, openid=OPENID).id
        held = privacy.export(work, again)["earlier_erasures"]
    (told,) = held
    assert told["erased_at"] == clock.now()
    assert isinstance(told["keep_until"], datetime)
