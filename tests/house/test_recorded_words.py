"""Fields and authors that calls of `record_change` spell have words in `texts.toml`."""

from __future__ import annotations

import ast
import re

from server.audit.wording import name_author
from server.base.texts import FIRST_LANGUAGE
from server.base.uow import UnitOfWorkFactory
from tests.house.source import nodes_of, trees

CHINESE = re.compile("[\u4e00-\u9fff]")


def test_every_field_that_a_call_spells_has_words(uow_factory: UnitOfWorkFactory) -> None:
    have = uow_factory.dependencies.texts.sentences[FIRST_LANGUAGE]
    spelled = {
        key.value
        for tree in trees().values()
        for call in nodes_of(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "record_change"
        for given in call.keywords
        if given.arg in ("before", "after") and isinstance(given.value, ast.Dict)
        for key in given.value.keys
        if isinstance(key, ast.Constant)
    }
    assert {"state", "version"} <= spelled
    missing = [one for one in spelled if not any(key.endswith(f".recorded.{one}") for key in have)]
    assert missing == [], (
        "write the field's name under [recorded] in the texts.toml of the slice, and the words of"
        " its codes under [recorded_value.<field>]"
    )


def test_every_author_that_is_no_organizer_has_words(uow_factory: UnitOfWorkFactory) -> None:
    names = {
        word.value.value
        for tree in trees().values()
        for call in nodes_of(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "System"
        for word in call.keywords
        if isinstance(word.value, ast.Constant)
    }
    assert "citizen" in names
    with uow_factory.begin(read_only=True) as uow:
        told = {name: name_author(uow, "system", name)[0] for name in names}
    assert [name for name, words in told.items() if not CHINESE.search(words)] == [], (
        "write audit.author.<name> in server/audit/texts.toml"
    )
