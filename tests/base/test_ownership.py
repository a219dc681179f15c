"""Scopes in queries: what an organizer reads and writes, and the guard behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from server.accounts.models import Citizen
from server.base.access import REGION, Organizer, Role, Scope
from server.base.ownership import (
    Owned,
    ScopeMissing,
    guard_session,
    owned_by,
    owned_insert,
    people_of,
    scope_of,
    visible_to,
    writable_by,
)
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel.models import KeywordRule, Mode, RuleState, SceneCode
from server.quiz.models import Bank, Contest, Entry
from tests.kit.boards import a_contest, an_entry, people

CITY = Scope(city="450100")
COUNTY = Scope(city="450100", county="450103")
SCHOOL = Scope(city="450100", county="450103", unit_id=7)
OTHER_COUNTY = Scope(city="450100", county="450102")
OTHER_CITY = Scope(city="450200")
EVERYWHERE = (REGION, CITY, COUNTY, SCHOOL, OTHER_COUNTY, OTHER_CITY)


def organizer(scope: Scope) -> Organizer:
    return Organizer(id=1, name="韦", role=Role.EDITOR, scope=scope, place=scope.spelled)


def a_rule(scope: Scope, state: RuleState) -> KeywordRule:
    return KeywordRule(
        slug=f"{scope.spelled}-{state.value}", words=["x"], mode=Mode.EXACT, priority=1, text="x",
        state=state, **owned_by(scope),
    )  # fmt: skip


@pytest.fixture
def uow(uow_factory: UnitOfWorkFactory) -> Iterator[UnitOfWork]:
    """Two rules of every owner, one that is on and one that is off, and a bank of each."""
    with uow_factory.begin() as made:
        for scope in EVERYWHERE:
            made.session.add_all([a_rule(scope, state) for state in RuleState])
            made.session.add(Bank(slug=scope.spelled, revision="r", **owned_by(scope)))
        made.session.flush()
        yield made


def slugs(uow: UnitOfWork, statement: Any) -> set[str]:
    return set(uow.session.scalars(statement))


def both(*scopes: Scope) -> set[str]:
    return {f"{one.spelled}-{state.value}" for one in scopes for state in RuleState}


def on(*scopes: Scope) -> set[str]:
    return {f"{one.spelled}-on" for one in scopes}


@pytest.mark.parametrize(
    ("scope", "own", "published"),
    [
        (REGION, EVERYWHERE, ()),
        (CITY, (CITY, COUNTY, SCHOOL, OTHER_COUNTY), (REGION,)),
        (COUNTY, (COUNTY, SCHOOL), (REGION, CITY)),
        (SCHOOL, (SCHOOL,), (REGION, CITY, COUNTY)),
        (OTHER_CITY, (OTHER_CITY,), (REGION,)),
    ],
)
def test_downward_everything_is_read_and_upward_what_is_published(
    uow: UnitOfWork, scope: Scope, own: tuple[Scope, ...], published: tuple[Scope, ...]
) -> None:
    preflight = organizer(scope)
    seen = slugs(uow, visible_to(select(KeywordRule.slug), preflight, KeywordRule))
    assert seen == both(*own) | on(*published)
    mine = slugs(uow, writable_by(select(KeywordRule.slug), preflight, KeywordRule))
    assert mine == both(*own)
    # Every bank is published, because lower places deal from it.
    seen_banks = slugs(uow, visible_to(select(Bank.slug), preflight, Bank))
    assert seen_banks == {s.spelled for s in (*own, *published)}


def test_a_change_reaches_only_rows_of_the_own_scope(uow: UnitOfWork) -> None:
    preflight = organizer(COUNTY)
    changed = writable_by(update(KeywordRule).values(priority=9), preflight, KeywordRule)
    uow.session.execute(changed.execution_options(synchronize_session=False))
    nines = slugs(uow, select(KeywordRule.slug).where(KeywordRule.priority == 9))
    assert nines == both(COUNTY, SCHOOL)
    uow.session.execute(writable_by(delete(Bank), preflight, Bank))
    left = uow.session.scalar(select(func.count()).select_from(Bank))
    assert left == len(EVERYWHERE) - 2


@pytest.mark.parametrize("scope", EVERYWHERE)
def test_the_owner_columns_keep_the_whole_scope(uow: UnitOfWork, scope: Scope) -> None:
    row = uow.session.scalars(select(Bank).where(Bank.slug == scope.spelled)).one()
    assert scope_of(row) == scope


def test_of_a_contest_of_the_region_a_place_sees_its_own_people(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as made:
        contest = a_contest(made)
        one, two, three = people(made, 3)
        home = an_entry(made, contest, one, city="450100", county="450103")
        next_door = an_entry(made, contest, two, city="450100", county="450102")
        away = an_entry(made, contest, three, city="450200")
        seen = {
            scope.spelled: set(
                made.session.scalars(people_of(select(Entry.id), organizer(scope), Entry))
            )
            for scope in EVERYWHERE
        }
        (owner,) = made.session.scalars(select(Contest.owner))
    assert owner == "region"
    assert seen == {
        "region": {home, next_door, away},
        "city:450100": {home, next_door},
        "county:450103": {home},
        "unit:7": set(),
        "county:450102": {next_door},
        "city:450200": {away},
    }


UNSCOPED = [
    lambda: select(KeywordRule),
    lambda: select(KeywordRule.slug).limit(1),
    lambda: select(func.count()).select_from(KeywordRule),
    lambda: select(Entry.id).join(Contest, Contest.id == Entry.contest_id),
    lambda: select(Entry.id).where(Entry.contest_id.in_(select(Contest.id))),
    lambda: select(select(Bank.slug).subquery().c.slug),
    lambda: update(KeywordRule).values(priority=2),
    lambda: delete(SceneCode),
]


@pytest.mark.parametrize("statement", UNSCOPED)
def test_the_guard_refuses_a_statement_without_scope(uow: UnitOfWork, statement: Any) -> None:
    guard_session(uow.session, organizer(COUNTY))
    with pytest.raises(ScopeMissing, match="put the select through visible_to"):
        uow.session.execute(statement())


def test_the_guard_refuses_persons_without_scope(uow: UnitOfWork) -> None:
    asking = organizer(COUNTY)
    guard_session(uow.session, asking, {"entry", "citizen"})
    mine = people_of(select(Entry.id), asking, Entry)
    assert uow.session.scalars(mine).all() == []
    for statement in (select(Entry.id), select(Citizen.id), update(Entry).values(city=None)):
        with pytest.raises(ScopeMissing, match=r"(entry|citizen): put the select through"):
            uow.session.execute(statement)


def test_a_bulk_insert_passes_for_the_own_scope_alone(uow: UnitOfWork) -> None:
    asking = organizer(COUNTY)
    guard_session(uow.session, asking)
    rows = [{"slug": f"new-{at}", "revision": "r", **owned_by(SCHOOL)} for at in range(2)]
    uow.session.execute(owned_insert(insert(Bank), asking, SCHOOL), rows)
    with pytest.raises(ScopeMissing, match="city:450100 is only readable"):
        owned_insert(insert(Bank), asking, CITY)
    with pytest.raises(ScopeMissing):
        uow.session.execute(insert(Bank), rows)


def test_the_guard_refuses_a_row_that_is_fetched_by_its_key(uow: UnitOfWork) -> None:
    uow.session.expunge_all()
    guard_session(uow.session, organizer(COUNTY))
    with pytest.raises(ScopeMissing):
        uow.session.get(Bank, "region")


def test_the_guard_lets_scoped_statements_and_other_tables_pass(uow: UnitOfWork) -> None:
    preflight = organizer(COUNTY)
    guard_session(uow.session, preflight)
    assert slugs(uow, visible_to(select(Bank.slug), preflight, Bank))
    assert slugs(uow, select(Entry.id)) == set()


def test_the_guard_refuses_to_write_a_row_that_is_only_readable(uow: UnitOfWork) -> None:
    preflight = organizer(COUNTY)
    guard_session(uow.session, preflight)
    rules = uow.session.scalars(visible_to(select(KeywordRule), preflight, KeywordRule)).all()
    by_owner: dict[str, Owned] = {row.owner: row for row in rules}
    by_owner["county:450103"].priority = 3  # type: ignore[attr-defined]
    uow.session.flush()
    by_owner["region"].priority = 3  # type: ignore[attr-defined]
    with pytest.raises(ScopeMissing, match="a row of region is only readable"):
        uow.session.flush()
    uow.session.expire_all()


def test_the_guard_refuses_to_make_a_row_for_another_place(uow: UnitOfWork) -> None:
    guard_session(uow.session, organizer(COUNTY))
    uow.session.add(a_rule(Scope(city="450300"), RuleState.ON))
    with pytest.raises(ScopeMissing, match="city:450300"):
        uow.session.flush()
    uow.session.expunge_all()


def test_without_the_guard_a_forgotten_scope_reads_every_owner(uow: UnitOfWork) -> None:
    assert slugs(uow, select(Bank.slug)) == {scope.spelled for scope in EVERYWHERE}
