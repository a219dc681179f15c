"""A correction reaches exactly those who have the wrong announcement, and nobody escapes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from server.accounts import service as accounts
from server.accounts.models import Citizen
from server.announcements.approval import reviewing
from server.announcements.audience.choice import Obstacle
from server.announcements.audience.facts import has_ground, load_facts
from server.announcements.audience.rule import AudienceRule
from server.announcements.compose import drafts
from server.announcements.compose.correcting import count_reached, write_correction
from server.announcements.compose.drafts import ContentRefused
from server.announcements.enums import AnnouncementState, Channel, Purpose
from server.announcements.errors import NothingToCorrect, WrongAnnouncementState
from server.audit.models import AuditRecord
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.jobs import TaskContext
from server.base.ownership import scope_of
from server.base.uow import UnitOfWorkFactory
from server.notices import service as notices
from server.notices.models import Outreach
from tests.kit.accounts import a_citizen
from tests.kit.announcements import a_recipient, an_announcement
from tests.kit.boards import an_entry
from tests.kit.clock import FakeClock
from tests.kit.console import NANNING, PEOPLE
from tests.kit.contests import a_contest
from tests.kit.corrections import (
    CANCEL_TIME,
    EDITOR,
    a_wrong_one,
    add_recipient,
    approve,
    correct,
    letters_of,
    results_of,
    row_of,
)
from tests.kit.sends import HeardWeChat, a_send, work_until_idle

S = AnnouncementState


@pytest.fixture
def wechat(tmp_path: Path) -> HeardWeChat:
    return HeardWeChat(tmp_path / "heard")


def send_approved(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, wechat: HeardWeChat, ref: str
) -> int:
    """Approve, wait and send; the number of recipients."""
    counted = approve(uow_factory, ref)
    clock.advance(CANCEL_TIME)
    work_until_idle(TaskContext(uow_factory=uow_factory, gateway=wechat))
    return counted


def openids(uow_factory: UnitOfWorkFactory, *citizen_ids: int) -> set[str]:
    with uow_factory.begin(read_only=True) as uow:
        return set(accounts.openids_of(uow, set(citizen_ids), "official_account").values())


def test_those_who_may_have_the_message_get_another_and_the_rest_a_copy(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, wechat: HeardWeChat
) -> None:
    with uow_factory.begin() as uow:
        wrong, people = a_wrong_one(uow)
        ref, began = wrong.ref, wrong.began_at
        assert began is not None
        assert count_reached(uow, wrong) == 4
    made = correct(uow_factory, ref)
    assert send_approved(uow_factory, clock, wechat, made) == 4
    pushed = [people[name] for name in ("sent", "unknown", "opened")]
    assert set(wechat.inbox()) == openids(uow_factory, *pushed)
    assert set(wechat.inbox().values()) == {1}
    assert results_of(uow_factory, made) == {
        **dict.fromkeys(pushed, ("sent", None)),
        people["unread"]: ("refused", Obstacle.NEVER_PUSHED.value),
    }
    assert letters_of(uow_factory, people["cancelled"]) == []
    for name in ("sent", "unread"):
        (letter,) = letters_of(uow_factory, people[name])
        assert letter.title == "更正：科普讲座下周开讲"
        corrected = f"更正：{began:%Y-%m-%d}的通知《科普讲座下周开讲》有误，请以这条为准。"
        assert letter.body == f"{corrected}\n\n讲座改到三楼。"
    assert letter.not_pushed_reason == "原来的通知也只放在收件箱里"


def test_the_limit_over_all_senders_leaves_a_correction_alone(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, wechat: HeardWeChat
) -> None:
    with uow_factory.begin() as uow:
        wrong, people = a_wrong_one(uow)
        ref = wrong.ref
        notices.reserve_outreach(uow, "announcement:other", set(people.values()), 1, 3)
        # An ordinary one of the same day reaches nobody.
        ordinary = a_send(uow, list(people.values()), topic="lectures").ref
    send_approved(uow_factory, clock, wechat, correct(uow_factory, ref))
    assert set(results_of(uow_factory, ordinary).values()) == {("refused", "capped")}
    assert len(wechat.inbox()) == 3
    with uow_factory.begin(read_only=True) as uow:
        keys = set(uow.session.scalars(select(Outreach.key)))
        assert keys == {"announcement:other"}, "a correction takes no place in the limit"


def test_who_turned_announcements_off_since_then_gets_only_the_copy(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, wechat: HeardWeChat
) -> None:
    with uow_factory.begin() as uow:
        wrong, people = a_wrong_one(uow)
        ref, off = wrong.ref, people["sent"]
        silent = update(Citizen).where(Citizen.id == off)
        uow.session.execute(silent.values(announcements_off=True))
    made = correct(uow_factory, ref)
    send_approved(uow_factory, clock, wechat, made)
    assert results_of(uow_factory, made)[off] == ("refused", "opted_out")
    assert not openids(uow_factory, off) & set(wechat.inbox())
    assert len(letters_of(uow_factory, off)) == 1


def test_a_correction_inherits_the_act_that_the_first_one_was_sent_for(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        wrong, people = a_wrong_one(
            uow, topic=None, audience={"contest": {"contest": contest.ref, "completed": True}}
        )
        an_entry(uow, contest, people["sent"])
        ref, ids = wrong.ref, list(people.values())
    again = ref
    # A correction of the correction still stands on the act of the beginning.
    for floor in ("三楼", "四楼"):
        made = correct(uow_factory, again, floor=floor)
        with uow_factory.begin() as uow:
            row = row_of(uow, made)
            assert has_ground(uow, row)
            facts = load_facts(uow, select(Citizen.id).where(Citizen.id.in_(ids)), row)
            asked = {one for one in ids if facts[one].asked_for}
            assert asked == {people["sent"]}
            reviewing.send_to_review(uow, EDITOR, made)
            row.state, row.began_at = S.DONE, uow.now
            add_recipient(uow, row, people["sent"])
        again = made


def test_without_an_act_neither_the_first_nor_its_correction_goes_by_template(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        wrong, _ = a_wrong_one(uow, topic=None)
        made = write_correction(uow, EDITOR, wrong.ref)
        assert not has_ground(uow, row_of(uow, made))


def test_a_correction_of_a_correction_goes_to_those_of_the_correction(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        wrong, people = a_wrong_one(uow)
        ref = wrong.ref
    first = correct(uow_factory, ref)
    with uow_factory.begin() as uow:
        row = row_of(uow, first)
        row.state, row.began_at = S.DONE, uow.now
        add_recipient(uow, row, people["opened"])
    second = correct(uow_factory, first)
    with uow_factory.begin() as uow:
        row = row_of(uow, second)
        assert row.title == "更正：科普讲座下周开讲", "marked once"
        assert reviewing.count_recipients(uow, row) == 1
        # The first one can be corrected again too, for everybody who has it.
        again = row_of(uow, write_correction(uow, EDITOR, ref))
        assert reviewing.count_recipients(uow, again) == 4


@pytest.mark.parametrize("state", [S.DONE, S.CANCELLED])
@pytest.mark.parametrize("withdrawn", [False, True])
def test_what_is_over_can_be_corrected_also_when_it_was_withdrawn(
    uow_factory: UnitOfWorkFactory, state: AnnouncementState, withdrawn: bool
) -> None:
    with uow_factory.begin() as uow:
        wrong, _ = a_wrong_one(uow, state=state, withdrawn_at=uow.now if withdrawn else None)
        row = row_of(uow, write_correction(uow, EDITOR, wrong.ref))
        assert (row.state, row.purpose, row.corrects_id) == (
            S.DRAFT,
            Purpose.CORRECTION,
            wrong.id,
        )
        assert (row.ladder, row.topic, row.writer_id) == (wrong.ladder, "lectures", EDITOR.id)
        made = row.ref
    with uow_factory.begin(read_only=True) as uow:
        acts = select(AuditRecord.act).where(AuditRecord.subject_ref == made)
        assert uow.session.scalars(acts).all() == ["announcements.write_correction"]


@pytest.mark.parametrize("state", [one for one in S if one not in (S.DONE, S.CANCELLED)])
def test_what_is_not_over_is_cancelled_before_it_is_corrected(
    uow_factory: UnitOfWorkFactory, state: AnnouncementState
) -> None:
    with uow_factory.begin() as uow:
        wrong, _ = a_wrong_one(uow, state=state)
        with pytest.raises(WrongAnnouncementState):
            write_correction(uow, EDITOR, wrong.ref)


def test_what_nobody_got_is_not_corrected(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        wrong = an_announcement(uow, state=S.CANCELLED)
        a_recipient(uow, wrong, a_citizen(uow).id)
        with pytest.raises(NothingToCorrect):
            write_correction(uow, EDITOR, wrong.ref)


def test_a_request_that_comes_twice_makes_one_draft(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        ref = a_wrong_one(uow)[0].ref
    made = correct(uow_factory, ref)
    for state in (S.DRAFT, S.REVIEW, S.SCHEDULED):
        with uow_factory.begin() as uow:
            row_of(uow, made).state = state
            assert write_correction(uow, EDITOR, ref) == made
    with uow_factory.begin() as uow:
        row_of(uow, made).state = S.DONE
        assert write_correction(uow, EDITOR, ref) != made


@pytest.mark.parametrize(
    ("who", "may"),
    [("editor-region", True), ("editor-city", True), ("editor-other", False)],
)
def test_only_who_may_write_the_first_one_corrects_it_and_its_place_stays(
    uow_factory: UnitOfWorkFactory, who: str, may: bool
) -> None:
    organizer: Organizer = PEOPLE[who]
    with uow_factory.begin() as uow:
        wrong, _ = a_wrong_one(uow, scope=NANNING)
        if not may:
            with pytest.raises(NotFound):
                write_correction(uow, organizer, wrong.ref)
            return
        row = row_of(uow, write_correction(uow, organizer, wrong.ref))
        assert scope_of(row) == NANNING
        assert reviewing.count_recipients(uow, row) == 4


def test_no_edit_changes_whom_a_correction_is_for(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        ref = a_wrong_one(uow)[0].ref
    made = correct(uow_factory, ref)
    with uow_factory.begin() as uow:
        before = drafts.read_draft(row_of(uow, made))
        wanted = replace(
            before, title="更正：讲座", audience=AudienceRule(), corrects_id=None,
            purpose=Purpose.NEWS, topic=None, activity_ref="act_1",
        )  # fmt: skip
        drafts.change_announcement(uow, EDITOR, made, wanted)
        after = drafts.read_draft(row_of(uow, made))
        assert after == replace(before, title="更正：讲座")


def test_no_edit_makes_another_announcement_a_correction(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        wrong, _ = a_wrong_one(uow)
        row = an_announcement(uow, ladder=["inbox"])
        draft = drafts.read_draft(row)
        drafts.change_announcement(uow, EDITOR, row.ref, replace(draft, corrects_id=wrong.id))
        assert row.corrects_id is None


def test_a_copy_of_a_correction_is_an_ordinary_draft_without_its_audience(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        ref = a_wrong_one(uow)[0].ref
    made = correct(uow_factory, ref)
    with uow_factory.begin() as uow:
        copied = drafts.copy_draft(EDITOR, row_of(uow, made))
        assert (copied.corrects_id, copied.purpose) == (None, Purpose.NEWS)
        assert copied.audience == AudienceRule()


@pytest.mark.parametrize(
    "ladder", [(Channel.TEMPLATE,), (Channel.CUSTOMER_MESSAGE,), (Channel.INBOX,)]
)
def test_a_correction_that_says_the_same_is_not_reviewed(
    uow_factory: UnitOfWorkFactory, ladder: tuple[Channel, ...]
) -> None:
    contents = {
        "template": {"template": "oa-announcement", "fields": {"thing1": "讲座"}},
        "customer_message": {"text": "讲座在二楼。"},
    }
    kept = {one.value: contents[one.value] for one in ladder if one.value in contents}
    with uow_factory.begin() as uow:
        ref = a_wrong_one(uow, ladder=[one.value for one in ladder], contents=kept)[0].ref
        made = write_correction(uow, EDITOR, ref)
    with uow_factory.begin() as uow, pytest.raises(ContentRefused) as refused:
        reviewing.send_to_review(uow, EDITOR, made)
    unchanged = {one.field for one in refused.value.faults if one.reason == "unchanged"}
    parts = {
        Channel.TEMPLATE: "template.template",
        Channel.CUSTOMER_MESSAGE: "customer_message.text",
    }
    assert unchanged == {"body", *(parts[one] for one in ladder if one in parts)}


def test_a_correction_waits_for_the_morning(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        ref = a_wrong_one(uow, purpose=Purpose.CHANGE)[0].ref
    made = correct(uow_factory, ref)
    clock.set(datetime(2026, 5, 1, 15, 0, tzinfo=UTC))
    approve(uow_factory, made)
    with uow_factory.begin(read_only=True) as uow:
        assert row_of(uow, made).starts_at == datetime(2026, 5, 2, 0, 0, tzinfo=UTC)


def test_a_long_title_keeps_its_mark(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        wrong, _ = a_wrong_one(uow, title="讲" * 80)
        row = row_of(uow, write_correction(uow, EDITOR, wrong.ref))
        assert row.title == "更正：" + "讲" * 77


def test_the_ledger_of_the_first_one_stays_as_it_is(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, wechat: HeardWeChat
) -> None:
    with uow_factory.begin() as uow:
        ref = a_wrong_one(uow)[0].ref
    before = results_of(uow_factory, ref)
    send_approved(uow_factory, clock, wechat, correct(uow_factory, ref))
    assert results_of(uow_factory, ref) == before
    with uow_factory.begin(read_only=True) as uow:
        corrections = select(func.count()).where(drafts.Announcement.corrects_id.is_not(None))
        assert uow.session.scalar(corrections) == 1
