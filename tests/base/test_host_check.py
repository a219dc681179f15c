"""In production a request under another host name than the service's own is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from server.app import Overrides, create_app
from server.base.settings import Settings
from server.base.settings_reader import load_settings
from server.base.web.host_check import own_host_names
from tests.conftest import application_of
from tests.kit.settings import production

OWN = ("kepu.example.org", "KEPU.example.org", "kepu.example.org:443", "kepu.example.org.",
       "web-1", "web-1:8000", "10.0.0.7:8000", "[fd00::7]:8000")  # fmt: skip
FOREIGN = ("forged.example", "kepu.example.org.forged.example", "forged.example:443", "10.0.0.8",
           "kepu.example.org@forged.example", "kepu.example.org:forged", "kepu.example.org/x",
           "a,kepu.example.org", "[fd00::8]", "")  # fmt: skip
PATHS = ("/", "/console/login", "/api/v1/campaign", "/api/v1/me", "/pictures/x.jpg",
         "/wechat/official/callback", "/docs", "/nothing")  # fmt: skip


@pytest.fixture
def live_app(settings: Settings, overrides: Overrides) -> Iterator[Flask]:
    """The web server with the settings of production that decide about names."""
    live = replace(
        settings, environment="production", public_url="https://kepu.example.org/",
        allowed_hosts="web-1, 10.0.0.7,[FD00::7]",
    )  # fmt: skip
    made = create_app(live, overrides)
    yield made
    application_of(made).uow_factory.engine.dispose()


@pytest.mark.parametrize("host", OWN)
def test_the_service_is_reached_under_its_own_names(live_app: Flask, host: str) -> None:
    client = live_app.test_client()
    assert client.get("/api/v1/campaign", headers={"Host": host}).status_code != 400
    assert client.get("/console/login", headers={"Host": host}).status_code == 200


def test_every_part_of_the_service_refuses_a_foreign_name(live_app: Flask) -> None:
    client = live_app.test_client()
    for host in FOREIGN:
        for path in PATHS:
            for method in ("GET", "POST"):
                answer = client.open(path, method=method, headers={"Host": host})
                assert answer.status_code == 400, (host, path, method)
                assert answer.get_json()["code"] == "unknown_host"
                assert "forged" not in str(answer.headers) + answer.text
    assert client.head("/docs", headers={"Host": "forged.example"}).data == b""


def test_a_browser_reads_a_page_and_gets_no_cookie(live_app: Flask) -> None:
    given = {"Host": "forged.example", "Accept": "text/html", "X-Forwarded-Host": OWN[0]}
    answer = live_app.test_client().get("/console/login", headers=given)
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "不是本系统的网址" in answer.text
    assert answer.headers.getlist("Set-Cookie") == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_is_read_by_the_address_of_the_machine(live_app: Flask, path: str) -> None:
    answer = live_app.test_client().get(path, headers={"Host": "192.168.1.5:8000"})
    assert answer.status_code != 400


def test_the_demo_and_tests_answer_under_any_name(app: Flask) -> None:
    answer = app.test_client().get("/console/login", headers={"Host": "forged.example"})
    assert answer.status_code == 200


def test_the_names_are_that_of_the_public_address_and_those_allowed(tmp_path: Path) -> None:
    assert own_host_names(load_settings(production(tmp_path))) == {"kepu.example.org"}
    changed = {"KEPU_PUBLIC_URL": "https://Kepu.example.org:8443/x", "KEPU_ALLOWED_HOSTS": " b ,c,"}
    assert own_host_names(load_settings(production(tmp_path, **changed))) == {
        "kepu.example.org", "b", "c",
    }  # fmt: skip
