"""The hash to which an approval is bound: everything that is sent, to whom and when."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC

from server.announcements.enums import Channel
from server.announcements.models import Announcement
from server.announcements.rules.contents import read_contents, template_id_for

_HASHED = (
    "ref", "version", "title", "body", "page", "picture", "topic", "activity_ref", "corrects_id",
    "per_day", "ladder", "contents", "audience", "owner",
)  # fmt: skip


def hash_content(row: Announcement) -> str:
    """SHA-256 of the canonical JSON, as hexadecimal digits.

    WeChat's ids of the templates are part of it, so that a change of the data file voids approvals.
    """
    contents = read_contents(row.contents)
    facts = {
        **{name: getattr(row, name) for name in _HASHED},
        "purpose": row.purpose.value,
        "send_at": None if row.send_at is None else row.send_at.astimezone(UTC).isoformat(),
        "templates": [template_id_for(contents, Channel(one)) for one in row.ladder],
    }
    spelled = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(spelled.encode()).hexdigest()
