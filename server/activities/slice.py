"""Manifest of the slice of activities."""

from __future__ import annotations

from pathlib import Path

from server.activities import console, desk
from server.activities import models as models
from server.base.access import Permission
from server.base.manifest import Slice

SLICE = Slice(
    name="activities",
    texts=Path(__file__).parent,
    pages=(console.PAGES,),
    permissions=(
        Permission.ACTIVITY_READ,
        Permission.ACTIVITY_WRITE,
        Permission.ACTIVITY_APPROVE,
    ),
    waiting=(desk.tell_waiting,),
    hooks=desk.HOOKS,
)
