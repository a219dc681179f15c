"""Units in the database: loaded once, listed by place and name, looked up by id."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from server.base.access import REGION, Scope
from server.base.errors import Invalid
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.units import service
from server.units.service import Level, UnitRow
from tests.kit.clock import FakeClock
from tests.kit.units import a_unit


def listed(uow: UnitOfWork, **asked: Any) -> list[str]:
    wanted = {"region": None, "q": None, "limit": 100, "after": None, **asked}
    units, _ = service.list_units(uow, **wanted)
    return [unit.ref for unit in units]


def a_school(**facts: Any) -> UnitRow:
    return UnitRow(**{"ref": "s", "name": "一中", "kind": "学校", "level": Level.CITY, **facts})


def test_loading_the_same_units_twice_changes_nothing(uow_factory: UnitOfWorkFactory) -> None:
    rows = [a_school(ref="a", city="450100"), a_school(ref="b", city="450200")]
    with uow_factory.begin() as uow:
        first = service.load_units(uow, rows)
    with uow_factory.begin() as uow:
        again = service.load_units(uow, rows)
    assert (first.created, first.changed) == (2, 0)
    assert (again.created, again.changed) == (0, 0)
    assert again.ids == first.ids


def test_a_changed_unit_follows_its_file_and_keeps_its_id(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        before = service.load_units(uow, [a_school(name="旧名"), a_school(ref="noise")])
        after = service.load_units(uow, [a_school(name="新名")])
        found = service.unit_by_ref(uow, "s")
    assert after.changed == 1
    assert found is not None
    assert (found.id, found.name) == (before.ids["s"], "新名")


def test_a_unit_in_an_unknown_place_or_named_twice_is_refused(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        with pytest.raises(Invalid):
            service.load_units(uow, [a_school(city="440100")])
        with pytest.raises(Invalid):
            service.load_units(uow, [a_school(), a_school()])
        assert listed(uow) == []


def test_every_city_has_an_association_whose_name_is_marked_as_assumed(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        service.load_city_associations(uow)
        again = service.load_city_associations(uow)
        units, _ = service.list_units(uow, region="450000", q=None, limit=100, after=None)
    assert (again.created, again.changed) == (0, 0)
    assert len({unit.city for unit in units}) == len(units) == 14
    assert {"南宁市科学技术协会", "崇左市科学技术协会"} <= {unit.name for unit in units}
    assert all(unit.assumed for unit in units)


def test_units_are_found_by_region_city_and_county(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        a_unit(uow, ref="nation", level=Level.NATIONAL, city=None)
        a_unit(uow, ref="region", level=Level.REGION, city=None)
        a_unit(uow, ref="nanning", city="450100")
        a_unit(uow, ref="qingxiu", city="450100", county="450103")
        a_unit(uow, ref="liuzhou", city="450200")
        assert listed(uow) == ["nation", "region", "nanning", "qingxiu", "liuzhou"]
        assert listed(uow, region="450000") == ["region", "nanning", "qingxiu", "liuzhou"]
        assert listed(uow, region="450100") == ["nanning", "qingxiu"]
        assert listed(uow, region="450103") == ["qingxiu"]


def test_a_county_is_found_by_its_old_code_and_by_its_new_one(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        a_unit(uow, ref="hengzhou", city="450100", county="450127")
        assert listed(uow, region="450127") == listed(uow, region="450181") == ["hengzhou"]


def test_a_part_of_the_name_finds_units_and_signs_of_a_pattern_mean_themselves(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        a_unit(uow, ref="museum", name="广西科技馆", full_name="广西壮族自治区科学技术馆")
        a_unit(uow, ref="odd", name=r"100%_\学校")
        a_unit(uow, ref="plain", name="普通学校")
        assert listed(uow, q="科技馆") == ["museum"]
        assert listed(uow, q=" 壮族 ") == ["museum"]
        assert listed(uow, q="%") == listed(uow, q="_") == listed(uow, q="\\") == ["odd"]
        assert listed(uow, q="  ") == ["museum", "odd", "plain"]


def test_a_page_ends_with_a_cursor_until_nothing_is_left(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        wanted = [a_unit(uow).ref for _ in range(5)]
        seen: list[str] = []
        after = None
        while True:
            units, after = service.list_units(uow, region=None, q=None, limit=2, after=after)
            seen += [unit.ref for unit in units]
            if after is None:
                break
    assert seen == wanted


@pytest.mark.parametrize(
    "asked", [{"region": "110000"}, {"region": ""}, {"q": "a\0b"}, {"after": "nonsense"},
              {"after": "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDBd"}, {"after": "Wy0xXQ"}],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(
    uow_factory: UnitOfWorkFactory, asked: dict[str, str]
) -> None:
    with uow_factory.begin(read_only=True) as uow, pytest.raises(Invalid):
        listed(uow, **asked)


def test_a_unit_can_be_chosen_only_while_it_exists(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    days = {"valid_from": date(2026, 5, 2), "valid_to": date(2026, 5, 3)}
    chosen = []
    with uow_factory.begin() as uow:
        unit = a_unit(uow, ref="short", **days)
    # A Beijing day begins at 16:00 UTC of the day before.
    for at in (
        datetime(2026, 5, 1, 15, 59, tzinfo=UTC),
        datetime(2026, 5, 1, 16, 0, tzinfo=UTC),
        datetime(2026, 5, 3, 15, 59, tzinfo=UTC),
        datetime(2026, 5, 3, 16, 0, tzinfo=UTC),
    ):
        clock.set(at)
        with uow_factory.begin(read_only=True) as uow:
            chosen.append((service.unit_by_ref(uow, "short") is not None, len(listed(uow))))
            assert service.unit_by_id(uow, unit.id) == unit
    assert chosen == [(False, 0), (True, 1), (True, 1), (False, 0)]


def test_units_are_looked_up_by_id_in_one_question(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        one, other, _noise = a_unit(uow), a_unit(uow), a_unit(uow)
        assert service.units_by_id(uow, [one.id, other.id, 10**9]) == {
            one.id: one,
            other.id: other,
        }
        assert service.units_by_id(uow, []) == {}
        assert service.unit_by_ref(uow, "nobody") is None
        assert service.unit_by_ref(uow, "nul\0") is None


def test_a_scope_gets_the_codes_above_it_and_the_name_of_its_place(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        school = a_unit(uow, name="一中", county="450103")
        found = {
            spelled: service.resolve_scope(uow, spelled)
            for spelled in ("region", "city:450100", "county:450103", f"unit:{school.id}")
        }
    assert found == {
        "region": (REGION, "广西壮族自治区"),
        "city:450100": (Scope(city="450100"), "南宁市"),
        "county:450103": (Scope(city="450100", county="450103"), "南宁市青秀区"),
        f"unit:{school.id}": (Scope(city="450100", county="450103", unit_id=school.id), "一中"),
    }
    assert all(scope.spelled == spelled for spelled, (scope, _) in found.items())


@pytest.mark.parametrize(
    "spelled",
    [
        "",
        "city:",
        "city:110000",
        "city:450103",
        "county:450100",
        "unit:x",
        "unit:999",
        "unit:\u0661",
    ],
)
def test_a_scope_that_is_no_place_of_the_campaign_is_refused(
    uow_factory: UnitOfWorkFactory, spelled: str
) -> None:
    with uow_factory.begin(read_only=True) as uow, pytest.raises(Invalid):
        service.resolve_scope(uow, spelled)


def test_an_owner_keeps_its_name_after_its_end_and_an_unknown_one_has_none(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        ids = service.load_units(uow, [a_school(name="老学校", valid_to=date(2020, 1, 1))]).ids
        gone = f"unit:{ids['s']}"
        with pytest.raises(Invalid):
            service.resolve_scope(uow, "unit:999999")
        names = [service.name_owner(uow, one) for one in (gone, "unit:999999", "city:450100")]
    assert names == ["老学校", "", "南宁市"]
