"""State of this process: whether it is shutting down; readiness reports it to load balancers."""

from __future__ import annotations

import threading

# Set once, by a worker that received SIGTERM; never cleared.
LEAVING = threading.Event()
