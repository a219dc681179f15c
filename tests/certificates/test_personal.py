"""Certificates of one person in two accounts, and their time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from server.accounts import privacy
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.certificates import tasks
from server.certificates.models import Certificate, CertificateEnd
from server.certificates.personal_data import KEPT, merge_certificates
from tests.kit.accounts import a_citizen
from tests.kit.certificates import a_certificate
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway


def test_a_merge_keeps_the_older_of_two_and_every_number(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        keep, gone = a_citizen(uow).id, a_citizen(uow).id
        older = a_certificate(uow, gone, source_id=5).serial
        newer = a_certificate(uow, keep, source_id=5).serial
        other = a_certificate(uow, gone, source_id=6).serial
        merge_certificates(uow, keep, gone)
    with uow_factory.begin(read_only=True) as uow:
        rows = {one.serial: one for one in uow.session.scalars(select(Certificate))}
    assert {one.citizen_id for one in rows.values()} == {keep}
    assert {serial: row.ended for serial, row in rows.items()} == {
        older: None, newer: CertificateEnd.DOUBLED, other: None,
    }  # fmt: skip


def test_the_export_tells_number_name_and_sentence(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        citizen = a_citizen(uow).id
        serial = a_certificate(uow, citizen).serial
    with uow_factory.begin(read_only=True) as uow:
        (told,) = privacy.export_citizen(uow, citizen)["certificates"]  # type: ignore[misc]
    assert (told["serial"], told["name"], told["state"]) == (serial, "韦小明", "valid")
    assert "90分" in told["sentence"]


def test_certificates_are_deleted_after_three_years(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        a_certificate(uow, a_citizen(uow).id)
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    clock.advance((KEPT - timedelta(seconds=1)).total_seconds())
    assert tasks.drop_old_certificates(context) == 0
    clock.advance(1)
    assert tasks.drop_old_certificates(context) == 1
