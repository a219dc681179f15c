"""What is no request is answered and logged without a word of it."""

from __future__ import annotations

import logging

import pytest
from gunicorn.http.errors import InvalidHeader

from server.base.errors import BodyTooLarge
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


def test_a_browser_is_told_in_words_what_was_too_large() -> None:
    answer = bad_requests.build_refusal(BodyTooLarge(), as_page=True)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"Content-Type: text/html; charset=utf-8" in head
    assert "文件太大：一次最多上传 5 MB。" in body.decode()
    assert "<script" not in body.decode()
    assert f"Content-Length: {len(body)}\r\n" in head.decode() + "\r\n"
