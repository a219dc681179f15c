"""The worker's clock: whatever happens to one sweep, the others come in their turn."""

from __future__ import annotations

import pytest

from server.base import jobs
from server.base.jobs import Shop, Task, Worker, take_lease
from server.base.kv.client import connect
from server.base.work import DatabaseAway, Desk
from tests.kit.gateway import RecordingGateway


@pytest.mark.parametrize("trouble", [DatabaseAway(), ValueError("a defect")])
def test_a_lease_that_cannot_be_taken_ends_no_sweeper(
    desk: Desk,
    gateway: RecordingGateway,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: Exception,
) -> None:
    settings, clock = desk.tools.settings, desk.tools.clock
    task = Task(name="some.sweep", step=lambda _shop: 0, every_seconds=1)
    shop = Shop(desk=desk, gateway=gateway)
    worker = Worker(shop, (task,), connect(settings.redis_url, settings.var, clock))

    def fails(*_: object) -> bool:
        raise trouble

    with monkeypatch.context() as broken:
        broken.setattr(jobs, "take_lease", fails)
        assert not worker._may(task)
    assert "no lease" in caplog.text
    assert worker._may(task)
    assert not take_lease(desk, task.name, "another")
