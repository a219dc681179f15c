"""Locks are taken in one order, the citizen first, so that PostgreSQL never has to end anybody."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from server.accounts import avatars, identities, privacy, profile
from server.accounts.models import App, Avatar, AvatarState, Citizen, MediaVerdict, NicknameState
from server.base.locks import lock_name
from server.base.work import Desk, Work
from tests.kit.accounts import Person, a_citizen
from tests.kit.locks import meet


@pytest.fixture
def person(desk: Desk) -> Person:
    with desk.work() as work:
        return a_citizen(work)


@pytest.fixture
def judged(desk: Desk, person: Person) -> int:
    """The number of a picture whose verdict has come."""
    with desk.work() as work:
        avatars.keep(work, person.id, b"first")
        avatar = work.session.scalars(select(Avatar)).one()
        avatar.state, avatar.trace_id = AvatarState.ASKED, "trace-1"
        work.session.add(MediaVerdict(trace_id="trace-1", verdict="pass", at=work.now))
        return avatar.id


def settle(desk: Desk, avatar_id: int) -> None:
    with desk.work() as work:
        avatars.settle(work, avatar_id)


@pytest.mark.race
def test_a_new_picture_and_the_verdict_on_the_old_one_do_not_wait_for_each_other(
    desk: Desk, person: Person, judged: int
) -> None:
    refused = meet(
        desk,
        hold=lambda work: privacy.hold(work, person.id),
        other=lambda: settle(desk, judged),
        go_on=lambda work: avatars.keep(work, person.id, b"second"),
    )
    assert refused == []
    with desk.work(read_only=True) as work:
        assert work.session.scalars(select(Avatar.picture)).all() == [b"second"]
        assert work.session.get_one(Citizen, person.id).avatar_url is None


@pytest.mark.race
def test_the_deadlock_is_seen_when_the_picture_is_locked_first(
    desk: Desk, person: Person, judged: int, database_kind: str
) -> None:
    def settle_the_other_way_round() -> None:
        with desk.work() as work:
            work.session.execute(select(Avatar.id).where(Avatar.id == judged).with_for_update())
            work.session.execute(
                update(Citizen).where(Citizen.id == person.id).values(avatar_url="/x")
            )

    refused = meet(
        desk,
        hold=lambda work: privacy.hold(work, person.id),
        other=settle_the_other_way_round,
        go_on=lambda work: avatars.keep(work, person.id, b"second"),
    )
    assert refused == ([] if database_kind == "sqlite" else ["database_away"])


@pytest.mark.race
def test_a_verdict_that_waited_for_an_erasure_finds_nothing(
    desk: Desk, person: Person, judged: int
) -> None:
    refused = meet(
        desk,
        hold=lambda work: privacy.hold(work, person.id),
        other=lambda: settle(desk, judged),
        go_on=lambda work: privacy.erase(work, person.id),
    )
    assert refused == []
    with desk.work(read_only=True) as work:
        assert work.session.scalars(select(Avatar.id)).all() == []
        assert work.session.get_one(Citizen, person.id).avatar_url is None


def late_names(work: Work, *people: Person) -> None:
    for person in people:
        work.session.execute(
            update(Citizen)
            .where(Citizen.id == person.id)
            .values(
                nickname_state=NicknameState.CHECKING,
                pending_nickname="x",
                pending_since=work.now - profile.JUDGED_WITHIN,
            )
        )


@pytest.mark.race
def test_letting_go_of_names_waits_for_nobody(desk: Desk, database_kind: str) -> None:
    with desk.work() as work:
        one, two = a_citizen(work), a_citizen(work)
        late_names(work, one, two)

    def give_up() -> None:
        with desk.work() as work:
            profile.give_up_waiting(work)

    refused = meet(
        desk,
        hold=lambda work: privacy.hold(work, two.id),
        other=give_up,
        go_on=lambda work: privacy.hold(work, one.id),
    )
    assert refused == []
    with desk.work(read_only=True) as work:
        asked = select(Citizen.id).where(Citizen.nickname_state == NicknameState.CHECKING)
        left = work.session.scalars(asked).all()
    assert left == ([] if database_kind == "sqlite" else [two.id])


@pytest.mark.race
def test_letting_go_of_pictures_waits_for_nobody(
    desk: Desk, person: Person, database_kind: str
) -> None:
    with desk.work() as work:
        avatars.keep(work, person.id, b"first")
        work.session.execute(update(Avatar).values(made_at=work.now - avatars.ASKED_WITHIN))

    def give_up() -> None:
        with desk.work() as work:
            avatars.give_up(work)

    refused = meet(
        desk,
        hold=lambda work: work.session.execute(select(Avatar.id).with_for_update()),
        other=give_up,
        go_on=lambda work: None,
    )
    assert refused == []
    with desk.work(read_only=True) as work:
        state = work.session.scalars(select(Avatar.state)).one()
    unjudged = AvatarState.UNCHECKED if database_kind == "sqlite" else AvatarState.WAITING
    assert state is unjudged


@pytest.mark.race
@pytest.mark.parametrize("in_order", [True, False], ids=["the unionid first", "the guard off"])
def test_two_who_learn_of_one_unionid_do_not_wait_for_each_other(
    desk: Desk, database_kind: str, in_order: bool
) -> None:
    """Two follow events of one openid, and a log-in under the same unionid in between."""

    def first_half(work: Work) -> None:
        if in_order:
            lock_name(work, "unionid", "union-a")
        made = identities._first_seen(work, App.OFFICIAL_ACCOUNT, "openid-oa", "union-a")
        assert made is not None
        numbers.append(made.citizen_id)
        if database_kind == "postgres":
            # Its own log-in would wait for the name too; what it leaves is all that matters here.
            with desk.work() as other:
                other.session.add(
                    Citizen(ref=other.new_ref("cit"), unionid="union-a", created_at=other.now)
                )

    def twin() -> None:
        with desk.work() as work:
            identities.settle(work, App.OFFICIAL_ACCOUNT, "openid-oa", "union-a")

    def twin_out_of_order() -> None:
        with desk.work() as work:
            identities._first_seen(work, App.OFFICIAL_ACCOUNT, "openid-oa", "union-a")

    numbers: list[int] = []
    refused = meet(
        desk,
        hold=first_half,
        other=twin if in_order else twin_out_of_order,
        go_on=lambda work: identities._tie(work, numbers[0], "union-a"),
    )
    seen = ["database_away"] if database_kind == "postgres" and not in_order else []
    assert refused == seen
