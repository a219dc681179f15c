"""Large audiences are frozen in the background: in parts, also beside edits and killed workers."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from server.accounts import identities, privacy
from server.accounts.models import Citizen
from server.announcements.approval import preparing, reviewing
from server.announcements.audience import forecast as forecasting
from server.announcements.audience.forecast import forecast, scale_counts
from server.announcements.audience.freezing import freeze_audience
from server.announcements.compose import drafts
from server.announcements.enums import AnnouncementState, Channel, RecipientState
from server.announcements.errors import RecipientsLeft, WrongAnnouncementState
from server.announcements.ledger.control import cancel_sending
from server.announcements.models import Announcement, Recipient
from server.announcements.slice import SLICE
from server.announcements.watching import alarms
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.announcements.test_approval import (
    APPROVER,
    DRAFT,
    EDITOR,
    approve,
    in_review,
    people,
    row_of,
    seen,
    state_of,
)
from tests.kit.announcements import an_announcement
from tests.kit.clock import FakeClock
from tests.kit.console import Browser, console_app
from tests.kit.gateway import RecordingGateway
from tests.kit.killed import Point, kill_at_point
from tests.kit.locks import meet
from tests.kit.sends import HeardWeChat, a_send, some_followers, states_of, work_until_idle

S = AnnouncementState
AT_ONCE, PEOPLE = 3, 11
POINTS: tuple[Point, ...] = (
    (preparing, "_find_refusal"),
    (preparing, "_lock_waiting"),
    (preparing, "freeze_next"),
    (preparing, "record_change"),
)


@pytest.fixture(autouse=True)
def few_at_once(uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above three people an audience is large, and a step freezes three."""
    monkeypatch.setattr(preparing, "_AT_ONCE", AT_ONCE)
    settings = uow_factory.dependencies.settings
    few = replace(settings.announcements, frozen_at_once=AT_ONCE)
    kept = replace(uow_factory.dependencies, settings=replace(settings, announcements=few))
    monkeypatch.setattr(uow_factory, "dependencies", kept)


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, tmp_path: Path) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=HeardWeChat(tmp_path / "heard"))


def approved(uow_factory: UnitOfWorkFactory, count: int = PEOPLE, **changes: object) -> str:
    """A large announcement after its last approval."""
    people(uow_factory, count)
    ref = in_review(uow_factory, replace(DRAFT, **changes))  # type: ignore[arg-type]
    assert approve(uow_factory, APPROVER, ref)
    return ref


def prepare(context: TaskContext) -> int:
    """What workers do until no recipients wait for it."""
    return sum(itertools.takewhile(bool, iter(lambda: prepare_once(context), None)))


def prepare_once(context: TaskContext) -> int:
    return preparing.prepare_recipients(context)


def step(context: TaskContext, ref: str) -> bool:
    with context.uow_factory.begin(read_only=True) as uow:
        announcement_id = row_of(uow, ref).id
    return preparing._take_step(context, announcement_id)


def frozen_people(uow_factory: UnitOfWorkFactory, ref: str) -> Counter[int]:
    with uow_factory.begin(read_only=True) as uow:
        mine = Recipient.announcement_id == row_of(uow, ref).id
        return Counter(uow.session.scalars(select(Recipient.citizen_id).where(mine)))


def everybody(uow_factory: UnitOfWorkFactory) -> Counter[int]:
    with uow_factory.begin(read_only=True) as uow:
        there = (Citizen.erased_at.is_(None), Citizen.merged_into.is_(None))
        return Counter(uow.session.scalars(select(Citizen.id).where(*there)))


