"""The interface of the announcements to the code above this slice."""

from __future__ import annotations

from server.announcements.approval.reviewing import send_to_review
from server.announcements.audience.rule import read_rule
from server.announcements.compose.drafts import AnnouncementDraft, write_announcement
from server.announcements.compose.pictures import announcement_picture_of as picture_content
from server.announcements.enums import Channel, ReceiptWord, RecipientState
from server.announcements.past import PastResult, add_past_results, known_announcements
from server.announcements.rules.contents import read_contents

__all__ = [
    "AnnouncementDraft",
    "Channel",
    "PastResult",
    "ReceiptWord",
    "RecipientState",
    "add_past_results",
    "known_announcements",
    "picture_content",
    "read_contents",
    "read_rule",
    "send_to_review",
    "write_announcement",
]
