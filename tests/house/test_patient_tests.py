"""A test waits long enough for a busy machine: a short wait fails where only time is short."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.source import callee, nodes_of, trees_of_tests

LEAST_SECONDS = 30
SHORT = f"wait {LEAST_SECONDS} s or more: a test that passes does not wait, however long it may"


def short_waits(path: str, tree: ast.Module) -> Iterator[str]:
    """One line for each asserted wait, and each bound of a call, that is short."""
    asserted = {id(one.test) for one in nodes_of(tree) if isinstance(one, ast.Assert)}
    for call in nodes_of(tree):
        if not isinstance(call, ast.Call):
            continue
        bounds = [one.value for one in call.keywords if one.arg in ("timeout", "socket_timeout")]
        if id(call) in asserted and callee(call).endswith(".wait"):
            bounds += call.args
        for bound in bounds:
            if isinstance(bound, ast.Constant) and 0 < (bound.value or 0) < LEAST_SECONDS:
                yield f"{path}:{call.lineno} {callee(call)} {bound.value}: {SHORT}"


def test_no_test_waits_less_than_a_busy_machine_needs() -> None:
    found = [
        fault
        for path, tree in trees_of_tests().items()
        # The benchmark measures, and its bounds are part of what it says.
        if "bench" not in path.parts
        for fault in short_waits(path.as_posix(), tree)
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "assert begun.wait(10)",
        "urlopen(address, timeout=20)",
        "Redis(socket_timeout=0.5)",
        "def f():\n    assert gone.wait(2.5)",
    ],
)
def test_a_short_wait_is_told(source: str) -> None:
    (fault,) = short_waits("tests/x.py", ast.parse(source))
    assert fault.endswith(SHORT)


def test_a_pause_and_a_long_wait_pass() -> None:
    source = "pause.wait(0.1)\nassert begun.wait(60)\nurlopen(address, timeout=PATIENCE)"
    assert list(short_waits("tests/x.py", ast.parse(source))) == []
