"""The announcements of the demo's season: a draft, one in review, and one with its ledger."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select

from server.accounts.models import Identity
from server.announcements.enums import AnnouncementState, Channel, RecipientState, TryState
from server.announcements.models import Announcement, AnnouncementApproval, Recipient, SendTry
from server.app import Application
from server.base.uow import UnitOfWork
from server.channel.models import Follower
from server.notices.models import InboxMessage
from tests.demo.test_season import TINY, demo, fill, wechat

__all__ = ["demo", "wechat"]


def count(uow: UnitOfWork, model: type) -> int:
    return uow.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_newcomer_finds_an_announcement_in_each_state(demo: Application) -> None:
    assert fill(demo, TINY).announcements == 3
    with demo.uow_factory.begin(read_only=True) as uow:
        rows = {row.ref: row for row in uow.session.scalars(select(Announcement))}
        states = {ref: row.state for ref, row in rows.items()}
        sent = rows["season-lecture-news"]
        recipients = list(uow.session.scalars(select(Recipient)))
        logged_in = uow.session.scalars(
            select(Identity.citizen_id).where(Identity.app == "mini_program")
        ).all()
        following = set(uow.session.scalars(select(Follower.citizen_id).where(Follower.subscribed)))
        tries = Counter(uow.session.scalars(select(SendTry.state)))
        letters = set(
            uow.session.scalars(
                select(InboxMessage.citizen_id).where(InboxMessage.letter_id == sent.letter_id)
            )
        )
        approver = uow.session.scalars(select(AnnouncementApproval.organizer_id)).one()
    assert states == {
        "season-contest-news": AnnouncementState.DRAFT,
        "season-museum-day": AnnouncementState.REVIEW,
        "season-lecture-news": AnnouncementState.DONE,
    }
    assert sorted(row.citizen_id for row in recipients) == sorted(logged_in)
    assert sent.audience_size == len(recipients) == len(letters)
    assert approver != sent.writer_id
    by_template = {row.citizen_id for row in recipients if row.channel is Channel.TEMPLATE}
    assert by_template == following & set(logged_in)
    ends = Counter(row.state for row in recipients)
    assert ends[RecipientState.SENT] == tries[TryState.ACCEPTED] > 0
    assert all(row.reason for row in recipients if row.state is RecipientState.REFUSED)
    assert ends.total() == ends[RecipientState.SENT] + sum(
        ends[one] for one in (RecipientState.REFUSED, RecipientState.UNKNOWN)
    )


def test_announcements_are_written_once(demo: Application) -> None:
    fill(demo, TINY)
    assert fill(demo, TINY).announcements == 0
    with demo.uow_factory.begin(read_only=True) as uow:
        assert count(uow, Announcement) == 3
