"""Log-ins of one person at the same moment, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from server.accounts import identities, privacy, service
from server.accounts.models import App, Citizen, Identity, SessionToken
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWorkFactory
from tests.kit.accounts import a_citizen, known_as

THREADS = 50


def all_at_once(steps: list[Callable[[], object]]) -> list[object]:
    begin = threading.Barrier(len(steps))

    def run(step: Callable[[], object]) -> object:
        begin.wait()
        return step()

    with ThreadPoolExecutor(len(steps)) as pool:
        return [done.result() for done in [pool.submit(run, step) for step in steps]]


def living(uow_factory: UnitOfWorkFactory) -> list[int]:
    with uow_factory.begin(read_only=True) as uow:
        return list(
            uow.session.scalars(
                select(Citizen.id).where(Citizen.merged_into.is_(None), Citizen.erased_at.is_(None))
            )
        )


@pytest.mark.race
def test_fifty_log_ins_of_a_new_openid_make_one_citizen(uow_factory: UnitOfWorkFactory) -> None:
    def log_in() -> tuple[int, bool]:
        with uow_factory.begin() as uow:
            signed = service.sign_in(uow, known_as("openid-new", "union-new"))
        return signed.citizen_id, signed.is_new

    answers = all_at_once([log_in] * THREADS)

    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(Citizen)) == 1
        assert uow.session.scalar(select(func.count()).select_from(Identity)) == 1
        assert uow.session.scalar(select(func.count()).select_from(SessionToken)) == THREADS
    assert len({number for number, _ in answers}) == 1  # type: ignore[misc]
    assert sum(is_new for _, is_new in answers) == 1  # type: ignore[misc]


@pytest.mark.race
def test_the_race_is_seen_when_the_guard_is_off(uow_factory: UnitOfWorkFactory) -> None:
    looked = threading.Barrier(THREADS)

    def look_then_insert() -> None:
        with uow_factory.begin(read_only=True) as uow:
            owner = identities.owner_of(uow, App.MINI_PROGRAM, "openid-new")
        looked.wait()
        if owner is not None:
            return
        with uow_factory.begin() as uow:
            person = Citizen(ref=uow.new_ref("cit"), created_at=uow.now)
            uow.session.add(person)
            uow.session.flush()
            uow.session.execute(
                insert_for(uow.session, Identity)
                .values(
                    app=App.MINI_PROGRAM,
                    openid="openid-new",
                    citizen_id=person.id,
                    made_at=uow.now,
                )
                .on_conflict_do_nothing()
            )

    all_at_once([look_then_insert] * THREADS)
    assert len(living(uow_factory)) == THREADS


@pytest.mark.race
def test_both_apps_telling_of_one_unionid_at_once_make_one_citizen(
    uow_factory: UnitOfWorkFactory,
) -> None:
    def log_in() -> None:
        with uow_factory.begin() as uow:
            service.sign_in(uow, known_as("openid-mp", "union-a"))

    def follow() -> None:
        with uow_factory.begin() as uow:
            service.learn_unionid(uow, "official_account", "openid-oa", "union-a")

    def follow_unknown() -> None:
        with uow_factory.begin() as uow:
            service.citizen_of_openid(uow, "official_account", "openid-oa", create=True)

    # Nobody is refused: no two of them wait for each other.
    all_at_once([log_in, follow, follow_unknown] * 12)
    [left] = living(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        owners = uow.session.execute(select(Identity.app, Identity.citizen_id)).all()
    assert sorted(owners) == [(App.MINI_PROGRAM, left), (App.OFFICIAL_ACCOUNT, left)]


@pytest.mark.race
def test_two_known_citizens_are_joined_once(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, openid="openid-mp")
        a_citizen(uow, app="official_account", openid="openid-oa")

    def learn(app: service.AppName, openid: str) -> Callable[[], object]:
        def step() -> None:
            with uow_factory.begin() as uow:
                service.learn_unionid(uow, app, openid, "union-a")

        return step

    all_at_once([learn("mini_program", "openid-mp"), learn("official_account", "openid-oa")] * 10)
    assert living(uow_factory) == [person.id]


@pytest.mark.race
def test_a_log_in_during_an_erasure_never_revives_the_citizen(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow, openid="openid-mp", unionid="union-a")

    def log_in() -> str:
        with uow_factory.begin() as uow:
            return service.sign_in(uow, known_as("openid-mp", "union-a")).token

    def erase() -> str:
        with uow_factory.begin() as uow:
            privacy.erase_citizen(uow, person.id)
        return ""

    tokens = all_at_once([*[log_in] * 10, erase, *[log_in] * 10])
    with uow_factory.begin(read_only=True) as uow:
        actors = [service.resolve_token(uow, str(token)) for token in tokens if token]
        assert person.id not in {actor.id for actor in actors if actor is not None}
        owners = set(uow.session.scalars(select(SessionToken.citizen_id)))
    assert owners <= set(living(uow_factory))
