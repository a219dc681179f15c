"""Withdrawn announcements, and inbox copies of messages that were not delivered after all."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.announcements.enums import AnnouncementState
from server.announcements.models import Announcement, MassBatch
from server.announcements.watching.console import PAGES
from server.announcements.watching.tasks import TASKS
from server.audit.models import AuditRecord
from server.audit.service import record_page
from server.base.jobs import TaskContext
from server.base.outbox_rows import OutboxState, idle_values
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import service as notices
from server.notices.inbox import Received
from server.wechat.errors import TryLater
from tests.kit.accounts import Person, a_citizen
from tests.kit.announcements import a_sent_one, an_announcement
from tests.kit.clock import FakeClock
from tests.kit.console import Browser, console_app
from tests.kit.gateway import RecordingGateway
from tests.kit.receipts import a_template_receipt, apply, store

(DELETE,) = TASKS


def a_sent_announcement(uow: UnitOfWork, state: AnnouncementState) -> tuple[Announcement, Person]:
    """One with a letter, a copy of it in an inbox, and a mass message."""
    row = an_announcement(uow, state=state)
    person = a_citizen(uow, app="official_account")
    row.letter_id = notices.post_shared_letter(
        uow, notices.SharedLetter(key=row.ref, title=row.title, body=row.body)
    )
    notices.post_copies(uow, row.letter_id, [(person.id, None)])
    a_sent_one(uow, row, person.id, "1")
    uow.session.add(
        MassBatch(
            announcement_id=row.id, client_msg_id=row.ref, message_id="88", size=2,
            made_at=uow.now, **idle_values(OutboxState.DONE),
        )
    )  # fmt: skip
    uow.session.flush()
    return row, person


def inbox_of(uow_factory: UnitOfWorkFactory, person: Person) -> list[Received]:
    with uow_factory.begin(read_only=True) as uow:
        return list(notices.list_messages(uow, person.id, limit=9, after=None)[0])


def test_a_withdrawn_announcement_shows_the_reason_and_its_article_is_deleted_once(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock
) -> None:
    app, _ = console_app(uow_factory, PAGES, audit=record_page)
    with uow_factory.begin() as uow:
        row, person = a_sent_announcement(uow, AnnouncementState.DONE)
        ref = row.ref
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    assert DELETE.step(context) == 0
    browser = Browser(app, "approver-region")
    assert "撤回通知" in browser.get(f"/announcements/{ref}/progress")[1]
    assert browser.ask("POST", f"/announcements/{ref}/withdraw", {"reason": ""})[0] == 422
    path = f"/announcements/{ref}/withdraw"
    assert browser.ask("POST", path, {"reason": "地点写错了，以新通知为准"})[0] == 303
    (message,) = inbox_of(uow_factory, person)
    assert message.withdrawn
    assert "地点写错了" in message.body
    with uow_factory.begin(read_only=True) as uow:
        acts = [one.act for one in uow.session.scalars(select(AuditRecord))]
    assert acts.count("announcements.withdraw_announcement") == 1
    gateway.answers["delete_mass"] = TryLater(after_seconds=1)
    assert DELETE.step(context) == 0
    gateway.answers["delete_mass"] = None
    assert DELETE.step(context) == 1
    assert DELETE.step(context) == 0
    assert browser.ask("POST", path, {"reason": "再撤一次"})[0] == 409


@pytest.mark.parametrize("state", [AnnouncementState.SENDING, AnnouncementState.DRAFT])
def test_one_that_is_not_over_is_not_withdrawn(
    uow_factory: UnitOfWorkFactory, state: AnnouncementState
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    with uow_factory.begin() as uow:
        row, person = a_sent_announcement(uow, state)
        ref = row.ref
    browser = Browser(app, "approver-region")
    assert browser.ask("POST", f"/announcements/{ref}/withdraw", {"reason": "写错了"})[0] == 409
    assert not inbox_of(uow_factory, person)[0].withdrawn


def test_a_message_that_was_not_delivered_is_explained_in_the_inbox(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        _, person = a_sent_announcement(uow, AnnouncementState.DONE)
    assert inbox_of(uow_factory, person)[0].not_pushed_reason is None
    store(uow_factory, a_template_receipt(person.openid, "1", "failed:user block"))
    assert apply(uow_factory) == 1
    assert inbox_of(uow_factory, person)[0].not_pushed_reason
