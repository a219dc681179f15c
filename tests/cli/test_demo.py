"""Where the demo refuses to run: beside itself, and over data that are not its own."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from server.app import Application, open_application
from server.base.settings import Settings
from server.base.settings_reader import load_settings
from server.base.sql.schema import migrate_database
from server.cli.main import main
from server.demo import supervisor as demo
from server.seeding import SeedingRefused, seed_samples
from tests.kit.accounts import a_citizen
from tests.kit.paths import free_port


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KEPU_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("KEPU_DEMO_SEASON", "none")
    monkeypatch.setenv("KEPU_REDIS_URL", f"fake:{tmp_path.name}")
    monkeypatch.setenv("KEPU_PORT", str(free_port()))
    monkeypatch.setenv("KEPU_EMULATOR_PORT", str(free_port()))
    return tmp_path / "var"


def test_a_second_demo_on_the_same_folder_refuses_in_one_line(
    var: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    var.mkdir()
    with demo._lock_folder(var):
        assert main(["demo"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"a demo runs on {var} already (process {os.getpid()})" in line
    assert "KEPU_VAR" in line
    assert not (var / "kepu.sqlite3").exists()


def hold(var: Path, held: object, go: object) -> None:
    with demo._lock_folder(var):
        held.set()  # type: ignore[attr-defined]
        go.wait()  # type: ignore[attr-defined]


def test_the_folder_of_a_demo_that_was_killed_is_free_again(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    held, go = spawn.Event(), spawn.Event()
    other = spawn.Process(target=hold, args=(tmp_path, held, go))
    other.start()
    assert held.wait(60)
    with pytest.raises(demo.StartFailed, match=str(other.pid)), demo._lock_folder(tmp_path):
        raise AssertionError("two demos on one folder")
    other.kill()
    other.join()
    with demo._lock_folder(tmp_path):
        assert (tmp_path / "demo.lock").read_text("utf-8").strip() == str(os.getpid())


def add_a_citizen(application: Application) -> None:
    with application.uow_factory.begin() as uow:
        a_citizen(uow, nickname="小韦")
    application.uow_factory.engine.dispose()


def fill(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database as another installation of the product has it."""
    monkeypatch.setenv("KEPU_DATABASE_URL", f"sqlite:///{database}")
    application = open_application(load_settings())
    migrate_database(application.uow_factory.engine)
    add_a_citizen(application)


def test_nothing_is_seeded_into_a_database_with_other_citizens(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "other.sqlite3", monkeypatch)
    before = (tmp_path / "other.sqlite3").read_bytes()
    with pytest.raises(SeedingRefused, match="not of this demo"):
        seed_samples(open_application(load_settings()))
    assert (tmp_path / "other.sqlite3").read_bytes() == before


def test_a_demo_goes_on_with_the_database_that_it_has_seeded(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPU_DATABASE_URL", f"sqlite:///{tmp_path / 'own.sqlite3'}")
    application = open_application(load_settings())
    seed_samples(application)
    add_a_citizen(application)
    seed_samples(open_application(load_settings()))


def test_seeding_refuses_a_house_that_is_no_demo(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPU_ENVIRONMENT", "test")
    with pytest.raises(SeedingRefused, match="environment is test"):
        seed_samples(open_application(load_settings()))
    assert not (var / "kepu.sqlite3").exists()


@pytest.mark.parametrize("environment", ["test", "production"])
def test_the_demo_starts_nothing_outside_its_own_environment(
    var: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], environment: str
) -> None:
    def start(*_: object) -> None:
        raise AssertionError("the demo started")

    monkeypatch.setattr(demo, "EmbeddedServer", start)
    monkeypatch.setattr("server.cli.main.run_demo", start)
    monkeypatch.setattr(
        "server.cli.main.load_settings", lambda: Settings(environment=environment, var=var)
    )
    assert main(["demo"]) == 1
    # Whoever calls it past the command line is refused the same way.
    assert demo.run_demo(Settings(environment=environment, var=var)) == 1
    refused = capsys.readouterr().err.splitlines()
    assert (len(refused), all("refused" in line for line in refused)) == (2, True)
    assert not var.exists()
