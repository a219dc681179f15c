"""People of activities of every owner for the console's tests, and the forms about them."""

from __future__ import annotations

from typing import Any

from server.activities.models import Seating
from server.base.access import Scope
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork
from server.signups.contacts import Contact, sealed_contact
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from tests.kit.activities import Lecture, a_lecture
from tests.kit.activity_probes import make_published
from tests.kit.console_matrix import Probe, list_probes


def seat_guest(uow: UnitOfWork, lecture: Lecture, name: str = "韦明", **columns: Any) -> SignUp:
    """A guest with a seat, counted."""
    ref = uow.new_ref("sgn")
    values: dict[str, Any] = {
        "ref": ref, "activity_id": lecture.id, "state": SignUpState.CONFIRMED, "party_size": 1,
        "answers": {}, "entered_by": 1, "made_at": uow.now, "changed_at": uow.now,
        **sealed_contact(uow, ref, Contact(name=name, phone="+8613800138000")), **columns,
    }  # fmt: skip
    row = SignUp(**values)
    uow.session.add(row)
    uow.session.get_one(Seating, lecture.id).taken += row.party_size
    uow.session.flush()
    return row


def make_group(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """An activity of an owner with one guest of a group."""
    columns: dict[str, Any] = dict(owned_by(owner))
    lecture = a_lecture(uow, **columns)
    seat_guest(uow, lecture, group_label="初二（3）班")
    return {"ref": lecture.ref}


def make_person(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """Somebody with a seat in an activity of an owner."""
    columns: dict[str, Any] = dict(owned_by(owner))
    return {"ref": seat_guest(uow, a_lecture(uow, **columns)).ref}


_REASON = {"reason": "打电话通知"}
SIGNUP_PROBES = {
    "GET /signups": Probe(make=make_person, shows="ref"),
    **list_probes("/signups", reason="核对"),
    "GET /signups/<ref>": Probe(make=make_person),
    "GET /signups/<ref>/contact": Probe(make=make_person),
    "POST /signups/<ref>/contact": Probe(make=make_person, form=_REASON),
    "GET /signups/<ref>/remove": Probe(make=make_person),
    "POST /signups/<ref>/remove": Probe(make=make_person, form=_REASON),
    "GET /activities/<ref>/people": Probe(make=make_published),
    "GET /activities/<ref>/feedback": Probe(make=make_published),
    "GET /activities/<ref>/seats": Probe(make=make_published),
    "POST /activities/<ref>/seats": Probe(make=make_published, form={"seats": "3"}),
    "GET /activities/<ref>/guest": Probe(make=make_published),
    "POST /activities/<ref>/guest": Probe(
        make=make_published, form={"name": "韦明", "phone": "13800138000", "party_size": "1"}
    ),
    "GET /activities/<ref>/tickets": Probe(make=make_group),
    "POST /activities/<ref>/tickets": Probe(
        make=make_group, form={"group": "初二（3）班", "reason": "发给班主任"}
    ),
    "GET /activities/<ref>/group": Probe(make=make_published),
    "POST /activities/<ref>/group": Probe(
        make=make_published, form={"label": "初二（3）班", "people": "覃丽 13900139000\n黄强"}
    ),
}
