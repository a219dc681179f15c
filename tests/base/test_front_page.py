"""The page at `/` and the document's introduction: what they link, and where."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server import slices
from server.base.settings import Settings
from server.base.texts import load_texts
from server.base.web.front_page import front_page
from server.base.web.introduction import compose_introduction
from tests.kit.gateway import RecordingGateway

DEMO = Settings(environment="demo", port=8123, emulator_port=8124)
PRODUCTION = replace(DEMO, environment="production")
OWN = ["/docs", "/healthz", "/readyz"]
EMULATED = ["http://127.0.0.1:8124/phone/", "http://127.0.0.1:8124/"]


def links_of(settings: Settings) -> list[str]:
    app = Flask(__name__)
    app.register_blueprint(front_page(settings, load_texts(slices.TEXTS)))
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "script" not in answer.headers["Content-Security-Policy"]
    return re.findall(r'<a href="([^"]+)"', answer.get_data(as_text=True))


def test_the_phone_comes_first_where_wechat_is_emulated() -> None:
    assert links_of(DEMO) == [EMULATED[0], *OWN, EMULATED[1]]


def test_in_production_nothing_of_the_emulator_is_linked() -> None:
    assert links_of(PRODUCTION) == OWN


def test_every_link_of_the_house_leads_somewhere(app: Flask, gateway: RecordingGateway) -> None:
    gateway.answers["is_available"] = True
    http: FlaskClient = app.test_client()
    page = http.get("/").get_data(as_text=True)
    for link in re.findall(r'href="(/[^"]*)"', page):
        assert http.get(link).status_code in (200, 503), link


@pytest.mark.parametrize(("settings", "shown"), [(DEMO, True), (PRODUCTION, False)])
def test_the_introduction_tells_of_tokens_and_only_the_demo_makes_one_by_hand(
    settings: Settings, shown: bool
) -> None:
    text = compose_introduction(settings)
    assert "POST /api/v1/login" in text
    assert ("_emu/login_code" in text) is shown
    assert ("EMULATOR=http://127.0.0.1:8124" in text) is shown


def test_the_document_holds_the_introduction(app: Flask) -> None:
    told = app.test_client().get("/openapi.json").get_json()["info"]["description"]
    assert "## A token" in told
