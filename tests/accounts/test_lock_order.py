"""Locks are taken in one order, the citizen first, so that PostgreSQL never has to end anybody."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from server.accounts import avatars, identities, privacy, profile
from server.accounts.models import App, Avatar, AvatarState, Citizen, MediaVerdict, NicknameState
from server.base.outbox import end_overdue
from server.base.outbox_rows import queued_values
from server.base.sql.locks import lock_name
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.accounts import Person, a_citizen
from tests.kit.locks import meet


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow)


@pytest.fixture
def judged(uow_factory: UnitOfWorkFactory, person: Person) -> int:
    """The number of a picture whose verdict has come."""
    with uow_factory.begin() as uow:
        avatars.keep_picture(uow, person.id, b"first")
        avatar = uow.session.scalars(select(Avatar)).one()
        avatar.state, avatar.trace_id = AvatarState.ASKED, "trace-1"
        uow.session.add(MediaVerdict(trace_id="trace-1", verdict="pass", at=uow.now))
        return avatar.id


def settle(uow_factory: UnitOfWorkFactory, avatar_id: int) -> None:
    with uow_factory.begin() as uow:
        avatars.settle_verdict(uow, avatar_id)


@pytest.mark.race
def test_a_new_picture_and_the_verdict_on_the_old_one_do_not_wait_for_each_other(
    uow_factory: UnitOfWorkFactory, person: Person, judged: int
) -> None:
    refused = meet(
        uow_factory,
        hold=lambda uow: privacy.lock_citizen(uow, person.id),
        other=lambda: settle(uow_factory, judged),
        go_on=lambda uow: avatars.keep_picture(uow, person.id, b"second"),
    )
    assert refused == []
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(Avatar.picture)).all() == [b"second"]
        assert uow.session.get_one(Citizen, person.id).avatar_url is None


@pytest.mark.race
def test_the_deadlock_is_seen_when_the_picture_is_locked_first(
    uow_factory: UnitOfWorkFactory, person: Person, judged: int, database_kind: str
) -> None:
    def settle_the_other_way_round() -> None:
        with uow_factory.begin() as uow:
            uow.session.execute(select(Avatar.id).where(Avatar.id == judged).with_for_update())
            uow.session.execute(
                update(Citizen).where(Citizen.id == person.id).values(avatar_url="/x")
            )

    refused = meet(
        uow_factory,
        hold=lambda uow: privacy.lock_citizen(uow, person.id),
        other=settle_the_other_way_round,
        go_on=lambda uow: avatars.keep_picture(uow, person.id, b"second"),
    )
    assert refused == ([] if database_kind == "sqlite" else ["database_away"])


@pytest.mark.race
def test_a_verdict_that_waited_for_an_erasure_finds_nothing(
    uow_factory: UnitOfWorkFactory, person: Person, judged: int
) -> None:
    refused = meet(
        uow_factory,
        hold=lambda uow: privacy.lock_citizen(uow, person.id),
        other=lambda: settle(uow_factory, judged),
        go_on=lambda uow: privacy.erase_citizen(uow, person.id),
    )
    assert refused == []
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(Avatar.id)).all() == []
        assert uow.session.get_one(Citizen, person.id).avatar_url is None


def late_names(uow: UnitOfWork, *people: Person) -> None:
    for person in people:
        uow.session.execute(
            update(Citizen)
            .where(Citizen.id == person.id)
            .values(
                nickname_state=NicknameState.CHECKING,
                pending_nickname="x",
                **queued_values(uow.now - profile.JUDGED_WITHIN),
            )
        )


@pytest.mark.race
def test_letting_go_of_names_waits_for_nobody(
    uow_factory: UnitOfWorkFactory, database_kind: str
) -> None:
    with uow_factory.begin() as uow:
        one, two = a_citizen(uow), a_citizen(uow)
        late_names(uow, one, two)

    def give_up() -> None:
        end_overdue(uow_factory, profile.QUEUE)

    refused = meet(
        uow_factory,
        hold=lambda uow: privacy.lock_citizen(uow, two.id),
        other=give_up,
        go_on=lambda uow: privacy.lock_citizen(uow, one.id),
    )
    assert refused == []
    with uow_factory.begin(read_only=True) as uow:
        asked = select(Citizen.id).where(Citizen.nickname_state == NicknameState.CHECKING)
        left = uow.session.scalars(asked).all()
    assert left == ([] if database_kind == "sqlite" else [two.id])


@pytest.mark.race
def test_letting_go_of_pictures_waits_for_nobody(
    uow_factory: UnitOfWorkFactory, person: Person, database_kind: str
) -> None:
    with uow_factory.begin() as uow:
        avatars.keep_picture(uow, person.id, b"first")
        uow.session.execute(update(Avatar).values(outbox_since=uow.now - avatars.ASKED_WITHIN))

    def give_up() -> None:
        end_overdue(uow_factory, avatars.QUEUE)

    refused = meet(
        uow_factory,
        hold=lambda uow: uow.session.execute(select(Avatar.id).with_for_update()),
        other=give_up,
        go_on=lambda uow: None,
    )
    assert refused == []
    with uow_factory.begin(read_only=True) as uow:
        state = uow.session.scalars(select(Avatar.state)).one()
    unjudged = AvatarState.UNCHECKED if database_kind == "sqlite" else AvatarState.WAITING
    assert state is unjudged


@pytest.mark.race
@pytest.mark.parametrize("in_order", [True, False], ids=["the unionid first", "the guard off"])
def test_two_who_learn_of_one_unionid_do_not_wait_for_each_other(
    uow_factory: UnitOfWorkFactory, database_kind: str, in_order: bool
) -> None:
    """Two follow events of one openid, and a log-in under the same unionid in between."""

    def first_half(uow: UnitOfWork) -> None:
        if in_order:
            lock_name(uow, "unionid", "union-a")
        made = identities._first_seen(uow, App.OFFICIAL_ACCOUNT, "openid-oa", "union-a")
        assert made is not None
        numbers.append(made.citizen_id)
        if database_kind == "postgres":
            # Its own log-in would wait for the name too; what it leaves is all that matters here.
            with uow_factory.begin() as other:
                other.session.add(
                    Citizen(ref=other.new_ref("cit"), unionid="union-a", created_at=other.now)
                )

    def twin() -> None:
        with uow_factory.begin() as uow:
            identities.settle_identity(uow, App.OFFICIAL_ACCOUNT, "openid-oa", "union-a")

    def twin_out_of_order() -> None:
        with uow_factory.begin() as uow:
            identities._first_seen(uow, App.OFFICIAL_ACCOUNT, "openid-oa", "union-a")

    numbers: list[int] = []
    refused = meet(
        uow_factory,
        hold=first_half,
        other=twin if in_order else twin_out_of_order,
        go_on=lambda uow: identities._tie_unionid(uow, numbers[0], "union-a"),
    )
    seen = ["database_away"] if database_kind == "postgres" and not in_order else []
    assert refused == seen
