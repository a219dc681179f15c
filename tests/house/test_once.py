"""What all refusals share is written in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.source import callee, nodes_of, trees

PROBLEM = Path("server/base/problem.py")
# The limiter's place; the other one counts connections, before a request is read.
REFUSES_BY_RATE = {Path("server/base/rate_limits.py"), Path("server/base/web/bad_requests.py")}


def files_with_text(words: str) -> set[Path]:
    """The files in which these words are a text of their own, not a part of prose."""
    return {
        path
        for path, tree in trees().items()
        for node in nodes_of(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.strip(": ") == words.strip(": ")
    }


def files_that_make(name: str) -> set[Path]:
    return {
        path
        for path, tree in trees().items()
        for node in nodes_of(tree)
        if isinstance(node, ast.Call) and callee(node).endswith(name)
    }


@pytest.mark.parametrize("words", ["urn:kepu:problem:", "application/problem+json", "Retry-After"])
def test_the_problem_document_and_its_headers_are_written_in_one_place(words: str) -> None:
    found = files_with_text(words)
    assert found == {PROBLEM}, "use problem_body, retry_headers and MEDIA of base/problem.py"


def test_one_place_refuses_by_a_rate_limit() -> None:
    found = files_that_make("TooManyRequests")
    assert found == REFUSES_BY_RATE, "call `spend_token` of base/rate_limits.py"
