"""Tests of scripts in Node; one Node process runs many test files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.kit.paths import ROOT

TOGETHER = "tests/phone/together.mjs"
# Room for young objects, MB: one process opens hundreds of windows, and would copy them each time.
YOUNG = "--max-semi-space-size=96"


def node_path() -> str:
    # Where the machine has no Node or an old one, another is beside the Python interpreter.
    found = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    if found is None:
        pytest.fail("Node is needed to check the mini-program")
    return found


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [node_path(), *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )


def run_together(
    folder: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The tests of all files of a folder, in one process of Node."""
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).glob("*.test.mjs"))
    assert files
    return subprocess.run(
        [node_path(), YOUNG, "--test-reporter=tap", TOGETHER, *files],
        cwd=ROOT,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )


def faults_of(run: subprocess.CompletedProcess[str]) -> str:
    """Node's messages about the failed tests of a run; empty when none failed."""
    failed = re.findall(r"^not ok .*\n(?:  .*\n)*", run.stdout, re.MULTILINE)
    return "" if run.returncode == 0 else "".join(failed) + run.stdout[-2000:] + run.stderr