def test_the_last_approval_leaves_a_large_audience_to_the_background(
    context: TaskContext, uow_factory: UnitOfWorkFactory
) -> None:
    ref = approved(uow_factory)
    assert state_of(uow_factory, ref) == (S.FREEZING, 0, 1)
    # One step begins, three freeze three people each, the last one two.
    assert prepare(context) == 5
    assert state_of(uow_factory, ref) == (S.SCHEDULED, PEOPLE, 1)
    assert frozen_people(uow_factory, ref) == everybody(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        row = row_of(uow, ref)
        assert (row.audience_size, row.counted, row.frozen_count, row.frozen_to) == (
            PEOPLE, PEOPLE, None, None,
        )  # fmt: skip
        assert row.starts_at == uow.now + timedelta(minutes=2)


def test_a_small_audience_is_frozen_in_the_transaction_of_the_last_approval(
    uow_factory: UnitOfWorkFactory,
) -> None:
    ref = approved(uow_factory, AT_ONCE)
    assert state_of(uow_factory, ref) == (S.SCHEDULED, AT_ONCE, 1)


@pytest.mark.parametrize("per_day", [None, 1, 2, 4, 100])
def test_parts_have_the_same_rows_as_the_whole(
    context: TaskContext, uow_factory: UnitOfWorkFactory, per_day: int | None
) -> None:
    ref = approved(uow_factory, per_day=per_day)
    prepare(context)
    with uow_factory.begin() as uow:
        row = row_of(uow, ref)
        values = {"audience": {}, "topic": row.topic, "per_day": per_day}
        whole = an_announcement(uow, starts_at=row.starts_at, **values)
        freeze_audience(uow, whole)
        wanted = (Recipient.citizen_id, Recipient.outbox_due_at, Recipient.state)
        parts, together = (
            set(map(tuple, uow.session.execute(select(*wanted).where(which))))
            for which in (
                Recipient.announcement_id == row.id,
                Recipient.announcement_id == whole.id,
            )
        )
        assert parts == together
        assert len(parts) == PEOPLE


def test_an_audience_that_moved_is_put_back_to_review_with_a_sentence(
    context: TaskContext, uow_factory: UnitOfWorkFactory
) -> None:
    ref = approved(uow_factory)
    people(uow_factory, 1)
    prepare(context)
    assert state_of(uow_factory, ref) == (S.REVIEW, 0, 0)
    with uow_factory.begin(read_only=True) as uow:
        row = row_of(uow, ref)
        assert row.remark is not None
        assert f"从{PEOPLE}人变成了{PEOPLE + 1}人" in row.remark
        assert (row.counted, row.starts_at, row.approved_at) == (PEOPLE + 1, None, None)
        assert not row.rows_left
    # Both may approve again, and the new people are frozen.
    assert approve(uow_factory, APPROVER, ref)
    prepare(context)
    assert state_of(uow_factory, ref) == (S.SCHEDULED, PEOPLE + 1, 1)
    with uow_factory.begin(read_only=True) as uow:
        assert row_of(uow, ref).remark is None


def test_people_who_come_and_go_between_the_parts_are_counted_at_the_end(
    context: TaskContext, uow_factory: UnitOfWorkFactory
) -> None:
    ref = approved(uow_factory)
    for _ in range(2):
        step(context, ref)
    people(uow_factory, 2)
    prepare(context)
    assert state_of(uow_factory, ref) == (S.REVIEW, 0, 0)


def test_a_plan_over_the_quota_is_refused_by_the_background_too(
    context: TaskContext, uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        some_followers(uow, PEOPLE)
        uow.session.execute(update(Citizen).values(topics=[DRAFT.topic]))
    ref = in_review(uow_factory)
    approve(uow_factory, APPROVER, ref)
    settings = uow_factory.dependencies.settings
    few = replace(settings, sending=replace(settings.sending, template_per_day=2))
    kept = replace(uow_factory.dependencies, settings=few)
    monkeypatch.setattr(uow_factory, "dependencies", kept)
    prepare(context)
    assert state_of(uow_factory, ref) == (S.REVIEW, 0, 0)
    with uow_factory.begin(read_only=True) as uow:
        assert "不超过 2 人" in (row_of(uow, ref).remark or "")


def test_a_start_that_passes_while_no_worker_runs_leaves_time_to_cancel(
    context: TaskContext, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    ref = approved(uow_factory)
    step(context, ref)
    clock.advance(600)
    prepare(context)
    with uow_factory.begin(read_only=True) as uow:
        assert row_of(uow, ref).starts_at == uow.now + timedelta(minutes=2)


# --- other acts beside it -----------------------------------------------------------------------


def recall(uow: UnitOfWork, ref: str) -> None:
    drafts.recall_announcement(uow, EDITOR, ref)


def edit(uow: UnitOfWork, ref: str) -> None:
    drafts.change_announcement(uow, EDITOR, ref, replace(DRAFT, body="改到三楼。"))


@pytest.mark.parametrize("act", [recall, edit])
@pytest.mark.parametrize("steps", [0, 1, 3, 5])
def test_an_edit_or_a_recall_ends_it_and_its_rows_are_deleted(
    context: TaskContext,
    uow_factory: UnitOfWorkFactory,
    act: Callable[[UnitOfWork, str], None],
    steps: int,
) -> None:
    ref = approved(uow_factory)
    for _ in range(steps):
        step(context, ref)
    with uow_factory.begin() as uow:
        act(uow, ref)
    prepare(context)
    assert state_of(uow_factory, ref) == (S.DRAFT, 0, 0)
    with uow_factory.begin() as uow:
        reviewing.send_to_review(uow, EDITOR, ref)
    approve(uow_factory, APPROVER, ref)
    prepare(context)
    assert frozen_people(uow_factory, ref) == everybody(uow_factory)


def test_a_new_approval_waits_until_the_rows_of_the_old_one_are_deleted(
    context: TaskContext, uow_factory: UnitOfWorkFactory
) -> None:
    ref = approved(uow_factory)
    for _ in range(3):
        step(context, ref)
    with uow_factory.begin() as uow:
        recall(uow, ref)
        # Only three people are left: few enough for the approval itself, but for the old rows.
        for citizen_id in sorted(everybody(uow_factory))[AT_ONCE:]:
            privacy.erase_citizen(uow, citizen_id)
    with uow_factory.begin() as uow:
        reviewing.send_to_review(uow, EDITOR, ref)
    approve(uow_factory, APPROVER, ref)
    assert state_of(uow_factory, ref)[:2] == (S.FREEZING, 2 * AT_ONCE)
    prepare(context)
    assert state_of(uow_factory, ref) == (S.SCHEDULED, AT_ONCE, 1)
    assert frozen_people(uow_factory, ref) == everybody(uow_factory)


def test_a_draft_is_not_deleted_before_its_old_rows(
    context: TaskContext, uow_factory: UnitOfWorkFactory
) -> None:
    ref = approved(uow_factory)
    prepare(context)
    with uow_factory.begin() as uow:
        recall(uow, ref)
    with uow_factory.begin() as uow, pytest.raises(RecipientsLeft):
        drafts.delete_announcement(uow, EDITOR, ref)
    prepare(context)
    with uow_factory.begin() as uow:
        drafts.delete_announcement(uow, EDITOR, ref)


def recall_beside_a_step(context: TaskContext, ref: str) -> None:
    """A recall waits for the step that holds the announcement, and finds it as the step left it."""
    factory = context.uow_factory
    with factory.begin(read_only=True) as uow:
        announcement_id = row_of(uow, ref).id

    def hold(uow: UnitOfWork) -> None:
        row = preparing._lock_waiting(uow, announcement_id)
        assert row is not None
        preparing._freeze_more(uow, row)

    def take_back() -> None:
        with factory.begin() as uow:
            recall(uow, ref)

    assert meet(factory, hold, take_back, lambda _uow: None) == []


@pytest.mark.race
def test_a_recall_beside_a_step_leaves_no_recipients(
    context: TaskContext, uow_factory: UnitOfWorkFactory
) -> None:
    ref = approved(uow_factory)
    step(context, ref)
    recall_beside_a_step(context, ref)
    prepare(context)
    assert state_of(uow_factory, ref) == (S.DRAFT, 0, 0)


def test_a_step_that_does_not_look_again_gives_a_draft_recipients(
    context: TaskContext, uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the check under the lock the draft gets rows that nobody approved."""
    ref = approved(uow_factory)
    step(context, ref)
    with uow_factory.begin() as uow:
        recall(uow, ref)
    prepare(context)

    def look_at_nothing(uow: UnitOfWork, announcement_id: int) -> Announcement:
        row = uow.session.get_one(Announcement, announcement_id)
        row.starts_at, row.frozen_count = uow.now, row.frozen_count or 0
        return row

    monkeypatch.setattr(preparing, "_lock_waiting", look_at_nothing)
    step(context, ref)
    assert state_of(uow_factory, ref)[:2] == (S.DRAFT, AT_ONCE)


def test_a_freezing_announcement_is_neither_approved_nor_cancelled_nor_sent(
    context: TaskContext, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    ref = approved(uow_factory)
    shown = seen(uow_factory, ref)
    with pytest.raises(WrongAnnouncementState):
        approve(uow_factory, replace(APPROVER, id=902), ref, shown)
    with uow_factory.begin() as uow, pytest.raises(WrongAnnouncementState):
        cancel_sending(uow, row_of(uow, ref).id, None)
    for _ in range(3):
        step(context, ref)
    clock.advance(3600)
    work_until_idle(context)
    assert state_of(uow_factory, ref) == (S.FREEZING, 2 * AT_ONCE, 1)


def test_citizens_merged_or_erased_between_the_parts_are_frozen_once_or_not_at_all(
    context: TaskContext, uow_factory: UnitOfWorkFactory
) -> None:
    # Many, so that three are below one percent.
    ref = approved(uow_factory, 400)
    first, second, *others = sorted(everybody(uow_factory))
    for _ in range(3):
        step(context, ref)
    assert len(frozen_people(uow_factory, ref)) == 2 * AT_ONCE
    with uow_factory.begin() as uow:
        # One who is frozen already becomes one who is not yet, and the other way round.
        uow.session.execute(update(Citizen).where(Citizen.id == first).values(unionid=None))
        identities.merge_citizens(uow, others[-1], first)
        identities.merge_citizens(uow, second, others[-2])
        privacy.erase_citizen(uow, others[-3])
    prepare(context)
    found, there = frozen_people(uow_factory, ref), everybody(uow_factory)
    assert set(found.values()) == {1}
    assert set(found) == set(there)
    assert state_of(uow_factory, ref) == (S.SCHEDULED, len(there), 1)


# --- killed workers -----------------------------------------------------------------------------


@pytest.mark.race
@pytest.mark.slow
def test_a_worker_killed_at_any_point_loses_and_doubles_nobody(
    context: TaskContext, uow_factory: UnitOfWorkFactory
) -> None:
    ref = approved(uow_factory)
    run = partial(prepare, context)
    labels: list[str] = []
    for wanted in itertools.count(1):
        # What the others finish is undone, so that every point of a whole run is met.
        label = kill_at_point(uow_factory, run, POINTS, wanted)
        if label is None:
            break
        labels.append(label)
        prepare(context)
        assert state_of(uow_factory, ref) == (S.SCHEDULED, PEOPLE, 1), label
        assert frozen_people(uow_factory, ref) == everybody(uow_factory), label
        with uow_factory.begin() as uow:
            recall(uow, ref)
        prepare(context)
        with uow_factory.begin() as uow:
            reviewing.send_to_review(uow, EDITOR, ref)
        approve(uow_factory, APPROVER, ref)
    assert {f"after {name}" for _, name in POINTS} <= set(labels)
    # The five steps, and the look that finds nothing left.
    assert labels.count("after the commit") == 6


@pytest.mark.race
def test_a_cursor_committed_before_its_people_would_lose_some(
    context: TaskContext, uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a worker killed between the two commits leaves three people out."""
    ref = approved(uow_factory)
    step(context, ref)

    def move_cursor(uow: UnitOfWork, row: Announcement) -> None:
        row.frozen_to = sorted(everybody(uow_factory))[AT_ONCE - 1]
        row.frozen_count = AT_ONCE

    with monkeypatch.context() as patch:
        patch.setattr(preparing, "_freeze_more", move_cursor)
        step(context, ref)
    prepare(context)
    assert frozen_people(uow_factory, ref) != everybody(uow_factory)


# --- cancelling ---------------------------------------------------------------------------------


def test_a_large_cancellation_ends_the_rest_in_the_background(
    context: TaskContext, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        sent = a_send(uow, some_followers(uow, PEOPLE), Channel.INBOX).id
        other = a_send(uow, some_followers(uow, 2), Channel.INBOX, starts_at=uow.now).id
    with uow_factory.begin() as uow:
        cancel_sending(uow, sent, "下雨")
    assert states_of(uow_factory, sent) == {"queued": PEOPLE}
    # Nobody gets it any more, although the rows are still queued.
    work_until_idle(context)
    assert states_of(uow_factory, sent) == {"queued": PEOPLE}
    assert prepare(context) == 4
    assert states_of(uow_factory, sent) == {"cancelled": PEOPLE}
    assert states_of(uow_factory, other) == {"sent": 2}
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.get_one(Announcement, sent)
        assert (row.state, row.rows_left, row.next_row) == (S.CANCELLED, False, None)


def test_the_rest_of_a_sending_is_cancelled_exactly(
    context: TaskContext, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        sent = a_send(uow, some_followers(uow, PEOPLE), Channel.INBOX).id
        rows = select(Recipient.id).where(Recipient.announcement_id == sent)
        done = sorted(uow.session.scalars(rows))[:5]
        gone = {"state": RecipientState.SENT, "outbox_state": None}
        uow.session.execute(update(Recipient).where(Recipient.id.in_(done)).values(**gone))
        uow.session.get_one(Announcement, sent).state = S.SENDING
    with uow_factory.begin() as uow:
        cancel_sending(uow, sent, None)
    prepare(context)
    assert states_of(uow_factory, sent) == {"sent": 5, "cancelled": PEOPLE - 5}


# --- pages, alarms and the forecast -------------------------------------------------------------


def test_the_page_says_that_the_list_is_being_prepared(
    context: TaskContext, uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    app: Flask = console_app(uow_factory, *SLICE.pages, gateway=gateway)[0]
    people(uow_factory, PEOPLE)
    ref = in_review(uow_factory)
    content_hash, counted = seen(uow_factory, ref)
    approver, editor = Browser(app, "approver-region"), Browser(app, "editor-region")
    form = {"content_hash": content_hash, "counted": str(counted)}
    assert approver.ask("POST", f"/announcements/{ref}/approve", form)[0] == 303
    for _ in range(3):
        step(context, ref)
    page = editor.get(f"/announcements/{ref}")[1]
    assert f"正在准备名单：共{PEOPLE}人，已经准备好{2 * AT_ONCE}人" in page
    assert 'hx-trigger="every 5s"' in page
    assert f'action="/console/announcements/{ref}/recall"' in page
    people(uow_factory, 3)
    prepare(context)
    page = editor.get(f"/announcements/{ref}")[1]
    assert f"没有发送：发送人数从{PEOPLE}人变成了{PEOPLE + 3}人" in page
    assert 'hx-trigger="every 5s"' not in page


def test_one_that_is_frozen_for_too_long_is_an_alarm(
    context: TaskContext, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    approved(uow_factory)
    readings = []
    for seconds in (0, 400):
        clock.advance(seconds)
        with uow_factory.begin(read_only=True) as uow:
            readings.append(alarms.READINGS["announcements_overdue"](uow))
    prepare(context)
    with uow_factory.begin(read_only=True) as uow:
        readings.append(alarms.READINGS["announcements_overdue"](uow))
    assert readings == [0, 1, 0]


def test_the_forecast_of_a_large_audience_is_that_of_a_sample(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        some_followers(uow, 900, grants=[Channel.MINI_SUBSCRIPTION])
        some_followers(uow, 2100)
        row = an_announcement(
            uow,
            ladder=[Channel.MINI_SUBSCRIPTION.value],
            contents={"mini_subscription": {"template": "announcement", "fields": {}}},
        )
        whole = forecast(uow, EDITOR, row)
        monkeypatch.setattr(forecasting, "SAMPLE", 1000)
        part = forecast(uow, EDITOR, row)
    assert (whole.sampled, part.sampled, part.people) == (False, True, 3000)
    assert whole.pushed == 900
    # Four standard deviations of a sample of a third.
    assert abs(part.pushed - 900) < 4 * 3000 * (0.3 * 0.7 / 1000) ** 0.5
    assert part.pushed + sum(part.unreached.values()) == 3000


@pytest.mark.parametrize("counts", [[1], [1, 1, 1], [5, 0, 7], [100_000], [1, 99_999]])
def test_scaled_counts_sum_up_to_everybody(counts: list[int]) -> None:
    scaled = scale_counts(counts, 1_000_003)
    assert sum(scaled) == 1_000_003
    share = 1_000_003 / sum(counts)
    assert all(abs(new - old * share) <= 1 for old, new in zip(counts, scaled, strict=True))
