"""Approval: another person, bound to content and count; any edit voids it; races."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from server.accounts.models import Citizen
from server.announcements.approval import reviewing
from server.announcements.approval.hashing import hash_content
from server.announcements.compose import drafts
from server.announcements.compose.drafts import AnnouncementDraft, ContentRefused
from server.announcements.enums import AnnouncementState, Channel
from server.announcements.errors import (
    AlreadyApproved,
    AudienceMoved,
    ContentChanged,
    MassNeedsRegion,
    OwnAnnouncement,
    SplitNeeded,
    WrongAnnouncementState,
)
from server.announcements.models import Announcement, AnnouncementApproval, Recipient
from server.announcements.rules.contents import ArticleContent, Contents
from server.base.access import Organizer
from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.accounts import a_citizen
from tests.kit.announcements import TEMPLATE
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE
from tests.kit.locks import meet
from tests.kit.quiz import all_at_once
from tests.kit.sends import some_followers

EDITOR, APPROVER = PEOPLE["editor-region"], PEOPLE["approver-region"]
SECOND = replace(APPROVER, id=901, name="第二位")
S = AnnouncementState
DRAFT = AnnouncementDraft(
    title="讲座下周开讲",
    body="欢迎报名。",
    topic="lectures",
    ladder=(Channel.TEMPLATE,),
    contents=Contents(template=TEMPLATE),
)


def people(uow_factory: UnitOfWorkFactory, count: int) -> list[int]:
    with uow_factory.begin() as uow:
        return [a_citizen(uow, city="450100").id for _ in range(count)]


def in_review(
    uow_factory: UnitOfWorkFactory, draft: AnnouncementDraft = DRAFT, who: Organizer = EDITOR
) -> str:
    with uow_factory.begin() as uow:
        ref = drafts.write_announcement(uow, who, draft)
    with uow_factory.begin() as uow:
        reviewing.send_to_review(uow, who, ref)
    return ref


def row_of(uow: UnitOfWork, ref: str) -> Announcement:
    return uow.session.scalars(select(Announcement).where(Announcement.ref == ref)).one()


def seen(uow_factory: UnitOfWorkFactory, ref: str) -> tuple[str, int]:
    """The hash and the count that a page shows."""
    with uow_factory.begin(read_only=True) as uow:
        row = row_of(uow, ref)
        return hash_content(row), reviewing.count_recipients(uow, row)


def approve(
    uow_factory: UnitOfWorkFactory, who: Organizer, ref: str, shown: tuple[str, int] | None = None
) -> bool:
    content_hash, counted = shown or seen(uow_factory, ref)
    with uow_factory.begin() as uow:
        return reviewing.approve_announcement(uow, who, ref, content_hash, counted)


def state_of(uow_factory: UnitOfWorkFactory, ref: str) -> tuple[AnnouncementState, int, int]:
    """State, frozen recipients, approvals."""
    with uow_factory.begin(read_only=True) as uow:
        row = row_of(uow, ref)
        frozen = select(func.count()).where(Recipient.announcement_id == row.id)
        given = select(func.count()).where(AnnouncementApproval.announcement_id == row.id)
        return row.state, uow.session.scalar(frozen) or 0, uow.session.scalar(given) or 0


def two_needed(uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviewing, "approvals_for", lambda _uow, _counted: 2)


def test_one_approval_of_another_person_freezes_the_recipients(
    uow_factory: UnitOfWorkFactory,
) -> None:
    people(uow_factory, 3)
    ref = in_review(uow_factory)
    assert state_of(uow_factory, ref) == (S.REVIEW, 0, 0)
    assert approve(uow_factory, APPROVER, ref)
    assert state_of(uow_factory, ref) == (S.SCHEDULED, 3, 1)
    with uow_factory.begin(read_only=True) as uow:
        row = row_of(uow, ref)
        assert (row.audience_size, row.counted) == (3, 3)
        assert row.starts_at == uow.now + timedelta(minutes=2)


def test_the_author_cannot_approve(uow_factory: UnitOfWorkFactory) -> None:
    ref = in_review(uow_factory)
    with pytest.raises(OwnAnnouncement):
        approve(uow_factory, replace(APPROVER, id=EDITOR.id), ref)
    assert state_of(uow_factory, ref) == (S.REVIEW, 0, 0)


EDITS: dict[str, dict[str, Any]] = {
    "title": {"title": "讲座改期"},
    "text": {"body": "改到三楼。"},
    "page": {"page": "packages/lectures/list/index"},
    "channels": {"ladder": (Channel.TEMPLATE, Channel.CUSTOMER_MESSAGE)},
    "split": {"per_day": 2},
    "content": {"contents": Contents()},
}


@pytest.mark.parametrize("edit", EDITS)
def test_any_edit_after_approval_voids_it_and_thaws_the_recipients(
    uow_factory: UnitOfWorkFactory, edit: str
) -> None:
    people(uow_factory, 3)
    ref = in_review(uow_factory)
    before = seen(uow_factory, ref)
    approve(uow_factory, APPROVER, ref)
    with uow_factory.begin() as uow:
        drafts.change_announcement(uow, EDITOR, ref, replace(DRAFT, **EDITS[edit]))
    assert state_of(uow_factory, ref) == (S.DRAFT, 0, 0)
    with uow_factory.begin(read_only=True) as uow:
        row = row_of(uow, ref)
        assert (row.starts_at, row.approved_at, row.audience_size) == (None, None, None)
        assert hash_content(row) != before[0]
    with pytest.raises(WrongAnnouncementState):
        approve(uow_factory, SECOND, ref, before)


def test_an_edit_that_changes_nothing_voids_nothing(uow_factory: UnitOfWorkFactory) -> None:
    people(uow_factory, 1)
    ref = in_review(uow_factory)
    approve(uow_factory, APPROVER, ref)
    with uow_factory.begin() as uow:
        drafts.change_announcement(uow, EDITOR, ref, DRAFT)
    assert state_of(uow_factory, ref) == (S.SCHEDULED, 1, 1)


def test_above_the_threshold_two_approvers_are_needed(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = uow_factory.dependencies.settings
    few = replace(settings.announcements, two_approvers_above=2)
    monkeypatch.setattr(
        uow_factory, "dependencies",
        replace(uow_factory.dependencies, settings=replace(settings, announcements=few)),
    )  # fmt: skip
    people(uow_factory, 3)
    ref = in_review(uow_factory)
    assert not approve(uow_factory, APPROVER, ref)
    assert state_of(uow_factory, ref) == (S.REVIEW, 0, 1)
    with pytest.raises(AlreadyApproved):
        approve(uow_factory, APPROVER, ref)
    assert approve(uow_factory, SECOND, ref)
    assert state_of(uow_factory, ref) == (S.SCHEDULED, 3, 2)


def test_the_threshold_is_a_thousand(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin(read_only=True) as uow:
        assert [reviewing.approvals_for(uow, count) for count in (0, 1000, 1001)] == [1, 1, 2]


def test_a_typed_count_that_is_wrong_is_refused(uow_factory: UnitOfWorkFactory) -> None:
    people(uow_factory, 3)
    ref = in_review(uow_factory)
    content_hash, _ = seen(uow_factory, ref)
    with pytest.raises(AudienceMoved) as told:
        approve(uow_factory, APPROVER, ref, (content_hash, 30))
    assert told.value.facts == {"counted": 30, "now": 3}
    assert state_of(uow_factory, ref) == (S.REVIEW, 0, 0)


def test_a_count_that_moved_before_the_second_approval_is_refused(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_needed(uow_factory, monkeypatch)
    people(uow_factory, 3)
    ref = in_review(uow_factory)
    approve(uow_factory, APPROVER, ref)
    people(uow_factory, 1)
    with pytest.raises(AudienceMoved):
        approve(uow_factory, SECOND, ref)
    assert state_of(uow_factory, ref) == (S.REVIEW, 0, 1)


def test_a_returned_announcement_is_a_draft_with_the_reason(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_needed(uow_factory, monkeypatch)
    ref = in_review(uow_factory)
    approve(uow_factory, APPROVER, ref)
    with uow_factory.begin() as uow:
        reviewing.return_announcement(uow, SECOND, ref, "请写明地点")
    assert state_of(uow_factory, ref) == (S.DRAFT, 0, 0)
    with uow_factory.begin(read_only=True) as uow:
        assert row_of(uow, ref).remark == "请写明地点"


def test_a_recalled_announcement_is_a_draft(uow_factory: UnitOfWorkFactory) -> None:
    people(uow_factory, 2)
    ref = in_review(uow_factory)
    approve(uow_factory, APPROVER, ref)
    with uow_factory.begin() as uow:
        drafts.recall_announcement(uow, EDITOR, ref)
    assert state_of(uow_factory, ref) == (S.DRAFT, 0, 0)


def test_a_mass_message_is_approved_by_the_region_only(uow_factory: UnitOfWorkFactory) -> None:
    mass = replace(
        DRAFT,
        ladder=(Channel.MASS,),
        picture="pic_1",
        contents=Contents(mass=ArticleContent(title="科普月", digest="一起来", text="正文")),
    )
    ref = in_review(uow_factory, mass, PEOPLE["editor-city"])
    with pytest.raises(MassNeedsRegion):
        approve(uow_factory, PEOPLE["approver-city"], ref)
    assert approve(uow_factory, APPROVER, ref)


def test_another_place_neither_edits_nor_approves(uow_factory: UnitOfWorkFactory) -> None:
    ref = in_review(uow_factory, DRAFT, PEOPLE["editor-city"])
    with pytest.raises(NotFound):
        approve(uow_factory, PEOPLE["approver-other"], ref)
    with uow_factory.begin() as uow, pytest.raises(NotFound):
        drafts.change_announcement(uow, PEOPLE["editor-other"], ref, DRAFT)


def test_a_job_of_the_evening_starts_in_the_morning(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin(read_only=True) as uow:
        evening = uow.now.replace(hour=14, minute=30)  # 22:30 in Beijing
        morning = uow.now.replace(hour=0, minute=0) + timedelta(days=1)  # 8:00 in Beijing
    people(uow_factory, 1)
    ref = in_review(uow_factory, replace(DRAFT, send_at=evening))
    with uow_factory.begin(read_only=True) as uow:
        assert reviewing.planned_start(uow, row_of(uow, ref)) == morning
    approve(uow_factory, APPROVER, ref)
    with uow_factory.begin(read_only=True) as uow:
        assert row_of(uow, ref).starts_at == morning


def test_a_draft_with_a_fault_is_not_sent_to_review(uow_factory: UnitOfWorkFactory) -> None:
    wrong = replace(DRAFT, body="", contents=Contents())
    with uow_factory.begin() as uow:
        ref = drafts.write_announcement(uow, EDITOR, wrong)
    with uow_factory.begin() as uow, pytest.raises(ContentRefused) as told:
        reviewing.send_to_review(uow, EDITOR, ref)
    assert {one.field for one in told.value.faults} == {"body", "template.template"}


def test_two_approvers_at_once_freeze_once(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_needed(uow_factory, monkeypatch)
    people(uow_factory, 3)
    ref = in_review(uow_factory)
    shown = seen(uow_factory, ref)
    found = all_at_once(both(uow_factory, ref, shown))
    assert Counter(found) == {True: 1, False: 1}
    assert state_of(uow_factory, ref) == (S.SCHEDULED, 3, 2)


def test_without_the_lock_neither_approver_is_the_last(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: each counts the approvals that were there before both, and its own."""
    two_needed(uow_factory, monkeypatch)
    people(uow_factory, 3)
    ref = in_review(uow_factory)
    shown = seen(uow_factory, ref)
    monkeypatch.setattr(reviewing, "given_approvals", lambda *_: [])
    found = all_at_once(both(uow_factory, ref, shown))
    assert Counter(found) == {False: 2}
    assert state_of(uow_factory, ref) == (S.REVIEW, 0, 2)


