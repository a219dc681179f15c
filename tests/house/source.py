"""The sources as syntax trees, read once."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from server import slices
from tests.kit.paths import ROOT, SERVER

# Base, wechat and console are floors that every slice may use as a whole.
SLICES = tuple(one.name for one in slices.SLICES if one.name not in ("base", "wechat", "console"))


@cache
def trees() -> dict[Path, ast.Module]:
    return {
        path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SERVER.rglob("*.py"))
    }


@cache
def trees_of_tests() -> dict[Path, ast.Module]:
    return {
        path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "tests").glob("*/**/*.py"))
    }


@cache
def nodes_of(tree: ast.AST) -> tuple[ast.AST, ...]:
    """The node and all nodes below it, collected once: many tests look at every node."""
    return tuple(ast.walk(tree))


@cache
def callee(call: ast.Call) -> str:
    """What is called, as it is written."""
    return ast.unparse(call.func)


@cache
def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in nodes_of(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


@cache
def imports(tree: ast.AST) -> list[tuple[int, str]]:
    found = []
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found
