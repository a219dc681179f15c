"""No import circle anywhere, imports for types included."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.circles import all_circles, circles, python_graph, script_graph, script_imports


def test_no_module_and_no_script_imports_itself_by_a_detour() -> None:
    assert all_circles() == [], "move what both need into a file that imports neither"


def test_the_graphs_hold_the_whole_product() -> None:
    python, scripts = python_graph(), script_graph()
    assert "server.quiz.attempts.api" in python["server.quiz.api"]
    assert "server.quiz.models.attempts" in python["server.quiz.models"]
    found = {Path(one).name: {Path(to).name for to in reached} for one, reached in scripts.items()}
    assert {"menu.js", "talks.js"} <= found["route.js"]
    assert "space.ts" in found["registration.ts"]
    assert "zh.ts" in found["za.ts"]


def test_a_circle_is_found_wherever_it_begins() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"d", "b"}, "d": {"e"}, "e": {"c"}, "f": {"a"}}
    assert circles(graph) == [["b", "c", "d", "e"]]
    assert circles({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) == []


def test_an_import_for_the_type_checker_counts() -> None:
    first = "if TYPE_CHECKING:\n    from server.two import Two\n"
    sources = {
        Path("server/one.py"): ast.parse(first),
        Path("server/two.py"): ast.parse("from server import one\n"),
    }
    assert circles(python_graph(sources)) == [["server.one", "server.two"]]


@pytest.mark.parametrize(
    "source",
    [
        'import { a } from "./b";',
        "import type {\n  A,\n  B,\n} from './b'",
        'export { a } from "./b";',
        'import "./b";',
        'const { a } = require("./b");',
        'const a = await import("./b");',
    ],
)
def test_every_way_to_import_a_script_is_read(source: str) -> None:
    assert script_imports(f"// import './c'\n{source}\n/* from './d' */\n") == ["./b"]


def test_two_scripts_that_import_each_other_are_found(tmp_path: Path) -> None:
    (tmp_path / "one.ts").write_text('import type { Two } from "./two";\n')
    (tmp_path / "two.ts").write_text('import { one } from "./one.ts";\n')
    assert len(circles(script_graph([tmp_path]))) == 1
