"""How often a test repeats what it does: the usual number, or the full one under `make prove`."""

from __future__ import annotations

import os


def repeat_count(full: int, usual: int) -> int:
    """The number of repetitions; every distinct case is tested with both."""
    return full if os.environ.get("KEPU_PROVE") == "1" else usual
