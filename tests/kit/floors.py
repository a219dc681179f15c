"""The floors of the product, as import-linter holds them."""

from __future__ import annotations

import tomllib

from tests.kit.paths import ROOT


def floors() -> dict[str, int]:
    """The folders under `server/` with the number of their floor, as import-linter holds them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c["name"].startswith("floors:"))
    numbered = enumerate(reversed(layers))
    return {name.strip(): floor for floor, layer in numbered for name in layer.split("|")}
