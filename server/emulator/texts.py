"""Loads the platform's wording from texts.toml beside this file."""

from __future__ import annotations

import tomllib
from pathlib import Path

TEXTS: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("texts.toml").read_text(encoding="utf-8")
)
