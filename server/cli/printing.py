"""Printing of commands: results to standard output, refusals to standard error."""

from __future__ import annotations

import sys


def print_line(line: str, *, error: bool = False) -> None:
    """Print one line."""
    (sys.stderr if error else sys.stdout).write(line + "\n")
