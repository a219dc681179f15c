"""Compiled SQL shared by the engines of a process: every test opens an engine of its own.

SQLAlchemy keeps compiled statements by dialect, and every engine has a new one, so each test would
compile all its statements again.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.engine import Compiled

from server.base.settings import Settings
from server.base.sql.database import open_engine
from server.base.sql.patience import Use
from server.base.sql.tables import Base


class SharedStatements(MutableMapping[Any, Compiled]):
    """A cache of compiled statements by the name of the dialect instead of the dialect."""

    def __init__(self) -> None:
        self._kept: dict[Any, Compiled] = {}

    def __getitem__(self, key: Any) -> Compiled:
        return self._kept[key[0].name, *key[1:]]

    def __setitem__(self, key: Any, compiled: Compiled) -> None:
        self._kept[key[0].name, *key[1:]] = compiled

    def __delitem__(self, key: Any) -> None:
        del self._kept[key[0].name, *key[1:]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


_STATEMENTS = SharedStatements()


def open_sharing_engine(app: Flask, settings: Settings, use: Use = Use.REQUESTS) -> Engine:
    """The product's engine, with the compiled statements of all earlier engines."""
    engine = open_engine(app, settings, use)
    engine.update_execution_options(compiled_cache=_STATEMENTS)
    return engine


def share_mapper_statements() -> None:
    """Share what a flush compiles, which SQLAlchemy keeps apart, in each mapper."""
    for mapper in Base.registry.mappers:
        mapper.__dict__["_compiled_cache"] = SharedStatements()
