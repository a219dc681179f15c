"""Manifest of the slice of regions and units."""

from __future__ import annotations

from pathlib import Path

from server.base.manifest import Slice
from server.units import api

SLICE = Slice(name="units", texts=Path(__file__).parent, apis=(api.API,))
