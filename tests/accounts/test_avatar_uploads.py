"""A file waits as a row until a worker has made a small picture of it; the queue is bounded."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from server.accounts import avatar_uploads, identities, privacy, tasks
from server.accounts.errors import PicturesWaiting
from server.accounts.models import Avatar, PictureUpload
from server.base import pictures
from server.base.jobs import Shop
from server.base.work import Desk
from tests.kit.accounts import Person, a_citizen
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.locks import meet
from tests.kit.pictures import a_picture, opened

RED, BLUE = a_picture(colour=(250, 0, 0)), a_picture(colour=(0, 0, 250))


@pytest.fixture
def shop(desk: Desk, gateway: RecordingGateway) -> Shop:
    return Shop(desk=desk, gateway=gateway)


@pytest.fixture
def person(desk: Desk) -> Person:
    with desk.work() as work:
        return a_citizen(work)


def give(desk: Desk, person: Person, raw: bytes) -> None:
    with desk.work() as work:
        avatar_uploads.receive(work, person.id, raw)


def count(desk: Desk, table: Any) -> int:
    with desk.work(read_only=True) as work:
        return work.session.scalar(select(func.count()).select_from(table)) or 0


def state(desk: Desk, person: Person) -> str | None:
    with desk.work(read_only=True) as work:
        return avatar_uploads.state_of(work, person.id)


def made(desk: Desk) -> bytes:
    with desk.work(read_only=True) as work:
        picture = work.session.scalars(select(Avatar.picture)).one()
    assert picture is not None
    return picture


def test_a_file_becomes_a_small_picture_and_is_let_go(
    desk: Desk, shop: Shop, person: Person, rung: list[Any]
) -> None:
    give(desk, person, RED)
    assert rung == [(avatar_uploads.TASK, ())]
    assert state(desk, person) == "waiting"
    assert tasks.make_pictures_small(shop) == 1
    assert (count(desk, PictureUpload), state(desk, person)) == (0, None)
    assert opened(made(desk)).size == (256, 256)
    assert tasks.make_pictures_small(shop) == 0


def test_a_later_file_takes_the_place_of_an_earlier_one(
    desk: Desk, shop: Shop, person: Person
) -> None:
    give(desk, person, RED)
    give(desk, person, BLUE)
    assert tasks.make_pictures_small(shop) == 1
    red, _, blue = opened(made(desk)).getpixel((128, 128))  # type: ignore[misc]
    assert blue > 200 > 50 > red


def test_a_file_that_was_replaced_while_it_was_decoded_is_let_go(
    desk: Desk, person: Person
) -> None:
    give(desk, person, RED)
    with desk.work() as work:
        taken = avatar_uploads.take(work)
    assert taken is not None
    give(desk, person, BLUE)
    with desk.work() as work:
        assert not avatar_uploads.finish(work, taken.ref, b"small")
    assert (count(desk, Avatar), state(desk, person)) == (0, "waiting")


def test_a_file_that_cannot_be_read_is_told_for_a_week(
    desk: Desk, shop: Shop, person: Person, clock: FakeClock
) -> None:
    give(desk, person, RED[:100])
    assert tasks.make_pictures_small(shop) == 1
    assert state(desk, person) == "unreadable"
    with desk.work(read_only=True) as work:
        assert work.session.scalars(select(PictureUpload.content)).all() == [None]
    clock.advance(7 * 86_400 - 1)
    assert tasks.make_pictures_small(shop) == 0
    clock.advance(1)
    assert tasks.make_pictures_small(shop) == 1
    assert state(desk, person) is None


def test_a_file_whose_worker_died_is_taken_again_three_times_at_most(
    desk: Desk, shop: Shop, person: Person, clock: FakeClock
) -> None:
    give(desk, person, RED)
    for _ in range(avatar_uploads.MOST_TRIES):
        with desk.work() as work:
            taken = avatar_uploads.take(work)
        assert taken is not None
        assert taken.content == RED
        with desk.work() as work:
            assert avatar_uploads.take(work) is None
        clock.advance(60)
    tasks.make_pictures_small(shop)
    assert state(desk, person) == "unreadable"


def test_the_queue_is_bounded_and_who_is_refused_keeps_what_they_had(
    desk: Desk, shop: Shop, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avatar_uploads, "MOST_WAITING", 2)
    with desk.work() as work:
        others = [a_citizen(work) for _ in range(2)]
    give(desk, person, RED)
    tasks.make_pictures_small(shop)
    for other in others:
        give(desk, other, RED)
    with pytest.raises(PicturesWaiting) as refusal:
        give(desk, person, BLUE)
    assert refusal.value.retry_after_seconds == 30
    assert count(desk, Avatar) == 1
    give(desk, others[0], BLUE)  # in its own place
    tasks.make_pictures_small(shop)
    give(desk, person, BLUE)


def test_a_run_makes_two_and_rings_for_the_rest(desk: Desk, shop: Shop, rung: list[Any]) -> None:
    """Other sweeps wait for the thread of a run."""
    with desk.work() as work:
        people = [a_citizen(work) for _ in range(5)]
    for person in people:
        give(desk, person, RED)
    rung.clear()
    assert [tasks.make_pictures_small(shop) for _ in range(3)] == [2, 2, 1]
    assert rung.count((avatar_uploads.TASK, ())) == 2


def test_only_one_thread_of_a_worker_decodes(desk: Desk, shop: Shop, person: Person) -> None:
    give(desk, person, RED)
    with pictures.only_one():
        assert tasks.make_pictures_small(shop) == 0
    assert tasks.make_pictures_small(shop) == 1


def test_a_file_is_exported_handed_over_and_forgotten(
    desk: Desk, shop: Shop, person: Person
) -> None:
    with desk.work() as work:
        double = a_citizen(work)
    give(desk, double, RED)
    with desk.work() as work:
        keep = identities.join(work, person.id, double.id)
        (told,) = privacy.export(work, keep)["picture_uploads"]
        assert told["state"] == "waiting"
    give(desk, person, BLUE)
    with desk.work() as work:
        another = a_citizen(work)
    give(desk, another, RED)
    with desk.work() as work:
        identities.join(work, person.id, another.id)
    assert count(desk, PictureUpload) == 1
    with desk.work() as work:
        privacy.erase(work, person.id)
    assert count(desk, PictureUpload) == 0
    assert tasks.make_pictures_small(shop) == 0


@pytest.mark.race
def test_a_new_file_and_the_end_of_an_old_one_do_not_wait_for_each_other(
    desk: Desk, person: Person
) -> None:
    give(desk, person, RED)
    with desk.work() as work:
        taken = avatar_uploads.take(work)
    assert taken is not None

    def finish() -> None:
        with desk.work() as work:
            avatar_uploads.finish(work, taken.ref, b"small")

    refused = meet(
        desk,
        hold=lambda work: privacy.hold(work, person.id),
        other=finish,
        go_on=lambda work: avatar_uploads.receive(work, person.id, BLUE),
    )
    assert refused == []
    assert (count(desk, Avatar), state(desk, person)) == (0, "waiting")
