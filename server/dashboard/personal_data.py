"""Tables of this slice with personal data."""

from __future__ import annotations

from server.base.personal_data import Erase, Personal
from server.base.uow import UnitOfWork
from server.dashboard.models import Participant


def _keep_rows(_uow: UnitOfWork, _keep: int, _gone: int) -> None:
    """Do nothing: a merge changes participations, and counting them updates both citizens' rows."""


PERSONAL = (
    Personal(
        Participant,
        "citizen_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="anonymous participations are still counted, and their people too",
        merge=_keep_rows,
        untold_because="sums of the participations, which are told",
    ),
)
