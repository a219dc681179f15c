"""Announcements of every owner for the console's matrix."""

from __future__ import annotations

from server.announcements.enums import AnnouncementState
from server.base.access import Scope
from server.base.uow import UnitOfWork
from tests.kit.accounts import a_citizen
from tests.kit.announcements import a_sent_one, an_announcement
from tests.kit.console_matrix import Probe, list_probes


def make_sending(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """An announcement of an owner that is being sent, with one recipient."""
    row = an_announcement(uow, scope=owner, state=AnnouncementState.SENDING)
    row.title = f"通知 {row.ref}"
    a_sent_one(uow, row, a_citizen(uow).id, row.ref)
    return {"ref": row.ref, "title": row.title}


def make_paused(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """An announcement of an owner that is paused."""
    return {"ref": an_announcement(uow, scope=owner, state=AnnouncementState.PAUSED).ref}


def make_done(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """An announcement of an owner that is over."""
    return {"ref": an_announcement(uow, scope=owner, state=AnnouncementState.DONE).ref}


def make_wrong(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """An announcement of an owner that is over and that one person got."""
    row = an_announcement(uow, scope=owner, state=AnnouncementState.DONE)
    a_sent_one(uow, row, a_citizen(uow).id, row.ref)
    return {"ref": row.ref}


ANNOUNCEMENT_PROBES = {
    "GET /announcement-recipients": Probe(make=make_sending, shows="title"),
    **list_probes("/announcement-recipients", reason="核对"),
    "GET /announcements/<ref>/progress": Probe(make=make_sending),
    "POST /announcements/<ref>/correct": Probe(make=make_wrong),
    "POST /announcements/<ref>/pause": Probe(make=make_sending),
    "POST /announcements/<ref>/resume": Probe(make=make_paused),
    "GET /announcements/<ref>/cancel": Probe(make=make_sending),
    "POST /announcements/<ref>/cancel": Probe(make=make_sending, form={"reason": "时间写错了"}),
    "GET /announcements/<ref>/withdraw": Probe(make=make_done),
    "POST /announcements/<ref>/withdraw": Probe(make=make_done, form={"reason": "时间写错了"}),
}
