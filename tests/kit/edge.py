"""The JSON edge over some slices alone, with the document of just these as the judge."""

from __future__ import annotations

from typing import Any

from flask import Flask

from server.accounts import service as accounts
from server.base.clock import SystemClock
from server.base.uow import UnitOfWorkFactory
from server.base.web.drawings import Drawings, kept_drawings
from server.base.web.endpoint import Api, Edge
from server.base.web.errors import install_error_handlers
from server.base.web.health import install_request_frame
from server.base.web.openapi import docs_pages, document
from tests.kit.client import CheckedClient


def edge_client(
    uow_factory: UnitOfWorkFactory, gateway: Any, *apis: Api, drawings: Drawings | None = None
) -> CheckedClient:
    app = Flask("tests")
    install_request_frame(app, SystemClock(), SystemClock())
    install_error_handlers(app, uow_factory.dependencies.texts)
    drawings = drawings or Drawings(kept_drawings(uow_factory.dependencies.settings))
    edge = Edge(
        uow_factory=uow_factory, gateway=gateway, resolve=accounts.resolve, drawings=drawings
    )
    app.register_blueprint(edge.blueprint(apis))
    app.register_blueprint(docs_pages(document(apis, title="tests", version="1")))
    return CheckedClient(app)
