"""Announcements that are being sent, and WeChat as far as sends go.

`HeardWeChat` writes what people receive into a file, which outlives killed processes. Like WeChat
it takes a template message with the same client id only once.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from server.accounts.service import NewCitizen, add_citizens
from server.announcements.enums import AnnouncementState, Channel, RecipientState
from server.announcements.ledger.sending import send_due
from server.announcements.models import Announcement, Recipient
from server.announcements.tasks import send_announcements
from server.base.jobs import TaskContext
from server.base.outbox_rows import queued_values
from server.base.templates import template_id_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel.models import Follower
from server.notices.service import NewGrant, add_grants
from server.wechat.errors import CallInDoubt, error_of
from server.wechat.gateway import FanOutResult
from server.wechat.letters import Accepted, PushLetter, TemplateMessage
from tests.kit.announcements import an_announcement
from tests.kit.gateway import RecordingFanOut

_count = itertools.count(1)
_FIELDS = {"thing1": "科普讲座下周开讲", "thing2": "广西科协", "thing4": "欢迎报名"}
CONTENTS: dict[str, Any] = {
    "mini_subscription": {"template": "announcement", "fields": {"thing1": "讲座"}},
    "official_subscription": {
        "template": "oa-sub-announcement",
        "fields": {**_FIELDS, "time3": "2026年5月1日 12:00"},
    },
    "template": {
        "template": "oa-announcement",
        "fields": {**_FIELDS, "time3": "2026年5月1日 12:00"},
    },
    "customer_message": {"text": "科普讲座下周开讲，欢迎报名。"},
    "mass": {"title": "讲座", "digest": "下周开讲", "text": "欢迎报名。"},
}
GRANTED = {
    Channel.MINI_SUBSCRIPTION: "announcement",
    Channel.OFFICIAL_SUBSCRIPTION: "oa-sub-announcement",
}
DROPPED = "accepted, but the answer was lost"
Answer = Callable[[PushLetter], Any]


class HeardWeChat:
    """A gateway whose fan-out writes accepted messages into a file.

    `answer` says what comes of a letter: an errcode, an error, DROPPED, or None for accepted.
    """

    def __init__(self, heard: Path, answer: Answer = lambda _letter: None) -> None:
        self.heard, self.answer = heard, answer
        self.calls: list[PushLetter] = []
        heard.touch()

    def open_fan_out(
        self, _connections: int, on_result: Callable[[int, FanOutResult], None]
    ) -> RecordingFanOut:
        return RecordingFanOut(on_result, self.call_wechat)

    def call_wechat(self, letter: PushLetter) -> FanOutResult:
        self.calls.append(letter)
        told = self.answer(letter)
        if isinstance(told, int):
            return error_of(told)
        if isinstance(told, Exception):
            return told  # type: ignore[return-value]
        leave_process(letter)
        reach_phone(self.heard, letter)
        if told == DROPPED:
            return CallInDoubt()
        return read_answer(letter)

    def inbox(self) -> Counter[str]:
        """How many messages each openid received."""
        lines = [json.loads(line) for line in self.heard.read_text().splitlines()]
        kept = {(openid, client or number) for number, (openid, client) in enumerate(lines)}
        return Counter(openid for openid, _ in kept)


def leave_process(letter: PushLetter) -> None:
    """The bytes of the request are about to leave; a point for kill tests."""


def reach_phone(heard: Path, letter: PushLetter) -> None:
    """WeChat accepted the message."""
    client = letter.client_msg_id if isinstance(letter, TemplateMessage) else None
    line = json.dumps([letter.openid, client]) + "\n"
    file = os.open(heard, os.O_WRONLY | os.O_APPEND)
    try:
        # One short write at the end of a file is whole, also from several processes.
        os.write(file, line.encode())
    finally:
        os.close(file)


def read_answer(letter: PushLetter) -> Accepted:
    """The answer has come."""
    return Accepted(message_id=f"m{abs(hash(letter.openid)) % 10**12}")


def some_followers(
    uow: UnitOfWork,
    count: int,
    *,
    grants: Sequence[Channel] = (),
    openids: Sequence[str] = (),
) -> list[int]:
    """Followers with both apps; `openids` are those of the official account, if they matter."""
    first = next(_count)
    people = [
        NewCitizen(
            ref=f"cit_sends{first}x{number}",
            openid_official=openids[number] if openids else f"oa-{first}-{number}",
            openid_mini=f"mp-{first}-{number}", unionid=f"un-{first}-{number}", nickname=None,
            city="450100", county=None, unit_id=None, audience=None, sex=None, birth_band=None,
            schooling=None, residence=None, public_rank=False, under_14=None,
            created_at=uow.now, consented_at=None,
        )
        for number in range(count)
    ]  # fmt: skip
    ids = add_citizens(uow, people)
    followers = [
        {
            "citizen_id": one, "subscribed": True, "state_at": uow.now, "subscribed_at": uow.now,
            "last_event_at": uow.now, "ask_at": uow.now, "outbox_tries": 0, "window_used": 0,
        }
        for one in ids
    ]  # fmt: skip
    uow.session.execute(insert(Follower), followers)
    for channel in grants:
        template_id = template_id_of(GRANTED[channel])
        add_grants(
            uow, [NewGrant(citizen_id=one, template_id=template_id, at=uow.now) for one in ids]
        )
    return ids


def a_send(
    uow: UnitOfWork, people: Sequence[int], *ladder: Channel, **columns: Any
) -> Announcement:
    """A frozen announcement that is due now."""
    values = {"starts_at": uow.now, "audience": {}, "contents": CONTENTS, **columns}
    row = an_announcement(
        uow,
        state=AnnouncementState.SCHEDULED,
        ladder=[one.value for one in ladder or (Channel.TEMPLATE,)],
        audience_size=len(people),
        **values,
    )
    queued = queued_values(uow.now, row.starts_at)
    rows = [
        {
            "announcement_id": row.id, "citizen_id": one, "state": RecipientState.QUEUED, **queued,
        }
        for one in people
    ]  # fmt: skip
    if rows:
        uow.session.execute(insert(Recipient), rows)
    return row


def states_of(uow_factory: UnitOfWorkFactory, announcement_id: int) -> Counter[str]:
    """The number of recipients in each state."""
    with uow_factory.begin(read_only=True) as uow:
        return Counter(
            str(state)
            for state in uow.session.scalars(
                select(Recipient.state).where(Recipient.announcement_id == announcement_id)
            )
        )


def recipients_of(uow_factory: UnitOfWorkFactory, announcement_id: int) -> list[Recipient]:
    with uow_factory.begin(read_only=True) as uow:
        wanted = select(Recipient).where(Recipient.announcement_id == announcement_id)
        return list(uow.session.scalars(wanted.order_by(Recipient.id)))


def set_connections(
    patch: pytest.MonkeyPatch, uow_factory: UnitOfWorkFactory, connections: int
) -> None:
    """Let workers make at most so many calls at the same time."""
    kept = uow_factory.dependencies
    fewer = replace(kept.settings.sending, connections=connections)
    settings = replace(kept.settings, sending=fewer)
    patch.setattr(uow_factory, "dependencies", replace(kept, settings=settings))


def work_until_idle(context: TaskContext) -> None:
    """What workers do until nothing is due at this moment."""
    while send_announcements(context):
        continue


def send_once(context: TaskContext, most: int = 10_000, connections: int = 8) -> int:
    return send_due(context, most, connections)
