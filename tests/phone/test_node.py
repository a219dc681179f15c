"""Elements, wx functions, pages and compiler, each with small mini-programs of its own, in Node."""

from __future__ import annotations

import subprocess

import pytest

from tests.miniprogram.test_checks import ROOT, node_path

FILES = sorted(path.name for path in (ROOT / "tests/phone").glob("*.test.mjs"))


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_the_phone_in_node(name: str) -> None:
    run = subprocess.run(
        [node_path(), "--test", f"tests/phone/{name}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    print(run.stdout[-20_000:])
    assert run.returncode == 0, run.stderr
