"""A citizen with a session, and a source of certificates that tests control."""

from __future__ import annotations

import pytest

from server.accounts.api import API as ACCOUNTS
from server.base.uow import UnitOfWorkFactory
from server.certificates.api import API
from server.certificates.verify_page import verify_pages
from server.wechat.gateway import Verdict
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.certificates import FakeSource, with_source
from tests.kit.client import CheckedClient
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway


@pytest.fixture
def gateway(gateway: RecordingGateway) -> RecordingGateway:
    gateway.answers["check_text"] = Verdict.PASS
    return gateway


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def few(uow_factory: UnitOfWorkFactory, source: FakeSource) -> UnitOfWorkFactory:
    """Units of work with that source alone."""
    return with_source(uow_factory, source)


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow, nickname="韦小明")


@pytest.fixture
def phone(uow_factory: UnitOfWorkFactory, person: Person) -> str:
    with uow_factory.begin() as uow:
        return a_session(uow, person)


@pytest.fixture
def edge(few: UnitOfWorkFactory, gateway: RecordingGateway) -> CheckedClient:
    """The web server with the endpoints and the public page."""
    return edge_client(few, gateway, API, ACCOUNTS, pages=(verify_pages(few),))
