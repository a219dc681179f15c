"""Shapes are made known to the decoder while one thread runs: see `prepare_decoder` in base/web."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.source import callee, nodes_of, trees

SCHEMA = "schema.py"
# Eight threads read a fresh shape together, again and again.
RACE = """
import msgspec, sys, threading
prepared = bool(int(sys.argv[1]))
sys.setswitchinterval(1e-6)
for _ in range(int(sys.argv[2])):
    inner = msgspec.defstruct("Inner", [("a", int), ("b", str)])
    shape = msgspec.defstruct("Shape", [(f"f{n}", list[inner] | None, None) for n in range(20)])
    if prepared:
        msgspec.json.Decoder(shape)
    ready = threading.Barrier(8)
    def read():
        ready.wait()
        msgspec.json.decode(b'{"f0":[{"a":1,"b":"x"}],"f19":null}', type=shape)
    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def race(*, prepared: bool, rounds: int) -> int:
    command = [sys.executable, "-c", RACE, str(int(prepared)), str(rounds)]
    return subprocess.run(command, check=False, timeout=240).returncode


@pytest.mark.race
def test_threads_that_read_a_prepared_shape_for_the_first_time_do_no_harm() -> None:
    assert race(prepared=True, rounds=300) == 0


@pytest.mark.race
def test_without_preparing_they_would_crash_the_process() -> None:
    assert race(prepared=False, rounds=20_000) == -signal.SIGSEGV


def calls(name: str) -> Iterator[tuple[Path, ast.Call, bool]]:
    """Calls of msgspec's functions of this name, and whether each stands inside a function."""
    for path, tree in trees().items():
        for node in nodes_of(tree):
            if isinstance(node, ast.Call) and callee(node) == name:
                yield path, node, id(node) in nodes_in_functions(tree)


@cache
def nodes_in_functions(tree: ast.Module) -> set[int]:
    return {
        id(node)
        for scope in nodes_of(tree)
        if isinstance(scope, ast.FunctionDef | ast.Lambda)
        for node in ast.walk(scope)
    }


@pytest.mark.parametrize("name", ["msgspec.json.decode", "msgspec.convert"])
def test_only_the_edge_reads_a_shape_that_it_is_given(name: str) -> None:
    typed = {path.name for path, call, _ in calls(name) if call.keywords or len(call.args) > 1}
    assert typed <= {SCHEMA}, f"read it through a function of {SCHEMA}, which prepares the type"


def test_decoders_are_made_when_a_module_is_loaded() -> None:
    late = {path.name for path, _, inside in calls("msgspec.json.Decoder") if inside}
    assert late == {SCHEMA}, "make the decoder when the module is loaded"
