"""The running demo that a module of tests from outside has for itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.outside import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("demo") / "var")
    made.start()
    yield made
    assert made.stop() == 0
