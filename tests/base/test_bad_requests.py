"""What is no request is answered and logged without a word of it."""

from __future__ import annotations

import logging

import pytest
from gunicorn.http.errors import InvalidHeader

from server.base.web import bad_requests

SECRET = "Bearer secret-of-mine"


def test_the_log_tells_the_kind_and_not_the_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answer = bad_requests.build_refusal(InvalidHeader(SECRET))
    [line] = caplog.records
    assert (line.levelname, line.outcome) == ("WARNING", "InvalidHeader")  # type: ignore[attr-defined]
    assert SECRET not in caplog.text
    assert SECRET.encode() not in answer


def test_what_breaks_outside_of_the_house_is_a_plain_500(caplog: pytest.LogCaptureFixture) -> None:
    answer = bad_requests.build_refusal(ValueError(SECRET))
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b'"code":"internal"' in answer
    assert SECRET.encode() not in answer
    assert [line.levelname for line in caplog.records] == ["ERROR"]
