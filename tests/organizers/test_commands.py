"""Commands: the first organizer, the way back in, the people of the demo."""

from __future__ import annotations

import argparse
import io
import json
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import select

from server.app import Application
from server.base.access import Role
from server.base.uow import UnitOfWorkFactory
from server.cli import main as cli
from server.organizers import commands, log_in
from server.organizers.models import AccountState, OrganizerAccount
from tests.kit.organizers import an_account

GIVEN = ["create-organizer", "huang", "--name", "黄", "--role", "system_admin"]


def run_command(application: Application, *words: str) -> int:
    asked = cli.build_parser().parse_args(list(words))
    return int(asked.run(application, asked))


def test_the_command_prints_an_invitation(
    opened_application: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(opened_application, *GIVEN) == 0
    assert "/console/links/" in capsys.readouterr().out
    with opened_application.uow_factory.begin(read_only=True) as uow:
        made = uow.session.scalars(select(OrganizerAccount)).one()
        assert (made.username, made.role, made.owner) == ("huang", Role.SYSTEM_ADMIN, "region")
        assert made.state is AccountState.INVITED


def test_the_command_takes_a_password_and_never_prints_it(
    opened_application: Application,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("seven-swans-a-swimming\n"))
    assert run_command(opened_application, *GIVEN, "--scope", "city:450100", "--password") == 0
    out = capsys.readouterr().out
    assert "otpauth://totp/" in out
    assert "swans" not in out
    with opened_application.uow_factory.begin(read_only=True) as uow:
        made = uow.session.scalars(select(OrganizerAccount)).one()
        assert (made.state, made.owner) == (AccountState.ACTIVE, "city:450100")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create-organizer", "X", "--name", "黄", "--role", "editor"], "用户名为3到32个字符"),
        ([*GIVEN, "--password"], "密码太短"),
    ],
)
def test_the_command_says_what_is_wrong(
    opened_application: Application,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert run_command(opened_application, *words) == 1
    assert said in capsys.readouterr().err


def test_a_role_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.build_parser().parse_args(["create-organizer", "x", "--name", "x", "--role", "king"])
    assert isinstance(cli.build_parser(), argparse.ArgumentParser)


def test_the_last_administrator_comes_back_by_a_command(
    opened_application: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened_application.uow_factory.begin() as uow:
        an_account(uow)
    assert run_command(opened_application, "recover-organizer", "wei") == 0
    assert "/console/links/" in capsys.readouterr().out
    with pytest.raises(commands.NotFound):
        commands.recover_organizer(opened_application.uow_factory, "nobody")


def test_the_demo_has_every_role_at_three_places_and_a_second_approver(
    opened_application: Application,
) -> None:
    factory, var = opened_application.uow_factory, opened_application.settings.var
    made = commands.seed_demo_organizers(factory, var)
    again = commands.seed_demo_organizers(factory, var)
    assert again == made
    told = json.loads((var / commands.DEMO_FILE).read_text(encoding="utf-8"))
    assert len(told) == 13
    wanted = Counter(
        (role.value, place) for role in Role for place in ("region", "city:450100", "county:450103")
    )
    wanted[("approver", "region")] += 1
    assert Counter((one["role"], one["scope"]) for one in told) == wanted
    assert {"username", "password"} <= set(told[0])
    demo = UnitOfWorkFactory(
        factory.engine,
        replace(
            factory.dependencies,
            settings=replace(opened_application.settings, environment="demo"),
        ),
    )
    for one in (told[0], told[-1]):
        given = log_in.TypedLogin(
            username=one["username"], password=one["password"], code="", network="-"
        )
        if "totp_secret" in one:
            with pytest.raises(log_in.BadLogin):
                log_in.log_in(demo, given)
        else:
            assert log_in.log_in(demo, given).session


def test_a_database_made_anew_gets_the_people_of_the_file(
    opened_application: Application,
) -> None:
    factory, var = opened_application.uow_factory, opened_application.settings.var
    made = commands.seed_demo_organizers(factory, var)
    with factory.begin() as uow:
        for account in uow.session.scalars(select(OrganizerAccount)):
            uow.session.delete(account)
    assert commands.seed_demo_organizers(factory, var) == made
    with factory.begin(read_only=True) as uow:
        assert len(uow.session.scalars(select(OrganizerAccount)).all()) == 13
