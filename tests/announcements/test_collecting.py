"""Free connections of a sender: a claim waits for one of them, and shortly for half."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from server.announcements.ledger.collecting import Collector
from server.announcements.ledger.pace import SendRate
from server.base.outbox_rows import Call, Claim
from server.base.uow import UnitOfWorkFactory
from server.wechat.letters import Accepted
from tests.kit.clock import FakeClock

CONNECTIONS = 8


def calls(*numbers: int) -> list[Call]:
    letter: Any = SimpleNamespace()
    return [Call(claim=Claim(row_id=one, token="clm"), letter=letter) for one in numbers]


def test_one_free_connection_is_used_while_all_others_wait_for_wechat(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    """Waiting for half of them would leave connections idle while WeChat is slow."""
    collector = Collector(uow_factory, SendRate(clock, 1000), CONNECTIONS)
    assert collector.wait_for_room() == CONNECTIONS
    collector.add_calls(calls(*range(CONNECTIONS)))
    collector.receive_result(3, Accepted(message_id="m"))
    assert collector.wait_for_room() == 1


def test_a_halted_run_has_no_room(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> None:
    collector = Collector(uow_factory, SendRate(clock, 1000), CONNECTIONS)
    collector.add_calls(calls(*range(CONNECTIONS)))
    collector.halted = True
    assert collector.wait_for_room() == 0
