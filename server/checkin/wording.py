"""The format of instants on the pages of check-in."""

from __future__ import annotations

from datetime import datetime

from server.base.clock import BEIJING


def say_minute(at: datetime) -> str:
    """An instant in Beijing time, to the minute."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
