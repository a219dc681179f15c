"""Announcements of every owner for the console's tests, and the forms of one."""

from __future__ import annotations

from server.announcements.enums import AnnouncementState, Channel
from server.announcements.rules.contents import Contents, spell_contents
from server.base.access import Scope
from server.base.uow import UnitOfWork
from tests.kit.announcements import FIELDS, TEMPLATE, an_announcement
from tests.kit.console_matrix import Probe, list_probes

BASICS_FORM = {
    "title": "讲座改期",
    "body": "改到三楼报告厅。",
    "purpose": "news",
    "activity_ref": "",
    "topic": "lectures",
    "page": "packages/lectures/list/index",
    "way": "ladder",
    "channels": "template",
    "send_at": "2026-05-16T15:00",
    "per_day": "",
}
CONTENTS_FORM = {
    "template__template": "oa-announcement",
    **{f"template__oa_announcement__{key}": text for key, text in FIELDS.items()},
}
AUDIENCE_FORM = {"programme": "", "contest": "", "scenes": ""}


def make_in_state(uow: UnitOfWork, owner: Scope, state: AnnouncementState) -> dict[str, str]:
    """An announcement of an owner, complete, by template message."""
    row = an_announcement(
        uow,
        scope=owner,
        state=state,
        topic="lectures",
        ladder=[Channel.TEMPLATE.value],
        contents=spell_contents(Contents(template=TEMPLATE)),
        starts_at=None if state in (AnnouncementState.DRAFT, AnnouncementState.REVIEW) else uow.now,
    )
    return {"ref": row.ref}


def make_announcement(uow: UnitOfWork, owner: Scope, published: bool) -> dict[str, str]:
    """An announcement that was sent, or a draft."""
    state = AnnouncementState.DONE if published else AnnouncementState.DRAFT
    return make_in_state(uow, owner, state)


def make_draft(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A draft, whatever is requested."""
    return make_in_state(uow, owner, AnnouncementState.DRAFT)


def make_in_review(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """An announcement in review, whatever is requested."""
    return make_in_state(uow, owner, AnnouncementState.REVIEW)


ANNOUNCEMENT_FORM_PROBES = {
    "GET /announcements": Probe(make=make_announcement, shows="ref", upward=True),
    **list_probes("/announcements"),
    "GET /announcements/new": Probe(),
    "POST /announcements/new": Probe(form=BASICS_FORM),
    "GET /announcements/<ref>": Probe(make=make_announcement, upward=True),
    "GET /announcements/<ref>/edit": Probe(make=make_draft),
    "POST /announcements/<ref>/edit": Probe(make=make_draft, form=BASICS_FORM),
    "GET /announcements/<ref>/contents": Probe(make=make_draft),
    "POST /announcements/<ref>/contents": Probe(make=make_draft, form=CONTENTS_FORM),
    "GET /announcements/<ref>/audience": Probe(make=make_draft),
    "POST /announcements/<ref>/audience": Probe(make=make_draft, form=AUDIENCE_FORM),
    "GET /announcements/<ref>/audience/count": Probe(make=make_draft),
    "GET /announcements/<ref>/preview": Probe(make=make_draft),
    "POST /announcements/<ref>/send": Probe(make=make_draft),
    "POST /announcements/<ref>/recall": Probe(make=make_in_review),
    "POST /announcements/<ref>/delete": Probe(make=make_draft),
    "GET /announcements/<ref>/approve": Probe(make=make_in_review),
    # The form of another page: its hash is not that of this announcement.
    "POST /announcements/<ref>/approve": Probe(
        make=make_in_review, form={"content_hash": "0" * 64, "counted": "0"}, refused=409
    ),
    "GET /announcements/<ref>/return": Probe(make=make_in_review),
    "POST /announcements/<ref>/return": Probe(make=make_in_review, form={"reason": "时间不对"}),
    "GET /announcements/<ref>/test": Probe(make=make_draft),
    "POST /announcements/<ref>/test": Probe(make=make_draft, form={"channel": "template"}),
}
