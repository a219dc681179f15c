"""A rule is passed over only with its name and a reason on the same line."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.house.source import ROOT

REASONED = re.compile(r"# noqa: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)* - \S")
SAY = "write it as `# noqa: RULE - reason`: which rule, and why this line may break it"


def faults(name: str, source: str) -> list[str]:
    """Comments of a source that pass over rules without naming them or without a reason."""
    if "noqa" not in source.lower():
        return []
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [
        f"{name}:{token.start[0]} {SAY}"
        for token in tokens
        if token.type == tokenize.COMMENT
        and "noqa" in token.string.lower()
        and not REASONED.search(token.string)
    ]


def sources() -> list[Path]:
    folders = ("server", "tests", "config")
    return [*ROOT.glob("*.py"), *(p for f in folders for p in sorted((ROOT / f).rglob("*.py")))]


def test_every_rule_that_is_passed_over_has_its_reason() -> None:
    found = [
        fault
        for path in sources()
        for fault in faults(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["import os  # noqa", "import os  # noqa: F401", "import os  # NOQA: F401 - used"]
)
def test_a_rule_that_is_passed_over_silently_is_told_what_to_do(line: str) -> None:
    assert faults("x.py", f"{line}\n") == [f"x.py:1 {SAY}"]


def test_a_reason_is_enough() -> None:
    assert faults("x.py", "import os  # noqa: F401, E501 - read by plugins\n") == []
