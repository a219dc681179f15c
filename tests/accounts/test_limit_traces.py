"""What outlives an erasure: keyed hashes, as long as a season counts by them, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from server.accounts import limit_traces, privacy
from server.accounts.models import LimitTrace
from server.accounts.tasks import drop_limit_traces
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from tests.kit.accounts import a_citizen
from tests.kit.clock import FakeClock
from tests.kit.quiz import open_contest, take

OPENID, UNIONID = "openid-of-the-player", "union-of-the-player"


def an_erased_player(uow_factory: UnitOfWorkFactory) -> int:
    contest = open_contest(
        uow_factory, closes_at=uow_factory.dependencies.clock.now() + timedelta(days=2)
    )
    with uow_factory.begin() as uow:
        me = a_citizen(uow, openid=OPENID, unionid=UNIONID).id
    take(uow_factory, contest, me)
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, me)
    return me


def traces(uow_factory: UnitOfWorkFactory) -> list[LimitTrace]:
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(LimitTrace)))


def swept(uow_factory: UnitOfWorkFactory) -> int:
    return drop_limit_traces(TaskContext(uow_factory=uow_factory, gateway=None))


def test_one_hash_of_each_id_is_kept_and_no_id(uow_factory: UnitOfWorkFactory) -> None:
    me = an_erased_player(uow_factory)
    rows = traces(uow_factory)
    assert [row.citizen_id for row in rows] == [me, me]
    assert len({row.hash for row in rows}) == 2
    for row in rows:
        assert len(row.hash) == 64
        assert not {OPENID, UNIONID} & {row.hash}
    # Without the key of this house the hash cannot be made.
    with uow_factory.begin(read_only=True) as uow:
        assert {row.hash for row in rows} == {
            uow.keys.blind_hash(f"mini_program:{OPENID}", "limit-trace"),
            uow.keys.blind_hash(f"unionid:{UNIONID}", "limit-trace"),
        }


def test_whoever_took_part_in_nothing_leaves_no_trace(uow_factory: UnitOfWorkFactory) -> None:
    open_contest(uow_factory)
    with uow_factory.begin() as uow:
        me = a_citizen(uow, openid=OPENID, unionid=UNIONID).id
        privacy.erase_citizen(uow, me)
    assert traces(uow_factory) == []


def test_traces_end_with_the_season_and_not_before(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    an_erased_player(uow_factory)
    end = traces(uow_factory)[0].keep_until
    clock.set(end - timedelta(seconds=1))
    assert swept(uow_factory) == 0
    assert len(traces(uow_factory)) == 2
    with uow_factory.begin() as uow:
        again = a_citizen(uow, openid=OPENID).id
    assert former(uow_factory, again)
    clock.set(end + timedelta(seconds=3))
    assert former(uow_factory, again) == []
    assert swept(uow_factory) == 1
    assert traces(uow_factory) == []
    assert swept(uow_factory) == 0


def test_a_season_that_is_prolonged_keeps_its_traces(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    an_erased_player(uow_factory)
    open_contest(uow_factory, closes_at=uow_factory.dependencies.clock.now() + timedelta(days=9))
    clock.advance(timedelta(days=3).total_seconds())
    assert swept(uow_factory) == 1
    assert {row.keep_until > clock.now() for row in traces(uow_factory)} == {True}
    clock.advance(timedelta(days=7).total_seconds())
    swept(uow_factory)
    assert traces(uow_factory) == []


def test_a_stranger_is_nobody_who_was_erased(uow_factory: UnitOfWorkFactory) -> None:
    me = an_erased_player(uow_factory)
    with uow_factory.begin() as uow:
        again = a_citizen(uow, openid=OPENID).id
        stranger = a_citizen(uow, openid="openid-of-a-stranger", unionid="another-union").id
        # The same openid at the other app is another person's.
        follower = a_citizen(uow, openid=OPENID, app="official_account").id
    assert former(uow_factory, again) == [me]
    assert former(uow_factory, stranger) == []
    assert former(uow_factory, follower) == []


def former(uow_factory: UnitOfWorkFactory, citizen_id: int) -> list[int]:
    with uow_factory.begin(read_only=True) as uow:
        return limit_traces.former_ids(uow, citizen_id)


def test_erasing_many_times_keeps_one_row_for_each_id_and_erasure(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    numbers = []
    for _ in range(3):
        with uow_factory.begin() as uow:
            numbers.append(a_citizen(uow, openid=OPENID, unionid=UNIONID).id)
        take(uow_factory, contest, numbers[-1])
        with uow_factory.begin() as uow:
            privacy.erase_citizen(uow, numbers[-1])
        clock.advance(timedelta(days=1).total_seconds())
    with uow_factory.begin(read_only=True) as uow:
        counted = uow.session.execute(
            select(LimitTrace.citizen_id, func.count()).group_by(LimitTrace.citizen_id)
        )
        assert sorted(tuple(row) for row in counted) == [(number, 2) for number in numbers]


def test_the_export_tells_a_returning_person_until_when(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    an_erased_player(uow_factory)
    with uow_factory.begin() as uow:
        again = a_citizen(uow, openid=OPENID).id
        held = privacy.export_citizen(uow, again)["earlier_erasures"]
    (told,) = held
    assert told["erased_at"] == clock.now()
    assert isinstance(told["keep_until"], datetime)
