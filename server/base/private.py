"""Files that this process makes, and those under `var`, are for its own user alone."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

_log = logging.getLogger(__name__)
_OTHERS = 0o077


def keep_private(var: Path) -> None:
    """Let new files be 0600 and new folders 0700, and take others' rights from what `var` holds."""
    os.umask(_OTHERS)
    var.mkdir(parents=True, exist_ok=True)
    for path in (var, *var.rglob("*")):
        try:
            mode = path.lstat().st_mode
            if mode & _OTHERS and not stat.S_ISLNK(mode):
                path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
        except FileNotFoundError:
            # Another process has just taken it away.
            continue
        except PermissionError:
            _log.warning("a file in the data folder belongs to somebody else")
