"""Tables of this slice with personal data, in the order in which an erasure processes them."""

from __future__ import annotations

from server.base.personal_data import Erase, Merge, Personal
from server.notices.models import InboxMessage, MessageGrant, Push
from server.notices.pushes import tell_pushes

PERSONAL = (
    Personal(
        Push,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.KEEP_ONE,
        export={"pushes": tell_pushes},
    ),
    Personal(
        InboxMessage,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.KEEP_ONE,
        export={"inbox": ("title", "body", "posted_at", "not_pushed_reason")},
    ),
    Personal(
        MessageGrant,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.REPOINT,
        export={
            "message_grants": ("template_id", "client_at", "event_at", "used_at", "revoked_at")
        },
    ),
)
