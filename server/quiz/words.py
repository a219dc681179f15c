"""Recognised words of imported files, from words.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def word_table(table: str) -> dict[str, Any]:
    """One table of the word list."""
    tree = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    return dict(tree[table])
