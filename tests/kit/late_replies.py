"""The echo program, which does not start while a file lies in the way."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from tests.kit.echo import app

__all__ = ["app"]
_pause = threading.Event()
while Path(os.environ["TESTS_LATE"]).exists():
    _pause.wait(0.02)
