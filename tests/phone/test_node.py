"""Elements, wx functions, pages and compiler, each with small mini-programs of its own, in Node."""

from __future__ import annotations

import pytest

from tests.kit.node import faults_of, run_together


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_phone_in_node() -> None:
    run = run_together("tests/phone")
    assert faults_of(run) == ""
    assert int(run.stdout.rpartition("\n# pass ")[2].split()[0]) > 300
