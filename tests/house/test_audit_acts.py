"""Every act of the audit trail has its words, so that the page of the trail can say it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from server import slices
from server.base.texts import FIRST_LANGUAGE, load_texts
from tests.house.source import callee, nodes_of, trees

CALLS = ("record_change",)
# Passes on the act of a page, which a `Note` names.
PASSED_ON = "server/audit/service.py"
SAY = "name the act with a constant <slice>.<verb>_<object>, its words are <slice>.act.<verb>_…"


def acts(sources: Mapping[Path, ast.Module]) -> Iterator[tuple[str, str]]:
    """Where each entry is recorded, and the act it names; an empty one when it is no constant."""
    for path, tree in sources.items():
        if path.as_posix() == PASSED_ON:
            continue
        for call in (node for node in nodes_of(tree) if isinstance(node, ast.Call)):
            named = {k.arg: k.value for k in call.keywords}
            if callee(call) == "Note" and isinstance(named.get("act"), ast.Constant):
                yield f"{path}:{call.lineno}", str(named["act"].value)  # type: ignore[attr-defined]
            if callee(call) == "UploadActs":
                for act in named.values():
                    constant = isinstance(act, ast.Constant) and isinstance(act.value, str)
                    yield f"{path}:{call.lineno}", str(act.value) if constant else ""  # type: ignore[attr-defined]
            if callee(call).rpartition(".")[2] in CALLS and len(call.args) > 2:
                act = call.args[2]
                constant = isinstance(act, ast.Constant) and isinstance(act.value, str)
                yield f"{path}:{call.lineno}", str(act.value) if constant else ""  # type: ignore[attr-defined]


def test_every_act_has_its_words() -> None:
    have = set(load_texts(slices.TEXTS).sentences[FIRST_LANGUAGE])
    wrong = [
        f"{where} {act}: {SAY}"
        for where, act in acts(trees())
        if "{}.act.{}".format(*act.partition(".")[::2]) not in have
    ]
    assert wrong == []


def test_an_act_without_words_is_found() -> None:
    source = 'record_change(uow, organizer, "quiz.dance", Subject("x", "y"))\n'
    source += "audit.record_change(uow, organizer, act, Subject('x', 'y'))"
    source += "\nUploadActs(upload='quiz.sing', drop=other)"
    found = list(acts({Path("x.py"): ast.parse(source)}))
    assert found == [
        ("x.py:1", "quiz.dance"), ("x.py:2", ""), ("x.py:3", "quiz.sing"), ("x.py:3", ""),
    ]  # fmt: skip
