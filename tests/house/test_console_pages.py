"""Pages of the console: each needs a permission, passes the organizer on, and selects by scope."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from server import slices
from server.console.form_session import PREFIX
from tests.house.source import callee, functions, nodes_of, trees

SCOPED = ("visible_to", "writable_by", "people_of", "owned_insert")
STATEMENTS = ("select", "update", "delete", "insert")
# Raw SQL names its tables in a string, which no guard reads.
RAW = ("text",)
NEEDS = "say needs=Permission.…: the permission that opens the page (server/base/access.py)"
TAKES = "give it the organizer too: what it reads and writes follows the organizer's place"
SCOPE = "put the statement through visible_to, writable_by or people_of (server/base/ownership.py)"
HERE = "a view calls its service; the statement belongs there"


def name_of(call: ast.Call) -> str:
    return callee(call).rpartition(".")[2]


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in nodes_of(tree) if isinstance(node, ast.Call))


def page_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Call | None:
    decorators = [d for d in function.decorator_list if isinstance(d, ast.Call)]
    return next((d for d in decorators if name_of(d) == "page"), None)


def arguments(call: ast.Call) -> list[str]:
    return [ast.unparse(a) for a in (*call.args, *(k.value for k in call.keywords))]


def view_faults(path: Path, tree: ast.Module) -> list[str]:
    """What is wrong with the views of one file."""
    faults = []
    for view in functions(tree):
        declared = page_of(view)
        if declared is None:
            continue
        where = f"{path}:{view.lineno} {view.name}"
        if "needs" not in {keyword.arg for keyword in declared.keywords}:
            faults.append(f"{where}: {NEEDS}")
        for call in (c for statement in view.body for c in calls(statement)):
            if "uow" in arguments(call) and "organizer" not in arguments(call):
                faults.append(f"{where}: {callee(call)}(…): {TAKES}")
            if name_of(call) in STATEMENTS:
                faults.append(f"{where}: {HERE}")
    return faults


def query_faults(path: Path, tree: ast.Module) -> list[str]:
    """Statements without scope in functions that act for an organizer."""
    faults = []
    for function in functions(tree):
        if not any(
            a.annotation is not None and ast.unparse(a.annotation).endswith("Organizer")
            for a in function.args.args
        ):
            continue
        scoped = [call for call in calls(function) if name_of(call) in SCOPED]
        inside = {id(node) for call in scoped for node in nodes_of(call)}
        named = {ast.unparse(call.args[0]) for call in scoped if call.args}
        assigned = {
            id(node): ast.unparse(statement.targets[0])
            for statement in nodes_of(function)
            if isinstance(statement, ast.Assign)
            for node in nodes_of(statement.value)
        }
        for call in calls(function):
            by_key = name_of(call) == "get" and callee(call).endswith("session.get")
            statement = isinstance(call.func, ast.Name) and call.func.id in (*STATEMENTS, *RAW)
            if not (by_key or statement) or id(call) in inside:
                continue
            if by_key or assigned.get(id(call)) not in named:
                faults.append(f"{path}:{call.lineno} {function.name}: {SCOPE}")
    return faults


def test_every_page_needs_a_permission_and_passes_the_organizer_on() -> None:
    assert [fault for path, tree in trees().items() for fault in view_faults(path, tree)] == []


def test_every_statement_for_an_organizer_carries_the_scope() -> None:
    faults = [fault for path, tree in trees().items() for fault in query_faults(path, tree)]
    assert faults == []


def test_every_address_of_the_console_was_declared_as_a_page(app: Flask) -> None:
    declared = {
        f"{PREFIX}{r.path}".rstrip("/")
        for pages in slices.PAGES
        for r in (*pages.routes, *pages.open_routes)
    }
    inside = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(PREFIX)}
    pages = {rule for rule in inside if not rule.startswith(f"{PREFIX}/assets/")}
    told = "declare it with `page` (server/base/web/page.py)"
    assert pages == declared | {f"{PREFIX}/<rest:unknown>"}, told


def test_a_page_needs_only_permissions_that_its_slice_lists() -> None:
    for one in slices.SLICES:
        asked = {route.needs for pages in one.pages for route in pages.routes}
        assert asked <= set(one.permissions), f"permissions of server/{one.name}/slice.py"


def test_every_page_says_what_it_shows() -> None:
    silent = [r.name for pages in slices.PAGES for r in pages.routes if not r.view.__doc__]
    assert silent == [], "write the docstring of the view"


BAD_VIEWS = {
    NEEDS: '@page(PAGES, "GET", "/x")\ndef x(uow, organizer):\n    return Page("x/x.html")',
    TAKES: (
        '@page(PAGES, "GET", "/x", needs=P.A)\ndef x(uow, organizer):\n'
        '    return Page("x/x.html", rows=bank.listed(uow))'
    ),
    HERE: (
        '@page(PAGES, "GET", "/x", needs=P.A)\ndef x(uow, organizer):\n'
        '    return Page("x/x.html", rows=uow.session.scalars(select(Bank)).all())'
    ),
}
BAD_QUERIES = [
    "    return uow.session.scalars(select(Bank)).all()",
    "    rows = select(Bank)\n    return uow.session.scalars(rows.limit(1)).all()",
    "    return uow.session.get(Bank, slug)",
    "    return uow.session.scalars(text('SELECT slug FROM bank')).all()",
    "    uow.session.execute(update(Bank).values(revision='x'))",
    "    rows = visible_to(select(Bank), organizer, Bank)\n    uow.session.execute(delete(Bank))",
]
GOOD_QUERIES = [
    "    return uow.session.scalars(visible_to(select(Bank), organizer, Bank)).all()",
    "    rows = select(Bank).limit(1)\n    return uow.session.scalars(visible_to(rows, o, B))",
    "    return uow.session.execute(writable_by(update(Bank).values(x=1), organizer, Bank))",
]


@pytest.mark.parametrize("said", BAD_VIEWS)
def test_a_wrong_view_is_told_what_to_do(said: str) -> None:
    faults = view_faults(Path("x/console.py"), ast.parse(BAD_VIEWS[said]))
    assert [fault for fault in faults if fault.endswith(said)] != []


@pytest.mark.parametrize("body", BAD_QUERIES)
def test_a_statement_without_scope_is_told_what_to_do(body: str) -> None:
    source = f"def rows(uow: UnitOfWork, organizer: Organizer, slug: str):\n{body}"
    faults = query_faults(Path("x/service.py"), ast.parse(source))
    assert len(faults) == 1
    assert faults[0].startswith("x/service.py:")
    assert faults[0].endswith(SCOPE)


@pytest.mark.parametrize("body", GOOD_QUERIES)
def test_a_statement_with_its_scope_passes(body: str) -> None:
    source = f"def rows(uow: UnitOfWork, organizer: Organizer, slug: str):\n{body}"
    assert query_faults(Path("x/service.py"), ast.parse(source)) == []
