"""A slice that stores something about a citizen also erases, exports and merges it."""

from __future__ import annotations

import importlib

from server.base.sql.tables import Base
from server.base.uow import Hooks
from tests.house.source import SERVER, SLICES
from tests.kit.databases import load_all_tables


def slices_with_citizens() -> set[str]:
    load_all_tables()
    owners = set()
    for mapper in Base.registry.mappers:
        if "citizen_id" in mapper.local_table.c:
            owners.add(mapper.class_.__module__.split(".")[1])
    return owners


def test_each_slice_with_a_citizen_offers_its_hooks() -> None:
    # accounts owns the citizen: it erases and merges its own rows before it calls the others.
    for name in slices_with_citizens() - {"accounts"}:
        module = importlib.import_module(f"server.{name}.service")
        hooks: Hooks = module.HOOKS
        assert hooks.forget, name
        assert hooks.held, name
        assert hooks.join, name


def test_the_list_of_slices_is_the_folder() -> None:
    assert {path.parent.name for path in SERVER.glob("*/models.py")} == set(SLICES)
