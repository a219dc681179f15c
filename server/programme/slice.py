"""Manifest of the programme slice."""

from __future__ import annotations

from pathlib import Path

from server.base.manifest import Slice
from server.programme import api, unit_moves
from server.programme.personal_data import PERSONAL

SLICE = Slice(
    name="programme",
    texts=Path(__file__).parent,
    apis=(api.API,),
    personal_data=PERSONAL,
    hooks=unit_moves.HOOKS,
)
