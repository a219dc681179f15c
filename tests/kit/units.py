"""Units for tests."""

from __future__ import annotations

import itertools
from typing import Any

from server.base.uow import UnitOfWork
from server.units import service
from server.units.service import Level, UnitRow, UnitView

_count = itertools.count(1)


def a_unit(uow: UnitOfWork, **facts: Any) -> UnitView:
    """A unit in Nanning, unless the test says otherwise."""
    number = next(_count)
    row: dict[str, Any] = {
        "ref": f"unit-{number}",
        "name": f"第{number}中学",
        "kind": "学校",
        "level": Level.CITY,
        "city": "450100",
    }
    made = UnitRow(**{**row, **facts})
    ids = service.load_units(uow, [made]).ids
    found = service.unit_by_id(uow, ids[made.ref])
    assert found is not None
    return found
