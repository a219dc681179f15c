"""What `make run` tells before anything is installed, and how it starts the demo."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from server.base.settings import ROOT


def make(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KEPU_", "PYTHON", "MAKE"))}
    return subprocess.run(
        ["make", *words], cwd=ROOT, env={**kept, **more}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_an_old_python_is_named_with_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    told = make("settings", f"PYTHON={old}")
    assert told.returncode != 0
    assert "Python 3.11 or newer is needed" in told.stdout
    assert "Python 3.9.2" in told.stdout
    assert "make run PYTHON=python3.12" in told.stdout


@pytest.mark.parametrize("without_bytecode", [False, True])
def test_the_demo_writes_bytecode_somewhere_also_where_python_is_told_not_to(
    without_bytecode: bool,
) -> None:
    more = {"PYTHONDONTWRITEBYTECODE": "1"} if without_bytecode else {}
    told = make("-n", "run", **more).stdout.splitlines()
    (start,) = [line for line in told if line.endswith("-m server demo")]
    assert ("env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX=" in start) == without_bytecode
