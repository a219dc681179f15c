"""Codes of channels: made once for a name, pictured by WeChat, counted exactly under a race."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import codes, service, tasks
from server.channel.errors import ChannelNameTaken, TooManyChannels
from server.channel.models import ChannelCode, CodeOpening, CodeTarget, SceneVisit, VisitedApp
from server.wechat.errors import NotSent
from tests.kit.accounts import a_citizen
from tests.kit.channel import at_once
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE
from tests.kit.gateway import RecordingGateway
from tests.kit.outbox import without_jitter
from tests.kit.pack_probes import a_channel_code
from tests.kit.pictures import a_code

T = CodeTarget.ACTIVITY
EDITOR, COUNTY, OTHER = PEOPLE["editor-region"], PEOPLE["editor-county"], PEOPLE["editor-other"]
THREADS, EACH = 8, 5


def make(uow: UnitOfWork, name: str = "微博", ref: str = "act_1") -> str:
    return service.make_channel_code(uow, EDITOR, T, ref, name)


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    return TaskContext(uow_factory=without_jitter(uow_factory), gateway=gateway)


def test_a_code_is_a_scene_of_wechat_and_too_long_to_guess(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        made = [make(uow, f"渠道{number}") for number in range(20)]
        assert all(service.knows_scene(uow, code) for code in made)
        assert not service.knows_scene(uow, made[0][:-1])
    assert len(set(made)) == 20
    for code in made:
        assert len(code) == 12
        assert code.isalnum()
        assert code.isascii()


def test_its_page_is_in_the_mini_program() -> None:
    assert codes.PAGE in service.released_pages()


def test_a_name_is_used_once_for_an_object_and_place(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        make(uow)
        make(uow, ref="act_2")
        service.make_channel_code(uow, COUNTY, T, "act_1", "微博")
        with pytest.raises(ChannelNameTaken):
            make(uow)


def test_a_place_has_a_limited_number_of_channels(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "MOST_CODES", 2)
    with uow_factory.begin() as uow:
        service.make_channel_code(uow, COUNTY, T, "act_1", "县里的")
        make(uow, "一")
        make(uow, "二")
        with pytest.raises(TooManyChannels):
            make(uow, "三")


def test_a_place_sees_its_codes_and_those_below_and_stops_no_other(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        above = make(uow)
        below = service.make_channel_code(uow, COUNTY, T, "act_1", "县里的")

    def seen(who: str) -> list[str]:
        with uow_factory.begin(read_only=True) as uow:
            return [one.code for one in service.list_channel_codes(uow, PEOPLE[who], T, "act_1")]

    assert seen("editor-region") == [above, below]
    assert seen("editor-city") == seen("editor-county") == [below]
    assert seen("editor-other") == []
    with uow_factory.begin() as uow:
        for organizer, code in ((COUNTY, above), (OTHER, below)):
            with pytest.raises(NotFound):
                service.stop_channel_code(uow, organizer, T, "act_1", code)
        # The code of another object.
        with pytest.raises(NotFound):
            service.stop_channel_code(uow, EDITOR, T, "act_2", above)
        for _ in range(2):
            service.stop_channel_code(uow, EDITOR, T, "act_1", below)
        row = service.find_channel_code(uow, below)
        assert row is not None
        assert row.stopped_at == uow.now
        assert service.knows_scene(uow, below)


def test_wechat_makes_the_picture_outside_of_any_transaction_and_later_when_it_is_away(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock
) -> None:
    depths = []

    def answer(_scene: str, _page: str) -> bytes:
        depths.append(context.uow_factory.depth)
        return a_code()

    gateway.answers["mini_program_code"] = NotSent()
    with context.uow_factory.begin() as uow:
        code = make(uow)
    tasks.fetch_code_pictures(context)
    gateway.answers["mini_program_code"] = answer
    tasks.fetch_code_pictures(context)
    assert depths == []  # it waits before it asks again
    clock.advance(61)
    tasks.fetch_code_pictures(context)
    tasks.fetch_code_pictures(context)
    assert depths == [0]
    assert gateway.called("mini_program_code") == [(code, codes.PAGE)] * 2
    with context.uow_factory.begin(read_only=True) as uow:
        (row,) = uow.session.scalars(select(ChannelCode)).all()
        assert service.pictures_of_codes(uow, [row.id, 99]) == {row.id: a_code()}


def test_a_new_code_wakes_the_worker(
    uow_factory: UnitOfWorkFactory, rung: list[tuple[str, tuple[int, ...]]]
) -> None:
    with uow_factory.begin() as uow:
        code = make(uow)
        row = service.find_channel_code(uow, code)
        assert row is not None
        row_id = row.id
    assert rung == [(codes.TASK, (row_id,))]


# --- counting


def open_page(uow_factory: UnitOfWorkFactory, code_id: int) -> None:
    with uow_factory.begin() as uow:
        service.count_code_opening(uow, code_id)


def open_page_unguarded(
    uow_factory: UnitOfWorkFactory, code_id: int, have_read: threading.Barrier
) -> None:
    """The control: the count is read in one transaction and stored in another."""
    with uow_factory.begin(read_only=True) as uow:
        opens = service.openings_of_codes(uow, [code_id])[code_id]
    have_read.wait()
    with uow_factory.begin() as uow:
        uow.session.execute(
            update(CodeOpening).where(CodeOpening.code_id == code_id).values(opens=opens + 1)
        )


def count_openings(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return sum(uow.session.scalars(select(CodeOpening.opens)))


@pytest.mark.race
def test_simultaneous_openings_all_count(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        code_id = a_channel_code(uow, "act_1").id
    at_once([lambda: open_page(uow_factory, code_id)] * THREADS * EACH)
    assert count_openings(uow_factory) == THREADS * EACH


@pytest.mark.race
def test_a_count_that_is_read_and_then_stored_loses_openings(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        code_id = a_channel_code(uow, "act_1").id
    open_page(uow_factory, code_id)
    have_read = threading.Barrier(THREADS)
    at_once([lambda: open_page_unguarded(uow_factory, code_id, have_read)] * THREADS)
    assert count_openings(uow_factory) < 1 + THREADS


def test_openings_are_counted_by_day(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> None:
    with uow_factory.begin() as uow:
        one, other = a_channel_code(uow, "act_1").id, a_channel_code(uow, "act_1", "网站").id
    days = []
    for code_id in (one, one, other):
        open_page(uow_factory, code_id)
        days.append(beijing_day(clock.now()))
        clock.advance(24 * 3600)
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.execute(select(CodeOpening.code_id, CodeOpening.day, CodeOpening.opens))
        assert sorted(map(tuple, rows)) == sorted(
            zip((one, one, other), days, (1, 1, 1), strict=True)
        )
        assert service.openings_of_codes(uow, [one, other, 77]) == {one: 2, other: 1}


def visit(uow_factory: UnitOfWorkFactory, citizen_id: int) -> None:
    with uow_factory.begin() as uow:
        service.record_mini_program_visit(uow, citizen_id, "abc")


def visit_unguarded(
    uow_factory: UnitOfWorkFactory, citizen_id: int, have_looked: threading.Barrier
) -> bool:
    """The control: looks for a visit of the day, and stores one when there is none."""
    with uow_factory.begin(read_only=True) as uow:
        found = service.arrivals_by_codes(uow, ["abc"])
        day, at = beijing_day(uow.now), uow.now
    have_looked.wait()
    if found:
        return True
    visit = {"citizen_id": citizen_id, "app": VisitedApp.MINI_PROGRAM, "scene": "abc"}
    try:
        with uow_factory.begin() as uow:
            uow.session.add(SceneVisit(**visit, day=day, at=at))
    except IntegrityError:
        return False
    return True


def count_visits(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return len(service.arrivals_by_codes(uow, ["abc"]))


@pytest.mark.race
def test_simultaneous_visits_of_a_citizen_count_once_a_day(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        citizen_id = a_citizen(uow).id
    at_once([lambda: visit(uow_factory, citizen_id)] * THREADS)
    assert count_visits(uow_factory) == 1


@pytest.mark.race
def test_to_look_before_storing_a_visit_lets_the_others_fail(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        citizen_id = a_citizen(uow).id
    have_looked = threading.Barrier(THREADS)
    stored = at_once([lambda: visit_unguarded(uow_factory, citizen_id, have_looked)] * THREADS)
    assert stored.count(True) == count_visits(uow_factory) == 1
