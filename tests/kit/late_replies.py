"""The echo application; its start fails while a certain file exists."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from tests.kit.echo import app

__all__ = ["app"]
_pause = threading.Event()
while Path(os.environ["TESTS_LATE"]).exists():
    _pause.wait(0.02)
