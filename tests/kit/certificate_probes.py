"""Certificates of every owner for the console's tests."""

from __future__ import annotations

from server.base.access import Scope
from server.base.uow import UnitOfWork
from tests.kit.accounts import a_citizen
from tests.kit.certificates import a_certificate
from tests.kit.console_matrix import Probe, list_probes


def make_certificate(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A certificate for something of an owner."""
    return {"serial": a_certificate(uow, a_citizen(uow).id, owner).serial}


CERTIFICATE_PROBES = {
    "GET /certificates": Probe(make=make_certificate, shows="serial"),
    **list_probes("/certificates", reason="核对"),
    "GET /certificates/<serial>": Probe(make=make_certificate),
    "POST /certificates/<serial>": Probe(make=make_certificate, form={"reason": "姓名写错"}),
}
