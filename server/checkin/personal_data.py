"""Scanner grants, attendance and scans as personal data."""

from __future__ import annotations

from sqlalchemy import select

from server.activities import service as activities
from server.base.personal_data import Erase, Keep, Merge, Personal
from server.base.uow import UnitOfWork
from server.checkin.feedback import export_feedback
from server.checkin.feedback_models import ActivityFeedback
from server.checkin.models import Admission, ScannerGrant, ScanRecord
from server.checkin.old_feedback import WORDS_KEPT, count_old_words, erase_old_words
from server.signups.service import SignUp


def export_attendance(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The times at which a citizen came to activities and left them, the earliest first."""
    rows = uow.session.scalars(
        select(Admission)
        .join(SignUp, SignUp.id == Admission.signup_id)
        .where(SignUp.citizen_id == citizen_id)
        .order_by(Admission.first_in_at, Admission.id)
    )
    return [
        {
            "activity": activities.name_of(uow, row.activity_id).title,
            "counts": row.holds,
            "way": row.way.value,
            "gate": row.gate,
            "people": row.people,
            "first_in_at": row.first_in_at,
            "last_out_at": row.last_out_at,
            "stayed_seconds": row.stayed_seconds,
        }
        for row in rows
    ]


_KEPT = "the counters of a hall equal its rows; the erased sign-up they refer to names nobody"

FEEDBACK = Personal(
    ActivityFeedback,
    "citizen_id",
    erase=Erase.BLANK,
    blank={"words": ""},
    stays=("id", "activity_id", "rating", "words_check", "made_at"),
    merge=Merge.KEEP_ONE,
    export={"feedback": export_feedback},
    keep=Keep(since="made_at", longest=WORDS_KEPT, drop=erase_old_words, count=count_old_words),
)
PERSONAL = (
    FEEDBACK,
    Personal(
        ScanRecord,
        "signup_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because=_KEPT,
        untold_because="single scans of what `attendance` tells",
    ),
    Personal(
        Admission,
        "signup_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because=_KEPT,
        export={"attendance": export_attendance},
    ),
    Personal(
        ScannerGrant,
        "taken_by",
        also=("made_by", "revoked_by"),
        stays=("code_hash",),
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="tells by which gate people came; the erased citizen it refers to has no name",
        merge=Merge.REPOINT,
        export={"scanner_grants": ("gate", "taken_at", "expires_at", "revoked_at")},
    ),
)
