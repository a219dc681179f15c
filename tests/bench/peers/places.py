"""Names of cities, from the product's own file of places."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_FILE = Path(__file__).resolve().parents[3] / "server" / "units" / "data" / "regions.json"


@cache
def _cities() -> dict[str, str]:
    document = json.loads(_FILE.read_text(encoding="utf-8"))
    return {city["code"]: city["name"] for city in document["cities"]}


def city_name(code: str | None) -> str | None:
    """The name of a city; None for nobody's."""
    return None if code is None else _cities().get(code)
