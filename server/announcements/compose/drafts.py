"""Writes, changes, copies, deletes and recalls announcements.

Any edit of one that is in review or waits for its start makes it a draft again: its approvals and
its frozen recipients are deleted in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, select

from server.announcements.audience.freezing import thaw_audience
from server.announcements.audience.rule import AudienceRule, read_rule, rule_content
from server.announcements.compose.faults import (
    MOST_BODY,
    MOST_TITLE,
    ContentFault,
    check_contents,
    check_ladder,
    check_promises,
)
from server.announcements.enums import AnnouncementState, Channel, Purpose
from server.announcements.errors import RecipientsLeft, WrongAnnouncementState, WrongAudienceRule
from server.announcements.models import Announcement, AnnouncementApproval
from server.announcements.rules.contents import Contents, read_contents, spell_contents
from server.announcements.rules.placeholders import has_placeholders
from server.audit.service import Subject, record_change
from server.base.access import Organizer, Scope
from server.base.errors import NotFound
from server.base.ownership import owned_by, scope_of, visible_to, writable_by
from server.base.sql.locks import lock_name
from server.base.uow import UnitOfWork
from server.channel import service as channel_service

SUBJECT = "announcement"
# States in which the content may be changed.
EDITABLE = (
    AnnouncementState.DRAFT,
    AnnouncementState.REVIEW,
    AnnouncementState.FREEZING,
    AnnouncementState.SCHEDULED,
)
# States from which it is taken back to be changed.
RECALLED = EDITABLE[1:]
_COPIED = (
    "purpose", "title", "body", "page", "picture", "topic", "activity_ref", "corrects_id",
    "send_at", "per_day",
)  # fmt: skip


class ContentRefused(Exception):
    """A content with faults; nothing was stored."""

    def __init__(self, faults: list[ContentFault]) -> None:
        super().__init__(", ".join(f"{one.field} {one.reason}" for one in faults))
        self.faults = faults


@dataclass(frozen=True, kw_only=True)
class AnnouncementDraft:
    """The content of an announcement, before it is checked; the fields are those of the table."""

    title: str
    body: str = ""
    purpose: Purpose = Purpose.NEWS
    page: str | None = None
    picture: str | None = None
    topic: str | None = None
    activity_ref: str | None = None
    corrects_id: int | None = None
    ladder: tuple[Channel, ...] = ()
    contents: Contents = field(default_factory=Contents)
    audience: AudienceRule = field(default_factory=AudienceRule)
    send_at: datetime | None = None
    per_day: int | None = None


def check_basics(draft: AnnouncementDraft) -> Iterator[ContentFault]:
    """Faults of the parts that all channels share."""
    if not draft.title.strip():
        yield ContentFault("title", "empty")
    for name, text, most in (("title", draft.title, MOST_TITLE), ("body", draft.body, MOST_BODY)):
        if len(text) > most:
            yield ContentFault(name, "too_long", most)
        elif has_placeholders(text):
            yield ContentFault(name, "placeholder_shared")
    yield from check_promises({"title": draft.title, "body": draft.body})
    pages = channel_service.released_pages()
    if draft.page is not None and channel_service.address_fault(draft.page, pages):
        yield ContentFault("page", "unknown")
    if draft.purpose is Purpose.CHANGE and draft.activity_ref is None:
        yield ContentFault("activity_ref", "missing")
    if draft.per_day is not None and draft.per_day < 1:
        yield ContentFault("per_day", "out_of_range")
    yield from check_ladder(draft.ladder)


def check_draft(draft: AnnouncementDraft) -> list[ContentFault]:
    """Every fault of an announcement that is to be reviewed; empty when it can be sent."""
    faults = list(check_basics(draft))
    if not draft.body.strip():
        faults.append(ContentFault("body", "empty"))
    faults += check_contents(draft.ladder, draft.contents)
    if Channel.MASS in draft.ladder and draft.picture is None:
        faults.append(ContentFault("picture", "cover_missing"))
    return faults


def write_announcement(
    uow: UnitOfWork,
    organizer: Organizer,
    draft: AnnouncementDraft,
    form_key: str | None = None,
    *,
    ref: str | None = None,
) -> str:
    """Store a new draft of the organizer's place; return its ref. A form sent again finds it.

    `ref` is for sample data; other drafts get a random one.
    Raises: ContentRefused for faults of the shared parts.
    """
    if form_key is not None:
        # A repeated request waits here for the first one, and finds its draft.
        lock_name(uow, "announcement form", form_key)
        mine = writable_by(select(Announcement.ref), organizer, Announcement)
        made: str | None = uow.session.scalar(mine.where(Announcement.form_key == form_key))
        if made is not None:
            return made
    _refuse_faults(check_basics(draft))
    row = add_draft(uow, organizer, draft, organizer.scope, form_key=form_key, ref=ref)
    record_change(
        uow, organizer, "announcements.write_announcement", subject_of(row), after=facts_of(row)
    )
    return row.ref


def add_draft(
    uow: UnitOfWork,
    organizer: Organizer,
    draft: AnnouncementDraft,
    owner: Scope,
    *,
    form_key: str | None = None,
    ref: str | None = None,
) -> Announcement:
    """Store a draft of a place, unchecked; the organizer is its author."""
    row = Announcement(
        ref=ref or uow.new_ref("ann"),
        state=AnnouncementState.DRAFT,
        made_at=uow.now,
        changed_at=uow.now,
        writer_id=organizer.id,
        form_key=form_key,
        **owned_by(owner),
        **_values_of(draft),
    )
    uow.session.add(row)
    uow.session.flush()
    return row


def change_announcement(
    uow: UnitOfWork, organizer: Organizer, ref: str, draft: AnnouncementDraft
) -> None:
    """Change an announcement that is not being sent; the organizer becomes its author.

    It becomes a draft again, and its approvals and frozen recipients are deleted. What a correction
    has from the announcement that it corrects stays.
    Raises: NotFound (404), WrongAnnouncementState (409), ContentRefused.
    Locks: the announcement.
    """
    row = lock_announcement(uow, organizer, ref, *EDITABLE)
    old = read_draft(row)
    draft = _keep_correction(old, draft)
    if draft == old:
        return
    _refuse_faults(check_basics(draft))
    before = facts_of(row)
    for name, value in _values_of(draft).items():
        setattr(row, name, value)
    row.writer_id, row.version, row.remark = organizer.id, row.version + 1, None
    void_approvals(uow, row)
    record_change(
        uow,
        organizer,
        "announcements.change_announcement",
        subject_of(row),
        before=before,
        after=facts_of(row),
    )


def recall_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Take an announcement back from review or from its schedule, to change it.

    Raises: NotFound (404), WrongAnnouncementState (409).
    Locks: the announcement.
    """
    row = lock_announcement(uow, organizer, ref, *RECALLED)
    before = {"state": row.state.value}
    void_approvals(uow, row)
    row.remark = None
    record_change(
        uow,
        organizer,
        "announcements.recall_announcement",
        subject_of(row),
        before=before,
        after={"state": row.state.value},
    )


