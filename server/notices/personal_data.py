"""Tables of this slice with personal data, in the order in which an erasure processes them."""

from __future__ import annotations

from datetime import timedelta

from server.base.personal_data import Erase, Keep, Merge, Personal
from server.notices.inbox import tell_inbox
from server.notices.models import InboxMessage, MessageGrant, Outreach, Push
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
        export={"inbox": tell_inbox},
    ),
    Personal(
        Outreach,
        "citizen_id",
        erase=Erase.DELETE,
        merge=Merge.KEEP_ONE,
        # Only seven days are counted.
        keep=Keep(since="at", longest=timedelta(days=30)),
        export={"messages_counted": ("day", "at")},
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
