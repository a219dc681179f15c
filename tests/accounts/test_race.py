"""Log-ins of one person at the same moment, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from server.accounts import identities, privacy, service
from server.accounts.models import App, Citizen, Identity, SessionToken
from server.base.tables import insert_for
from server.base.work import Desk
from tests.kit.accounts import a_citizen, known_as

THREADS = 50


def all_at_once(steps: list[Callable[[], object]]) -> list[object]:
    begin = threading.Barrier(len(steps))

    def run(step: Callable[[], object]) -> object:
        begin.wait()
        return step()

    with ThreadPoolExecutor(len(steps)) as pool:
        return [done.result() for done in [pool.submit(run, step) for step in steps]]


def living(desk: Desk) -> list[int]:
    with desk.work(read_only=True) as work:
        return list(
            work.session.scalars(
                select(Citizen.id).where(Citizen.merged_into.is_(None), Citizen.erased_at.is_(None))
            )
        )


@pytest.mark.race
def test_fifty_log_ins_of_a_new_openid_make_one_citizen(desk: Desk) -> None:
    def log_in() -> tuple[int, bool]:
        with desk.work() as work:
            signed = service.sign_in(work, known_as("openid-new", "union-new"))
        return signed.citizen_id, signed.is_new

    answers = all_at_once([log_in] * THREADS)

    with desk.work(read_only=True) as work:
        assert work.session.scalar(select(func.count()).select_from(Citizen)) == 1
        assert work.session.scalar(select(func.count()).select_from(Identity)) == 1
        assert work.session.scalar(select(func.count()).select_from(SessionToken)) == THREADS
    assert len({number for number, _ in answers}) == 1  # type: ignore[misc]
    assert sum(is_new for _, is_new in answers) == 1  # type: ignore[misc]


@pytest.mark.race
def test_the_race_is_seen_when_the_guard_is_off(desk: Desk) -> None:
    looked = threading.Barrier(THREADS)

    def look_then_insert() -> None:
        with desk.work(read_only=True) as work:
            owner = identities.owner_of(work, App.MINI_PROGRAM, "openid-new")
        looked.wait()
        if owner is not None:
            return
        with desk.work() as work:
            person = Citizen(ref=work.new_ref("cit"), created_at=work.now)
            work.session.add(person)
            work.session.flush()
            work.session.execute(
                insert_for(work.session, Identity)
                .values(
                    app=App.MINI_PROGRAM,
                    openid="openid-new",
                    citizen_id=person.id,
                    made_at=work.now,
                )
                .on_conflict_do_nothing()
            )

    all_at_once([look_then_insert] * THREADS)
    assert len(living(desk)) == THREADS


@pytest.mark.race
def test_both_apps_telling_of_one_unionid_at_once_make_one_citizen(desk: Desk) -> None:
    def log_in() -> None:
        with desk.work() as work:
            service.sign_in(work, known_as("openid-mp", "union-a"))

    def follow() -> None:
        with desk.work() as work:
            service.learn_unionid(work, "official_account", "openid-oa", "union-a")

    def follow_unknown() -> None:
        with desk.work() as work:
            service.citizen_of_openid(work, "official_account", "openid-oa", create=True)

    # Nobody is refused: no two of them wait for each other.
    all_at_once([log_in, follow, follow_unknown] * 12)
    [left] = living(desk)
    with desk.work(read_only=True) as work:
        owners = work.session.execute(select(Identity.app, Identity.citizen_id)).all()
    assert sorted(owners) == [(App.MINI_PROGRAM, left), (App.OFFICIAL_ACCOUNT, left)]


@pytest.mark.race
def test_two_known_citizens_are_joined_once(desk: Desk) -> None:
    with desk.work() as work:
        person = a_citizen(work, openid="openid-mp")
        a_citizen(work, app="official_account", openid="openid-oa")

    def learn(app: service.AppName, openid: str) -> Callable[[], object]:
        def step() -> None:
            with desk.work() as work:
                service.learn_unionid(work, app, openid, "union-a")

        return step

    all_at_once([learn("mini_program", "openid-mp"), learn("official_account", "openid-oa")] * 10)
    assert living(desk) == [person.id]


@pytest.mark.race
def test_a_log_in_during_an_erasure_never_revives_the_citizen(desk: Desk) -> None:
    with desk.work() as work:
        person = a_citizen(work, openid="openid-mp", unionid="union-a")

    def log_in() -> str:
        with desk.work() as work:
            return service.sign_in(work, known_as("openid-mp", "union-a")).token

    def erase() -> str:
        with desk.work() as work:
            privacy.erase(work, person.id)
        return ""

    tokens = all_at_once([*[log_in] * 10, erase, *[log_in] * 10])
    with desk.work(read_only=True) as work:
        actors = [service.resolve(work, str(token)) for token in tokens if token]
        assert person.id not in {actor.id for actor in actors if actor is not None}
        owners = set(work.session.scalars(select(SessionToken.citizen_id)))
    assert owners <= set(living(desk))
