"""The chain: every change is one entry, numbered without gaps, and nothing of it can be changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import msgspec
import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import IntegrityError

from server.audit import appending
from server.audit.models import AuditCheckpoint, AuditHead, AuditPersonal, AuditRecord
from server.audit.rules import GENESIS, head_message
from server.audit.service import PersonalValues, Subject, record_change, record_page
from server.base.access import Organizer, Scope, System
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.page import Pages, Redirect, page
from server.console.home import PAGES as HOME
from tests.kit.accounts import a_citizen
from tests.kit.console import NANNING, PEOPLE, Browser, console_app

WRITERS, EACH = 6, 5


def record_one(
    uow_factory: UnitOfWorkFactory, ref: str = "q_1", who: str = "editor-city", **given: object
) -> None:
    with uow_factory.begin() as uow:
        record_change(uow, PEOPLE[who], "quiz.retire_question", Subject("question", ref), **given)  # type: ignore[arg-type]


def entries(uow_factory: UnitOfWorkFactory) -> list[AuditRecord]:
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(AuditRecord).order_by(AuditRecord.number)))


def test_an_entry_says_who_did_what_to_which_object(uow_factory: UnitOfWorkFactory) -> None:
    before, after = {"state": "live"}, {"state": "retired", "a": 1}
    record_one(uow_factory, before=before, after=after, reason=" 题目有误 ")
    (entry,) = entries(uow_factory)
    author = PEOPLE["editor-city"]
    assert (entry.organizer_id, entry.organizer_name) == (author.id, author.name)
    assert (entry.role, entry.scope, entry.owner) == ("editor", "city:450100", "city:450100")
    assert (entry.act, entry.subject_kind, entry.subject_ref) == (
        "quiz.retire_question",
        "question",
        "q_1",
    )
    assert msgspec.json.decode(entry.before) == before
    assert entry.after == '{"a":1,"state":"retired"}'
    assert entry.reason == "题目有误"


def test_each_entry_continues_the_one_before_and_the_head_is_signed(
    uow_factory: UnitOfWorkFactory,
) -> None:
    for ref in ("q_1", "q_2"):
        record_one(uow_factory, ref)
    first, second = entries(uow_factory)
    assert (first.number, first.previous_digest) == (1, GENESIS)
    assert (second.number, second.previous_digest) == (2, first.digest)
    with uow_factory.begin(read_only=True) as uow:
        head = uow.session.scalars(select(AuditHead)).one()
        assert (head.number, head.digest) == (2, second.digest)
        assert head.signature == uow.keys.sign_message(head_message(2, second.digest))


def test_several_changes_of_one_transaction_stand_in_their_order(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        for ref in ("a", "b", "c"):
            record_change(uow, System(name="worker"), "quiz.close", Subject("contest", ref))
    found = entries(uow_factory)
    assert [(e.number, e.subject_ref) for e in found] == [(1, "a"), (2, "b"), (3, "c")]
    assert {(e.organizer_id, e.role, e.scope) for e in found} == {(None, "system", "region")}


def test_what_was_rolled_back_leaves_neither_entry_nor_gap(uow_factory: UnitOfWorkFactory) -> None:
    def record_in(uow: UnitOfWork, ref: str) -> None:
        record_change(uow, System(name="x"), "quiz.close", Subject("contest", ref))

    with pytest.raises(RuntimeError), uow_factory.begin() as uow:
        record_in(uow, "undone")
        raise RuntimeError
    with uow_factory.begin() as uow:
        record_in(uow, "kept")
        with pytest.raises(RuntimeError), uow.open_savepoint():
            record_in(uow, "undone")
            raise RuntimeError
    assert [(e.number, e.subject_ref) for e in entries(uow_factory)] == [(1, "kept")]


def write_at_once(uow_factory: UnitOfWorkFactory) -> list[BaseException]:
    """Let many transactions append together; return what was refused."""
    start = Barrier(WRITERS)

    def write_some(writer: int) -> None:
        start.wait()
        for turn in range(EACH):
            record_one(uow_factory, f"{writer}-{turn}")

    with ThreadPoolExecutor(WRITERS) as pool:
        done = [pool.submit(write_some, writer) for writer in range(WRITERS)]
        return [trouble for one in done if (trouble := one.exception()) is not None]


@pytest.mark.race
def test_writers_at_once_leave_one_chain_without_gaps(uow_factory: UnitOfWorkFactory) -> None:
    assert write_at_once(uow_factory) == []
    found = entries(uow_factory)
    assert [e.number for e in found] == list(range(1, WRITERS * EACH + 1))
    assert [e.previous_digest for e in found] == [GENESIS, *(e.digest for e in found[:-1])]


@pytest.mark.race
def test_without_the_lock_writers_collide(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The control: the same readers of the head, each beside the other.
    record_one(uow_factory)
    if uow_factory.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer, who holds the whole database")
    both_have_read = Barrier(2)

    def read_without_lock(connection: Connection) -> tuple[int, str]:
        found = connection.execute(select(AuditHead.number, AuditHead.digest)).one()
        both_have_read.wait()
        return found.number, found.digest

    monkeypatch.setattr(appending, "lock_head", read_without_lock)
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(record_one, uow_factory, ref) for ref in ("a", "b")]
        troubles = [one.exception() for one in done]
    assert sorted(type(trouble) for trouble in troubles if trouble) == [IntegrityError]


@pytest.mark.race
def test_the_database_refuses_to_change_or_delete_entries(uow_factory: UnitOfWorkFactory) -> None:
    record_one(uow_factory)
    with uow_factory.begin() as uow:
        uow.session.add(AuditCheckpoint(number=1, digest="d", signature="s", at=uow.now))
    statements = [
        "UPDATE audit_entry SET reason = 'x'",
        "DELETE FROM audit_entry",
        "UPDATE audit_checkpoint SET digest = 'x'",
        "DELETE FROM audit_checkpoint",
    ]
    if uow_factory.engine.dialect.name == "postgresql":
        statements.append("TRUNCATE audit_entry CASCADE")
    for statement in statements:
        with pytest.raises(IntegrityError, match="append-only"), uow_factory.begin() as uow:
            uow.session.execute(text(statement))
    assert len(entries(uow_factory)) == 1


@pytest.mark.race
def test_an_erasure_empties_the_readable_values_and_leaves_the_chain(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        citizen_id = a_citizen(uow).id
        known = PersonalValues({"phone": "13800138000"}, citizen_id=citizen_id)
        record_change(
            uow, PEOPLE["editor-city"], "quiz.hold", Subject("attempt", "att"), personal=known
        )
    (before,) = entries(uow_factory)
    assert "13800138000" not in before.personal
    with uow_factory.begin(read_only=True) as uow:
        value = uow.session.scalars(select(AuditPersonal)).one()
        hashed = appending.hash_personal(value.salt, value.value)
    assert msgspec.json.decode(before.personal) == {"phone": hashed}
    with uow_factory.begin() as uow:
        for erase in uow.dependencies.hooks.erase:
            erase(uow, citizen_id)
    (after,) = entries(uow_factory)
    assert after.digest == before.digest
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(AuditPersonal)).all() == []


@pytest.mark.race
def test_hostile_texts_are_stored_as_they_can_be(uow_factory: UnitOfWorkFactory) -> None:
    hostile = "\0<script>alert(1)</script>'; DROP TABLE audit_entry; --\ud800\u202e" + "长" * 2000
    record_one(
        uow_factory,
        ref=hostile,
        before={"stem": hostile.replace("\ud800", "")},
        reason=hostile,
        personal=PersonalValues({"name": hostile}),
    )
    (entry,) = entries(uow_factory)
    assert msgspec.json.decode(entry.before)["stem"].startswith("\0<script>")
    assert entry.reason.startswith("\ufffd<script>")
    assert len(entry.subject_ref) == 120


SAMPLE = Pages("sample", HOME.folder)


@page(SAMPLE, "POST", "/sample/<ref>/plain", needs=HOME.routes[0].needs)
def change_plainly(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Change something without an entry of its own."""
    return Redirect("/")


@page(SAMPLE, "POST", "/sample/<ref>/told", needs=HOME.routes[0].needs)
def change_and_record(uow: UnitOfWork, organizer: Organizer, ref: str) -> Redirect:
    """Change something and record it."""
    record_change(uow, organizer, "quiz.hold", Subject("attempt", ref, Scope(city="450200")))
    return Redirect("/")


def test_a_page_is_recorded_once_by_itself_or_by_the_frame(uow_factory: UnitOfWorkFactory) -> None:
    app, _ = console_app(uow_factory, SAMPLE, audit=record_page)
    browser = Browser(app, "editor-city")
    assert browser.ask("POST", "/sample/att_1/plain", {})[0] == 303
    assert browser.ask("POST", "/sample/att_1/told", {})[0] == 303
    plain, told = entries(uow_factory)
    assert (plain.act, plain.subject_ref) == ("audit.use_page", "POST /sample/<ref>/plain")
    assert (plain.after, plain.owner) == ('{"ref":"att_1"}', NANNING.spelled)
    assert plain.network == "127.0.0.1"
    assert (told.act, told.subject_ref, told.owner) == ("quiz.hold", "att_1", "city:450200")
