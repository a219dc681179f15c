"""Tables of this slice with personal data."""

from __future__ import annotations

from server.base.personal_data import Erase, Merge, Personal
from server.base.uow import UnitOfWork
from server.programme.models import Participation, ParticipationChange
from server.programme.participation import history_of


def _keep_changes(_uow: UnitOfWork, _keep: int, _gone: int) -> None:
    """Nothing: the triggers note what a merge changes, for both citizens."""


PERSONAL = (
    Personal(
        ParticipationChange,
        "citizen_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="the counting of participations goes on, with nobody's name, and deletes them",
        merge=_keep_changes,
        untold_because="copies of participations for some seconds, which are told",
    ),
    Personal(
        Participation,
        "citizen_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="counts of who took part where and when go on, with nobody's name",
        merge=Merge.REPOINT,
        export={"participation": history_of},
    ),
)
