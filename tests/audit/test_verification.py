"""`verify-audit`: whatever is done to the rows behind the application's back is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from server.audit import commands, tasks
from server.audit.models import AuditPersonal
from server.audit.service import PersonalValues, Subject, record_change
from server.audit.verification import ChainVerdict, Fault, FaultKind, Noted, verify_chain
from server.base.access import System
from server.base.errors import Invalid
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from tests.kit.accounts import a_citizen
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway

COUNT = 7
SYSTEM = System(name="t")
SWAP = (
    "UPDATE audit_entry SET number = -3 WHERE number = 3",
    "UPDATE audit_entry SET number = 3 WHERE number = 5",
    "UPDATE audit_entry SET number = 5 WHERE number = -3",
)
MOVED_UP = (
    "DELETE FROM audit_entry WHERE number = 4",
    *(f"UPDATE audit_entry SET number = {n} WHERE number = {n + 1}" for n in range(4, COUNT)),
)


def fill_chain(uow_factory: UnitOfWorkFactory, count: int = COUNT) -> None:
    for at in range(count):
        with uow_factory.begin() as uow:
            change = {"before": {"at": at}, "after": {"at": at + 1}}
            record_change(
                uow, System(name="t"), "audit.use_page", Subject("page", f"{at}"), **change
            )  # type: ignore[arg-type]


def tamper(uow_factory: UnitOfWorkFactory, statements: Sequence[str]) -> None:
    """Change rows as somebody with the database's password could."""
    sqlite = uow_factory.engine.dialect.name == "sqlite"
    with uow_factory.begin() as uow:
        run = uow.session.connection().exec_driver_sql
        if sqlite:
            for verb in ("update", "delete"):
                for table in ("audit_entry", "audit_checkpoint"):
                    run(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
        else:
            run("SET LOCAL session_replication_role = replica")
        for statement in statements:
            run(statement)


def verdict_of(uow_factory: UnitOfWorkFactory, noted: Noted | None = None) -> ChainVerdict:
    with uow_factory.begin(read_only=True) as uow:
        return verify_chain(uow, noted)


@dataclass(frozen=True)
class Case:
    """What was done, and what must be said of it."""

    statements: tuple[str, ...]
    kind: FaultKind
    number: int


CASES = {
    "one byte of a reason": Case(
        ("UPDATE audit_entry SET reason = 'x' WHERE number = 3",), FaultKind.EDITED, 3
    ),
    "a value before": Case(
        ("UPDATE audit_entry SET before = '{\"at\":9}' WHERE number = 4",), FaultKind.EDITED, 4
    ),
    "a time": Case(
        ("UPDATE audit_entry SET at = '2026-05-02 00:00:00' WHERE number = 1",), FaultKind.EDITED, 1
    ),
    "a digest": Case(
        ("UPDATE audit_entry SET digest = 'f' WHERE number = 7",), FaultKind.EDITED, 7
    ),
    "a row away": Case(("DELETE FROM audit_entry WHERE number = 4",), FaultKind.MISSING, 4),
    "the first row away": Case(("DELETE FROM audit_entry WHERE number = 1",), FaultKind.MISSING, 1),
    "the tail away": Case(("DELETE FROM audit_entry WHERE number > 5",), FaultKind.MISSING, 6),
    "a row away, the others moved up": Case(MOVED_UP, FaultKind.MISSING, 4),
    "two rows swapped": Case(SWAP, FaultKind.REORDERED, 5),
    "the head set back": Case(
        ("UPDATE audit_head SET number = 5", "DELETE FROM audit_entry WHERE number > 5"),
        FaultKind.HEAD_EDITED,
        5,
    ),
    "the head away": Case(("DELETE FROM audit_head",), FaultKind.HEAD_EDITED, 7),
}


@pytest.mark.race
def test_an_untouched_chain_verifies(uow_factory: UnitOfWorkFactory) -> None:
    assert verdict_of(uow_factory).number == 0
    fill_chain(uow_factory)
    verdict = verdict_of(uow_factory)
    assert (verdict.number, verdict.fault) == (COUNT, None)


@pytest.mark.parametrize("name", CASES)
def test_the_first_fault_is_named(uow_factory: UnitOfWorkFactory, name: str) -> None:
    fill_chain(uow_factory)
    case = CASES[name]
    tamper(uow_factory, case.statements)
    assert verdict_of(uow_factory).fault == Fault(kind=case.kind, number=case.number)


def test_a_tail_cut_with_its_own_old_head_is_seen_by_checkpoint_and_by_a_noted_head(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock
) -> None:
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    assert tasks.note_head(context) == 0
    fill_chain(uow_factory, 3)
    old = verdict_of(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        signature = uow.session.execute(text("SELECT signature FROM audit_head")).scalar_one()
    fill_chain(uow_factory, 2)
    assert tasks.note_head(context) == 1
    assert tasks.note_head(context) == 0
    noted = verdict_of(uow_factory)
    back = (
        "DELETE FROM audit_entry WHERE number > 3",
        f"UPDATE audit_head SET number = 3, digest = '{old.digest}', signature = '{signature}'",
    )
    tamper(uow_factory, back)
    missing = Fault(kind=FaultKind.MISSING, number=4)
    assert verdict_of(uow_factory).fault == missing
    tamper(uow_factory, ("DELETE FROM audit_checkpoint",))
    assert verdict_of(uow_factory).fault is None
    known = Noted(number=noted.number, digest=noted.digest)
    assert verdict_of(uow_factory, known).fault == missing
    clock.advance(86_400)
    fill_chain(uow_factory, 2)
    assert tasks.note_head(context) == 1
    other = verdict_of(uow_factory, known).fault
    assert other == Fault(kind=FaultKind.NOTED_DIFFERS, number=5)


def test_an_edited_readable_value_is_named_and_a_deleted_one_is_fine(
    uow_factory: UnitOfWorkFactory,
) -> None:
    fill_chain(uow_factory, 2)
    with uow_factory.begin() as uow:
        citizen_id = a_citizen(uow).id
        known = PersonalValues({"phone": "13800138000"}, citizen_id)
        record_change(uow, System(name="t"), "audit.use_page", Subject("page", "x"), personal=known)
    assert verdict_of(uow_factory).fault is None
    with uow_factory.begin() as uow:
        uow.session.query(AuditPersonal).update({"value": "13900139000"})
    assert verdict_of(uow_factory).fault == Fault(kind=FaultKind.VALUE_EDITED, number=3)
    with uow_factory.begin() as uow:
        for erase in uow.dependencies.hooks.erase:
            erase(uow, citizen_id)
    assert verdict_of(uow_factory).fault is None


def test_the_command_says_the_head_or_the_fault(uow_factory: UnitOfWorkFactory) -> None:
    said: list[str] = []
    fill_chain(uow_factory, 2)
    head = verdict_of(uow_factory)
    assert commands.verify_audit(uow_factory, "", said.append)
    assert said == [f"2 entries, head 2:{head.digest}"]
    assert commands.verify_audit(uow_factory, f"2:{head.digest}", said.append)
    with pytest.raises(Invalid):
        commands.verify_audit(uow_factory, "2:abc", said.append)
    tamper(uow_factory, ("UPDATE audit_entry SET reason = 'x' WHERE number = 2",))
    assert not commands.verify_audit(uow_factory, "", said.append)
    assert said[-2:] == ["entry 2 was edited", "whole up to entry 1"]
