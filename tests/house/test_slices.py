"""The manifests of the slices: complete, in floor order, and nothing of a slice left out."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Iterator
from types import ModuleType

import pytest

from server import slices
from server.base.jobs import Task
from server.base.manifest import Slice
from server.base.web.endpoint import Api
from tests.house.source import ROOT, SERVER
from tests.kit.floors import floors


def modules(one: Slice) -> Iterator[ModuleType]:
    for path in sorted((SERVER / one.name).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield importlib.import_module(name.removesuffix(".__init__"))


def test_every_folder_with_a_manifest_is_in_the_list() -> None:
    folders = {path.parent.name for path in SERVER.glob("*/slice.py")}
    assert {one.name for one in slices.SLICES} == folders, "add the slice to server/slices.py"


def test_every_folder_with_wording_or_tables_has_a_manifest() -> None:
    wanted = {path.parent.name for name in ("texts.toml", "models*") for path in
              SERVER.glob(f"*/{name}")} - {"emulator"}  # fmt: skip
    assert wanted == {one.name for one in slices.SLICES}, "write the folder's slice.py"


def test_the_list_follows_the_floors() -> None:
    order = floors()
    places = [order[one.name] for one in slices.SLICES]
    assert places == sorted(places), "server/slices.py lists the lowest floor first"


def test_every_slice_is_held_by_the_contracts_of_imports() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {c["name"].split(":")[0]: c for c in settings["tool"]["importlinter"]["contracts"]}
    every = {f"server.{one.name}" for one in slices.SLICES}
    inside = {name for name in every if (SERVER / name.split(".")[1] / "service.py").exists()}
    for name, key, wanted in (
        ("layers inside a slice", "containers", inside),
        ("the emulator is another program", "forbidden_modules", every),
        ("nobody imports the emulator", "source_modules", every),
    ):
        left_out = wanted - set(contracts[name][key])
        assert left_out == set(), f"add these to {key} of the contract '{name}' in pyproject.toml"


@pytest.mark.parametrize("one", slices.SLICES, ids=lambda one: one.name)
def test_a_manifest_leaves_no_route_and_no_task_of_its_slice_out(one: Slice) -> None:
    found: list[object] = []
    for module in modules(one):
        if module.__name__ != f"server.{one.name}.slice":
            for value in vars(module).values():
                found += value if isinstance(value, tuple) else [value]
    routes = {route.path for value in found if isinstance(value, Api) for route in value.routes}
    tasks = {value.name for value in found if isinstance(value, Task)}
    offered = {route.path for api in one.apis for route in api.routes}
    assert routes == offered, f"apis of server/{one.name}/slice.py"
    assert tasks == {task.name for task in one.tasks}, f"tasks of server/{one.name}/slice.py"


def test_two_offers_under_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"under the name quiz\.today"):
        slices.merge_named([{"quiz.today": 1}, {"quiz.rules": 2}, {"quiz.today": 3}])
    assert slices.merge_named([{"a": 1}, {}, {"b": 2}]) == {"a": 1, "b": 2}


def test_every_queue_has_a_name_of_its_own_and_a_task_that_sweeps_it() -> None:
    names = [queue.name for queue in slices.QUEUES]
    assert sorted(set(names)) == sorted(names)
    swept = {task.name for task in slices.TASKS if task.every_seconds is not None}
    assert {queue.task for queue in slices.QUEUES} <= swept
