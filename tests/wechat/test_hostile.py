"""Every hostile callback gets its 4xx, at the envelope and at the door, and nothing is done."""

from __future__ import annotations

import pytest

from server.base.errors import AppError
from tests.kit.callback_handlers import PATH, Stand
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import WeChatSide, an_app, knock
from tests.wechat.hostile import Case, cases

CASES = cases()
NAMES = [case.name for case in CASES]


def test_there_are_enough_of_them_and_no_name_is_used_twice() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 150


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_envelope_refuses(case: Case, clock: FakeClock) -> None:
    side = WeChatSide(an_app(case.mode), clock)
    query, body = case.make(side)
    with pytest.raises(AppError) as refusal:
        side.envelope.open_message(query, body)
    assert refusal.value.status == case.status


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_door_refuses_and_does_nothing(case: Case, clock: FakeClock) -> None:
    stand = Stand(WeChatSide(an_app(case.mode), clock), "fake:hostile")
    query, body = case.make(stand.handler.side)
    reached = knock(stand.webhook, PATH, query, body)
    # The door refuses an address that is too long before it looks at the signature.
    expected = 400 if max(map(len, query.values())) >= 4096 else case.status
    assert reached.status == expected
    assert reached.headers["Content-Type"] == "application/problem+json"
    assert stand.handler.seen == []
    assert stand.handler.done == {}
    stand.deadline_runner.drain_handlers()
