"""One slice speaks to another only through its service; some libraries have one door."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.source import SLICES, imports, trees

OPEN_ROOMS = ("service", "errors")
# Who may import what: everybody else is refused.
DOORS = {
    "wechatpy": ("server/wechat/",),
    "aiohttp": ("server/wechat/send_line.py",),
    "uvloop": ("server/wechat/fan_out.py",),
    "redis": ("server/base/redis/client.py",),
    "valkey": (),
    "huey": ("server/base/jobs.py",),
    "fpdf": ("server/base/pdf/document.py",),
    "fontTools": (),
    # Reading these formats runs what they hold.
    "pickle": (),
    "marshal": (),
    "shelve": (),
    "random": ("server/base/uow.py", "server/app.py", "server/emulator/", "server/demo/season.py"),
}
# The callback is put together of the channel's handler, which no manifest offers.
ROOMS_LEFT_OPEN = {"channel": ("server/callbacks.py",)}
FORBIDDEN_NAMES = ("process", "handle", "manager", "utils", "helper", "helpers", "manage")


def test_a_slice_enters_another_through_its_service() -> None:
    wrong = []
    for path, tree in trees().items():
        here = path.parts[1]
        if here not in SLICES:
            continue
        for line, name in imports(_without_type_checking(tree)):
            parts = name.split(".")
            foreign = parts[0] == "server" and parts[1] in SLICES and parts[1] != here
            if foreign and parts[2] not in OPEN_ROOMS:
                wrong.append(f"{path}:{line} {name}")
    assert wrong == [], "call server/<slice>/service.py, and add there what is missing"


def test_code_outside_a_slice_enters_it_through_its_service_or_manifest() -> None:
    """Commands that operators run still lie in `commands.py` of the slices without sub-packages."""
    wrong = []
    for path, tree in trees().items():
        here = path.parts[1]
        for line, name in imports(tree):
            parts = [*name.split("."), "", ""]
            if parts[0] != "server" or parts[1] not in SLICES or parts[1] == here:
                continue
            doors = {*OPEN_ROOMS, "slice"} | (set() if parts[1] == "quiz" else {"commands"})
            if parts[2] not in doors and str(path) not in ROOMS_LEFT_OPEN.get(parts[1], ()):
                wrong.append(f"{path}:{line} {name}: name it in {parts[1]}/service.py or slice.py")
    assert wrong == []


def _without_type_checking(tree: ast.Module) -> ast.Module:
    body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return ast.Module(body=body, type_ignores=[])


def test_each_library_has_its_door() -> None:
    wrong = [
        f"{path}:{line} {name}"
        for path, tree in trees().items()
        for line, name in imports(_without_type_checking(tree))
        if (doors := DOORS.get(name.split(".")[0])) is not None
        and not any(str(path).startswith(door) for door in doors)
    ]
    assert wrong == [], "call the files that DOORS names for the library"


def test_services_know_neither_flask_nor_the_clock() -> None:
    wrong = [
        f"{path}:{line} {name}"
        for path, tree in trees().items()
        if path.name in ("service.py", "rules.py", "boards.py", "queries.py")
        for line, name in imports(tree)
        if name.split(".")[0] in ("flask", "werkzeug", "requests", "time")
    ]
    assert wrong == [], "take the value as an argument; the time of a transaction is `uow.now`"


def test_rules_are_pure() -> None:
    wrong = [
        f"{path}:{line} {name}"
        for path, tree in trees().items()
        if path.name == "rules.py" and path.parts[1] in SLICES
        for line, name in imports(tree)
        if name.split(".")[0] in ("sqlalchemy", "flask", "redis", "requests")
    ]
    assert wrong == [], "read in service.py, and pass the values to the rule"


def test_names_are_words_of_the_domain() -> None:
    vague = [
        str(path)
        for path in trees()
        if path.stem in FORBIDDEN_NAMES or any(part in FORBIDDEN_NAMES for part in Path(path).parts)
    ]
    assert vague == [], "name the file after the subject of its functions"
