"""The forecast of an announcement against the result of sending it."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from server.accounts.models import Identity
from server.announcements.audience.forecast import forecast
from server.announcements.audience.freezing import freeze_audience
from server.announcements.audience.plan import Forecast
from server.announcements.enums import AnnouncementState, Channel, RecipientState
from server.announcements.models import Announcement
from server.base.access import REGION, Organizer, Role
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.wechat.letters import (
    CustomerText,
    OfficialSubscription,
    PushLetter,
    SubscriptionMessage,
    TemplateMessage,
)
from tests.kit.announcements import an_announcement
from tests.kit.audiences import MINI, OFFICIAL, Someone, draw_population
from tests.kit.sends import CONTENTS, HeardWeChat, recipients_of, work_until_idle

NO_GRANT, NOT_FOLLOWING, NO_WINDOW = 43101, 43004, 45015
EDITOR = Organizer(id=1, name="韦", role=Role.EDITOR, scope=REGION, place="广西")
LADDERS = [
    (Channel.MINI_SUBSCRIPTION, Channel.TEMPLATE, Channel.CUSTOMER_MESSAGE),
    (Channel.OFFICIAL_SUBSCRIPTION, Channel.CUSTOMER_MESSAGE),
    (Channel.CUSTOMER_MESSAGE, Channel.MINI_SUBSCRIPTION, Channel.INBOX),
    (Channel.TEMPLATE,),
]
# The template for which the drawn people have grants.
_CONTENTS = {"mini_subscription": {"template": "lecture-reminder", "fields": {"thing1": "讲座"}}}


class StrictWeChat:
    """WeChat's own view of each person, from which it refuses; it asks nothing of the product."""

    def __init__(self, people: dict[str, Someone]) -> None:
        self.people = people
        self.refused = 0

    def judge(self, letter: PushLetter) -> int | None:
        one = self.people[letter.openid]
        wrong = None
        if isinstance(letter, SubscriptionMessage):
            wrong = None if self._use_grant(one, MINI) else NO_GRANT
        elif isinstance(letter, OfficialSubscription):
            wrong = None if self._use_grant(one, OFFICIAL) else NO_GRANT
        elif isinstance(letter, TemplateMessage):
            wrong = None if one.follows else NOT_FOLLOWING
        elif isinstance(letter, CustomerText):
            wrong = None if one.heard_at is not None and one.window_used < 5 else NO_WINDOW
        self.refused += wrong is not None
        return wrong

    def _use_grant(self, one: Someone, template_id: str) -> bool:
        one.grants[template_id] -= 1
        return one.grants[template_id] >= 0


@pytest.mark.parametrize("ladder", LADDERS)
def test_the_forecast_is_within_one_percent_of_the_result(
    uow_factory: UnitOfWorkFactory, tmp_path: Path, ladder: tuple[Channel, ...]
) -> None:
    with uow_factory.begin() as uow:
        population = draw_population(uow, random.Random(len(ladder)), 400)
        row = an_announcement(
            uow,
            state=AnnouncementState.SCHEDULED,
            ladder=[one.value for one in ladder],
            contents={**CONTENTS, **_CONTENTS},
            topic="lectures",
            starts_at=uow.now,
        )
        expected = forecast(uow, EDITOR, row)
        assert freeze_audience(uow, row) == expected.people
        known = {one.id: one for one in population.people}
        owners = uow.session.execute(select(Identity.openid, Identity.citizen_id)).all()
        announcement_id = row.id
    truth = StrictWeChat({openid: known[owner] for openid, owner in owners if owner in known})
    wechat = HeardWeChat(tmp_path / "heard", truth.judge)
    work_until_idle(TaskContext(uow_factory=uow_factory, gateway=wechat))
    with uow_factory.begin(read_only=True) as uow:
        ended = uow.session.get_one(Announcement, announcement_id)
        assert ended.state is AnnouncementState.DONE
    rows = recipients_of(uow_factory, announcement_id)
    sent = Counter(one.channel for one in rows if one.state is RecipientState.SENT)
    refused = Counter(one.reason for one in rows if one.state is RecipientState.REFUSED)
    pushed = sum(count for channel, count in sent.items() if channel is not Channel.INBOX)
    assert expected.pushed > 20
    assert abs(pushed - expected.pushed) <= expected.people / 100
    assert sum(wechat.inbox().values()) == pushed
    _compare(expected, sent, refused, truth.refused)
    assert sum(sent.values()) + sum(refused.values()) == expected.people


def _compare(
    expected: Forecast,
    sent: Counter[Channel | None],
    refused: Counter[str | None],
    mistakes: int,
) -> None:
    """Nothing changed between forecast and sending here, so the counts are even equal."""
    assert mistakes == 0
    assert {channel: count for channel, count in sent.items() if count} == expected.reached
    assert {reason: count for reason, count in refused.items() if count} == {
        reason.value: count for reason, count in expected.unreached.items()
    }
