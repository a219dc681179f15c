"""Entrances of activities of every owner for the console's tests, and the forms about them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from server.base.access import Scope
from server.base.ownership import owned_by
from server.base.signing import token_hash
from server.base.uow import UnitOfWork
from server.checkin import service
from server.checkin.kinds import AdmissionWay
from server.checkin.models import Admission, HallTally, ScannerGrant
from server.signups.models import SignUp
from tests.kit.activities import Lecture
from tests.kit.checkin import EDITOR, open_lecture
from tests.kit.console_matrix import Probe, list_probes
from tests.kit.signup_probes import seat_guest


def open_hall(uow: UnitOfWork, owner: Scope, **columns: Any) -> Lecture:
    """An activity of an owner that admits people."""
    given: dict[str, Any] = {"seats": 50, **owned_by(owner), **columns}
    return open_lecture(uow, **given)


def admit_row(uow: UnitOfWork, row: SignUp, **columns: Any) -> Admission:
    """The admission of a sign-up, counted."""
    hall = uow.session.get(HallTally, row.activity_id)
    if hall is None:
        hall = HallTally(activity_id=row.activity_id, admitted=0, inside=0, walk_ins=0)
        uow.session.add(hall)
        uow.session.flush()
    values: dict[str, Any] = {
        "signup_id": row.id, "activity_id": row.activity_id, "people": row.party_size,
        "holds": True, "way": AdmissionWay.SCAN, "gate": "东门", "first_in_at": uow.now,
        "device_at": uow.now, "inside_since": uow.now, "stayed_seconds": 0, **columns,
    }  # fmt: skip
    kept = Admission(**values)
    uow.session.add(kept)
    if kept.holds:
        hall.admitted += kept.people
        hall.inside += kept.people if kept.inside_since else 0
        hall.walk_ins += kept.people if kept.way is AdmissionWay.WALK_IN else 0
    uow.session.flush()
    return kept


def make_hall(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """An activity that admits people."""
    return {"ref": open_hall(uow, owner).ref}


def make_party(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """Somebody with a seat who has not come."""
    return {"ref": seat_guest(uow, open_hall(uow, owner)).ref}


def make_admitted(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """Somebody in the hall."""
    ref = seat_guest(uow, open_hall(uow, owner)).ref
    service.admit_by_hand(uow, EDITOR, ref, "手机没电")
    return {"ref": ref}


def make_grant(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A grant that nobody has redeemed."""
    ref = uow.new_ref("grt")
    uow.session.add(
        ScannerGrant(
            ref=ref, activity_id=open_hall(uow, owner).id, code_hash=token_hash(ref),
            gate="东门", made_at=uow.now, expires_at=uow.now + timedelta(hours=3),
        )
    )  # fmt: skip
    uow.session.flush()
    return {"ref": ref}


_REASON = {"reason": "点错了人"}
CHECKIN_PROBES = {
    "GET /activities/<ref>/checkin": Probe(make=make_hall),
    "GET /attendances": Probe(make=make_party, shows="ref"),
    **list_probes("/attendances", reason="核对"),
    "GET /attendances/<ref>": Probe(make=make_party),
    "POST /attendances/<ref>": Probe(make=make_party, form={"why": "battery", "more": ""}),
    "GET /attendances/<ref>/undo": Probe(make=make_admitted),
    "POST /attendances/<ref>/undo": Probe(make=make_admitted, form=_REASON),
    "POST /attendances/<ref>/leave": Probe(make=make_admitted),
    "GET /activities/<ref>/walk-in": Probe(make=make_hall),
    "POST /activities/<ref>/walk-in": Probe(
        make=make_hall, form={"name": "韦明", "phone": "13800138000", "party_size": "1"}
    ),
    "GET /activities/<ref>/sheet": Probe(make=make_hall),
    "POST /activities/<ref>/sheet": Probe(make=make_hall, form={"reason": "会场没有网络"}),
    "GET /activities/<ref>/grants": Probe(make=make_hall),
    "POST /activities/<ref>/grants": Probe(
        make=make_hall, form={"gate": "东门", "hours": "0"}, answers=200
    ),
    "POST /grants/<ref>/revoke": Probe(make=make_grant),
    "GET /activities/<ref>/screen": Probe(make=make_hall),
    "POST /activities/<ref>/screen": Probe(make=make_hall),
}
