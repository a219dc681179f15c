"""How modules are written; their sizes are held by test_figures.py."""

from __future__ import annotations

import ast

from tests.house.source import functions, imports, nodes_of, trees


def test_no_own_import_hides_in_a_function() -> None:
    hidden = [
        f"{path}:{line} {name}"
        for path, tree in trees().items()
        for node in functions(tree)
        for line, name in imports(node)
        if name.startswith("server.")
    ]
    assert hidden == [], (
        "import at the head of the file; if that makes a circle, move down what both files need"
    )


def test_an_init_file_holds_its_docstring_and_no_code() -> None:
    for path, tree in trees().items():
        if path.name == "__init__.py" and path.parts[1:2] != ("migrations",):
            assert ast.get_docstring(tree) is not None, f"{path}: begin it with its docstring"
            # A package of tables names them all: SQLAlchemy must have seen each before it is used.
            rest = [
                node
                for node in tree.body[1:]
                if path.parts[-2] != "models" or not is_re_export(node)
            ]
            assert rest == [], f"{path}: move the code into a file named after its subject"


def is_re_export(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) or ast.unparse(node).startswith("__all__ = ")


def test_every_module_says_why_it_exists() -> None:
    silent = [
        str(path)
        for path, tree in trees().items()
        if ast.get_docstring(tree) is None and path.parent.name != "versions"
    ]
    assert silent == [], "begin the file with a docstring: what is in it"


def test_nothing_is_swallowed() -> None:
    swallowed = [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        for node in nodes_of(tree)
        if isinstance(node, ast.ExceptHandler)
        and len(node.body) == 1
        and isinstance(node.body[0], ast.Pass)
    ]
    assert swallowed == [], "handle, log or raise the error instead of `pass`"
