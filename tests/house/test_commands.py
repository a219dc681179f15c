"""Each command says where it may run; what seeds runs in the demo alone."""

from __future__ import annotations

import argparse
import ast
from pathlib import Path

import pytest

from server.cli.main import build_parser, main
from tests.house.source import callee, nodes_of, trees
from tests.kit.settings import production

# A new command is entered here by somebody who has thought about production.
DEMO_ALONE = {"demo", "rush"}
ANYWHERE = {
    "serve",
    "worker",
    "doctor",
    "migrate",
    "load-campaign",
    "import-activities",
    "grant-scanner",
    "venue-code",
    "import-questions",
    "open-contest",
    "push-menu",
    "scene-code",
    "rebuild-leaderboards",
    "rebuild-participation",
    "rebuild-figures",
    "queues",
    "pause-queue",
    "resume-queue",
    "hold-queue",
    "release-queue",
    "export-person",
    "pictures",
    "pass-picture",
    "refuse-picture",
    "retention",
    "deliveries",
    "verify-audit",
    "verify-final",
    "create-organizer",
    "recover-organizer",
    "erase-person",
}
SEEDING = ("seed", "seed_wechat", "open_demo_contest", "run_demo", "fill_season", "add_citizens")


def commands() -> dict[str, argparse.ArgumentParser]:
    (choices,) = [a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(choices.choices)


def test_every_command_is_known_to_be_for_the_demo_or_for_everywhere() -> None:
    found = commands()
    alone = {name for name, made in found.items() if made.get_default("only_in")}
    assert (alone, set(found) - alone) == (DEMO_ALONE, ANYWHERE), (
        "name a new command in ANYWHERE; one that is declared with `only_in` in DEMO_ALONE"
    )


@pytest.mark.parametrize("command", sorted(DEMO_ALONE))
@pytest.mark.parametrize("environment", ["production", "test"])
def test_what_is_for_the_demo_refuses_every_other_environment_and_touches_nothing(
    command: str,
    environment: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {"KEPU_ENVIRONMENT": "test", "KEPU_VAR": str(tmp_path)}
    if environment == "production":
        database = f"sqlite:///{tmp_path / 'production.sqlite3'}"
        given = production(tmp_path, KEPU_DATABASE_URL=database, KEPU_ALLOW__SQLITE="yes")
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert main([command]) == 1
    assert f"refused: {command} runs in the demo alone" in capsys.readouterr().err
    assert [path for path in tmp_path.iterdir() if not path.name.startswith("demo-")] == []


def test_only_the_demo_seeds() -> None:
    calling = {
        str(path)
        for path, tree in trees().items()
        for node in nodes_of(tree)
        if isinstance(node, ast.Call)
        and (name := callee(node).rsplit(".", 1)[-1]) in SEEDING
        and not (name == "seed" and path.parts[1] in ("channel", "emulator"))
    }
    assert calling == {
        "server/demo/supervisor.py",
        "server/demo/background.py",
        "server/demo/season.py",
        "server/seeding.py",
        "server/cli/main.py",
    }, "made-up data are made in these files alone"
