"""Manifest of the slice of check-in."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Permission
from server.base.manifest import Slice
from server.checkin import api
from server.checkin.personal_data import PERSONAL

SLICE = Slice(
    name="checkin",
    texts=Path(__file__).parent,
    apis=(api.API,),
    permissions=(Permission.CHECKIN_READ, Permission.CHECKIN_WRITE),
    personal_data=PERSONAL,
)