def delete_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Delete a draft; the trail keeps its title.

    Raises: NotFound (404), WrongAnnouncementState, RecipientsLeft (409).
    """
    row = lock_announcement(uow, organizer, ref, AnnouncementState.DRAFT)
    if row.rows_left:
        raise RecipientsLeft(ref=ref)
    subject, title = subject_of(row), row.title
    uow.session.delete(row)
    uow.session.flush()
    record_change(
        uow, organizer, "announcements.delete_announcement", subject, before={"title": title}
    )


def void_approvals(uow: UnitOfWork, row: Announcement) -> None:
    """Make a locked announcement a draft, without approvals and without frozen recipients."""
    if row.state is not AnnouncementState.DRAFT:
        uow.session.execute(
            delete(AnnouncementApproval).where(AnnouncementApproval.announcement_id == row.id)
        )
        thaw_audience(uow, row)
    row.state, row.changed_at = AnnouncementState.DRAFT, uow.now
    row.content_hash = row.counted = row.approved_at = row.starts_at = None
    uow.session.flush()


def select_announcements(organizer: Organizer) -> Select[Any]:
    """The announcements that an organizer may see, for lists."""
    return visible_to(select(Announcement), organizer, Announcement)


def read_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> Announcement:
    """An announcement that the organizer may read.

    Raises: NotFound (404).
    """
    asked = select_announcements(organizer).where(Announcement.ref == ref)
    row: Announcement | None = uow.session.scalar(asked)
    if row is None:
        raise NotFound
    return row


def lock_announcement(
    uow: UnitOfWork, organizer: Organizer, ref: str, *states: AnnouncementState
) -> Announcement:
    """Lock an announcement of the organizer's place in one of these states.

    Locks: the announcement.
    Raises: NotFound (404), WrongAnnouncementState (409).
    """
    asked = (
        select(Announcement)
        .where(Announcement.ref == ref)
        .with_for_update(of=Announcement)
        .execution_options(populate_existing=True)
    )
    row: Announcement | None = uow.session.scalar(writable_by(asked, organizer, Announcement))
    if row is None:
        raise NotFound
    if row.state not in states:
        raise WrongAnnouncementState(about=ref, path=f"/announcements/{ref}", ref=ref)
    return row


def read_draft(row: Announcement) -> AnnouncementDraft:
    """The content of a row."""
    try:
        audience = read_rule(row.audience)
    except WrongAudienceRule:
        audience = AudienceRule()
    return AnnouncementDraft(
        **{name: getattr(row, name) for name in _COPIED},
        ladder=tuple(map(Channel, row.ladder)),
        contents=read_contents(row.contents),
        audience=audience,
    )


def with_audience(draft: AnnouncementDraft, rule: AudienceRule) -> AnnouncementDraft:
    """The same content for another audience."""
    return replace(draft, audience=rule)


def copy_draft(organizer: Organizer, source: Announcement) -> AnnouncementDraft:
    """The content for a copy; of a correction, or of a higher place, it has no audience."""
    draft = replace(read_draft(source), send_at=None, corrects_id=None)
    if draft.purpose is Purpose.CORRECTION:
        draft = replace(draft, purpose=Purpose.NEWS, audience=AudienceRule())
    if organizer.scope.covers_scope(scope_of(source)):
        return draft
    return replace(draft, audience=AudienceRule(), activity_ref=None, purpose=Purpose.NEWS)


def subject_of(row: Announcement) -> Subject:
    """An announcement as the subject of an audit entry."""
    return Subject(SUBJECT, row.ref, scope_of(row))


def facts_of(row: Announcement) -> Mapping[str, object]:
    """The content of an announcement as recorded in the audit trail."""
    return {
        "title": row.title,
        "body": row.body,
        "page": row.page or "",
        "send_at": "" if row.send_at is None else row.send_at.isoformat(),
        "per_day": row.per_day or "",
        "version": row.version or 1,
    }


def _values_of(draft: AnnouncementDraft) -> dict[str, Any]:
    return {
        **{name: getattr(draft, name) for name in _COPIED},
        "ladder": [one.value for one in draft.ladder],
        "contents": spell_contents(draft.contents),
        "audience": rule_content(draft.audience),
    }


def _keep_correction(old: AnnouncementDraft, draft: AnnouncementDraft) -> AnnouncementDraft:
    """A change of a correction keeps whom it is for and why; no other draft becomes one."""
    kept = ("purpose", "corrects_id", "audience", "topic", "activity_ref")
    if old.corrects_id is not None:
        return replace(draft, **{name: getattr(old, name) for name in kept})
    return replace(draft, corrects_id=None)


def _refuse_faults(faults: Iterator[ContentFault]) -> None:
    found = list(faults)
    if found:
        raise ContentRefused(found)
