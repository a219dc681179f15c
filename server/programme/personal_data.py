"""Tables of this slice with personal data."""

from __future__ import annotations

from server.base.personal_data import Erase, Merge, Personal
from server.programme.models import Participation
from server.programme.participation import history_of

PERSONAL = (
    Personal(
        Participation,
        "citizen_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="counts of who took part where and when go on, with nobody's name",
        merge=Merge.REPOINT,
        export={"participation": history_of},
    ),
)
