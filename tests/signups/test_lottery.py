"""The lottery of an opening rush, and the limits of one person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from server.activities.models import Activity, ActivitySeries
from server.activities.rules import commit_seed
from server.base.access import REGION
from server.base.clock import BEIJING
from server.base.jobs import TaskContext
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.signups import service, tasks
from server.signups.errors import DrawInProgress, NoShowPause, SignUpLimitReached
from server.signups.kinds import NoticeKind, SignUpState
from server.signups.models import SignUp, SignUpNotice
from server.signups.rules import Party, draw_order, plan_promotions
from server.signups.service import Wish
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture, live_signups, recount, stored_counts

SEED = "5" * 64


def a_lottery(uow: UnitOfWork, **columns: Any) -> Lecture:
    return a_lecture(
        uow,
        draw_at=uow.now + timedelta(hours=1),
        draw_seed=SEED,
        draw_commitment=commit_seed(SEED),
        **columns,
    )


def draw(uow_factory: UnitOfWorkFactory) -> int:
    return tasks.draw_lotteries(TaskContext(uow_factory=uow_factory, gateway=None))


def test_the_drawn_order_decides_and_the_losers_wait_in_it(uow_factory: UnitOfWorkFactory) -> None:
    clock: Any = uow_factory.dependencies.clock
    with uow_factory.begin() as uow:
        lecture = a_lottery(uow, seats=3)
        for _ in range(8):
            placed = service.sign_up(uow, a_citizen(uow).id, lecture.ref, Wish())
            assert (placed.state, placed.position) == (SignUpState.ENTERED, None)
        assert stored_counts(uow, lecture) == recount(uow, lecture)
    assert draw(uow_factory) == 0
    clock.advance(3600)
    with uow_factory.begin() as uow, pytest.raises(DrawInProgress):
        service.sign_up(uow, a_citizen(uow).id, lecture.ref, Wish())
    assert draw(uow_factory) == 8
    assert draw(uow_factory) == 0
    with uow_factory.begin() as uow:
        rows = live_signups(uow, lecture)
        drawn = draw_order(SEED, [row.ref for row in rows])
        assert [row.ref for row in rows] == drawn
        assert [row.state for row in rows] == [SignUpState.CONFIRMED] * 3 + [
            SignUpState.WAITLISTED
        ] * 5
        assert stored_counts(uow, lecture) == recount(uow, lecture)
        late = service.sign_up(uow, a_citizen(uow).id, lecture.ref, Wish())
        assert (late.state, late.position) == (SignUpState.WAITLISTED, 6)
        told = uow.session.scalars(
            select(SignUpNotice.kind).where(
                SignUpNotice.kind.in_((NoticeKind.DRAWN, NoticeKind.NOT_DRAWN))
            )
        ).all()
        assert sorted(told) == [NoticeKind.DRAWN] * 3 + [NoticeKind.NOT_DRAWN] * 5


def test_parties_are_drawn_by_the_rule_of_the_waitlist(uow_factory: UnitOfWorkFactory) -> None:
    clock: Any = uow_factory.dependencies.clock
    with uow_factory.begin() as uow:
        lecture = a_lottery(uow, seats=5, party_max=3)
        for size in (3, 1, 2, 3, 1, 2):
            service.sign_up(uow, a_citizen(uow).id, lecture.ref, Wish(party_size=size))
    clock.advance(3600)
    draw(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        rows = {row.ref: row for row in live_signups(uow, lecture)}
        drawn = draw_order(SEED, rows)
        queue = [Party(key=at, size=rows[ref].party_size) for at, ref in enumerate(drawn)]
        served = {drawn[at] for at in plan_promotions(5, queue).served}
        assert served == {ref for ref, row in rows.items() if row.state is SignUpState.CONFIRMED}
        assert stored_counts(uow, lecture) == recount(uow, lecture)


def test_who_withdraws_before_the_draw_takes_no_part_in_it(uow_factory: UnitOfWorkFactory) -> None:
    clock: Any = uow_factory.dependencies.clock
    with uow_factory.begin() as uow:
        lecture = a_lottery(uow, seats=1)
        gone, stays = a_citizen(uow).id, a_citizen(uow).id
        for citizen in (gone, stays):
            service.sign_up(uow, citizen, lecture.ref, Wish())
        assert service.withdraw(uow, gone, lecture.ref)
    clock.advance(3600)
    assert draw(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        assert [row.citizen_id for row in live_signups(uow, lecture)] == [stays]


def test_one_person_has_so_many_places_at_a_time(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        most = uow.settings.signups.most_places
        citizen = a_citizen(uow).id
        lectures = [a_lecture(uow, starts_in=timedelta(days=1 + n)) for n in range(most + 1)]
        for lecture in lectures[:-1]:
            service.sign_up(uow, citizen, lecture.ref, Wish())
        with pytest.raises(SignUpLimitReached):
            service.sign_up(uow, citizen, lectures[-1].ref, Wish())
        wish = Wish(instead_of=lectures[0].ref)
        assert service.sign_up(uow, citizen, lectures[-1].ref, wish).fresh


def test_a_series_may_limit_the_places_of_one_person(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        series = ActivitySeries(
            ref="ser_1", title="八桂讲坛", most_signups=1, made_at=uow.now, **owned_by(REGION)
        )
        uow.session.add(series)
        uow.session.flush()
        first, second = (
            a_lecture(uow, series_id=series.id, starts_in=timedelta(days=day)) for day in (2, 9)
        )
        citizen = a_citizen(uow).id
        service.sign_up(uow, citizen, first.ref, Wish())
        with pytest.raises(SignUpLimitReached):
            service.sign_up(uow, citizen, second.ref, Wish())
        other = a_lecture(uow, starts_in=timedelta(days=16))
        assert service.sign_up(uow, citizen, other.ref, Wish()).fresh


@pytest.mark.parametrize(
    ("days_ago", "refused"), [((1, 2, 3), True), ((8, 9, 10), False), ((1, 2, 200), False)]
)
def test_repeated_absences_bar_new_sign_ups_for_a_while(
    uow_factory: UnitOfWorkFactory, days_ago: tuple[int, ...], refused: bool
) -> None:
    with uow_factory.begin() as uow:
        citizen = a_citizen(uow).id
        for days in days_ago:
            held = a_lecture(uow, starts_in=timedelta(days=30 + days))
            placed = service.sign_up(uow, citizen, held.ref, Wish())
            uow.session.execute(
                update(SignUp)
                .where(SignUp.id == placed.id)
                .values(absent_at=uow.now - timedelta(days=days))
            )
            uow.session.execute(
                update(Activity)
                .where(Activity.id == held.id)
                .values(
                    starts_at=uow.now - timedelta(days=days, hours=2),
                    ends_at=uow.now - timedelta(days=days),
                    signup_opens_at=uow.now - timedelta(days=days + 9),
                    signup_closes_at=uow.now - timedelta(days=days, hours=2),
                )
            )
        wanted = a_lecture(uow)
        if not refused:
            assert service.sign_up(uow, citizen, wanted.ref, Wish()).fresh
            return
        with pytest.raises(NoShowPause) as pause:
            service.sign_up(uow, citizen, wanted.ref, Wish())
        until = (uow.now + timedelta(days=7 - min(days_ago))).astimezone(BEIJING)
        assert pause.value.facts["until"] == f"{until.month}月{until.day}日{until:%H:%M}"
