"""The web server with only some endpoints; responses are validated by their document."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from server.app import Application, install_apis
from server.base.uow import UnitOfWorkFactory
from server.base.web.drawings import Drawings, kept_drawings
from server.base.web.endpoint import Api
from server.base.web.flask_app import new_flask
from tests.kit.client import CheckedClient


def edge_client(
    uow_factory: UnitOfWorkFactory,
    gateway: Any,
    *apis: Api,
    drawings: Drawings | None = None,
    pages: tuple[Blueprint, ...] = (),
) -> CheckedClient:
    settings = uow_factory.dependencies.settings
    application = Application(
        app=new_flask(), uow_factory=uow_factory, gateway=gateway, settings=settings
    )
    install_apis(application, apis, drawings or Drawings(kept_drawings(settings)))
    for one in pages:
        application.app.register_blueprint(one)
    return CheckedClient(application.app)
