"""Watching an announcement: progress, the list with its export, the funnel, alarms."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from server.announcements.enums import (
    AnnouncementState,
    Channel,
    ReceiptWord,
    RecipientState,
    TryState,
)
from server.announcements.ledger.queue import QUEUE
from server.announcements.ledger.quotas import pause_channels
from server.announcements.models import Announcement, Recipient
from server.announcements.rules.acts import followed_on
from server.announcements.watching import alarms
from server.announcements.watching.api import API
from server.announcements.watching.console import PAGES
from server.announcements.watching.funnel import Acts, count_acts, note_opened
from server.announcements.watching.progress import estimate_end, read_progress
from server.base.access import Scope
from server.base.clock import BEIJING, beijing_day
from server.base.outbox_control import pause_queue
from server.base.ownership import owned_by
from server.base.restored_backup import hold_calls
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.programme.models import Participation
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.activities import a_lecture
from tests.kit.announcements import (
    a_doubtful_one,
    a_recipient,
    a_sent_one,
    a_try,
    an_announcement,
)
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE, Browser, console_app
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway

S = RecipientState
CITY, OTHER_CITY = PEOPLE["editor-city"].scope, Scope(city="450200")


def a_busy_one(uow: UnitOfWork, clock: FakeClock) -> Announcement:
    """One that is being sent: 4 sent, 2 refused, 1 unknown, 1 in doubt, 3 waiting, 1 cancelled."""
    row = an_announcement(uow, state=AnnouncementState.SENDING, audience_size=12)
    people = [a_citizen(uow, nickname=f"韦小{n}") for n in range(12)]
    for number, one in enumerate(people[:4]):
        channel = Channel.TEMPLATE if number < 3 else Channel.INBOX
        sent = a_sent_one(uow, row, one.id, f"m-{number}", channel)
        sent.receipt = ReceiptWord.DELIVERED if number < 2 else None
    for one, reason in zip(people[4:6], ("no_grant", "content:47003"), strict=True):
        a_recipient(
            uow,
            row,
            one.id,
            state=S.REFUSED,
            reason=reason,
            settled_at=uow.now - timedelta(hours=1),
        )
    a_doubtful_one(uow, row, people[6].id, S.UNKNOWN)
    a_doubtful_one(uow, row, people[7].id, S.IN_DOUBT)
    for one in people[8:11]:
        a_recipient(uow, row, one.id)
    a_recipient(uow, row, people[11].id, state=S.CANCELLED)
    return row


def test_the_states_add_up_to_the_audience_and_the_end_is_estimated(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        row = a_busy_one(uow, clock)
        a_sent_one(uow, an_announcement(uow), a_citizen(uow).id, "other")
        found = read_progress(uow, row.id)
        assert found.audience == row.audience_size == 12
        assert (found.count(S.SENT), found.count(S.REFUSED), found.count(S.UNKNOWN)) == (4, 2, 1)
        assert (found.left, found.delivered, found.per_minute) == (4, 2, 4)
        assert sorted(found.refused) == [("content:47003", 1), ("no_grant", 1)]
        assert found.sent_by == [(Channel.TEMPLATE, 3), (Channel.INBOX, 1)]
        assert found.ends_at == uow.now + timedelta(minutes=1)


def test_the_page_says_what_is_held_since_a_restore_and_calls_no_unknown_result_a_refusal(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    browser = Browser(app, "editor-region")
    with uow_factory.begin() as uow:
        ref = a_busy_one(uow, clock).ref
    assert "从备份恢复" not in browser.get(f"/announcements/{ref}/progress")[1]
    with uow_factory.begin() as uow:
        held = hold_calls(uow, QUEUE)
        assert held
    assert f"这里有{held}人的消息先停着" in browser.get(f"/announcements/{ref}/progress")[1]
    lists = f"/announcement-recipients?announcement={ref}&state=unknown"
    for reason, words in (
        ("dropped", "管理员决定不再发"),
        ("worker_lost", "发送时服务中断"),
        ("call_in_doubt", "没有等到微信的结果（call_in_doubt）"),
    ):
        with uow_factory.begin() as uow:
            uow.session.execute(
                update(Recipient).where(Recipient.state == S.UNKNOWN).values(reason=reason)
            )
        shown = browser.get(lists)[1]
        assert words in shown
        assert "微信没有接受" not in shown.split("</thead>")[1]


def test_the_page_says_what_the_senders_wait_for(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    browser = Browser(app, "editor-region")
    with uow_factory.begin() as uow:
        row = a_busy_one(uow, clock)
        ref, row.ladder = row.ref, [Channel.TEMPLATE.value]
        pause_channels(uow, [Channel.CUSTOMER_MESSAGE])
    shown = browser.get(f"/announcements/{ref}/progress")[1]
    assert "额度" not in shown, "the quota of a channel that it does not use"
    with uow_factory.begin() as uow:
        pause_channels(uow, [Channel.TEMPLATE])
        tomorrow = beijing_day(uow.now) + timedelta(days=1)
    words = f"公众号模板消息今天的发送额度已经用完，{tomorrow:%Y-%m-%d} 00:00以后自动继续"
    assert words in browser.get(f"/announcements/{ref}/progress")[1]
    with uow_factory.begin() as uow:
        pause_queue(uow, QUEUE, "test")
    shown = browser.get(f"/announcements/{ref}/progress")[1]
    assert "系统管理员暂停了所有通知的发送" in shown
    with uow_factory.begin() as uow:
        row = uow.session.scalars(select(Announcement).where(Announcement.ref == ref)).one()
        row.state = AnnouncementState.DONE
    assert "系统管理员暂停" not in browser.get(f"/announcements/{ref}/progress")[1]


def test_the_end_is_not_before_the_turn_of_the_last_recipient_and_unknown_without_a_rate() -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=BEIJING)
    tomorrow = now + timedelta(days=1)
    assert estimate_end(now, 100, 50, None) == now + timedelta(minutes=2)
    assert estimate_end(now, 100, 50, tomorrow) == tomorrow
    assert estimate_end(now, 100, 0, None) is None
    assert estimate_end(now, 0, 50, None) is None


def test_the_page_shows_the_progress_and_refreshes_itself_until_the_end(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    with uow_factory.begin() as uow:
        ref = a_busy_one(uow, clock).ref
    status, shown = Browser(app, "editor-region").get(f"/announcements/{ref}/progress")
    assert status == 200
    for words in ("没有订阅次数", "微信没有接受（content:47003）", "公众号模板消息", "每5秒"):
        assert words in shown
    assert f'hx-get="/console/announcements/{ref}/progress"' in shown
    with uow_factory.begin() as uow:
        row = uow.session.scalars(select(Announcement).where(Announcement.ref == ref)).one()
        row.state, row.pause_reason = AnnouncementState.PAUSED, "content_refused"
        row.pause_detail = "thing1"
    assert (
        "微信不接受这条内容（thing1）"
        in Browser(app, "editor-region").get(f"/announcements/{ref}/progress")[1]
    )
    with uow_factory.begin() as uow:
        row = uow.session.scalars(select(Announcement).where(Announcement.ref == ref)).one()
        row.state = AnnouncementState.DONE
    assert "hx-get" not in Browser(app, "editor-region").get(f"/announcements/{ref}/progress")[1]


def test_the_list_is_filtered_by_state_and_its_export_needs_a_reason_and_is_recorded(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    app, audit = console_app(uow_factory, PAGES)
    with uow_factory.begin() as uow:
        ref = a_busy_one(uow, clock).ref
    browser = Browser(app, "editor-region")
    status, shown = browser.get(f"/announcement-recipients?announcement={ref}&state=refused")
    assert status == 200
    assert "没有订阅次数" in shown
    assert "韦小4" not in shown
    asked = f"/announcement-recipients/export?announcement={ref}&state=refused"
    assert browser.open("POST", asked, {"file_format": "csv"}).status_code == 422
    export = browser.open("POST", asked, {"file_format": "csv", "reason": "逐个打电话"})
    lines = export.data.decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + 2
    assert "韦小4" not in export.data.decode("utf-8-sig")
    assert (audit[-1].act, audit[-1].reason) == ("console.export_list", "逐个打电话")


def test_an_opening_is_stored_once_for_recipients_alone(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        person, other = a_citizen(uow), a_citizen(uow)
        row = an_announcement(uow, state=AnnouncementState.SENDING)
        a_sent_one(uow, row, person.id, "1")
        ref = row.ref
        tokens = [a_session(uow, one) for one in (person, other)]
    client = edge_client(uow_factory, gateway, API)
    path = f"/me/announcements/{ref}/opened"
    assert client.post(path, citizen=tokens[0]).status_code == 204
    first = clock.now()
    clock.advance(60)
    assert client.post(path, citizen=tokens[0]).status_code == 204
    assert client.post(path, citizen=tokens[1]).status_code == 404
    assert client.post(path).status_code == 401
    assert client.post("/me/announcements/none/opened", citizen=tokens[0]).status_code == 404
    with uow_factory.begin(read_only=True) as uow:
        assert list(uow.session.scalars(select(Recipient.opened_at))) == [first]


def sign_up(uow: UnitOfWork, person: Person, made_at: datetime) -> None:
    uow.session.add(
        SignUp(
            ref=uow.new_ref("sgn"), activity_id=a_lecture(uow).id, citizen_id=person.id,
            state=SignUpState.CONFIRMED, party_size=1, answers={}, made_at=made_at,
            changed_at=made_at,
        )
    )  # fmt: skip


def take_part(uow: UnitOfWork, person: Person, on: datetime, hour: int | None) -> None:
    uow.session.add(
        Participation(
            citizen_id=person.id, kind="quiz", source_ref=uow.new_ref("att"),
            on_day=beijing_day(on), hour=hour,
        )
    )  # fmt: skip


def test_the_numbers_of_the_funnel_reconcile_with_the_raw_events(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        row = an_announcement(uow, state=AnnouncementState.DONE)
        people = [a_citizen(uow) for _ in range(8)]
        for number, one in enumerate(people):
            a_sent_one(uow, row, one.id, f"m-{number}")
        sign_up(uow, people[0], uow.now - timedelta(minutes=1))
    with uow_factory.begin() as uow:
        for one in people[:6]:
            note_opened(uow, one.id, row.ref)
        opened = uow.now
        for one, later in ((people[1], 1), (people[2], 7 * 1440), (people[3], 7 * 1440 + 1)):
            sign_up(uow, one, opened + timedelta(minutes=later))
        sign_up(uow, people[1], opened + timedelta(hours=2))
        sign_up(uow, people[6], opened + timedelta(hours=2))
        noon = opened.astimezone(BEIJING).hour
        take_part(uow, people[1], opened, noon)
        take_part(uow, people[4], opened, noon - 1)
        take_part(uow, people[5], opened + timedelta(days=7), 9)
    with uow_factory.begin() as uow:
        progress = read_progress(uow, row.id)
        assert (progress.count(S.SENT), progress.opened) == (8, 6)
        # Signed up in time: 1 and 2; took part: 1 and 5.
        assert count_acts(uow, row.id) == Acts(signed_up=2, took_part=2, either=3)


def test_a_participation_counts_from_the_hour_of_the_opening_on() -> None:
    opened = datetime(2026, 5, 1, 20, 30, tzinfo=BEIJING)
    day = opened.date()
    assert [followed_on(opened, day, hour) for hour in (19, 20, None)] == [False, True, True]
    days = [day + timedelta(days=number) for number in (-1, 1, 7, 8)]
    assert [followed_on(opened, one, 9) for one in days] == [False, True, True, False]


def alarmed(uow_factory: UnitOfWorkFactory, who: str) -> set[str]:
    with uow_factory.begin(read_only=True) as uow:
        return {one.said.split(".")[-1] for one in alarms.tell_alarms(uow, PEOPLE[who])}


def metered(uow_factory: UnitOfWorkFactory) -> dict[str, float]:
    with uow_factory.begin(read_only=True) as uow:
        return {name: value for name, read in alarms.READINGS.items() if (value := read(uow))}


def test_faults_of_sending_are_metrics_and_stand_on_the_first_page_of_their_place(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        mine = {"scope": CITY}
        an_announcement(uow, state=AnnouncementState.PAUSED, **mine)  # type: ignore[arg-type]
        late = an_announcement(uow, state=AnnouncementState.SCHEDULED, **mine)  # type: ignore[arg-type]
        late.starts_at = uow.now + timedelta(minutes=2)
        doubtful = an_announcement(uow, state=AnnouncementState.SENDING, **mine)  # type: ignore[arg-type]
        a_doubtful_one(uow, doubtful, a_citizen(uow).id, S.IN_DOUBT)
        unknown = an_announcement(uow, state=AnnouncementState.SENDING, **mine)  # type: ignore[arg-type]
        for number in range(10):
            a_doubtful_one(uow, unknown, a_citizen(uow).id)
            a_sent_one(uow, unknown, a_citizen(uow).id, f"m-{number}")
    assert alarmed(uow_factory, "editor-city") == {"paused", "unknown"}
    clock.advance(601)
    assert alarmed(uow_factory, "editor-city") == {"paused", "unknown", "overdue", "in_doubt"}
    assert metered(uow_factory) == {
        "announcements_paused": 1,
        "announcements_overdue": 1,
        "announcements_in_doubt_old": 1,
        "announcements_unknown_many": 1,
    }
    assert alarmed(uow_factory, "editor-county") == set()
    assert alarmed(uow_factory, "auditor-region") == set()


@pytest.mark.parametrize("where", ["/announcements/{}/progress"])
def test_another_place_does_not_see_the_progress(
    uow_factory: UnitOfWorkFactory, where: str
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    with uow_factory.begin() as uow:
        row = an_announcement(uow, scope=OTHER_CITY, state=AnnouncementState.DONE)
        assert row.owner_city == owned_by(OTHER_CITY)["owner_city"]
        ref = row.ref
    assert Browser(app, "editor-city").get(where.format(ref))[0] == 404


def test_a_claimed_call_of_a_dead_worker_is_an_alarm_too(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        row = an_announcement(uow, state=AnnouncementState.SENDING)
        one = a_recipient(uow, row, a_citizen(uow).id, state=S.CLAIMED)
        a_try(uow, one, Channel.TEMPLATE, TryState.CLAIMED)
    assert alarmed(uow_factory, "editor-region") == set()
    clock.advance(601)
    assert alarmed(uow_factory, "editor-region") == {"in_doubt"}
