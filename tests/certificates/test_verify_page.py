"""The public page: masked name, contest, score and date; one altered character is not found."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from server.accounts.api import API as ACCOUNTS
from server.base.settings import Limits
from server.base.uow import UnitOfWorkFactory
from server.certificates import desk
from server.certificates.api import API
from server.certificates.models import CertificateEnd
from server.certificates.verify_page import verify_pages
from server.wechat.gateway import Verdict
from tests.kit.accounts import Person
from tests.kit.certificates import FakeSource, a_certificate, a_claim
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@pytest.fixture
def serial(edge: CheckedClient, phone: str) -> str:
    body = {"kind": "quiz_score", "source": "src_1"}
    return str(edge.post("/certificates", json=body, citizen=phone).get_json()["serial"])


def words_of(client: CheckedClient, serial: str, status: int = 200) -> str:
    page = client.get(f"/verify/{serial}")
    assert page.status_code == status
    assert page.mimetype == "text/html"
    text = page.get_data(as_text=True)
    assert '<meta name="robots" content="noindex, nofollow">' in text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in text
    return re.sub(r"<[^>]+>", " ", text)


def test_anybody_reads_masked_name_contest_score_and_date(edge: CheckedClient, serial: str) -> None:
    said = words_of(edge, serial)
    for words in ("证书有效", "韦*", "科学素质竞赛", "90分", "2026年5月1日", serial):
        assert words in said
    assert "韦小明" not in said


def test_one_altered_character_at_any_position_is_not_found(
    edge: CheckedClient, serial: str
) -> None:
    assert "证书有效" in words_of(edge, serial)
    for at, was in enumerate(serial):
        other = next(one for one in ALPHABET if one != was)
        said = words_of(edge, serial[:at] + other + serial[at + 1 :], 404)
        assert "没有查到这个编号" in said
        assert "韦" not in said


@pytest.mark.parametrize("typed", ["x", "KP-0000-0000-0000-0000-00", "%00", "证书", "a" * 500])
def test_what_is_no_number_is_not_found(edge: CheckedClient, typed: str) -> None:
    assert "没有查到这个编号" in words_of(edge, typed, 404)


def test_a_number_can_be_typed_without_its_lines(edge: CheckedClient, serial: str) -> None:
    asked = edge.get("/verify")
    assert asked.status_code == 200
    assert 'name="serial"' in asked.get_data(as_text=True)
    typed = serial.replace("-", "").lower()
    moved = edge.get(f"/verify?serial={typed}")
    assert (moved.status_code, moved.headers["Location"]) == (303, f"/verify/{serial}")
    for hostile in ("//example.org", "<script>", "KP\r\nX: y"):
        moved = edge.get("/verify", query_string={"serial": hostile})
        assert (moved.status_code, moved.headers["Location"]) == (303, "/verify/-")


def test_a_revoked_certificate_is_said_as_revoked_with_the_reason(
    edge: CheckedClient, few: UnitOfWorkFactory, serial: str
) -> None:
    with few.begin() as uow:
        desk.revoke_certificate(
            uow, PEOPLE["editor-region"], serial, reason="冒名<b>领取", may_reissue=False
        )
    page = edge.get(f"/verify/{serial}").get_data(as_text=True)
    assert "冒名&lt;b&gt;领取" in page
    said = words_of(edge, serial)
    assert "证书已作废" in said
    for words in ("证书有效", "韦*", "90分"):
        assert words not in said


def test_a_withheld_certificate_tells_no_content(
    edge: CheckedClient, serial: str, source: FakeSource
) -> None:
    source.withhold()
    said = words_of(edge, serial)
    assert "证书暂时无效" in said
    assert "90分" not in said
    source.right = a_claim()
    assert "证书有效" in words_of(edge, serial)


def test_a_certificate_of_a_merged_twin_says_so(
    edge: CheckedClient, few: UnitOfWorkFactory, person: Person
) -> None:
    with few.begin() as uow:
        twin = a_certificate(uow, person.id, ended=CertificateEnd.DOUBLED, ended_at=uow.now).serial
    assert "已由另一份代替" in words_of(edge, twin)


def test_wrong_numbers_are_limited_and_right_ones_are_free(
    few: UnitOfWorkFactory, gateway: RecordingGateway, serial: str, clock: FakeClock
) -> None:
    dependencies = few.dependencies
    strict = replace(dependencies, settings=replace(dependencies.settings, limits=Limits()))
    pages = (verify_pages(UnitOfWorkFactory(few.engine, strict)),)
    client = edge_client(few, gateway, pages=pages)
    for _ in range(40):
        assert "证书有效" in words_of(client, serial)
    answers = [client.get(f"/verify/KP-{at}").status_code for at in range(20)]
    # The bucket holds half the figure of a minute.
    assert answers == [404] * 15 + [429] * 5
    page = client.get(f"/verify/{serial}")
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) >= 1
    assert "查询太频繁" in page.get_data(as_text=True)
    clock.advance(60)
    assert "证书有效" in words_of(client, serial)


def test_texts_of_people_and_organizers_are_escaped(
    edge: CheckedClient, phone: str, source: FakeSource, gateway: RecordingGateway
) -> None:
    gateway.answers["check_text"] = Verdict.PASS
    source.right = a_claim(title="<img src=x onerror=alert(1)>", sentence="&<>")
    body: dict[str, Any] = {"kind": "quiz_score", "source": "src_1", "name": "<b>韦"}
    serial = edge.post("/certificates", json=body, citizen=phone).get_json()["serial"]
    page = edge.get(f"/verify/{serial}").get_data(as_text=True)
    assert "<img" not in page
    assert "&lt;*" in page


@pytest.mark.parametrize("public", ["", "https://kepu.example.org/"])
def test_the_address_comes_from_the_settings_and_never_from_a_header(
    few: UnitOfWorkFactory, gateway: RecordingGateway, phone: str, public: str
) -> None:
    dependencies = few.dependencies
    settings = replace(dependencies.settings, public_url=public)
    named = UnitOfWorkFactory(few.engine, replace(dependencies, settings=settings))
    client = edge_client(named, gateway, API, ACCOUNTS)
    body = {"kind": "quiz_score", "source": "src_1"}
    hostile = {"Host": "evil.example.org", "X-Forwarded-Host": "evil.example.org"}
    made = client.post("/certificates", json=body, citizen=phone, headers=hostile).get_json()
    base = public.rstrip("/") or f"http://127.0.0.1:{settings.port}"
    assert made["verify_url"] == f"{base}/verify/{made['serial']}"
