"""The accounts slice behind its JSON edge."""

from __future__ import annotations

import pytest

from server.accounts.api import API
from server.base.work import Desk
from server.wechat.gateway import Verdict
from tests.kit.client import CheckedClient
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway


@pytest.fixture
def api(desk: Desk, gateway: RecordingGateway) -> CheckedClient:
    gateway.answers["check_text"] = Verdict.PASS
    return edge_client(desk, gateway, API)
