"""Manifest of the programme slice."""

from __future__ import annotations

from pathlib import Path

from server.base.manifest import Slice
from server.programme import api

SLICE = Slice(name="programme", texts=Path(__file__).parent, apis=(api.API,))
