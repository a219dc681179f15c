"""The page of an announcement: its content, its people, its stage and the steps from here."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, func, select

from server.announcements.approval import reviewing
from server.announcements.approval.hashing import hash_content
from server.announcements.approval.stages import read_stage
from server.announcements.audience.corrections import corrected_by
from server.announcements.compose import drafts
from server.announcements.compose.announcement_list import (
    badge_of,
    is_returned,
    listed_state,
)
from server.announcements.compose.console import PAGES
from server.announcements.compose.correcting import find_unchanged
from server.announcements.compose.faults import ContentFault, check_contents
from server.announcements.compose.forms import say_fault
from server.announcements.compose.pictures import picture_address
from server.announcements.enums import FROZEN, AnnouncementState
from server.announcements.models import Announcement
from server.base.access import Organizer, Permission
from server.base.ownership import HandOver, scope_of, writable_by
from server.base.topics import find_topic
from server.base.uow import Hooks, UnitOfWork
from server.base.web.page import Page, Waiting, page

_S = AnnouncementState
_P = Permission


@page(PAGES, "GET", "/announcements/<ref>", needs=_P.ANNOUNCEMENT_READ)
def show_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show an announcement with its content, its people and its stage."""
    row = drafts.read_announcement(uow, organizer, ref)
    state = listed_state(row)
    own = organizer.scope.covers_scope(scope_of(row))
    topic = None if row.topic is None else find_topic(row.topic)
    return Page(
        "announcements/announcement.html",
        row=row,
        state=state.value,
        badge=badge_of(state),
        own=own,
        stage=read_stage(uow, organizer, row),
        topic="" if topic is None else topic.name,
        picture=picture_address(row.picture) if row.picture else None,
        faults=sorted({say_fault(one) for one in _find_faults(uow, organizer, row)}),
        corrected=_find_corrected(uow, organizer, row),
        changed=row.content_hash is not None and row.content_hash != hash_content(row),
        may=_list_steps(uow, organizer, row) if own else set(),
    )


def _find_corrected(
    uow: UnitOfWork, organizer: Organizer, row: Announcement
) -> Announcement | None:
    """The announcement that this one of the organizer's place corrects."""
    return corrected_by(uow, row) if organizer.scope.covers_scope(scope_of(row)) else None


def _find_faults(
    uow: UnitOfWork, organizer: Organizer, row: Announcement
) -> Iterator[ContentFault]:
    draft = drafts.read_draft(row)
    yield from check_contents(draft.ladder, draft.contents)
    if organizer.scope.covers_scope(scope_of(row)):
        yield from find_unchanged(uow, row)


def _list_steps(uow: UnitOfWork, organizer: Organizer, row: Announcement) -> set[str]:
    """The steps that this organizer may take with an announcement of the place now."""
    write = organizer.has_permission(_P.ANNOUNCEMENT_WRITE)
    approve = organizer.has_permission(_P.ANNOUNCEMENT_APPROVE)
    in_review, drafted = row.state is _S.REVIEW, row.state is _S.DRAFT
    rights = {
        "edit": write and row.state in drafts.EDITABLE,
        "audience": write and row.state in drafts.EDITABLE and row.corrects_id is None,
        "send": write and drafted,
        "delete": write and drafted,
        "recall": write and row.state in drafts.RECALLED,
        "test": write,
        "copy": write,
        "preview": organizer.has_permission(_P.PERSON_READ),
        "approve": approve and in_review and reviewing.may_approve(uow, organizer, row),
        "return": approve and in_review,
        "progress": row.state in FROZEN,
    }
    return {name for name, given in rights.items() if given}


def tell_waiting(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    """Announcements that wait for this organizer's approval, and the returned drafts."""
    told = []
    if organizer.has_permission(_P.ANNOUNCEMENT_APPROVE):
        count = _count_rows(uow, organizer, reviewing.waits_for(organizer))
        path = "/announcements?state=review"
        told.append(Waiting(count=count, said="announcements.waiting", path=path))
    if organizer.has_permission(_P.ANNOUNCEMENT_WRITE):
        mine = and_(is_returned(), Announcement.writer_id == organizer.id)
        count = _count_rows(uow, organizer, mine)
        path = "/announcements?state=returned"
        told.append(Waiting(count=count, said="announcements.returned_waiting", path=path))
    return told


def _count_rows(uow: UnitOfWork, organizer: Organizer, wanted: ColumnElement[bool]) -> int:
    asked = select(func.count()).select_from(Announcement).where(wanted)
    return uow.session.scalar(writable_by(asked, organizer, Announcement)) or 0


# A successor becomes the author of unfinished announcements, and therefore cannot approve them.
HOOKS = Hooks(
    hand_over=(
        HandOver(
            said="announcements.hand_over.announcements",
            table=Announcement,
            column="writer_id",
            unfinished=lambda: Announcement.state.in_((_S.DRAFT, _S.REVIEW, _S.FREEZING)),
        ),
    ),
)
