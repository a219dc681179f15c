"""Who acts, and what he may do: the table of roles and the tree of scopes."""

from __future__ import annotations

import pytest

from server.base.access import REGION, ROLES, Citizen, Organizer, Permission, Role, Scope, System
from server.base.errors import NotAuthenticated
from server.base.uow import UnitOfWorkFactory

CITY = Scope(city="450100")
COUNTY = Scope(city="450100", county="450103")
SCHOOL = Scope(city="450100", county="450103", unit_id=7)
MUSEUM = Scope(unit_id=8)
OTHER_CITY = Scope(city="450200")


def subjects(role: Role, *verbs: str) -> set[str]:
    return {p.subject for p in ROLES[role] if p.value.partition(".")[2] in verbs}


def test_every_role_stands_in_the_table_and_every_power_belongs_to_some_role() -> None:
    assert set(ROLES) == set(Role)
    assert frozenset().union(*ROLES.values()) == set(Permission)
    assert all(Permission.CONSOLE_OPEN in powers for powers in ROLES.values())


@pytest.mark.parametrize("role", Role)
def test_no_role_writes_what_it_approves(role: Role) -> None:
    assert subjects(role, "write") & subjects(role, "approve", "seal") == set()


def test_an_auditor_changes_nothing() -> None:
    assert [p for p in ROLES[Role.AUDITOR] if p.changes_something] == []


def test_a_system_administrator_reads_neither_persons_nor_content() -> None:
    assert subjects(Role.SYSTEM_ADMIN, "read", "write") == {"unit", "organizer"}
    assert Permission.PERSON_READ not in ROLES[Role.SYSTEM_ADMIN]


def test_only_a_system_administrator_appoints_organizers() -> None:
    assert [r for r, p in ROLES.items() if Permission.ORGANIZER_WRITE in p] == [Role.SYSTEM_ADMIN]


def test_a_role_gives_an_organizer_its_powers() -> None:
    editor = Organizer(id=1, name="韦", role=Role.EDITOR, scope=CITY, place="南宁市")
    assert editor.has_permission(Permission.QUESTION_WRITE)
    assert not editor.has_permission(Permission.QUESTION_APPROVE)


@pytest.mark.parametrize(
    ("scope", "spelled", "above"),
    [
        (REGION, "region", ()),
        (CITY, "city:450100", ("region",)),
        (COUNTY, "county:450103", ("region", "city:450100")),
        (SCHOOL, "unit:7", ("region", "city:450100", "county:450103")),
        (MUSEUM, "unit:8", ("region",)),
    ],
)
def test_a_scope_is_spelled_as_boards_spell_it(
    scope: Scope, spelled: str, above: tuple[str, ...]
) -> None:
    assert (scope.spelled, scope.above) == (spelled, above)


def test_a_scope_covers_itself_and_what_lies_below_it() -> None:
    for upper, lower in [(REGION, CITY), (CITY, COUNTY), (COUNTY, SCHOOL), (REGION, MUSEUM)]:
        assert upper.covers_scope(upper)
        assert upper.covers_scope(lower)
        assert not lower.covers_scope(upper)
    assert not CITY.covers_scope(MUSEUM)
    assert not OTHER_CITY.covers_scope(COUNTY)


def test_limits_count_a_citizen_by_the_openid_and_else_by_the_row() -> None:
    assert Citizen(id=5, known_as="k").person == "k"
    assert Citizen(id=5).person == "citizen:5"


def test_only_a_citizen_is_the_caller_of_a_citizens_endpoint(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin(Citizen(id=5, known_as="k"), read_only=True) as uow:
        assert (uow.caller_id, uow.maybe_caller_id) == (5, 5)
        assert (uow.rate_limit_key(5), uow.rate_limit_key(6)) == ("k", "citizen:6")
    organizer = Organizer(id=5, name="韦", role=Role.EDITOR, scope=CITY, place="南宁市")
    for actor in (organizer, System(name="sweep"), None):
        with uow_factory.begin(actor, read_only=True) as uow:
            assert uow.maybe_caller_id is None
            assert uow.rate_limit_key(5) == "citizen:5"
            with pytest.raises(NotAuthenticated):
                _ = uow.caller_id
