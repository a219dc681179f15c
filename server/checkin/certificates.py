"""Attendance of a citizen at an activity, as a certificate says it.

A check-in gives the right from the start of the activity on, and where the activity asks for it a
check-out too. Undoing the check-in withdraws the right, a later check-in restores it. The end of
the activity by a cancellation withdraws it permanently.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from server.activities import service as activities
from server.activities.service import ActivityState, ActivityView
from server.base.clock import BEIJING, beijing_day
from server.base.errors import NotFound
from server.base.ownership import scope_of
from server.base.uow import UnitOfWork
from server.certificates.service import Attestation, CertificateKind, Detail, Right, Withheld
from server.checkin.models import Admission
from server.signups import service as signups
from server.signups.service import SignUp
from server.units import service as units

_MOST_LISTED = 20
_MINUTE = 60


def find_activity_source(uow: UnitOfWork, _citizen_id: int, source: str) -> int | None:
    """The activity with this id, if citizens see it."""
    try:
        return activities.times_of_ref(uow, source).id
    except NotFound:
        return None


def list_activity_sources(uow: UnitOfWork, citizen_id: int) -> Sequence[int]:
    """The activities to which the citizen came, the latest first."""
    asked = (
        select(Admission.activity_id)
        .join(SignUp, SignUp.id == Admission.signup_id)
        .where(SignUp.citizen_id == citizen_id, Admission.holds)
        .group_by(Admission.activity_id)
        .order_by(func.max(Admission.first_in_at).desc())
        .limit(_MOST_LISTED)
    )
    return uow.session.scalars(asked).all()


def read_attendance_right(uow: UnitOfWork, citizen_id: int, activity_id: int) -> Right:
    """The content of a certificate about the citizen's attendance."""
    # The earlier attendance of two sign-ups counts, for example after a merge.
    row = uow.session.execute(
        select(Admission, SignUp)
        .join(SignUp, SignUp.id == Admission.signup_id)
        .where(SignUp.citizen_id == citizen_id, Admission.activity_id == activity_id)
        .order_by(Admission.holds.desc(), Admission.first_in_at)
        .limit(1)
    ).one_or_none()
    (view,) = activities.views_of(uow, [activity_id])
    why = "no_admission" if row is None else _find_lack(uow, view, row[0])
    if row is None or why:
        words = uow.texts.fill_text(f"checkin.certificate_lack.{why}")
        return Withheld(reason=why, why=words, never=row is None)
    return _attest_attendance(uow, view, row[0], row[1])


def _find_lack(uow: UnitOfWork, view: ActivityView, admission: Admission) -> str:
    """The condition that is missing for a certificate; empty when none is."""
    if view.activity.state is ActivityState.CANCELLED:
        return "cancelled"
    if uow.now < view.activity.starts_at:
        return "not_begun"
    if not admission.holds:
        return "undone"
    needed = view.activity.checkout_needed
    return "no_check_out" if needed and admission.last_out_at is None else ""


def _attest_attendance(
    uow: UnitOfWork, view: ActivityView, admission: Admission, signup: SignUp
) -> Attestation:
    activity, say = view.activity, uow.texts.fill_text
    return Attestation(
        source=activity.ref,
        owner=scope_of(activity),
        heading=say(f"checkin.certificate_heading.{activity.kind.value}"),
        title=activity.title,
        sentence=say("checkin.certificate.sentence", title=activity.title),
        details=tuple(_list_details(uow, view, admission)),
        day=beijing_day(admission.first_in_at),
        name=signups.name_on_signup(uow, signup),
    )


def _list_details(uow: UnitOfWork, view: ActivityView, admission: Admission) -> Iterator[Detail]:
    activity, say = view.activity, uow.texts.fill_text
    facts: list[tuple[str, dict[str, Any]]] = [
        ("time", _say_times(activity.starts_at, activity.ends_at)),
        ("venue", {"city": _name_city(activity.city), "venue": activity.venue}),
    ]
    if activity.speaker:
        facts.append(("speaker", {"speaker": activity.speaker}))
    facts.append(("came", {"at": _clock_of(admission.first_in_at)}))
    if admission.stayed_seconds >= _MINUTE:
        facts.append(("stayed", {"minutes": admission.stayed_seconds // _MINUTE}))
    for name, values in facts:
        yield Detail(
            label=say(f"checkin.certificate_label.{name}"),
            value=say(f"checkin.certificate_value.{name}", **values),
        )


def _name_city(code: str | None) -> str:
    return "" if code is None else units.name_place(code)


def _say_times(starts_at: datetime, ends_at: datetime) -> dict[str, object]:
    day = beijing_day(starts_at)
    return {
        "year": day.year, "month": day.month, "day": day.day,
        "start": _clock_of(starts_at), "end": _clock_of(ends_at),
    }  # fmt: skip


def _clock_of(instant: datetime) -> str:
    return f"{instant.astimezone(BEIJING):%H:%M}"


ATTENDANCE = CertificateKind(
    name="attendance",
    find_source=find_activity_source,
    read_right=read_attendance_right,
    list_sources=list_activity_sources,
)
