"""The accounts slice behind its JSON edge."""

from __future__ import annotations

import pytest

from server.accounts.api import API
from server.base.uow import UnitOfWorkFactory
from server.wechat.gateway import Verdict
from tests.kit.client import CheckedClient
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway


@pytest.fixture
def api(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> CheckedClient:
    gateway.answers["check_text"] = Verdict.PASS
    return edge_client(uow_factory, gateway, API)
