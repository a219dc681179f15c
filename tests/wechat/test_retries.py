"""When a failed call makes sense again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.base import outbox_rows
from server.base.outbox_rows import Retry
from server.wechat.errors import (
    CallInDoubt,
    NotSent,
    QuotaSpent,
    TryLater,
    WeChatError,
    error_of,
)
from server.wechat.retries import outcome_of, pause_after, reason_of, wait_after

NOW = datetime(2026, 5, 1, 15, 30, tzinfo=UTC)


def test_waiting_grows_and_stops_growing_at_an_hour() -> None:
    waits = [wait_after(n).total_seconds() for n in (1, 2, 3, 11, 12, 50)]
    assert waits == [2, 4, 8, 2048, 3600, 3600]


def test_a_spent_quota_comes_back_at_midnight_in_beijing() -> None:
    assert pause_after(QuotaSpent(), 1, NOW) == timedelta(minutes=30)


def test_wechats_own_pause_counts_when_it_is_longer() -> None:
    assert pause_after(TryLater(60), 1, NOW) == timedelta(seconds=60)
    assert pause_after(TryLater(60), 9, NOW) == timedelta(seconds=512)


def test_a_reason_names_the_kind_and_wechats_number() -> None:
    assert reason_of(error_of(43101)) == "no_grant:43101"
    assert reason_of(QuotaSpent()) == "quota"


@pytest.mark.parametrize(
    ("trouble", "how", "outcome"),
    [
        (CallInDoubt(), {}, outbox_rows.InDoubt(reason="in_doubt")),
        (TryLater(), {}, outbox_rows.InDoubt(reason="retry")),
        (error_of(43004), {}, outbox_rows.GiveUp(reason="gone:43004")),
        (NotSent(), {}, Retry(reason="retry", for_everybody=True)),
        (
            error_of(45011),
            {},
            Retry(reason="rate:45011", after=timedelta(seconds=60), for_everybody=True),
        ),
        (QuotaSpent(), {}, Retry(reason="quota", after=timedelta(minutes=30), for_everybody=True)),
        (
            TryLater(),
            {"busy_did_nothing": True},
            Retry(reason="retry", after=timedelta(seconds=2)),
        ),
        (CallInDoubt(), {"busy_did_nothing": True}, outbox_rows.InDoubt(reason="in_doubt")),
        (CallInDoubt(), {"repeatable": True}, Retry(reason="in_doubt")),
        (error_of(43004), {"repeatable": True}, Retry(reason="gone:43004")),
    ],
)
def test_a_failed_call_means_the_same_for_every_queue(
    trouble: WeChatError, how: dict[str, bool], outcome: outbox_rows.Outcome
) -> None:
    assert outcome_of(trouble, NOW, **how) == outcome
