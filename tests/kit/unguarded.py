"""The product without the guard of its seats: counters are read once, and then kept in memory.

gunicorn loads `app`, in negative controls of races between processes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from server.activities import service as activities
from server.activities.seats import lock_seats as lock_really
from server.activities.service import LockedSeats
from server.app import create_app
from server.base.settings_reader import load_settings
from server.base.uow import UnitOfWork

_kept: dict[int, LockedSeats] = {}


def read_kept_seats(uow: UnitOfWork, activity_ids: Collection[int]) -> dict[int, LockedSeats]:
    """The counters as they were when this process first read them."""
    missing = [one for one in activity_ids if one not in _kept]
    if missing:
        _kept.update(lock_really(uow, missing))
    return {one: replace(_kept[one]) for one in activity_ids}


activities.lock_seats = read_kept_seats
app = create_app(load_settings())
