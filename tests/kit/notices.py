"""Permissions and events about them for tests."""

from __future__ import annotations

from server.base.templates import message_templates
from server.wechat.callback.documents import Fields
from server.wechat.callback.inbound import Message

FIRST, SECOND = (template.id for template in message_templates()[:2])


def an_event(openid: str, event: str, at: int, fields: Fields) -> Message:
    """An event as the mini-program's callback hands it on."""
    return Message(
        app="mini_program",
        kind="event",
        event=event,
        openid=openid,
        account="gh_mini",
        created_at=at,
        msg_id="",
        event_key="",
        scene="",
        content="",
        fields=fields,
        key="key",
        replay_key="replay",
        digest="digest",
        form="xml",
        encrypted=False,
        nonce="nonce",
    )


# The templates that some slice sends.
SENDS = {
    *("quiz-daily", "signup-success", "waitlist-promoted", "lecture-reminder", "change-notice"),
    "announcement",
}
