"""Calendar files of one activity and of a citizen's places.

A calendar program cannot log in: it opens the citizen's feed with a signed key, which the citizen
can withdraw. The key is made from the feed's random ref, so that it can be shown again.
"""

from __future__ import annotations

import hmac
from datetime import timedelta

from sqlalchemy import delete, select

from server.accounts import service as accounts
from server.activities import service as activities
from server.activities.service import ActivityState, ActivityView
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.signups.calendar_file import CalendarEvent, write_calendar
from server.signups.kinds import SignUpState
from server.signups.models import CalendarFeed, SignUp
from server.signups.wording import spell_place

_PURPOSE = "calendar"
_MARK_LENGTH = 32
# A feed shows an activity this long after its end.
_SHOWN_AFTER = timedelta(days=90)
_STATUS = {ActivityState.POSTPONED: "TENTATIVE", ActivityState.CANCELLED: "CANCELLED"}
# A cancelled activity stays in the feed, so that calendar programs mark it as cancelled.
_IN_FEED = (SignUpState.CONFIRMED, SignUpState.CALLED_OFF)


def write_activity_file(uow: UnitOfWork, ref: str) -> bytes:
    """Write the calendar file of one public activity.

    Raises: NotFound (404).
    """
    view = activities.find_activity(uow, ref)
    return write_calendar(view.activity.title, [_event_of(uow, view)])


def open_feed(uow: UnitOfWork, citizen_id: int) -> str:
    """The key of the citizen's feed; creates the feed at the first call.

    Locks: the citizen.
    """
    accounts.lock_citizen(uow, citizen_id)
    ref = uow.session.scalar(select(CalendarFeed.ref).where(CalendarFeed.citizen_id == citizen_id))
    if ref is None:
        ref = uow.new_ref("cal")
        uow.session.add(CalendarFeed(ref=ref, citizen_id=citizen_id))
        uow.session.flush()
    return f"{ref}.{_mark_of(uow, ref)}"


def end_feed(uow: UnitOfWork, citizen_id: int) -> None:
    """Withdraw the key of the citizen's feed; a new feed gets another key.

    Locks: the citizen.
    """
    accounts.lock_citizen(uow, citizen_id)
    uow.session.execute(delete(CalendarFeed).where(CalendarFeed.citizen_id == citizen_id))


def write_feed(uow: UnitOfWork, key: str) -> bytes:
    """Write the calendar file of the places of the citizen to whom the key belongs.

    Raises: NotFound (404) for a wrong or withdrawn key.
    """
    ref, _, mark = key.rpartition(".")
    if not hmac.compare_digest(mark.encode(), _mark_of(uow, ref).encode()):
        raise NotFound
    citizen_id = uow.session.scalar(select(CalendarFeed.citizen_id).where(CalendarFeed.ref == ref))
    if citizen_id is None:
        raise NotFound
    mine = select(SignUp.activity_id).where(
        SignUp.citizen_id == citizen_id, SignUp.state.in_(_IN_FEED)
    )
    views = activities.views_of(uow, set(uow.session.scalars(mine)))
    shown = [one for one in views if one.activity.ends_at > uow.now - _SHOWN_AFTER]
    shown.sort(key=lambda one: (one.activity.starts_at, one.activity.id))
    name = uow.texts.fill_text("signups.calendar.name")
    return write_calendar(name, [_event_of(uow, one) for one in shown])


def _mark_of(uow: UnitOfWork, ref: str) -> str:
    return uow.keys.blind_hash(ref, _PURPOSE)[:_MARK_LENGTH]


def _event_of(uow: UnitOfWork, view: ActivityView) -> CalendarEvent:
    row, say = view.activity, uow.texts.fill_text
    prefix = {
        ActivityState.POSTPONED: say("signups.calendar.postponed"),
        ActivityState.CANCELLED: say("signups.calendar.cancelled"),
    }
    about = (
        row.speaker and say("signups.calendar.speaker", speaker=row.speaker),
        row.remark if row.state in _STATUS else row.notes,
        row.office_phone and say("signups.calendar.phone", phone=row.office_phone),
    )
    return CalendarEvent(
        uid=f"{row.ref}@bagui-kepu",
        sequence=row.revision,
        status=_STATUS.get(row.state, "CONFIRMED"),
        changed_at=row.changed_at,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        title=prefix.get(row.state, "") + row.title,
        place=spell_place(uow, row.venue, row.address),
        description="\n".join(line for line in about if line),
    )
