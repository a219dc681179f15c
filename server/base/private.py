"""Restricts new files, and those under `var`, to the process's own user."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

_log = logging.getLogger(__name__)
_OTHERS = 0o077


def keep_private(var: Path) -> None:
    """Create new files as 0600 and folders as 0700, and remove other users' access to `var`."""
    os.umask(_OTHERS)
    var.mkdir(parents=True, exist_ok=True)
    for path in (var, *var.rglob("*")):
        try:
            mode = path.lstat().st_mode
            if mode & _OTHERS and not stat.S_ISLNK(mode):
                path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
        except FileNotFoundError:
            # Another process has just deleted it.
            continue
        except PermissionError:
            _log.warning("file in the data folder belongs to another user")
