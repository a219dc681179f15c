"""The main job, from outside: follow, log in, consent, take the contest, see the rank."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from tests.e2e.outside import Citizen, Demo, ask

pytestmark = pytest.mark.slow


def contest_of(demo: Demo) -> str:
    items = demo.api("GET", "/contests").body["items"]
    assert len(items) == 1
    return str(items[0]["id"])


def test_a_citizen_follows_takes_the_contest_and_sees_the_rank(demo: Demo) -> None:
    contest = contest_of(demo)
    ann = Citizen.born(demo, "韦小妹")
    followed = demo.emu("POST", "follow", {"person": ann.person}).body
    assert followed["attempts"][0]["verdict"].startswith("ok-reply")
    assert "八桂科普" in followed["attempts"][0]["reply"]["content"]
    inbox = demo.emu("GET", f"inbox/{ann.openid_oa}").body["items"]
    assert any("八桂科普" in item["content"] for item in inbox)

    assert ann.log_in()["citizen"]["is_new"] in (True, False)
    refused = ann.api("POST", f"/contests/{contest}/attempts")
    assert (refused.status, refused.body["code"]) == (409, "consent_required")
    ann.agree()
    assert ann.api("PATCH", "/me", {"city": "450100", "county": "450103"}).status == 200

    paper, result = ann.take_paper(contest)
    assert len(paper["questions"]) == 10
    assert "correct" not in str(paper)
    assert result["max_score"] == 100
    assert result["ranks"]["region"] >= 1
    for scope in ("region", "city:450100", "county:450103"):
        board = ann.api("GET", f"/contests/{contest}/leaderboard?scope={scope}").body
        assert board["me"]["score"] == result["score"], scope
        assert any(item["me"] for item in board["items"]), scope

    bo = Citizen.born(demo, "莫一")
    bo.log_in()
    bo.agree()
    other, _ = bo.take_paper(contest)
    assert [q["id"] for q in other["questions"]] != [q["id"] for q in paper["questions"]]
    again = bo.api("POST", f"/contests/{contest}/attempts")
    assert again.body["code"] == "no_attempts_left"

    rank = demo.emu("POST", "message", {"person": ann.person, "content": "我的成绩"}).body
    assert str(result["score"]) in rank["attempts"][0]["reply"]["content"]
    for appid in {call["appid"] for call in demo.emu("GET", "calls?path=").body["items"]}:
        tokens = [
            call
            for call in demo.emu("GET", "calls?path=/cgi-bin/stable_token").body["items"]
            if call["appid"] == appid
        ]
        assert len(tokens) <= 1


def test_a_kill_of_everything_loses_nothing(demo: Demo) -> None:
    contest = contest_of(demo)
    cy = Citizen.born(demo, "覃伟")
    cy.log_in()
    cy.agree()
    _, result = cy.take_paper(contest)
    before = demo.api("GET", f"/contests/{contest}/leaderboard?limit=100").body
    demo.kill_everything()
    demo.start()
    after = demo.api("GET", f"/contests/{contest}/leaderboard?limit=100").body
    assert (before["items"], before["total"]) == (after["items"], after["total"])
    board = cy.api("GET", f"/contests/{contest}/leaderboard").body
    assert board["me"]["score"] == result["score"]
    cy.log_in()
    assert cy.api("GET", "/me").status == 200


def test_a_day_can_be_crossed_by_hand(demo: Demo) -> None:
    contest = contest_of(demo)
    dora = Citizen.born(demo, "黄多")
    dora.log_in()
    dora.agree()
    first, _ = dora.take_paper(contest)
    assert dora.api("POST", f"/contests/{contest}/attempts").status == 409
    demo.emu("POST", "clock", {"advance": 86400})
    second, _ = dora.take_paper(contest)
    assert second["id"] != first["id"]
    assert not {q["id"] for q in first["questions"]} & {q["id"] for q in second["questions"]}
    demo.emu("POST", "clock", {"offset_s": 0})


def test_the_operation_pages_answer(demo: Demo) -> None:
    assert ask("GET", f"{demo.server}/healthz").body == {"status": "ok"}
    assert ask("GET", f"{demo.server}/openapi.json").body["openapi"].startswith("3.1")
    assert ask("GET", f"{demo.server}/docs").status == 200
    guest = Citizen.born(demo, "过客")
    demo.emu("POST", "message", {"person": guest.person, "content": "帮助"})
    figures = ask("GET", f"{demo.server}/metrics").body
    assert "kepu_wechat_token_age_seconds" in figures
    assert "kepu_wechat_callback_seconds_bucket" in figures
    organizers = json.loads((demo.var / "demo-organizers.json").read_text("utf-8"))
    places = {(one["role"], one["scope"]) for one in organizers}
    assert (len(organizers), len(places)) == (13, 12)


def test_no_log_holds_a_person_or_a_secret(demo: Demo) -> None:
    eve = Citizen.born(demo, "秘密昵称")
    demo.emu("POST", "follow", {"person": eve.person})
    eve.log_in()
    wechat = (demo.var / "demo-wechat.json").read_text("utf-8")
    secrets = [word for word in wechat.split('"') if len(word) >= 24]
    for log in (demo.var / "log").glob("*.log"):
        if "emulator" in log.name:
            continue
        text = log.read_text("utf-8")
        for forbidden in (eve.openid_oa, eve.openid_mp, eve.token, "秘密昵称", *secrets):
            assert forbidden not in text, log.name


@pytest.mark.skipif(shutil.which("curl") is None, reason="the recipe is for curl")
def test_the_recipe_of_the_document_gets_a_token(demo: Demo) -> None:
    told = ask("GET", f"{demo.server}/openapi.json").body["info"]["description"]
    (recipe,) = re.findall(r"```sh\n(.*?)```", told, re.DOTALL)
    ran = subprocess.run(
        ["sh", "-eu"], input=recipe, capture_output=True, text=True, timeout=60, check=True
    )
    token, me = ran.stdout.strip().split("\n", 1)
    assert json.loads(me)["id"].startswith("cit_")
    assert demo.api("GET", "/me", None, token).status == 200


def test_the_console_tells_the_steps_and_ends_with_the_addresses(demo: Demo) -> None:
    lines = [line for line in demo.console().splitlines() if line.strip()]
    steps = [line[:3] for line in lines if re.match("[0-9]/4 ", line)]
    times = [line for line in lines if re.fullmatch(r" +[0-9.]+ s", line)]
    assert (steps, len(times)) == (["3/4", "4/4"], 2), lines
    assert "Ctrl-C" in lines[-1]
    assert [line for line in lines if line.startswith("{")] == []
    server = (demo.var / "log" / "server.log").read_text(encoding="utf-8").splitlines()
    assert all(json.loads(line)["request_id"] for line in server)
