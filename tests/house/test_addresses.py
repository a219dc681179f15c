"""An address is known or it is 404: nobody is sent elsewhere, and no address is made of Host."""

from __future__ import annotations

import ast

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from server.emulator.app import create_app
from server.emulator.testing import emulated_wechat
from tests.house.source import ROOT

FORGED = "forged.example"
ODD = [
    "/api/v1//me", "//api/v1/me", "/api//v1/me", "/api/v1/me/", "/api/v1/campaign/", "/docs/",
    "/docs//start.js", "/healthz/", "//healthz", "/pictures//x.jpg", "//forged.example/..",
    "/wechat//official/callback", "/wechat/official/callback/", "/openapi.json/", "//",
    "/api/v1/contests//leaderboard",
]  # fmt: skip
PLAYED = ["/phone", "/phone/app", "/phone//people", "//phone/", "/_emu//people", "/_emu/people/"]
# What would tell us how we were asked for.
TELLTALES = {"url_for", "redirect", "url_root", "host_url", "base_url", "host", "is_secure"}


def ask(app: Flask, path: str, method: str) -> tuple[str, dict[str, str], bytes]:
    """The answer to exactly this path; a test client would tidy it up."""
    environ = EnvironBuilder(method=method, headers={"Host": FORGED}).get_environ()
    environ["PATH_INFO"] = path
    content, status, headers = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    return status, dict(headers), b"".join(content)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ODD)
def test_an_odd_address_is_refused_like_any_unknown_one(app: Flask, path: str, method: str) -> None:
    status, headers, content = ask(app, path, method)
    assert status.startswith("404 ")
    assert headers["Content-Type"] == "application/problem+json"
    assert "Location" not in headers
    assert FORGED not in str(headers)
    assert FORGED.encode() not in content


@pytest.mark.parametrize("path", PLAYED)
def test_the_emulated_wechat_makes_no_address_of_the_host_either(path: str) -> None:
    with emulated_wechat() as wechat:
        status, headers, _ = ask(create_app(wechat.world), path, "GET")
    assert status.startswith("308 ") is (path in ("/phone", "/phone/app"))
    assert headers.get("Location") in (None, f"{path}/")


def test_no_address_of_the_house_asks_for_a_tidier_one(app: Flask) -> None:
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    assert [rule for rule in rules if rule.endswith("/") and rule != "/"] == [], (
        "declare the path without the slash at its end"
    )
    assert not app.url_map.merge_slashes


def test_no_source_of_the_server_reads_how_it_was_asked_for() -> None:
    read = [
        (path.name, node.lineno, node.attr)
        for path in sorted((ROOT / "server").rglob("*.py"))
        if "emulator" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in TELLTALES
        and isinstance(node.value, ast.Name)
        and node.value.id in ("request", "flask")
    ]
    assert read == [], "make addresses from the setting `public_url`, not from the request"
