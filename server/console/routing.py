"""Unknown paths and methods below /console."""

from __future__ import annotations

from flask import Response
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

from server.base.errors import MethodNotAllowed, NotFound


class _Rest(BaseConverter):
    """The rest of a path, including leading slashes.

    Never empty: `/console/` is the first page, as `/console` is.
    """

    regex = ".+?"
    part_isolating = False


def add_converter(state: BlueprintSetupState) -> None:
    """Add the converter of unknown paths to the application of a blueprint."""
    state.app.url_map.converters["rest"] = _Rest


def refuse_address(**_places: str) -> Response:
    """Refuse a path that no page has.

    Raises: NotFound (404).
    """
    raise NotFound


def refuse_method(**_places: str) -> Response:
    """Refuse a method that a path does not have.

    Raises: MethodNotAllowed (405).
    """
    raise MethodNotAllowed
