"""The control endpoint, the logs, the clock, and the program around them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from server.emulator.app import create_app
from server.emulator.apps import MINI, OFFICIAL, load_or_make
from server.emulator.clock import EmulatorClock
from server.emulator.pytest_plugin import wechat_emulator, wechat_options
from server.emulator.templates import load_templates
from server.emulator.testing import ControlError, Emulator
from tests.emulator.conftest import TEMPLATES, Api, Receiver, Time
from tests.emulator.kit import replying

__all__ = ["wechat_emulator", "wechat_options"]


def test_an_unknown_api_is_a_marked_404(wechat: Emulator, api: Api) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        api.raw("/cgi-bin/mesage/custom/send", b"{}", access_token=api.token())
    with error.value:
        assert error.value.code == 404
    (call,) = wechat.list_calls("/cgi-bin/mesage/custom/send")
    assert (call["status"], call["failing"]) == (404, True)
    assert not any(line["failing"] for line in wechat.list_calls("/cgi-bin/stable_token"))


def test_an_unknown_page_of_the_other_hosts_is_marked_too(wechat: Emulator) -> None:
    for path in ("/mpweb/cgi-bin/nothing", "/open/nothing", "/favicon.ico"):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{wechat.base}{path}")
        error.value.close()
    assert [call["path"] for call in wechat.list_calls()] == ["/cgi-bin/nothing", "/nothing"]


def test_calls_tell_who_asked_what_and_no_secret(wechat: Emulator, api: Api) -> None:
    api.stable()
    api.stable(secret="0" * 32)
    wechat.order_fault("/cgi-bin/stable_token", errcode=-1)
    api.stable()
    calls = wechat.list_calls("/api/cgi-bin/stable_token")
    appid = wechat.apps[OFFICIAL].appid
    assert [(c["appid"], c["method"], c["errcode"]) for c in calls] == [
        (appid, "POST", 0),
        (appid, "POST", 40125),
        (appid, "POST", -1),
    ]
    assert wechat.apps[OFFICIAL].secret not in json.dumps(wechat.list_calls())


def test_the_inbox_holds_passive_replies_and_the_chat_both_sides(
    wechat: Emulator, receiver: Receiver
) -> None:
    wei = wechat.create_person()
    receiver.answer = replying(lambda: wechat.apps[OFFICIAL], "欢迎")
    wechat.follow_account(wei["person"])
    wechat.say_text(wei["person"], "答题")
    inbox = wechat.read_inbox(wei["openid_oa"])
    assert [(i["kind"], i["content"], i["via"]) for i in inbox] == [
        ("text", "欢迎", "passive"),
        ("text", "欢迎", "passive"),
    ]
    assert inbox[0]["at"].endswith("+08:00")
    assert [line["direction"] for line in wechat.read_chat(wei["person"])] == ["in", "out", "in"]


def test_callbacks_are_logged_with_their_verdict(wechat: Emulator) -> None:
    wechat.follow_account(wechat.create_person()["person"])
    (line,) = wechat.list_callbacks()
    assert (line["what"], line["verdict"], line["status"]) == ("subscribe", "ok-success", 200)
    assert "<Event><![CDATA[subscribe]]></Event>" in line["plain"]
    assert "<Encrypt>" in line["sent"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("follow", {"person": "nobody"}, 404),
        ("consent", {"person": "?", "template_id": "no"}, 404),
        ("consent", {"person": "?", "template_id": "first", "result": "may be"}, 400),
        ("scan", {"person": "?", "ticket": "none"}, 404),
        ("message", {"person": "?", "kind": "poem"}, 400),
        ("callback", {"person": "?", "kind": "poem"}, 400),
        ("group_entry", {"person": "?"}, 400),
        ("people", {"person": "?", "height": 3}, 400),
        ("apps", {"official_account": {"mode": "open"}}, 400),
        ("clock", {"advance_s": 60}, 400),
        ("clock", {"offset_s": None}, 400),
        ("clock", {"offset_s": 1e300}, 400),
        ("clock", {"advance": 1e10}, 400),
        ("clock", {"freeze": "no"}, 400),
        ("quota", {"limit": 5}, 400),
        ("quota", {"path": "/x", "limit": "5"}, 400),
        ("quota", {"path": "/x", "minute": -1}, 400),
        ("faults", {"path": "/x", "probability": 2}, 400),
        ("faults", {"path": "/x", "delay_s": -1}, 400),
        ("tokens", {"supersede": "nobody"}, 404),
        ("templates", {"template_id": "none"}, 404),
        ("url_check", {"app": "nobody"}, 404),
    ],
)
def test_what_makes_no_sense_is_refused(
    wechat: Emulator, path: str, body: dict[str, Any], status: int
) -> None:
    if body.get("person") == "?":
        body = {**body, "person": wechat.create_person()["person"]}
    if body.get("template_id") == "first":
        body = {**body, "template_id": next(iter(wechat.world.templates))}
    with pytest.raises(ControlError) as refused:
        wechat.post_control(path, **body)
    assert refused.value.status == status


def test_reset_empties_everything_but_the_apps(wechat: Emulator, api: Api) -> None:
    wei = wechat.create_person()
    wechat.follow_account(wei["person"])
    token = api.token()
    wechat.order_fault("/cgi-bin/menu/get", errcode=-1)
    wechat.post_control("quota", path="/cgi-bin/menu/get", limit=0)
    wechat.post_control("clock", offset_s=1e6)
    wechat.post_control("apps", official_account={"mode": "plain"}, open_platform=False)
    before = wechat.apps[OFFICIAL].appid
    wechat.post_control("reset")
    assert wechat.get_control("people")["items"] == []
    assert (
        wechat.list_calls()
        == wechat.list_callbacks()
        == wechat.get_control("faults")["items"]
        == []
    )
    assert wechat.get_control("clock")["offset_s"] == 0
    shown = wechat.get_control("apps")
    assert (shown[OFFICIAL]["mode"], shown["open_platform"]) == ("safe", True)
    assert wechat.apps[OFFICIAL].appid == before
    assert api.get("/cgi-bin/menu/get", access_token=token)["errcode"] == 40001
    assert api.official("/cgi-bin/menu/get")["errcode"] == 46003


def test_apps_are_shown_without_a_secret(wechat: Emulator) -> None:
    shown = json.dumps(wechat.get_control("apps"))
    for app in wechat.apps.values():
        assert app.appid in shown
        assert not any(word in shown for word in (app.secret, app.token, app.aes_key))


def test_the_clock_is_set_frozen_and_advanced(tmp_path: Path, time_now: Time) -> None:
    path = tmp_path / "clock.json"
    clock = EmulatorClock(time_now, path)
    clock.set_offset(100)
    assert clock.now() == time_now.at + 100
    clock.freeze_time(True)
    time_now.at += 50
    assert clock.now() == time_now.at + 50
    clock.advance_time(10)
    assert json.loads(path.read_text())["frozen_at"] == clock.now() == time_now.at + 60
    clock.freeze_time(False)
    time_now.at += 5
    assert clock.now() == time_now.at + 60
    assert EmulatorClock(time_now, path).now() == clock.now()
    assert json.loads(path.read_text()) == {"offset_s": 60.0, "frozen_at": None}


def test_a_frozen_clock_can_be_set(time_now: Time) -> None:
    clock = EmulatorClock(time_now)
    clock.freeze_time(True)
    clock.set_offset(-30)
    time_now.at += 7
    assert clock.now() == time_now.at - 37
    clock.reset_time()
    assert clock.now() == time_now.at


def test_sixty_parallel_callers_get_one_token(wechat: Emulator, api: Api) -> None:
    with ThreadPoolExecutor(60) as many:
        tokens = set(many.map(lambda _: api.token(), range(60)))
    assert len(tokens) == 1
    assert len(wechat.list_calls("/cgi-bin/stable_token")) == 60


def test_a_connection_is_kept_for_the_next_call(wechat: Emulator) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(wechat.base.rsplit(":", 1)[1]))
    sockets = set()
    for _ in range(3):
        connection.request("POST", "/api/cgi-bin/stable_token", b"{}")
        answer = connection.getresponse()
        assert json.loads(answer.read())["errcode"] == 40002
        sockets.add(id(connection.sock))
    assert connection.sock is not None
    assert len(sockets) == 1
    connection.close()


def test_the_picture_of_a_ticket_is_shown_until_it_expires(wechat: Emulator, api: Api) -> None:
    body = {"action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 1}}}
    ticket = api.official("/cgi-bin/qrcode/create", body)["ticket"]
    client = create_app(wechat.world).test_client()
    shown = client.get("/mpweb/cgi-bin/showqrcode", query_string={"ticket": ticket})
    assert (shown.status_code, shown.mimetype) == (200, "image/jpg")
    assert shown.data.startswith(b"\xff\xd8\xff")
    wechat.advance_time(60)
    gone = client.get("/mpweb/cgi-bin/showqrcode", query_string={"ticket": ticket})
    assert gone.status_code == 404


def test_the_apps_file_is_made_once_and_private(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as many:
        made = list(many.map(lambda _: load_or_make(tmp_path), range(8)))
    assert len({apps[OFFICIAL].appid for apps in made}) == 1
    path = tmp_path / "demo-wechat.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = json.loads(path.read_text())
    assert set(kept) == {OFFICIAL, MINI}
    assert (kept[OFFICIAL]["mode"], kept[OFFICIAL]["format"]) == ("safe", "xml")
    assert kept[MINI]["format"] == "json"
    assert len(kept[OFFICIAL]["aes_key"]) == 43
    assert kept[OFFICIAL]["original_id"].startswith("gh_")


def test_a_data_file_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "templates.json"
    path.write_text(json.dumps({"schema": "other/1", "templates": []}))
    with pytest.raises(ValueError, match="schema"):
        load_templates(path)
    row = {"slug": "s", "id": "short", "title": "t", "fields": []}
    path.write_text(json.dumps({"schema": "wechat-templates/1", "templates": [row]}))
    with pytest.raises(ValueError, match="43"):
        load_templates(path)
    assert {template.slug for template in load_templates(TEMPLATES).values()} >= {"signup-success"}


def test_the_fixture_can_be_used_by_other_projects(
    wechat_emulator: Emulator, receiver: Receiver
) -> None:
    wechat_emulator.push_to(receiver.url)
    (attempt,) = wechat_emulator.follow_account(wechat_emulator.create_person()["person"])
    assert attempt["verdict"] == "ok-success"


def program(var: Path, **environment: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "server.emulator", "--port", "0", "--var", str(var)]
    return subprocess.Popen(
        arguments,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().split()[-1]


def asked(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data)) as answer:
        return json.load(answer)


@pytest.mark.slow
def test_a_killed_program_remembers_and_a_stopped_one_ends_cleanly(tmp_path: Path) -> None:
    app = load_or_make(tmp_path)[OFFICIAL]
    credentials = {
        "grant_type": "client_credential",
        "appid": app.appid,
        "secret": app.secret,
    }
    with program(tmp_path) as first:
        base = address(first)
        person = asked(f"{base}/_emu/people", {"name": "Wei"})
        code = asked(f"{base}/_emu/login_code", {"person": person["person"]})["code"]
        token = asked(f"{base}/api/cgi-bin/stable_token", credentials)["access_token"]
        asked(f"{base}/_emu/clock", {"offset_s": 60})
        first.kill()
    mini = load_or_make(tmp_path)[MINI]
    with program(tmp_path) as second:
        base = address(second)
        assert asked(f"{base}/_emu/people")["items"] == [person]
        assert asked(f"{base}/_emu/clock")["offset_s"] == 60
        again = asked(f"{base}/api/cgi-bin/stable_token", credentials)
        assert again["access_token"] == token
        query = f"appid={mini.appid}&secret={mini.secret}&js_code={code}"
        url = f"{base}/api/sns/jscode2session?{query}&grant_type=authorization_code"
        assert asked(url)["openid"] == person["openid_mp"]
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
        assert second.stderr is not None
        assert second.stderr.read() == ""
    lines = (tmp_path / "log" / "emulator.log").read_text().splitlines()
    assert {json.loads(line)["event"] for line in lines} == {"listening", "call"}


def test_the_program_refuses_to_run_in_production(tmp_path: Path) -> None:
    with program(tmp_path, KEPU_ENVIRONMENT="production") as process:
        _out, said = process.communicate(timeout=30)
        assert process.returncode == 2
    assert "production" in said
    assert list(tmp_path.iterdir()) == []
