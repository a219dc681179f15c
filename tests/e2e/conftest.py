"""Running demos: one that several modules share, and one that a module has for itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.outside import Demo


def _run_demo(var: Path) -> Iterator[Demo]:
    made = Demo(var)
    made.start()
    yield made
    assert made.stop() == 0
    assert made.console().splitlines()[-1] == "stopping…"


@pytest.fixture(scope="package")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo for modules that set SHARES_DEMO: they add people, and put the clock back."""
    yield from _run_demo(tmp_path_factory.mktemp("shared-demo") / "var")


@pytest.fixture(scope="module")
def demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    """The demo of a module, its own unless the module sets SHARES_DEMO."""
    if getattr(request.module, "SHARES_DEMO", False):
        yield request.getfixturevalue("shared_demo")
    else:
        yield from _run_demo(tmp_path_factory.mktemp("demo") / "var")
