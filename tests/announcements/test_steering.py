"""Organizers pause, resume and cancel an announcement in the console."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from server.announcements.enums import AnnouncementState, RecipientState
from server.announcements.models import Announcement, Recipient
from server.announcements.watching.console import PAGES
from server.audit.models import AuditRecord
from server.audit.service import record_page
from server.base.uow import UnitOfWorkFactory
from tests.kit.accounts import a_citizen
from tests.kit.announcements import a_recipient, a_sent_one, an_announcement
from tests.kit.console import Browser, console_app

_S = AnnouncementState


def a_sending(uow_factory: UnitOfWorkFactory, state: AnnouncementState = _S.SENDING) -> str:
    """One that was sent to one person, while three others wait."""
    with uow_factory.begin() as uow:
        row = an_announcement(uow, state=state)
        a_sent_one(uow, row, a_citizen(uow).id, "1")
        for _ in range(3):
            a_recipient(uow, row, a_citizen(uow).id)
        return row.ref


def state_of(uow_factory: UnitOfWorkFactory, ref: str) -> AnnouncementState:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalars(select(Announcement.state).where(Announcement.ref == ref)).one()


def test_an_approver_pauses_resumes_and_cancels_and_the_sum_stays_the_audience(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app, _ = console_app(uow_factory, PAGES, audit=record_page)
    browser, ref = Browser(app, "approver-region"), a_sending(uow_factory)
    assert "暂停发送" in browser.ask("GET", f"/announcements/{ref}/progress", {})[1]
    assert browser.ask("POST", f"/announcements/{ref}/pause", {})[0] == 303
    assert state_of(uow_factory, ref) is _S.PAUSED
    shown = browser.ask("GET", f"/announcements/{ref}/progress", {})[1]
    assert "发送已由工作人员暂停" in shown
    assert "继续发送" in shown
    assert browser.ask("POST", f"/announcements/{ref}/pause", {})[0] == 409
    assert browser.ask("POST", f"/announcements/{ref}/resume", {})[0] == 303
    assert state_of(uow_factory, ref) is _S.SENDING
    assert browser.ask("POST", f"/announcements/{ref}/cancel", {"reason": ""})[0] == 422
    assert browser.ask("POST", f"/announcements/{ref}/cancel", {"reason": "改期了"})[0] == 303
    assert state_of(uow_factory, ref) is _S.CANCELLED
    with uow_factory.begin(read_only=True) as uow:
        states = Counter(uow.session.scalars(select(Recipient.state)))
        acts = list(uow.session.scalars(select(AuditRecord.act).order_by(AuditRecord.number)))
    assert states == {RecipientState.SENT: 1, RecipientState.CANCELLED: 3}
    assert [act for act in acts if act.endswith("_announcement")] == [
        "announcements.pause_announcement",
        "announcements.resume_announcement",
        "announcements.cancel_announcement",
    ]
    shown = browser.ask("GET", f"/announcements/{ref}/progress", {})[1]
    assert "取消发送" not in shown


def test_a_scheduled_one_is_cancelled_before_it_starts_and_an_editor_cannot(
    uow_factory: UnitOfWorkFactory,
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    ref = a_sending(uow_factory, _S.SCHEDULED)
    editor, approver = Browser(app, "editor-region"), Browser(app, "approver-region")
    assert editor.ask("POST", f"/announcements/{ref}/cancel", {"reason": "改期了"})[0] == 403
    assert "取消发送" not in editor.ask("GET", f"/announcements/{ref}/progress", {})[1]
    assert approver.ask("POST", f"/announcements/{ref}/pause", {})[0] == 409
    assert approver.ask("POST", f"/announcements/{ref}/cancel", {"reason": "改期了"})[0] == 303
    assert state_of(uow_factory, ref) is _S.CANCELLED
