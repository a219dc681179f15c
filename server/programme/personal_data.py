"""Tables of this slice with personal data."""

from __future__ import annotations

from server.base.personal_data import Erase, Merge, Personal
from server.base.uow import UnitOfWork
from server.programme.models import Participation, ParticipationChange
from server.programme.participation import history_of


def _keep_changes(_uow: UnitOfWork, _keep: int, _gone: int) -> None:
    """Do nothing: triggers record the changes of a merge for both citizens."""


PERSONAL = (
    Personal(
        ParticipationChange,
        "citizen_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="anonymous participations are still counted, and counting deletes these rows",
        merge=_keep_changes,
        untold_because="copies of participations for some seconds, which are told",
    ),
    Personal(
        Participation,
        "citizen_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="anonymous counts by place and day are kept",
        merge=Merge.REPOINT,
        export={"participation": history_of},
    ),
)
