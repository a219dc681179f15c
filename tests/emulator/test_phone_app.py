"""The mini-program's files and its way out: only what the settings name."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from server.emulator import phone_net
from server.emulator.testing import ControlError, Emulator, emulated_wechat

Answer = tuple[int, dict[str, str], bytes]


def ask(
    base: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> Answer:
    parts = urlsplit(base)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    line.request(method, path, body, sent)
    got = line.getresponse()
    content = got.read()
    line.close()
    return got.status, {name.lower(): value for name, value in got.getheaders()}, content


class Host(BaseHTTPRequestHandler):
    """Says what reached it."""

    def do_POST(self) -> None:
        if self.path == "/silent":
            self.server.gate.wait(60)  # type: ignore[attr-defined]
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        told = {
            "path": self.path,
            "body": body,
            "headers": {k.lower(): v for k, v in self.headers.items()},
        }
        content = json.dumps(told).encode()
        self.send_response(409)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After", "7")
        self.send_header("Set-Cookie", "a=b")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815 - the base class names it

    def log_message(self, *_words: object) -> None:
        """Quiet."""


@pytest.fixture
def host() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.gate = gate = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def wechat(tmp_path: Path, host: str) -> Iterator[Emulator]:
    bundle = tmp_path / "bundle"
    (bundle / "files").mkdir(parents=True)
    (bundle / "index.html").write_text("<p>页面", encoding="utf-8")
    (bundle / "files" / "a.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("x")
    net = {"kepu.example.org": host, "gone.example.org": "http://127.0.0.1:9"}
    with emulated_wechat(bundle=bundle, net=net, net_patience_s=0.2) as emulator:
        yield emulator


def test_the_bundle_is_served_under_a_policy_that_runs_no_foreign_script(wechat: Emulator) -> None:
    status, headers, body = ask(wechat.base, "/phone/app/")
    assert (status, body.decode()) == (200, "<p>页面")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'self'" in policy
    assert ask(wechat.base, "/phone/app/files/a.svg")[1]["content-type"].startswith("image/svg")


def test_the_program_learns_whose_it_is(wechat: Emulator) -> None:
    status, headers, body = ask(wechat.base, "/phone/app/account.js")
    assert (status, headers["x-content-type-options"]) == (200, "nosniff")
    assert body.decode() == f'window.__account = {{"appId": "{wechat.world.mini.appid}"}};\n'


def test_an_unchanged_file_is_not_sent_again(wechat: Emulator) -> None:
    tag = ask(wechat.base, "/phone/app/")[1]["etag"]
    assert ask(wechat.base, "/phone/app/", If_None_Match=tag)[0] == 304


@pytest.mark.parametrize(
    "name", ["gone.js", "../secret.txt", "..%2Fsecret.txt", "%2e%2e/secret.txt"]
)
def test_nothing_outside_the_bundle_is_served(wechat: Emulator, name: str) -> None:
    assert ask(wechat.base, f"/phone/app/{name}")[0] == 404


def test_before_it_is_built_the_page_says_so() -> None:
    with emulated_wechat() as emulator:
        status, _headers, body = ask(emulator.base, "/phone/app/")
        assert status == 503
        assert "还没有编译" in body.decode()


def test_a_request_reaches_the_host_that_the_settings_name(wechat: Emulator) -> None:
    status, headers, body = ask(
        wechat.base,
        "/phone/net/kepu.example.org/api/v1/%E4%B8%80?x=1&y=%2F",
        "POST",
        b'{"a":1}',
        Authorization="Bearer t",
        Content_Type="application/json",
        Idempotency_Key="k",
        X_Own="自己".encode().decode("latin-1"),
        Cookie="c=1",
        Origin="http://127.0.0.1",
        Referer="http://127.0.0.1/phone/app/",
        User_Agent="a browser",
        Sec_Fetch_Mode="cors",
    )
    told = json.loads(body)
    assert (status, headers["retry-after"]) == (409, "7")
    assert "set-cookie" not in headers
    assert "x-phone-refused" not in headers
    assert told["path"] == "/api/v1/%E4%B8%80?x=1&y=%2F"
    assert told["body"] == '{"a":1}'
    assert told["headers"]["authorization"] == "Bearer t"
    assert told["headers"]["idempotency-key"] == "k"
    assert told["headers"]["x-own"].encode("latin-1").decode() == "自己"
    assert not {"cookie", "origin", "sec-fetch-mode"} & set(told["headers"])


def test_a_host_sees_wechat_and_not_a_browser(wechat: Emulator) -> None:
    told = json.loads(ask(wechat.base, "/phone/net/kepu.example.org/x", User_Agent="b")[2])
    appid = wechat.world.mini.appid
    assert told["headers"]["referer"] == f"https://servicewechat.com/{appid}/0/page-frame.html"
    assert "MicroMessenger/" in told["headers"]["user-agent"]


def test_what_is_too_large_or_too_late_is_refused_in_a_way_that_the_runtime_knows(
    wechat: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: str, body: bytes | None = None) -> tuple[int, str]:
        status, headers, _body = ask(
            wechat.base, f"/phone/net/kepu.example.org{path}", "POST", body
        )
        return status, headers["x-phone-refused"]

    assert refused("/silent") == (504, "timeout")
    monkeypatch.setattr(phone_net, "LIMIT_BYTES", 10)
    assert refused("/x", b"x" * 11) == (413, "size")
    monkeypatch.setattr(phone_net, "ANSWER_LIMIT_BYTES", 10)
    assert refused("/x", b"x") == (502, "size")


def test_any_other_host_is_refused_in_a_way_that_the_runtime_knows(wechat: Emulator) -> None:
    status, headers, _body = ask(wechat.base, "/phone/net/evil.example.org/x")
    assert (status, headers["x-phone-refused"]) == (403, "domain")


def test_a_host_that_is_down_is_a_broken_line(wechat: Emulator) -> None:
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        ask(wechat.base, "/phone/net/gone.example.org/")


def test_a_cut_network_breaks_every_line_until_it_is_back(wechat: Emulator) -> None:
    known = "/phone/net/kepu.example.org/whatever"
    before = ask(wechat.base, known)[0]
    assert wechat.post_control("network", cut=True) == {"cut": True}
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(wechat.base, known)
    wechat.post_control("network", cut=False)
    assert ask(wechat.base, known)[0] == before
    wechat.post_control("network", cut=True)
    wechat.post_control("reset")
    assert ask(wechat.base, known)[0] == before
    with pytest.raises(ControlError, match="400"):
        wechat.post_control("network", cut="yes")


def test_a_groups_name_is_shown_by_its_id(wechat: Emulator) -> None:
    made = wechat.post_control("groups", name="科普群")
    known = json.loads(ask(wechat.base, f"/phone/group?opengid={made['opengid']}")[2])
    unknown = json.loads(ask(wechat.base, "/phone/group?opengid=no")[2])
    assert (known, unknown) == ({"name": "科普群"}, {"name": ""})
