"""The doctor: a line about each thing, all of them in one look, and nothing changed by it."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

import pytest
from sqlalchemy import update

from server.accounts.models import Citizen
from server.app import Overrides, open_application
from server.base.outbox_rows import queued_values
from server.base.settings_reader import load_settings
from server.base.sql.schema import migrate_database
from server.cli.main import main
from server.doctor import run_doctor
from server.wechat.errors import ConfigWrong, WeChatAway
from tests.kit.accounts import a_citizen
from tests.kit.console_browser import built_libraries
from tests.kit.databases import place_migrated
from tests.kit.gateway import RecordingGateway
from tests.kit.settings import production


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "var"
    made.mkdir(mode=0o700)
    monkeypatch.setenv("KEPU_VAR", str(made))
    monkeypatch.setenv("KEPU_REDIS_URL", f"fake:{tmp_path.name}")
    return made


@pytest.fixture
def migrated(var: Path) -> Path:
    place_migrated(var)
    return var


@pytest.fixture
def gateway() -> RecordingGateway:
    made = RecordingGateway()
    made.answers["try_credentials"] = None
    return made


def look(gateway: RecordingGateway) -> tuple[int, dict[str, list[str]]]:
    lines: list[str] = []
    status = run_doctor(lines.append, Overrides(gateway=gateway))
    told = [(line[8:19].strip(), f"{line[:7].strip()}: {line[20:]}") for line in lines]
    assert all("\n" not in line for line in lines)
    return status, {
        about: [words for _, words in group]
        for about, group in itertools.groupby(told, key=lambda pair: pair[0])
    }


def test_a_good_house_has_a_good_line_for_each_thing(
    migrated: Path, gateway: RecordingGateway
) -> None:
    built_libraries()
    status, told = look(gateway)
    assert status == 0
    assert list(told) == [
        "settings",
        "operator",
        "final ranks",
        "disk",
        "file modes",
        "console",
        "database",
        "migrations",
        "redis",
        "wechat",
    ]
    assert [words.split(":")[0] for lines in told.values() for words in lines] == [
        "ok", "warning", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok",
    ]  # fmt: skip
    assert [call[1] for call in gateway.calls] == [("official_account",), ("mini_program",)]
    assert logging.root.manager.disable == logging.NOTSET


def test_every_complaint_about_the_settings_is_a_line_and_nothing_else_is_asked(
    var: Path, gateway: RecordingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPU_PORT", "many")
    monkeypatch.setenv("KEPU_LIMITS__LOGIN_PER_MINUTE", "nan")
    status, told = look(gateway)
    assert status == 1
    assert told["settings"][0] == "wrong: port: int expected (KEPU_PORT)"
    assert "login_per_minute" in told["settings"][1]
    assert "database" not in told
    assert gateway.calls == []


def test_the_operators_facts_are_demanded_in_production(
    var: Path, gateway: RecordingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = production(var, KEPU_OPERATOR__COMPLAINTS="", KEPU_POLICY_DATE="")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    _, told = look(gateway)
    assert told["settings"] == [
        "wrong: operator.complaints: missing; the privacy policy names it"
        " (KEPU_OPERATOR__COMPLAINTS)",
        "wrong: policy_date: missing; the privacy policy names it (KEPU_POLICY_DATE)",
    ]


def test_a_database_that_is_not_there_is_told_and_not_made(
    var: Path, gateway: RecordingGateway
) -> None:
    status, told = look(gateway)
    assert status == 1
    assert told["database"][0].startswith("wrong: no file")
    assert not (var / "kepu.sqlite3").exists()


def test_what_does_not_answer_is_told_beside_what_does(
    migrated: Path, gateway: RecordingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPU_REDIS_URL", "redis://127.0.0.1:9/0")
    monkeypatch.setenv("KEPU_DATABASE_URL", "postgresql://x@127.0.0.1:9/x")
    gateway.answers["try_credentials"] = lambda account: {
        "official_account": _refuse(ConfigWrong(errcode=40164)),
        "mini_program": _refuse(WeChatAway()),
    }[account]()
    status, told = look(gateway)
    assert status == 1
    assert told["database"] == ["wrong: postgresql does not answer (OperationalError)"]
    assert told["redis"][0].startswith("wrong: does not answer")
    official, mini = told["wechat"]
    assert official.startswith("wrong: official_account")
    assert official.endswith("40164)")
    assert mini.endswith("no token (wechat_away)")


def _refuse(trouble: Exception) -> object:
    def refuse() -> None:
        raise trouble

    return refuse


def test_calls_that_a_restore_has_held_are_told(migrated: Path, gateway: RecordingGateway) -> None:
    uow_factory = open_application(load_settings()).uow_factory
    with uow_factory.begin() as uow:
        a_citizen(uow)
        uow.session.execute(update(Citizen).values(**queued_values(uow.now)))
    assert "queues" not in look(gateway)[1]
    assert main(["hold-queue", "all"]) == 0
    status, told = look(gateway)
    words = "warning: 1 calls of nickname_checks held since a restore; see `release-queue`"
    assert (status, told["queues"]) == (0, [words])


def test_a_schema_that_is_behind_is_told(migrated: Path, gateway: RecordingGateway) -> None:
    application = open_application(load_settings())
    migrate_database(application.uow_factory.engine, "0001")
    application.uow_factory.engine.dispose()
    status, told = look(gateway)
    assert (status, told["migrations"][0].startswith("wrong: behind")) == (1, True)


def test_files_that_others_can_read_are_named(
    migrated: Path, gateway: RecordingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrated.chmod(0o755)
    (migrated / "letters.txt").touch(mode=0o644)
    (migrated / "letters.txt").chmod(0o644)
    status, told = look(gateway)
    assert status == 0
    assert told["file modes"][0].startswith("warning:")
    assert "open to other users" in told["file modes"][0]
    given = production(
        migrated,
        KEPU_DATABASE_URL=f"sqlite:///{migrated / 'kepu.sqlite3'}",
        KEPU_ALLOW__SQLITE="yes",
        KEPU_ALLOW__EMBEDDED_REDIS="yes",
        KEPU_REDIS_URL="fake:doctor",
    )
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    status, told = look(gateway)
    assert status == 1
    assert told["file modes"][0].startswith("wrong:")


def test_the_command_is_the_doctor(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 1
    assert "ok      settings" in capsys.readouterr().out
