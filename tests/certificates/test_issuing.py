"""Issuing certificates: one number each, the name fixed and checked, the files the holder's own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from server.accounts import privacy
from server.base.uow import UnitOfWorkFactory
from server.certificates import api, desk
from server.certificates.models import Certificate, CertificateEnd
from server.certificates.rules import read_serial
from server.wechat.errors import NotSent
from server.wechat.gateway import Verdict
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.certificates import FakeSource, a_claim
from tests.kit.client import CheckedClient
from tests.kit.console import PEOPLE
from tests.kit.gateway import RecordingGateway


def ask(client: CheckedClient, phone: str, **more: Any) -> Any:
    body = {"kind": "quiz_score", "source": "src_1", **more}
    return client.post("/certificates", json=body, citizen=phone)


def base_of(few: UnitOfWorkFactory) -> str:
    """The address of the server where no public one is set."""
    settings = few.dependencies.settings
    assert settings.public_url == ""
    return f"http://127.0.0.1:{settings.port}"


def stored(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(func.count()).select_from(Certificate)) or 0


def revoke(few: UnitOfWorkFactory, serial: str, *, may_reissue: bool = False) -> None:
    with few.begin() as uow:
        desk.revoke_certificate(
            uow, PEOPLE["editor-region"], serial, reason="姓名写错", may_reissue=may_reissue
        )


def test_a_certificate_has_one_number_however_often_it_is_asked_for(
    edge: CheckedClient, few: UnitOfWorkFactory, phone: str
) -> None:
    first = ask(edge, phone)
    assert first.status_code == 201
    made = first.get_json()
    assert read_serial(made["serial"]) == made["serial"]
    assert made["verify_url"] == f"{base_of(few)}/verify/{made['serial']}"
    assert made["image_url"] == f"/api/v1/certificates/{made['serial']}.png"
    for _ in range(2):
        again = ask(edge, phone)
        assert (again.status_code, again.get_json()) == (200, made)
    assert stored(few) == 1


def test_without_a_right_nothing_is_issued_and_the_reason_is_said(
    edge: CheckedClient, few: UnitOfWorkFactory, phone: str, source: FakeSource
) -> None:
    source.withhold()
    refused = ask(edge, phone)
    assert refused.status_code == 409
    assert (refused.get_json()["code"], refused.get_json()["reason"]) == (
        "certificate_not_earned", "held",
    )  # fmt: skip
    assert refused.get_json()["detail"] == "成绩正在复核。"
    for body in ({"source": "src_2"}, {"kind": "medal"}):
        assert ask(edge, phone, **body).status_code == 404
    assert (
        edge.post("/certificates", json={"kind": "quiz_score", "source": "src_1"}).status_code
        == 401
    )
    assert stored(few) == 0


def test_a_right_that_is_taken_back_and_given_again_keeps_the_number(
    edge: CheckedClient, phone: str, source: FakeSource
) -> None:
    made = ask(edge, phone).get_json()
    path = f"/certificates/{made['serial']}"
    source.withhold()
    (told,) = edge.get("/me/certificates", citizen=phone).get_json()["items"]
    assert (told["state"], told["state_text"], told["image_url"]) == ("withheld", "暂时无效", "")
    assert [edge.get(f"{path}.{form}", citizen=phone).status_code for form in ("png", "pdf")] == [
        404
    ] * 2
    source.right = a_claim()
    assert ask(edge, phone).get_json() == made
    assert edge.get(f"{path}.png", citizen=phone).status_code == 200


def test_a_source_that_is_no_longer_kept_leaves_what_was_certified(
    edge: CheckedClient, phone: str, source: FakeSource
) -> None:
    made = ask(edge, phone).get_json()
    source.forget()
    assert ask(edge, phone).get_json() == made
    assert edge.get(f"/certificates/{made['serial']}.png", citizen=phone).status_code == 200


def test_picture_and_document_are_the_holders_own(
    edge: CheckedClient, uow_factory: UnitOfWorkFactory, phone: str
) -> None:
    serial = ask(edge, phone).get_json()["serial"]
    with uow_factory.begin() as uow:
        other = a_session(uow, a_citizen(uow))
    for form, media, begins in (
        ("png", "image/png", b"\x89PNG"),
        ("pdf", "application/pdf", b"%PDF"),
    ):
        path = f"/certificates/{serial}.{form}"
        own = edge.get(path, citizen=phone)
        assert (own.status_code, own.mimetype) == (200, media)
        assert own.data.startswith(begins)
        assert own.headers["Cache-Control"] == "private, max-age=60"
        assert edge.get(path, citizen=other).status_code == 404
        assert edge.get(path).status_code == 401
        wrong = path.replace(serial[-6], "0" if serial[-6] != "0" else "1")
        assert edge.get(wrong, citizen=phone).status_code == 404


def test_the_name_is_offered_before_and_fixed_afterwards(
    edge: CheckedClient, phone: str, gateway: RecordingGateway
) -> None:
    (offer,) = edge.get("/me/certificates", citizen=phone).get_json()["available"]
    assert offer["name"] == "韦小明"
    assert ask(edge, phone, name=" 韦  大明 ").get_json()["name"] == "韦 大明"
    assert ask(edge, phone, name="韦 大明").status_code == 200
    other = ask(edge, phone, name="李四")
    assert (other.status_code, other.get_json()["code"]) == (409, "certificate_name_fixed")
    assert ask(edge, phone).get_json()["name"] == "韦 大明"


def test_a_typed_name_is_checked_and_the_own_nickname_is_not_again(
    edge: CheckedClient, few: UnitOfWorkFactory, phone: str, gateway: RecordingGateway
) -> None:
    for verdict, status, code in (
        (Verdict.RISKY, 409, "certificate_name_refused"),
        (Verdict.REVIEW, 409, "certificate_name_refused"),
        (NotSent(), 503, "certificate_name_unchecked"),
    ):
        gateway.answers["check_text"] = verdict
        refused = ask(edge, phone, name="坏名字")
        assert (refused.status_code, refused.get_json()["code"]) == (status, code)
    assert stored(few) == 0
    asked_before = len(gateway.called("check_text"))
    assert ask(edge, phone, name="韦小明").status_code == 201
    assert len(gateway.called("check_text")) == asked_before


def test_a_name_given_for_the_source_is_suggested_and_checked(
    edge: CheckedClient, phone: str, source: FakeSource, gateway: RecordingGateway
) -> None:
    source.right = a_claim(name="韦报名")
    (offer,) = edge.get("/me/certificates", citizen=phone).get_json()["available"]
    assert offer["name"] == "韦报名"
    gateway.answers["check_text"] = Verdict.RISKY
    assert ask(edge, phone).get_json()["code"] == "certificate_name_refused"
    gateway.answers["check_text"] = Verdict.PASS
    assert ask(edge, phone).get_json()["name"] == "韦报名"


@pytest.mark.parametrize("name", ["韦😀", "𠮷田", "한글"])
def test_a_name_that_cannot_be_printed_whole_is_refused(
    edge: CheckedClient, few: UnitOfWorkFactory, phone: str, name: str
) -> None:
    refused = ask(edge, phone, name=name)
    assert (refused.status_code, refused.get_json()["code"]) == (
        409,
        "certificate_name_unprintable",
    )
    assert stored(few) == 0


def test_the_stored_name_is_sealed(edge: CheckedClient, few: UnitOfWorkFactory, phone: str) -> None:
    ask(edge, phone)
    with few.begin(read_only=True) as uow:
        row = uow.session.scalars(select(Certificate)).one()
        assert row.name is not None
        assert "韦" not in row.name
        assert "韦" not in str(row.claim)


def test_a_revoked_certificate_is_issued_again_only_where_the_organizer_allowed_it(
    edge: CheckedClient, few: UnitOfWorkFactory, phone: str
) -> None:
    first = ask(edge, phone).get_json()["serial"]
    revoke(few, first)
    refused = ask(edge, phone)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "certificate_revoked")
    own = edge.get("/me/certificates", citizen=phone).get_json()
    assert [(one["state"], one["remark"]) for one in own["items"]] == [("revoked", "姓名写错")]
    assert own["available"] == []
    with few.begin() as uow:
        uow.session.scalars(select(Certificate)).one().may_reissue = True
    second = ask(edge, phone, name="韦大明")
    assert second.status_code == 201
    assert second.get_json()["serial"] != first
    assert edge.get(f"/certificates/{first}.png", citizen=phone).status_code == 404


def test_an_erased_holder_leaves_a_number_without_content(
    edge: CheckedClient, few: UnitOfWorkFactory, person: Person, phone: str
) -> None:
    serial = ask(edge, phone).get_json()["serial"]
    with few.begin() as uow:
        privacy.erase_citizen(uow, person.id)
    with few.begin(read_only=True) as uow:
        row = uow.session.scalars(select(Certificate)).one()
        assert (row.serial, row.name, row.title, row.claim) == (serial, None, "", {})
        assert row.ended is CertificateEnd.ERASED
    page = edge.get(f"/verify/{serial}")
    assert page.status_code == 200
    assert "持有人已注销" in page.get_data(as_text=True)
    assert "竞赛" not in page.get_data(as_text=True).split("<dl>")[1].split("</dl>")[0]


def test_a_certificate_is_drawn_once_and_no_transaction_is_open_meanwhile(
    edge: CheckedClient, few: UnitOfWorkFactory, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serial = ask(edge, phone).get_json()["serial"]
    drawn_at: list[int] = []
    draws = api.draw_picture

    def draw(content: Any) -> bytes:
        drawn_at.append(few.engine.pool.checkedout())  # type: ignore[attr-defined]
        return draws(content)

    monkeypatch.setattr(api, "draw_picture", draw)
    path = f"/certificates/{serial}.png"
    first, second = (edge.get(path, citizen=phone) for _ in range(2))
    assert (first.status_code, first.data) == (200, second.data)
    assert drawn_at == [0]
