"""Personal data of the audit trail: only the readable values beside the chain."""

from __future__ import annotations

from datetime import timedelta

from server.audit.models import AuditPersonal
from server.base.personal_data import Erase, Keep, Merge, Personal

# The Cybersecurity Law (article 21) requires six months of security logs; readable personal values
# are kept for twice that time. The entries contain no personal data and are not deleted.
_KEPT_READABLE = timedelta(days=365)

PERSONAL = (
    Personal(
        AuditPersonal,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.REPOINT,
        export={"audit": ("field", "value", "made_at")},
        keep=Keep(since="made_at", longest=_KEPT_READABLE),
    ),
)
