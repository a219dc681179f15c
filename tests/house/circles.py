"""The graph of imports, of Python and of scripts, and the circles in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.house.source import ROOT, SERVER, imports, trees

Graph = Mapping[str, set[str]]
SCRIPTS = ("server/emulator/pages", "server/emulator/phone", "miniprogram")
_SCRIPT_ENDINGS = (".ts", ".js", ".mjs")
# `import x from "./a"`, `export {x} from "./a"`, `import "./a"`, `import type …`, `require("./a")`.
_IMPORT = re.compile(
    r"""(?:^|[;\s])(?:import|export)\s[^;'"]*?from\s*['"](?P<from>\.[^'"]*)['"]"""
    r"""|(?:^|[;\s])import\s*\(?['"](?P<bare>\.[^'"]*)['"]"""
    r"""|\brequire\(\s*['"](?P<require>\.[^'"]*)['"]\s*\)""",
)
_COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)


def python_graph(sources: Mapping[Path, ast.Module] | None = None) -> dict[str, set[str]]:
    """Which module imports which, imports for type checkers included."""
    sources = trees() if sources is None else sources
    modules = {_module_name(path): tree for path, tree in sources.items()}
    graph: dict[str, set[str]] = {}
    for name, tree in modules.items():
        wanted = (_known_module(modules, found) for _, found in imports(tree))
        graph[name] = {module for module in wanted if module is not None and module != name}
    return graph


def _module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _known_module(modules: Mapping[str, ast.Module], imported: str) -> str | None:
    """The module behind `package.module.name`."""
    return next((name for name in (imported, imported.rpartition(".")[0]) if name in modules), None)


def script_graph(folders: Iterable[Path] | None = None) -> dict[str, set[str]]:
    """Which script imports which, by relative paths, types included."""
    roots = [ROOT / name for name in SCRIPTS] if folders is None else list(folders)
    files = {path for root in roots for path in _scripts(root)}
    return {
        str(path): {
            str(found)
            for name in script_imports(path.read_text(encoding="utf-8"))
            if (found := _script_file(path.parent / name, files)) is not None
        }
        for path in files
    }


def _scripts(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if path.suffix in _SCRIPT_ENDINGS and "node_modules" not in path.parts:
            yield path.resolve()


def script_imports(source: str) -> list[str]:
    """The relative paths that a script imports."""
    bare = _COMMENT.sub("", source)
    return [found[found.lastgroup or 0] for found in _IMPORT.finditer(bare)]


def _script_file(path: Path, files: set[Path]) -> Path | None:
    """The file behind an import, which may leave out its ending or name a folder."""
    path = path.resolve()
    tried = [path, *(Path(f"{path}{ending}") for ending in _SCRIPT_ENDINGS)]
    tried += [path / f"index{ending}" for ending in _SCRIPT_ENDINGS]
    return next((one for one in tried if one in files), None)


def circles(graph: Graph) -> list[list[str]]:
    """Sets of two or more nodes that reach each other, each sorted (Tarjan, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []
    for root in sorted(graph):
        if root in index:
            continue
        work = [(root, iter(sorted(graph[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            node, following = work[-1]
            fresh = next((one for one in following if one in graph and one not in index), None)
            if fresh is not None:
                index[fresh] = low[fresh] = len(index)
                stack.append(fresh)
                work.append((fresh, iter(sorted(graph[fresh]))))
                continue
            work.pop()
            low[node] = min([low[node], *(low[one] for one in graph[node] if one in stack)])
            if low[node] == index[node]:
                at = stack.index(node)
                found.append(sorted(stack[at:]))
                del stack[at:]
    return sorted(circle for circle in found if len(circle) > 1)


def all_circles() -> list[Sequence[str]]:
    """Every circle of the product, with paths that a reader can open."""
    scripts = [
        [str(Path(one).relative_to(ROOT)) for one in circle] for circle in circles(script_graph())
    ]
    return [*circles(python_graph()), *scripts]


__all__ = ["SERVER", "all_circles", "circles", "python_graph", "script_graph", "script_imports"]
