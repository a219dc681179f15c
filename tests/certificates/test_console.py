"""The console finds a certificate by its whole number and revokes it with a reason."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.audit.models import AuditRecord
from server.base.uow import UnitOfWorkFactory
from server.certificates.console import PAGES
from server.certificates.models import Certificate, CertificateEnd
from tests.kit.accounts import a_citizen
from tests.kit.certificates import a_certificate
from tests.kit.console import NANNING, Browser, console_app


@pytest.fixture
def serials(uow_factory: UnitOfWorkFactory) -> tuple[str, str]:
    """Certificates of Nanning and of the region."""
    with uow_factory.begin() as uow:
        citizen = a_citizen(uow).id
        return a_certificate(uow, citizen, NANNING).serial, a_certificate(uow, citizen).serial


def test_a_certificate_is_found_by_its_whole_number_in_any_spelling(
    uow_factory: UnitOfWorkFactory, serials: tuple[str, str]
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    city, region = serials
    browser = Browser(app, "editor-region")
    for typed in (city, city.replace("-", "").lower()):
        shown = browser.get(f"/certificates?q={typed}")[1]
        assert city in shown
        assert region not in shown
    assert city not in browser.get(f"/certificates?q={city[:-1]}")[1]
    assert region not in Browser(app, "editor-city").get("/certificates")[1]
    page = browser.get(f"/certificates/{city}")[1]
    assert "韦*" in page
    assert "韦小明" not in page
    assert "90分" in page


def test_a_revocation_needs_a_reason_is_kept_in_the_trail_and_happens_once(
    uow_factory: UnitOfWorkFactory, serials: tuple[str, str]
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    serial = serials[0]
    path, browser = f"/certificates/{serial}", Browser(app, "editor-city")
    assert browser.ask("POST", path, {"reason": " "})[0] == 422
    assert browser.ask("POST", path, {"reason": "姓名写错", "may_reissue": "y"})[0] == 303
    shown = browser.get(path)[1]
    assert "已作废" in browser.get("/certificates")[1]
    for words in ("证书已经作废。", "已作废", "姓名写错"):
        assert words in shown
    assert 'name="reason"' not in shown
    status, refused = browser.ask("POST", path, {"reason": "再来一次"})
    assert status == 409
    assert "已经失效" in refused
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(Certificate).where(Certificate.serial == serial)).one()
        assert (row.ended, row.end_reason, row.may_reissue) == (
            CertificateEnd.REVOKED,
            "姓名写错",
            True,
        )
        kept = uow.session.scalars(
            select(AuditRecord).where(AuditRecord.act == "certificates.revoke_certificate")
        ).one()
        assert (kept.subject_kind, kept.subject_ref, kept.reason) == (
            "certificate", serial, "姓名写错",
        )  # fmt: skip


def test_an_approver_reads_and_does_not_revoke(
    uow_factory: UnitOfWorkFactory, serials: tuple[str, str]
) -> None:
    app, _ = console_app(uow_factory, PAGES)
    path, browser = f"/certificates/{serials[0]}", Browser(app, "approver-city")
    status, shown = browser.get(path)
    assert status == 200
    assert 'name="reason"' not in shown
    assert browser.ask("POST", path, {"reason": "姓名写错"})[0] == 403
    assert Browser(app, "system_admin-region").get("/certificates")[0] == 403
