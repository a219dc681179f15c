"""Whether this process is about to end; readiness tells it to whoever sends requests here."""

from __future__ import annotations

import threading

# Set once, by the worker that was told to stop; never cleared.
LEAVING = threading.Event()