def both(
    uow_factory: UnitOfWorkFactory, ref: str, shown: tuple[str, int]
) -> list[Callable[[], bool]]:
    return [
        lambda: approve(uow_factory, APPROVER, ref, shown),
        lambda: approve(uow_factory, SECOND, ref, shown),
    ]


def approve_beside_an_edit(uow_factory: UnitOfWorkFactory, ref: str) -> list[str]:
    """An approver confirms the old page while an editor stores and sends a new text."""
    shown = seen(uow_factory, ref)
    refused: list[str] = []

    def edit(uow: UnitOfWork) -> None:
        drafts.change_announcement(uow, EDITOR, ref, replace(DRAFT, body="另一段文字"))

    def confirm() -> None:
        try:
            approve(uow_factory, APPROVER, ref, shown)
        except (ContentChanged, WrongAnnouncementState) as refusal:
            refused.append(refusal.code)

    meet(uow_factory, edit, confirm, lambda uow: reviewing.send_to_review(uow, EDITOR, ref))
    return refused


def test_an_approval_of_the_old_text_is_refused(uow_factory: UnitOfWorkFactory) -> None:
    people(uow_factory, 2)
    ref = in_review(uow_factory)
    assert approve_beside_an_edit(uow_factory, ref) == ["content_changed"]
    assert state_of(uow_factory, ref) == (S.REVIEW, 0, 0)


