"""Manifest of the console's frame: its first page and the texts of its errors."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Permission
from server.base.manifest import Slice
from server.console import home

SLICE = Slice(
    name="console",
    texts=Path(__file__).parent,
    pages=(home.PAGES,),
    permissions=(Permission.CONSOLE_OPEN,),
)
