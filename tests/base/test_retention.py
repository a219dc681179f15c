"""Rows about persons go when their declared time is over, and not a moment before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from server import slices
from server.accounts import privacy
from server.base.personal_data import Keep, Personal, WronglyDeclared
from server.base.retention import apply_retention, count_neglected, count_overdue, drop_overdue
from server.base.uow import UnitOfWorkFactory
from server.channel.models import SeenMessage
from tests.kit.accounts import a_citizen
from tests.kit.clock import FakeClock
from tests.kit.personal import a_row_about, every_row
from tests.kit.quiz import open_contest, take

LIMITED = [one for one in slices.PERSONAL_DATA.order if one.keep is not None]
KEPT = {"seen_message": timedelta(days=2), "kept_answer": timedelta(hours=48)}
each_limited = pytest.mark.parametrize(
    "one", [one for one in LIMITED if one.name in KEPT], ids=lambda one: one.name
)


def held(uow_factory: UnitOfWorkFactory, one: Personal) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return len(every_row(uow, one.table.__table__))  # type: ignore[arg-type]


def applied(uow_factory: UnitOfWorkFactory, *, dry_run: bool) -> dict[str, int]:
    counts = apply_retention(uow_factory, slices.PERSONAL_DATA.order, dry_run=dry_run)
    return {name: count for name, count in counts.items() if count}


def test_the_limits_are_those_that_the_operator_is_told() -> None:
    declared = {one.name: one.keep.longest for one in LIMITED if one.keep is not None}
    others = {
        "limit_trace": timedelta(0),
        "audit_personal": timedelta(days=365),
        "signup": timedelta(days=30),
        "device_use": timedelta(days=180),
        "certificate": timedelta(days=1095),
        "activity_feedback": timedelta(days=365),
        "send_receipt": timedelta(days=30),
        "outreach": timedelta(days=30),
    }
    assert declared == {**KEPT, **others}, (
        "add the new or changed time here, and tell the operator: `retention` in docs/operations.md"
    )


@each_limited
def test_rows_go_when_their_time_is_over_and_not_before(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, one: Personal
) -> None:
    with uow_factory.begin() as uow:
        a_row_about(uow, one, a_citizen(uow).id, "mark-old")
    clock.advance(KEPT[one.name].total_seconds() - 1)
    with uow_factory.begin() as uow:
        a_row_about(uow, one, a_citizen(uow).id, "mark-new")
    assert applied(uow_factory, dry_run=False) == {}
    clock.advance(1)
    assert applied(uow_factory, dry_run=True) == {one.name: 1}
    assert held(uow_factory, one) == 2
    assert applied(uow_factory, dry_run=False) == {one.name: 1}
    assert (held(uow_factory, one), applied(uow_factory, dry_run=True)) == (1, {})


@each_limited
def test_what_the_sweeps_leave_for_an_hour_is_a_figure(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, one: Personal
) -> None:
    read = slices.READINGS["kepu_retention_neglected_rows"]
    with uow_factory.begin() as uow:
        a_row_about(uow, one, a_citizen(uow).id, "mark-old")
    clock.advance(KEPT[one.name].total_seconds() + 3599)
    with uow_factory.begin(read_only=True) as uow:
        assert (read(uow), count_overdue(uow, one, uow.now)) == (0, 1)
    clock.advance(1)
    with uow_factory.begin(read_only=True) as uow:
        assert read(uow) == count_neglected(uow, slices.PERSONAL_DATA.order) == 1


def test_the_oldest_rows_go_first_where_a_batch_is_full(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    (one,) = (one for one in LIMITED if one.name == "seen_message")
    for _ in range(3):
        with uow_factory.begin() as uow:
            a_row_about(uow, one, a_citizen(uow).id, "mark")
        clock.advance(60)
    clock.advance(KEPT[one.name].total_seconds())
    with uow_factory.begin() as uow:
        newest = uow.session.scalars(select(SeenMessage.at).order_by(SeenMessage.at.desc())).first()
        assert drop_overdue(uow, one, limit=2) == 2
        assert uow.session.scalars(select(SeenMessage.at)).all() == [newest]


def test_a_limit_trace_goes_with_the_last_contest_that_counts_by_it(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    with uow_factory.begin() as uow:
        me = a_citizen(uow, unionid="union-a").id
    take(uow_factory, contest, me)
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, me)
    assert applied(uow_factory, dry_run=True) == {}
    clock.set(contest.closes_at + timedelta(days=1))
    assert applied(uow_factory, dry_run=True) == {"limit_trace": 2}
    assert "limit_trace" in applied(uow_factory, dry_run=False)
    assert applied(uow_factory, dry_run=True) == {}


@pytest.mark.race
def test_rows_in_other_hands_are_left_to_the_next_run(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, database_kind: str
) -> None:
    (one,) = (one for one in LIMITED if one.name == "seen_message")
    with uow_factory.begin() as uow:
        a_row_about(uow, one, a_citizen(uow).id, "mark")
    clock.advance(KEPT[one.name].total_seconds())
    if database_kind == "postgres":
        with uow_factory.begin() as holding:
            holding.session.execute(update(SeenMessage).values(reply=SeenMessage.reply))
            assert applied(uow_factory, dry_run=False) == {}
    assert applied(uow_factory, dry_run=False) == {one.name: 1}


def test_a_limit_by_a_column_that_is_not_there_is_refused() -> None:
    (one,) = (one for one in LIMITED if one.name == "seen_message")
    facts = {name: getattr(one, name) for name in one.__dataclass_fields__ if name != "_"}
    with pytest.raises(WronglyDeclared, match="there is no column made_at"):
        Personal(**{**facts, "keep": Keep(since="made_at")})
