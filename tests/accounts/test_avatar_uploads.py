"""A file waits as a row until a worker has made a small picture of it; the queue is bounded."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from server.accounts import avatar_uploads, identities, privacy, tasks
from server.accounts.errors import PicturesWaiting
from server.accounts.models import Avatar, PictureUpload
from server.base import pictures
from server.base.jobs import TaskContext
from server.base.outbox import end_overdue
from server.base.outbox_rows import Done
from server.base.uow import UnitOfWorkFactory
from tests.kit.accounts import Person, a_citizen
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.locks import meet
from tests.kit.outbox import claim_one, settle_one
from tests.kit.pictures import a_picture, opened

RED, BLUE = a_picture(colour=(250, 0, 0)), a_picture(colour=(0, 0, 250))


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow)


def give(uow_factory: UnitOfWorkFactory, person: Person, raw: bytes) -> None:
    with uow_factory.begin() as uow:
        avatar_uploads.receive_file(uow, person.id, raw)


def count(uow_factory: UnitOfWorkFactory, table: Any) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(func.count()).select_from(table)) or 0


def state(uow_factory: UnitOfWorkFactory, person: Person) -> str | None:
    with uow_factory.begin(read_only=True) as uow:
        return avatar_uploads.state_of(uow, person.id)


def made(uow_factory: UnitOfWorkFactory) -> bytes:
    with uow_factory.begin(read_only=True) as uow:
        picture = uow.session.scalars(select(Avatar.picture)).one()
    assert picture is not None
    return picture


def test_a_file_becomes_a_small_picture_and_is_let_go(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person, rung: list[Any]
) -> None:
    give(uow_factory, person, RED)
    assert rung == [(avatar_uploads.TASK, ())]
    assert state(uow_factory, person) == "waiting"
    assert tasks.make_pictures_small(context) == 1
    assert (count(uow_factory, PictureUpload), state(uow_factory, person)) == (0, None)
    assert opened(made(uow_factory)).size == (256, 256)
    assert tasks.make_pictures_small(context) == 0


def test_a_later_file_takes_the_place_of_an_earlier_one(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person
) -> None:
    give(uow_factory, person, RED)
    give(uow_factory, person, BLUE)
    assert tasks.make_pictures_small(context) == 1
    red, _, blue = opened(made(uow_factory)).getpixel((128, 128))  # type: ignore[misc]
    assert blue > 200 > 50 > red


def test_a_file_that_was_replaced_while_it_was_decoded_is_let_go(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    give(uow_factory, person, RED)
    taken = claim_one(uow_factory, avatar_uploads.QUEUE)
    assert taken is not None
    give(uow_factory, person, BLUE)
    small = Done(result=b"small")
    assert settle_one(uow_factory, avatar_uploads.QUEUE, taken, small) == 0
    assert (count(uow_factory, Avatar), state(uow_factory, person)) == (0, "waiting")


def test_a_file_that_cannot_be_read_is_told_for_a_week(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person, clock: FakeClock
) -> None:
    give(uow_factory, person, RED[:100])
    assert tasks.make_pictures_small(context) == 1
    assert state(uow_factory, person) == "unreadable"
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(PictureUpload.content)).all() == [None]
    clock.advance(7 * 86_400 - 1)
    assert tasks.make_pictures_small(context) == 0
    clock.advance(1)
    assert tasks.make_pictures_small(context) == 1
    assert state(uow_factory, person) is None


def test_a_file_whose_worker_died_is_taken_again_three_times_at_most(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person, clock: FakeClock
) -> None:
    give(uow_factory, person, RED)
    for _ in range(avatar_uploads.MOST_TRIES):
        end_overdue(uow_factory, avatar_uploads.QUEUE)
        taken = claim_one(uow_factory, avatar_uploads.QUEUE)
        assert taken is not None
        assert taken.letter.content == RED
        assert claim_one(uow_factory, avatar_uploads.QUEUE) is None
        clock.advance(60)
    tasks.make_pictures_small(context)
    assert state(uow_factory, person) == "unreadable"


def test_the_queue_is_bounded_and_who_is_refused_keeps_what_they_had(
    uow_factory: UnitOfWorkFactory,
    context: TaskContext,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(avatar_uploads, "MOST_WAITING", 2)
    with uow_factory.begin() as uow:
        others = [a_citizen(uow) for _ in range(2)]
    give(uow_factory, person, RED)
    tasks.make_pictures_small(context)
    for other in others:
        give(uow_factory, other, RED)
    with pytest.raises(PicturesWaiting) as refusal:
        give(uow_factory, person, BLUE)
    assert refusal.value.retry_after_seconds == 30
    assert count(uow_factory, Avatar) == 1
    give(uow_factory, others[0], BLUE)  # in its own place
    tasks.make_pictures_small(context)
    give(uow_factory, person, BLUE)


def test_a_run_makes_two_and_rings_for_the_rest(
    uow_factory: UnitOfWorkFactory, context: TaskContext, rung: list[Any]
) -> None:
    """Other sweeps wait for the thread of a run."""
    with uow_factory.begin() as uow:
        people = [a_citizen(uow) for _ in range(5)]
    for person in people:
        give(uow_factory, person, RED)
    rung.clear()
    assert [tasks.make_pictures_small(context) for _ in range(3)] == [2, 2, 1]
    assert rung.count((avatar_uploads.TASK, ())) == 2


def test_only_one_thread_of_a_worker_decodes(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person
) -> None:
    give(uow_factory, person, RED)
    with pictures.only_one():
        assert tasks.make_pictures_small(context) == 0
    assert tasks.make_pictures_small(context) == 1


def test_a_file_is_exported_handed_over_and_forgotten(
    uow_factory: UnitOfWorkFactory, context: TaskContext, person: Person
) -> None:
    with uow_factory.begin() as uow:
        double = a_citizen(uow)
    give(uow_factory, double, RED)
    with uow_factory.begin() as uow:
        keep = identities.merge_citizens(uow, person.id, double.id)
        (told,) = privacy.export_citizen(uow, keep)["picture_uploads"]
        assert told["state"] == "waiting"
    give(uow_factory, person, BLUE)
    with uow_factory.begin() as uow:
        another = a_citizen(uow)
    give(uow_factory, another, RED)
    with uow_factory.begin() as uow:
        identities.merge_citizens(uow, person.id, another.id)
    assert count(uow_factory, PictureUpload) == 1
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person.id)
    assert count(uow_factory, PictureUpload) == 0
    assert tasks.make_pictures_small(context) == 0


@pytest.mark.race
def test_a_new_file_and_the_end_of_an_old_one_do_not_wait_for_each_other(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    give(uow_factory, person, RED)
    taken = claim_one(uow_factory, avatar_uploads.QUEUE)
    assert taken is not None

    def finish() -> None:
        settle_one(uow_factory, avatar_uploads.QUEUE, taken, Done(result=b"small"))

    refused = meet(
        uow_factory,
        hold=lambda uow: privacy.lock_citizen(uow, person.id),
        other=finish,
        go_on=lambda uow: avatar_uploads.receive_file(uow, person.id, BLUE),
    )
    assert refused == []
    assert (count(uow_factory, Avatar), state(uow_factory, person)) == (0, "waiting")
