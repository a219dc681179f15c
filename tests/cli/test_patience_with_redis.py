"""Commands and jobs wait for Redis longer than a request, which can go on without it."""

from __future__ import annotations

from server.app import PATIENT_REDIS_SECONDS, redis_timeout
from server.base.settings import Settings
from server.base.sql.patience import Use


def test_only_a_request_gives_redis_up_quickly() -> None:
    settings = Settings(redis_timeout_seconds=0.2)
    assert redis_timeout(settings, Use.REQUESTS) == 0.2
    for use in (Use.JOBS, Use.COMMANDS, Use.MIGRATIONS):
        assert redis_timeout(settings, use) == PATIENT_REDIS_SECONDS > 1.0


def test_a_longer_wait_in_the_settings_is_kept() -> None:
    settings = Settings(redis_timeout_seconds=5.5)
    assert redis_timeout(settings, Use.COMMANDS) == 5.5
