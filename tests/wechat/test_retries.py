"""When a failed call makes sense again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from server.wechat.errors import QuotaSpent, TryLater, error_of
from server.wechat.retries import pause_after, reason_of, wait_after

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
