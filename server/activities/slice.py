"""Manifest of the slice of activities."""

from __future__ import annotations

from pathlib import Path

from server.activities import models as models
from server.base.manifest import Slice

SLICE = Slice(name="activities", texts=Path(__file__).parent)
