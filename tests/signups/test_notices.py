"""Messages about sign-ups: one letter per row, and a push where it is granted."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from server.base.jobs import TaskContext
from server.base.templates import message_templates, template_id_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.emulator.fields import accepts_value
from server.notices.models import InboxMessage, MessageGrant, Push
from server.signups import notices, service, store, tasks
from server.signups.contacts import Contact
from server.signups.kinds import NoticeKind
from server.signups.models import SignUp, SignUpNotice
from server.signups.wording import TEMPLATE_OF, TEMPLATES, DueNotice, write_letter, write_push
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import all_at_once

# The third of May, three in the afternoon in Beijing; the clock of the tests begins on the first.
START = datetime(2026, 5, 3, 7, tzinfo=UTC)


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def lecture_at(uow_factory: UnitOfWorkFactory, **columns: Any) -> Lecture:
    with uow_factory.begin() as uow:
        return a_lecture(uow, **{"starts_at": START, **columns})


def signed_up(uow_factory: UnitOfWorkFactory, lecture: Lecture, *grants: str, **wish: Any) -> int:
    """A citizen with a place in a lecture, and with one grant for each of these templates."""
    with uow_factory.begin() as uow:
        citizen = a_citizen(uow).id
        for slug in grants:
            grant(uow, citizen, slug)
    with uow_factory.begin() as uow:
        service.sign_up(uow, citizen, lecture.ref, service.Wish(**wish))
    return citizen


def grant(uow: UnitOfWork, citizen: int, slug: str) -> None:
    uow.session.add(
        MessageGrant(
            citizen_id=citizen, template_id=template_id_of(slug), made_at=uow.now, event_at=uow.now
        )
    )


def letters(uow_factory: UnitOfWorkFactory, citizen: int) -> list[InboxMessage]:
    with uow_factory.begin(read_only=True) as uow:
        found = uow.session.scalars(
            select(InboxMessage).where(InboxMessage.citizen_id == citizen).order_by(InboxMessage.id)
        )
        return list(found)


def pushes(uow_factory: UnitOfWorkFactory, citizen: int) -> list[Push]:
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(Push).where(Push.citizen_id == citizen)))


def untold(uow_factory: UnitOfWorkFactory) -> list[NoticeKind]:
    with uow_factory.begin(read_only=True) as uow:
        found = uow.session.scalars(select(SignUpNotice.kind).where(SignUpNotice.told_at.is_(None)))
        return list(found)


def test_a_sign_up_is_told_once_in_the_inbox_and_by_the_granted_push(
    context: TaskContext,
) -> None:
    lecture = lecture_at(context.uow_factory, title="数字时代的科学", address="民族大道61号")
    contact = Contact(name="黄小明")
    asked = signed_up(context.uow_factory, lecture, "signup-success", contact=contact)
    silent = signed_up(context.uow_factory, lecture)
    assert [tasks.tell_notices(context) for _ in range(3)] == [2, 0, 0]
    (letter,) = letters(context.uow_factory, asked)
    assert letter.title == "报名成功"
    assert "《数字时代的科学》" in letter.body
    assert "2026年5月3日（周日）15:00" in letter.body
    assert "广西图书馆报告厅（民族大道61号）" in letter.body
    assert letter.page is not None
    assert letter.page.endswith(f"?id={lecture.ref}")
    assert letter.not_pushed_reason is None
    (push,) = pushes(context.uow_factory, asked)
    assert push.fields["name4"] == "黄小明"
    assert push.fields["time2"] == "2026年5月3日 15:00"
    assert push.expires_at == START
    # No limit holds for it: it answers an act of the citizen's own.
    assert not push.counted
    (plain,) = letters(context.uow_factory, silent)
    assert plain.not_pushed_reason == "微信里的提醒次数用完了"
    assert pushes(context.uow_factory, silent) == []


def test_a_sign_up_wakes_the_task_for_its_own_rows(
    context: TaskContext, rung: list[tuple[str, tuple[int, ...]]]
) -> None:
    lecture = lecture_at(context.uow_factory)
    signed_up(context.uow_factory, lecture)
    other = signed_up(context.uow_factory, lecture)
    wake_ups = [keys for name, keys in rung if name == store.TELL_TASK]
    assert [len(keys) for keys in wake_ups] == [1, 1]
    assert tasks.tell_notices(context, *wake_ups[1]) == 1
    assert len(letters(context.uow_factory, other)) == 1
    assert untold(context.uow_factory) == [NoticeKind.CONFIRMED]


def test_an_offer_is_told_with_its_end_and_not_after_it(
    context: TaskContext, clock: FakeClock
) -> None:
    lecture = lecture_at(context.uow_factory, seats=1, offer_minutes=30)
    first = signed_up(context.uow_factory, lecture)
    waiting = signed_up(context.uow_factory, lecture, "waitlist-promoted")
    with context.uow_factory.begin() as uow:
        service.withdraw(uow, first, lecture.ref)
    tasks.tell_notices(context)
    (push,) = pushes(context.uow_factory, waiting)
    assert (push.fields["phrase4"], push.fields["time5"]) == ("待确认", "2026年5月1日 12:30")
    assert push.expires_at == clock.now() + timedelta(minutes=30)
    assert [one.title for one in letters(context.uow_factory, waiting)] == [
        "已进入候补", "候补有名额了，请确认",
    ]  # fmt: skip


def test_an_offer_that_was_declined_before_its_message_is_not_told(context: TaskContext) -> None:
    lecture = lecture_at(context.uow_factory, seats=1, offer_minutes=30)
    first = signed_up(context.uow_factory, lecture)
    waiting = signed_up(context.uow_factory, lecture)
    with context.uow_factory.begin() as uow:
        service.withdraw(uow, first, lecture.ref)
    with context.uow_factory.begin() as uow:
        service.answer_offer(uow, waiting, lecture.ref, accept=False)
    tasks.tell_notices(context)
    assert [one.title for one in letters(context.uow_factory, waiting)] == ["已进入候补"]
    assert untold(context.uow_factory) == []


def test_a_guest_and_an_erased_citizen_get_no_letter_and_hold_up_nobody(
    context: TaskContext,
) -> None:
    lecture = lecture_at(context.uow_factory, seats=5)
    signed_up(context.uow_factory, lecture)
    other = signed_up(context.uow_factory, lecture)
    with context.uow_factory.begin() as uow:
        uow.session.execute(
            update(SignUp).where(SignUp.citizen_id != other).values(citizen_id=None)
        )
    assert tasks.tell_notices(context) == 2
    with context.uow_factory.begin(read_only=True) as uow:
        assert list(uow.session.scalars(select(InboxMessage.citizen_id))) == [other]
    assert untold(context.uow_factory) == []


class Killed(BaseException):
    """The end of a worker in the middle of a transaction."""


def kill_before_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next worker dies between the letter and the mark."""
    tell = notices._tell_citizen

    def tell_and_die(uow: UnitOfWork, due: DueNotice) -> None:
        tell(uow, due)
        uow.session.flush()
        raise Killed

    monkeypatch.setattr(notices, "_tell_citizen", tell_and_die)


