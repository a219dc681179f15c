"""Commands: what they say and their exit status: 0 done, 1 refused, 2 wrongly called."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, update

from server.accounts import avatars
from server.accounts.models import Avatar, AvatarState, Citizen
from server.app import Overrides, open_application
from server.base.outbox_rows import queued_values
from server.base.settings_reader import load_settings
from server.base.sql.schema import is_newest
from server.cli.main import main
from server.quiz.models import SealedPart
from tests.kit.accounts import a_citizen
from tests.kit.clock import FakeClock
from tests.kit.databases import place_migrated
from tests.kit.paths import ROOT
from tests.kit.sealing import a_played_contest, end_contest, seal

FACTS = ROOT / "config" / "campaign" / "2020"


@pytest.fixture(autouse=True)
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPU_VAR", str(tmp_path))
    monkeypatch.setenv("KEPU_REDIS_URL", f"fake:{tmp_path.name}")
    monkeypatch.setenv("KEPU_EMULATOR_PORT", "9")
    monkeypatch.setattr("server.cli.main.set_up_logging", lambda *_: None)
    place_migrated(tmp_path)


def test_an_empty_database_is_migrated_and_the_second_time_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "kepu.sqlite3").unlink()
    engine = open_application(load_settings()).uow_factory.engine
    assert not is_newest(engine)
    for _ in range(2):
        assert main(["migrate"]) == 0
        assert is_newest(engine)
    engine.dispose()


def test_the_campaign_loads_and_the_second_time_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["load-campaign", str(FACTS / "campaign.json")]) == 0
    assert main(["load-campaign", str(FACTS / "campaign.json")]) == 0
    assert "15" in capsys.readouterr().out


def test_a_bad_campaign_is_refused_with_its_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}", "utf-8")
    assert main(["load-campaign", str(bad)]) == 1
    assert capsys.readouterr().err.strip()


def test_a_bank_is_imported_and_a_dry_run_stores_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["import-questions", str(FACTS / "questions.csv"), "--dry-run"]) == 0
    assert main(["open-contest", "early"]) == 1
    assert main(["import-questions", str(FACTS / "questions.csv")]) == 0
    assert "60 questions" in capsys.readouterr().out


def test_one_changed_byte_of_final_ranks_is_named_and_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = FakeClock()
    uow_factory = open_application(load_settings(), Overrides(clock=clock)).uow_factory
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
    end_contest(uow_factory, clock, contest)
    seal(uow_factory, contest)
    assert main(["verify-final", contest.slug]) == 0
    assert "all versions are whole" in capsys.readouterr().out
    with uow_factory.begin() as uow:
        part = uow.session.scalars(select(SealedPart)).one()
        at = part.content.index(b"\n4,") + 1
        part.content = part.content[:at] + b"5" + part.content[at + 1 :]
    assert main(["verify-final", contest.ref]) == 1
    assert f"version 1: byte {at} of the file was changed (row 4)" in capsys.readouterr().out
    assert main(["verify-final", "nobody"]) == 1


def test_a_near_twin_is_told_and_refuses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bank = tmp_path / "bank.csv"
    bank.write_text("题干,A,B,答案,分值\n面积的单位是？,m²,m2,A,5\n", "utf-8")
    assert main(["import-questions", str(bank)]) == 0
    told = capsys.readouterr()
    assert "1 questions" in told.out
    assert "warning: line 2: options: two are nearly the same" in told.err
    assert "not read: 分值" in told.err


def test_a_refused_row_names_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (FACTS / "questions.csv").read_text("utf-8").splitlines()
    bad = tmp_path / "bad.csv"
    bad.write_text("\n".join([*lines[:3], lines[3].replace(",D,", ",Z,")]) + "\n", "utf-8")
    assert main(["import-questions", str(bad)]) == 1
    assert "4" in capsys.readouterr().err


def test_a_contest_is_opened_for_its_programme(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load-campaign", str(FACTS / "campaign.json")]) == 0
    assert main(["import-questions", str(FACTS / "questions.csv")]) == 0
    assert main(["open-contest", "extra", "--preset", "default"]) == 0
    assert "con_" in capsys.readouterr().out
    assert main(["open-contest", "extra", "--preset", "unknown"]) == 1
    assert "no_such_preset" in capsys.readouterr().err


@pytest.mark.parametrize("slug", ["", "a/b", "A", "-a", "a" * 41])
def test_a_contest_has_a_name_that_fits_an_address(slug: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["open-contest", slug])
    assert ended.value.code == 2


def test_an_operator_sees_pictures_in_review_and_judges_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    uow_factory = open_application(load_settings()).uow_factory
    with uow_factory.begin() as uow:
        good, bad = (a_citizen(uow).id for _ in range(2))
        for owner in (good, bad):
            avatars.keep_picture(uow, owner, b"jpeg of %d" % owner)
        uow.session.execute(update(Avatar).values(state=AvatarState.REVIEW))
        names = dict(uow.session.execute(select(Avatar.citizen_id, Avatar.name)).all())
    assert main(["pictures", "--save", str(tmp_path / "look")]) == 0
    said = capsys.readouterr().out
    assert f"{names[good]} " in said
    assert "2 pictures wait" in said
    assert (tmp_path / "look" / f"{names[bad]}.jpg").read_bytes() == b"jpeg of %d" % bad
    with caplog.at_level(logging.WARNING):
        assert main(["pass-picture", names[good]]) == 0
        assert main(["refuse-picture", names[bad]]) == 0
    judged = [one for one in caplog.records if one.message == "picture reviewed by an operator"]
    assert [(vars(one)["picture"], vars(one)["shown"]) for one in judged] == [
        (names[good], True), (names[bad], False),
    ]  # fmt: skip
    with uow_factory.begin(read_only=True) as uow:
        assert (uow.session.get_one(Citizen, good).avatar_url or "").endswith(f"{names[good]}.jpg")
        assert uow.session.get_one(Citizen, bad).avatar_url is None
        kept = uow.session.execute(select(Avatar.state, Avatar.picture).order_by(Avatar.id)).all()
    assert [tuple(row) for row in kept] == [
        (AvatarState.SHOWN, b"jpeg of %d" % good), (AvatarState.REFUSED, None),
    ]  # fmt: skip
    capsys.readouterr()
    for command in ("pass-picture", "refuse-picture"):
        assert main([command, names[bad]]) == 1
        assert "no_such_picture" in capsys.readouterr().err
    assert main(["pictures"]) == 0
    assert capsys.readouterr().out == "0 pictures wait\n"


def test_a_citizen_is_told_and_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    with open_application(load_settings()).uow_factory.begin() as uow:
        by_openid, by_id = a_citizen(uow, nickname="小韦"), a_citizen(uow, nickname="小莫")
        name = uow.session.get_one(Citizen, by_id.id).ref
    assert main(["export-person", by_openid.openid]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["held"]["person"]["nickname"] == "小韦"
    assert main(["export-person", name]) == 0
    assert "小莫" in capsys.readouterr().out
    assert main(["erase-person", name]) == 0
    for command in ("export-person", "erase-person"):
        assert main([command, name]) == 1
        assert "no_such_citizen" in capsys.readouterr().err
    assert main(["retention", "--dry-run"]) == main(["retention"]) == 0
    assert "seen_message: 0" in capsys.readouterr().out
    assert main(["erase-person", by_openid.openid]) == 0
    assert main(["export-person", by_openid.openid]) == 1


def test_what_needs_wechat_or_redis_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["push-menu"]) == 1
    assert "wechat" in capsys.readouterr().err
    assert main(["rebuild-leaderboards"]) == 0
    assert main(["rebuild-participation"]) == 0
    assert "added=0" in capsys.readouterr().out
    assert main(["load-campaign", str(FACTS / "campaign.json")]) == 0
    assert main(["import-questions", str(FACTS / "questions.csv")]) == 0
    assert main(["open-contest", "extra"]) == 0
    monkeypatch.setenv("KEPU_REDIS_URL", "redis://127.0.0.1:9/0")
    capsys.readouterr()
    assert main(["rebuild-leaderboards"]) == 1
    assert "Redis is away" in capsys.readouterr().err


def test_the_worker_stops_when_nothing_is_due() -> None:
    assert main(["worker", "--until-idle"]) == 0


def test_wrong_settings_are_told_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEPU_NO_SUCH_THING", "1")
    assert main(["migrate"]) == 1
    assert "unknown setting" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["fly"], ["load-campaign"], ["import-questions"]])
def test_a_wrong_call_ends_with_two(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    "command", ["serve", "worker", "migrate", "load-campaign", "push-menu", "export-person"]
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage" in capsys.readouterr().out


@pytest.mark.parametrize(
    "start",
    [
        ("server", "serve"),
        ("server", "worker"),
        ("server", "demo"),
        ("gunicorn", "-c", "config/gunicorn.conf.py", "wsgi:app"),
    ],
)
def test_every_start_tells_a_wrong_setting_in_one_line(
    tmp_path: Path, start: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *start], cwd=ROOT, env={**os.environ, "KEPU_PORT": "many"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "settings refused: port: int expected (KEPU_PORT)\n"


def test_queues_are_shown_paused_and_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pause-queue", "late_replies", "--reason", "trial"]) == 0
    assert main(["queues"]) == 0
    assert (
        "late_replies: waiting=0 due=0 in_flight=0 held=0 in_doubt=0 given_up=0 oldest=0s paused"
        in (capsys.readouterr().out)
    )
    assert main(["resume-queue", "all"]) == 0
    assert main(["resume-queue", "late_replies"]) == 0
    told = capsys.readouterr().out
    assert "late_replies: resumed" in told
    assert "late_replies: was not paused" in told
    assert main(["pause-queue", "nobodys"]) == 1
    assert "queue_unknown" in capsys.readouterr().err


def test_calls_are_held_released_and_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    uow_factory = open_application(load_settings()).uow_factory
    with uow_factory.begin() as uow:
        a_citizen(uow)
        uow.session.execute(update(Citizen).values(**queued_values(uow.now)))
    told: list[str] = []
    for command in (
        ["hold-queue", "nickname_checks"],
        ["release-queue", "nickname_checks"],
        ["hold-queue", "all"],
        ["release-queue", "all", "--give-up"],
    ):
        assert main(command) == 0
        told += [one for one in capsys.readouterr().out.splitlines() if "nickname_checks" in one]
    assert [one.removeprefix("nickname_checks: ") for one in told] == [
        "1 calls held",
        "1 calls released",
        "1 calls held",
        "1 calls given up",
    ]