def test_without_the_hash_a_text_is_sent_that_nobody_approved(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(uow_factory, 2)
    ref = in_review(uow_factory)
    monkeypatch.setattr(reviewing, "hash_content", lambda _row: "0" * 64)
    monkeypatch.setattr("tests.announcements.test_approval.hash_content", lambda _row: "0" * 64)
    assert approve_beside_an_edit(uow_factory, ref) == []
    assert state_of(uow_factory, ref) == (S.SCHEDULED, 2, 1)
    with uow_factory.begin(read_only=True) as uow:
        assert row_of(uow, ref).body == "另一段文字"


def test_more_than_the_daily_quota_needs_a_split_over_days(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row D11: over the quota an announcement is reviewed only with a split over days."""
    few = replace(uow_factory.dependencies.settings.sending, template_per_day=2)
    settings = replace(uow_factory.dependencies.settings, sending=few)
    monkeypatch.setattr(
        uow_factory, "dependencies", replace(uow_factory.dependencies, settings=settings)
    )
    with uow_factory.begin() as uow:
        some_followers(uow, 5)
        uow.session.execute(update(Citizen).values(topics=[DRAFT.topic]))
    with uow_factory.begin() as uow:
        ref = drafts.write_announcement(uow, EDITOR, DRAFT)
    with uow_factory.begin() as uow, pytest.raises(SplitNeeded):
        reviewing.send_to_review(uow, EDITOR, ref)
    with uow_factory.begin() as uow:
        drafts.change_announcement(uow, EDITOR, ref, replace(DRAFT, per_day=2))
    with uow_factory.begin() as uow:
        reviewing.send_to_review(uow, EDITOR, ref)
    assert approve(uow_factory, APPROVER, ref)
    with uow_factory.begin(read_only=True) as uow:
        due = uow.session.scalars(select(Recipient.outbox_due_at)).all()
    days = Counter(beijing_day(one) for one in due if one is not None)
    assert sorted(days.values()) == [1, 2, 2]