def test_a_worker_killed_between_letter_and_mark_has_told_nothing_and_the_next_tells_once(
    context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    lecture = lecture_at(context.uow_factory)
    citizen = signed_up(context.uow_factory, lecture, "signup-success")
    with monkeypatch.context() as killing:
        kill_before_mark(killing)
        with pytest.raises(Killed):
            tasks.tell_notices(context)
    assert letters(context.uow_factory, citizen) == []
    assert tasks.tell_notices(context) == 1
    assert len(letters(context.uow_factory, citizen)) == 1
    assert len(pushes(context.uow_factory, citizen)) == 1


def forget_mark(uow_factory: UnitOfWorkFactory) -> None:
    """As if a worker had committed the letter alone."""
    with uow_factory.begin() as uow:
        uow.session.execute(update(SignUpNotice).values(told_at=None))


@pytest.mark.parametrize("guarded", [True, False])
def test_a_letter_without_its_mark_is_not_sent_again(
    context: TaskContext, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """The control has keys that differ each time: it sees two letters."""
    lecture = lecture_at(context.uow_factory)
    citizen = signed_up(context.uow_factory, lecture, "signup-success", "signup-success")
    if not guarded:
        drop_unique_keys(monkeypatch)
    tasks.tell_notices(context)
    forget_mark(context.uow_factory)
    tasks.tell_notices(context)
    expected = 1 if guarded else 2
    assert len(letters(context.uow_factory, citizen)) == expected
    assert len(pushes(context.uow_factory, citizen)) == expected
    assert untold(context.uow_factory) == []


def drop_unique_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    number = itertools.count()

    def write_other_letter(uow: UnitOfWork, due: DueNotice, reason: str | None = None) -> Any:
        letter = write_letter(uow, due, reason)
        object.__setattr__(letter, "key", f"{letter.key}:{next(number)}")
        return letter

    monkeypatch.setattr(notices, "write_letter", write_other_letter)
    monkeypatch.setattr("server.signups.wording.write_letter", write_other_letter)


@pytest.mark.race
@pytest.mark.parametrize("guarded", [True, False])
def test_two_workers_at_once_tell_everybody_once(
    context: TaskContext, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """The control knows no mark and no unique key: it sees several letters."""
    lecture = lecture_at(context.uow_factory, seats=20)
    people = [signed_up(context.uow_factory, lecture) for _ in range(12)]
    if not guarded:
        drop_unique_keys(monkeypatch)
        monkeypatch.setattr(notices, "_lock_notice", find_without_mark)
        monkeypatch.setattr(notices, "_owner_of", owner_without_mark)
    all_at_once([lambda: tasks.tell_notices(context)] * 4)
    told = [len(letters(context.uow_factory, one)) for one in people]
    if guarded:
        assert told == [1] * 12
        assert untold(context.uow_factory) == []
    else:
        assert max(told) > 1


def owner_without_mark(uow: UnitOfWork, notice_id: int) -> SignUp | None:
    return uow.session.get_one(SignUp, uow.session.get_one(SignUpNotice, notice_id).signup_id)


def find_without_mark(uow: UnitOfWork, notice_id: int, owner: SignUp) -> DueNotice:
    (view,) = notices.activities.views_of(uow, [owner.activity_id])
    notice = uow.session.get_one(SignUpNotice, notice_id)
    return DueNotice(notice=notice, signup=owner, view=view)


CHANGES = ("moved", "place", "moved_place", "postponed", "dated")


@pytest.mark.parametrize("awkward", [False, True])
def test_every_kind_has_words_and_every_field_is_one_that_wechat_takes(
    uow_factory: UnitOfWorkFactory, awkward: bool
) -> None:
    """Awkward: long titles and places, foreign names, no speaker, a reason of several lines."""
    texts = {"title": "长" * 80, "venue": "厅" * 60, "speaker": "O'Neil 3rd"} if awkward else {}
    lecture = lecture_at(uow_factory, seats=1, draw_at=None, **texts)
    signed_up(uow_factory, lecture, contact=Contact(name="B2" if awkward else "韦小宝"))
    fields = {one.slug: one.fields for one in message_templates()}
    with uow_factory.begin() as uow:
        signup = uow.session.scalars(select(SignUp)).one()
        (view,) = notices.activities.views_of(uow, [lecture.id])
        changes = [(NoticeKind.CHANGED, one) for one in CHANGES]
        kinds = [(one, None) for one in NoticeKind if one is not NoticeKind.CHANGED]
        for kind, change in [*kinds, *changes]:
            facts = {} if change is None else {"change": change}
            if awkward:
                facts["reason"] = "台风\n原因" * 20
            notice = SignUpNotice(id=1, signup_id=signup.id, kind=kind, number=0, facts=facts)
            due = DueNotice(notice=notice, signup=signup, view=view)
            letter = write_letter(uow, due)
            assert letter.body.endswith("。")
            assert len(letter.title) <= 20
            if kind not in TEMPLATE_OF:
                continue
            slug = TEMPLATE_OF[kind]
            told = write_push(uow, due).fields
            assert set(told) == {one.key for one in fields[slug]}
            for key, value in told.items():
                assert accepts_value(key, value), (kind, key, value)


def test_the_templates_of_sign_ups_are_offered(uow_factory: UnitOfWorkFactory) -> None:
    assert set(TEMPLATES) == set(TEMPLATE_OF.values())
    assert set(TEMPLATES) <= set(uow_factory.dependencies.hooks.sends)
