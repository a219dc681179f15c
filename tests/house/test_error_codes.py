"""Refusals: codes are unique, snake_case, worded, and declared by the routes that raise them."""

from __future__ import annotations

import importlib
import re
from collections import defaultdict

from server import slices
from server.base.errors import AppError
from server.base.texts import load_texts
from tests.house.source import trees


def all_refusals() -> set[type[AppError]]:
    for path in trees():
        if path.parts[1] not in ("emulator", "migrations", "__main__.py"):
            importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
    found: set[type[AppError]] = set()
    waiting = [AppError]
    while waiting:
        kind = waiting.pop()
        found.add(kind)
        waiting += kind.__subclasses__()
    return {kind for kind in found if kind.__module__.startswith("server.")}


def test_a_code_means_one_thing() -> None:
    by_code = defaultdict(set)
    for kind in all_refusals():
        by_code[kind.code].add(kind.status)
        assert re.fullmatch(r"[a-z][a-z0-9_]*", kind.code), kind
    assert {code: statuses for code, statuses in by_code.items() if len(statuses) > 1} == {}, (
        "give one of the errors another code"
    )


def test_every_refusal_has_a_sentence() -> None:
    texts = load_texts(slices.TEXTS)
    worded = {
        key.rsplit(".", 1)[1] for s in texts.sentences.values() for key in s if ".error." in key
    }
    assert {kind.code for kind in all_refusals()} - worded == set(), (
        "write a sentence for each code under [error] in the texts.toml of its slice"
    )
