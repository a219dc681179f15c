"""One class name, one meaning: a reader who greps for a class finds one."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.house.source import nodes_of, trees

# The emulator is another program, and its names are those of WeChat's side.
OTHER_PROGRAM = "emulator"
EXEMPT = {
    "Citizen": "base/access.py says who acts, accounts/models.py has the row of the same person",
    "Table": "console/tables.py has a list of the console, quiz/bank the rows of a file",
    "Page": "base/web/schema.py has a page of a list, base/web/page.py one of the console",
    "Role": "published by programme/kinds.py; base/access.py has the role of an organizer",
}


def homes() -> dict[str, list[str]]:
    """Where each class of the product is defined."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees().items():
        if path.parts[1] == OTHER_PROGRAM:
            continue
        for node in nodes_of(tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(f"{path}:{node.lineno}")
    return found


def test_no_two_classes_have_one_name() -> None:
    twice = {name: places for name, places in homes().items() if len(places) > 1}
    wrong = {name: places for name, places in twice.items() if name not in EXEMPT}
    assert wrong == {}, "give the one that fewer files use a name of its own"


def test_an_exempt_name_is_still_there() -> None:
    assert set(EXEMPT) <= set(homes())
