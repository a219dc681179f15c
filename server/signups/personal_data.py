"""Sign-ups as personal data: their erasure gives seats back, a merge keeps one place each."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from server.activities import service as activities
from server.base.personal_data import Erase, Keep, Merge, Personal
from server.base.uow import UnitOfWork
from server.signups import store, waitlist
from server.signups.contacts import unseal_name, unseal_phone
from server.signups.erasing import BLANK, CONTACTS_KEPT, count_due, erase_contacts
from server.signups.kinds import SignUpState
from server.signups.models import CalendarFeed, SignUp, SignUpNotice
from server.signups.places import activities_to_lock, read_places
from server.signups.used_places import is_used

_POSTPONED = activities.ActivityState.POSTPONED


def give_up_places(uow: UnitOfWork, citizen_id: int) -> None:
    """Give up the places of a citizen in activities that have not begun, and delete the messages.

    The first step of an erasure: the activities are locked before any row of a sign-up is written,
    as promotions do.

    Locks: the activities.
    """
    places = read_places(uow, citizen_id)
    touched = [places.times[one.activity_id] for one in places.held]
    locked = activities.lock_seats(uow, activities_to_lock(places, *touched))
    for held in read_places(uow, citizen_id).held:
        mine = locked.get(held.activity_id)
        if mine is not None and _may_end(uow, mine, held.id):
            waitlist.uncount_place(mine, held.state, held.party_size)
            store.settle_signup(uow, held.id, SignUpState.WITHDRAWN)
    for one in locked.values():
        waitlist.serve_waitlist(uow, one)
        activities.store_counts(uow, one)
    own = select(SignUp.id).where(SignUp.citizen_id == citizen_id)
    uow.session.execute(delete(SignUpNotice).where(SignUpNotice.signup_id.in_(own)))


def _may_end(uow: UnitOfWork, mine: activities.LockedSeats, signup_id: int) -> bool:
    """Whether a place of a locked activity can be given back: before the start, and not used."""
    to_come = uow.now < mine.starts_at or mine.state is _POSTPONED
    return to_come and not is_used(uow, mine, signup_id)


def merge_signups(uow: UnitOfWork, keep: int, gone: int) -> None:
    """Move the sign-ups of `gone` to `keep`, with one place in each activity.

    Locks: the activities.
    """
    mine = _live_places(uow, keep)
    others = _live_places(uow, gone)
    doubled = sorted(set(mine) & set(others))
    locked = activities.lock_seats(uow, doubled)
    for activity_id in doubled:
        places = sorted((mine[activity_id], others[activity_id]))
        _keep_one_place(uow, locked[activity_id], *places)
    uow.session.execute(
        update(SignUp)
        .where(SignUp.citizen_id == gone)
        .values(citizen_id=keep)
        .execution_options(synchronize_session=False)
    )


def _keep_one_place(
    uow: UnitOfWork, locked: activities.LockedSeats, older: int, newer: int
) -> None:
    """End the newer of two places of one person in a locked activity, or the unused one.

    When the people of both have come, the newer one becomes a guest's, so that its seat is kept.
    """
    is_newer_used = is_used(uow, locked, newer)
    if is_newer_used and is_used(uow, locked, older):
        kept = update(SignUp).where(SignUp.id == newer).values(citizen_id=None, **BLANK)
        uow.session.execute(kept.execution_options(synchronize_session=False))
        return
    ended = uow.session.get_one(SignUp, older if is_newer_used else newer, populate_existing=True)
    waitlist.uncount_place(locked, ended.state, ended.party_size)
    store.settle_signup(uow, ended.id, SignUpState.WITHDRAWN)
    waitlist.serve_waitlist(uow, locked)
    activities.store_counts(uow, locked)


def _live_places(uow: UnitOfWork, citizen_id: int) -> dict[int, int]:
    """The live sign-ups of a citizen by the activity's row id."""
    return {one.activity_id: one.id for one in store.live_of(uow, citizen_id)}


def export_signups(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's sign-ups, the earliest first."""
    rows = uow.session.scalars(
        select(SignUp).where(SignUp.citizen_id == citizen_id).order_by(SignUp.id)
    )
    return [
        {
            "activity": activities.name_of(uow, row.activity_id).title,
            "state": row.state.value,
            "party_size": row.party_size,
            "answers": row.answers,
            "name": unseal_name(uow, row.ref, row.name),
            "phone": unseal_phone(uow, row.ref, row.phone),
            "made_at": row.made_at,
            "changed_at": row.changed_at,
        }
        for row in rows
    ]


SIGNUPS = Personal(
    SignUp,
    "citizen_id",
    also=("entered_by",),
    erase=Erase.BLANK,
    blank=BLANK,
    stays=(
        "id", "ref", "activity_id", "state", "party_size", "sequence", "passed",
        "offer_expires_at", "entered_by", "group_label", "absent_at", "contacts_erased_at",
        "made_at", "changed_at",
    ),
    merge=merge_signups,
    export={"signups": export_signups},
    keep=Keep(since="made_at", longest=CONTACTS_KEPT, drop=erase_contacts, count=count_due),
)  # fmt: skip
PERSONAL = (
    Personal(
        CalendarFeed,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.KEEP_ONE,
        untold_because="a key of the calendar of what `signups` tells",
    ),
    Personal(
        SignUpNotice,
        "signup_id",
        erase=give_up_places,
        untold_because="told as messages of the inbox",
    ),
    SIGNUPS,
)
