"""What the slices offer, gathered from the slices themselves."""

from __future__ import annotations

import importlib

from server.base.work import Hooks
from tests.kit.databases import SERVER


def all_hooks() -> Hooks:
    total = Hooks()
    for path in sorted(SERVER.glob("*/service.py")):
        module = importlib.import_module(f"server.{path.parent.name}.service")
        total = total + getattr(module, "HOOKS", Hooks())
    return total
