"""Errors of the notices slice."""

from __future__ import annotations

from server.base.errors import NotFound


class NoSuchMessage(NotFound):
    """The caller's inbox has no message with this id."""

    code = "no_such_message"
