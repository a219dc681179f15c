"""How the matrix of roles and places asks the pages of the dashboard."""

from __future__ import annotations

from server.base.access import Scope
from server.base.uow import UnitOfWork
from server.units.models import Unit
from server.units.service import Level
from tests.kit.console_matrix import Probe, list_probes


def a_place(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    if owner.unit_id is not None and uow.session.get(Unit, owner.unit_id) is None:
        uow.session.add(
            Unit(
                id=owner.unit_id, ref=f"unit-{owner.unit_id}", name="南宁市第一中学", kind="学校",
                level=Level.COUNTY, city=owner.city, county=owner.county, assumed=False,
            )
        )  # fmt: skip
    return {"place": owner.spelled}


FIGURE_PROBES = {
    "GET /figures": Probe(),
    "GET /figures/<place>": Probe(make=a_place),
    "GET /figures/<place>/export": Probe(make=a_place),
    "POST /figures/<place>/export": Probe(
        make=a_place, form={"table": "trend", "file_format": "csv"}, saves=True
    ),
    "GET /participants": Probe(),
    "GET /participations": Probe(),
    **list_probes("/participants", reason="核对"),
    **list_probes("/participations", reason="核对"),
}
