"""Announcements that turned out wrong, and their corrections, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from server.accounts.models import Citizen
from server.announcements.approval import reviewing
from server.announcements.approval.hashing import hash_content
from server.announcements.compose import drafts
from server.announcements.compose.correcting import write_correction
from server.announcements.enums import AnnouncementState, Channel, RecipientState
from server.announcements.models import Announcement, Recipient
from server.announcements.rules.contents import Contents, TemplateContent, TextContent
from server.base.access import Organizer
from server.base.outbox_rows import OutboxState, idle_values
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import service as notices
from tests.kit.announcements import FIELDS, TEMPLATE, a_recipient, an_announcement
from tests.kit.console import PEOPLE
from tests.kit.sends import some_followers

EDITOR, APPROVER = PEOPLE["editor-region"], PEOPLE["approver-region"]
# A recipient of each kind: the state, and whether the copy in the inbox was opened.
KINDS = {
    "sent": (RecipientState.SENT, False),
    "unknown": (RecipientState.UNKNOWN, False),
    "opened": (RecipientState.REFUSED, True),
    "unread": (RecipientState.REFUSED, False),
    "cancelled": (RecipientState.CANCELLED, False),
}


def a_wrong_one(uow: UnitOfWork, **columns: Any) -> tuple[Announcement, dict[str, int]]:
    """An announcement that is over, with a recipient of each of `KINDS`: their row ids."""
    people = dict(zip(KINDS, some_followers(uow, len(KINDS)), strict=True))
    chosen = update(Citizen).where(Citizen.id.in_(people.values()))
    uow.session.execute(chosen.values(topics=["lectures"]))
    values = {
        "state": AnnouncementState.DONE,
        "began_at": uow.now,
        "topic": "lectures",
        "ladder": [Channel.TEMPLATE.value],
        "contents": {"template": {"template": TEMPLATE.template, "fields": FIELDS}},
        **columns,
    }
    row = an_announcement(uow, **values)
    for name, citizen_id in people.items():
        state, opened = KINDS[name]
        add_recipient(uow, row, citizen_id, state, opened=opened)
    return row, people


def add_recipient(
    uow: UnitOfWork,
    row: Announcement,
    citizen_id: int,
    state: RecipientState = RecipientState.SENT,
    *,
    opened: bool = False,
) -> Recipient:
    """A recipient whose row has reached its end."""
    opened_at = uow.now if opened else None
    done = {"state": state, **idle_values(OutboxState.DONE)}
    return a_recipient(uow, row, citizen_id, opened_at=opened_at, **done)


def row_of(uow: UnitOfWork, ref: str) -> Announcement:
    return uow.session.scalars(select(Announcement).where(Announcement.ref == ref)).one()


def right_contents(floor: str) -> Contents:
    """Contents of a correction."""
    words = f"更正：讲座改到{floor}"
    fields = {**FIELDS, "thing1": words}
    return Contents(
        template=TemplateContent(template=TEMPLATE.template, fields=fields),
        customer_message=TextContent(text=words),
    )


def correct(
    uow_factory: UnitOfWorkFactory, ref: str, who: Organizer = EDITOR, floor: str = "三楼"
) -> str:
    """A draft of a correction with another text: its ref."""
    with uow_factory.begin() as uow:
        made = write_correction(uow, who, ref)
        draft = drafts.read_draft(row_of(uow, made))
        kept = {Channel(one).value for one in draft.ladder} - {Channel.INBOX.value}
        contents = Contents(**{name: getattr(right_contents(floor), name) for name in kept})
        mended = replace(draft, body=f"讲座改到{floor}。", contents=contents)
        drafts.change_announcement(uow, who, made, mended)
        return made


def approve(uow_factory: UnitOfWorkFactory, ref: str) -> int:
    """Send a draft to review and approve it; the number of people."""
    with uow_factory.begin() as uow:
        reviewing.send_to_review(uow, EDITOR, ref)
    with uow_factory.begin() as uow:
        row = row_of(uow, ref)
        counted = reviewing.count_recipients(uow, row)
        assert reviewing.approve_announcement(uow, APPROVER, ref, hash_content(row), counted)
        return counted


def results_of(uow_factory: UnitOfWorkFactory, ref: str) -> dict[int, tuple[str, str | None]]:
    """State and reason of each recipient, by the citizen's row id."""
    with uow_factory.begin(read_only=True) as uow:
        mine = Recipient.announcement_id == row_of(uow, ref).id
        found = uow.session.scalars(select(Recipient).where(mine))
        return {one.citizen_id: (one.state.value, one.reason) for one in found}


def letters_of(uow_factory: UnitOfWorkFactory, citizen_id: int) -> list[Any]:
    """The inbox of a citizen."""
    with uow_factory.begin(read_only=True) as uow:
        return list(notices.list_messages(uow, citizen_id, limit=9, after=None)[0])


CANCEL_TIME = timedelta(minutes=3).total_seconds()
