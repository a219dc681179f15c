"""The maps of the code that a newcomer reads first name every slice."""

from __future__ import annotations

import re

import pytest

from server import slices
from tests.kit.floors import floors
from tests.kit.paths import ROOT


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_map_of_the_readme_names_every_slice(page: str) -> None:
    rows = re.findall(r"^\| `server/([\w ]+)`", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    named = {name for row in rows for name in row.split()}
    missing = {one.name for one in slices.SLICES} - named
    assert missing == set(), f"add these to the first line of the map in {page}"


def test_the_floors_of_the_architecture_page_are_those_of_the_contract() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    block = page.split("## The floors", 1)[1].split("```")[1].strip("\n")
    order = floors()
    lines = [[name for name in line.split() if name in order] for line in block.splitlines()]
    named = [names[0] for names in lines]
    missing = {one.name for one in slices.SLICES} - {name for names in lines for name in names}
    assert missing == set(), "write a line for each of these floors into docs/architecture.md"
    places = [order[name] for name in named]
    assert places == sorted(places, reverse=True), "list them as `layers` in pyproject.toml does"
