"""The gateway's own words, its retries, and one test for each cell of the fault matrix."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable
from urllib.parse import quote

import pytest
import requests
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from urllib3.exceptions import NewConnectionError

from server.base.web.metrics import UNKNOWN_WORDS
from server.wechat import errors
from server.wechat.errors import WeChatError
from server.wechat.gateway import (
    FollowerDetails,
    Gateway,
    GroupEntry,
    MadeSceneCode,
    PhoneNumber,
    TextPlace,
    Verdict,
    WeChatIdentity,
)
from server.wechat.http_gateway import HttpGateway
from server.wechat.letters import (
    MassArticle,
    MassSend,
    OfficialSubscription,
    SubscriptionMessage,
    TemplateKind,
    TemplateMessage,
)
from server.wechat.tokens import PATH
from server.wechat.transport import Transport
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import OPENID, an_app
from tests.wechat.script import CHECK, INFO, LOGIN, SECRET, SEND, Bench, Script

MENU, MENU_NOW, CODE = "/cgi-bin/menu/create", "/cgi-bin/menu/get", "/cgi-bin/qrcode/create"
PICTURE = "/wxa/getwxacodeunlimit"
PHONE, PICTURE_CHECK = "/wxa/business/getuserphonenumber", "/wxa/media_check_async"
SESSION_KEY = base64.b64encode(b"session-key-0123").decode()
IV = base64.b64encode(b"i" * 16).decode()
SESSION = {"openid": OPENID, "session_key": SESSION_KEY, "unionid": "u1"}
NUMBER = {"countryCode": "86", "purePhoneNumber": "13800000000", "phoneNumber": "13800000000"}
SUBSCRIPTION = "/cgi-bin/message/subscribe/send"
SENDS = ("template/send", "subscribe/bizsend", *(f"mass/{n}" for n in ("send", "preview", "get")))
NEW_PATHS = (
    *(f"/cgi-bin/message/{name}" for name in (*SENDS, "mass/delete")),
    *("/cgi-bin/draft/add", "/cgi-bin/draft/delete", "/cgi-bin/material/add_material"),
    *("/cgi-bin/media/uploadimg", "/wxaapi/newtmpl/gettemplate"),
)
MANY, LIST = "/cgi-bin/user/info/batchget", "/cgi-bin/user/get"
PASSED = {"errcode": 0, "result": {"suggest": "pass", "label": 100}, "trace_id": "t"}


def sealed(appid: str = an_app().appid, key: bytes = b"session-key-0123", **data: object) -> str:
    """Open data as WeChat seals it for the mini-program."""
    raw = json.dumps({**data, "watermark": {"appid": appid, "timestamp": 1}}).encode()
    return sealed_bytes(raw, key)


def sealed_bytes(raw: bytes, key: bytes = b"session-key-0123") -> str:
    pad = 16 - len(raw) % 16
    box = Cipher(AES(key), CBC(b"i" * 16)).encryptor()
    return base64.b64encode(box.update(raw + bytes([pad]) * pad) + box.finalize()).decode()


@pytest.fixture
def script(clock: FakeClock) -> Script:
    return Script(clock, {LOGIN: SESSION, CHECK: PASSED})


@pytest.fixture
def bench(clock: FakeClock, script: Script, tmp_path: object) -> Bench:
    return Bench(clock, script, kv=f"fake:{tmp_path}")


def log_in(bench: Bench) -> WeChatIdentity:
    return bench.gateway.code_to_identity("a-code")


def check(bench: Bench) -> Verdict:
    return bench.gateway.check_text(OPENID, "桂林", TextPlace.PROFILE)


def say(bench: Bench) -> None:
    bench.gateway.send_text(OPENID, "你好")


# --- what is asked and what comes back


def test_many_followers_are_asked_about_at_once_and_come_back_in_order(
    bench: Bench, script: Script
) -> None:
    script.answers[MANY] = {
        "user_info_list": [
            {"subscribe": 1, "openid": "o-1", "unionid": "u-1", "subscribe_time": 7},
            {"subscribe": 0, "openid": "o-2"},
        ]
    }
    one, other = bench.gateway.fetch_followers(["o-1", "o-2"])
    assert (one.openid, one.subscribed, one.unionid, one.subscribed_at) == ("o-1", True, "u-1", 7)
    assert (other.openid, other.subscribed, other.unionid) == ("o-2", False, None)
    assert [asked["openid"] for asked in script.seen[-1].body["user_list"]] == ["o-1", "o-2"]


def test_the_list_of_followers_goes_on_from_its_cursor(bench: Bench, script: Script) -> None:
    script.answers[LIST] = {
        "total": 3,
        "count": 2,
        "data": {"openid": ["a", "b"]},
        "next_openid": "b",
    }
    page = bench.gateway.follower_page("z")
    assert (page.openids, page.following) == (("a", "b"), "b")
    assert script.seen[-1].query["next_openid"] == "z"
    script.answers[LIST] = {"total": 3, "count": 0, "next_openid": ""}
    assert bench.gateway.follower_page("b").openids == ()


@pytest.mark.parametrize(
    "said", [{"user_info_list": {}}, {"user_info_list": ["o"]}, {"user_info_list": [{}]}, {}]
)
def test_a_garbled_list_leaves_a_doubt(said: object, bench: Bench, script: Script) -> None:
    script.answers[MANY] = said
    with pytest.raises(errors.CallInDoubt):
        bench.gateway.fetch_followers(["o"])
    for page in ({"count": 1}, {"count": 1, "data": []}, {"count": 1, "data": {"openid": [7]}}):
        script.answers[LIST] = page
        with pytest.raises(errors.CallInDoubt):
            bench.gateway.follower_page()


def test_a_login_code_becomes_an_identity_and_the_session_key_goes_nowhere(
    bench: Bench, script: Script
) -> None:
    identity = log_in(bench)
    assert identity == WeChatIdentity(openid=OPENID, unionid="u1")
    assert script.seen[0].method == "GET"
    assert script.seen[0].query == {
        "appid": bench.app.appid,
        "secret": SECRET,
        "js_code": "a-code",
        "grant_type": "authorization_code",
    }
    assert OPENID not in repr(identity)
    assert script.count(PATH) == 0


def test_without_a_unionid_there_is_none(bench: Bench, script: Script) -> None:
    script.answers[LOGIN] = {"openid": OPENID, "session_key": "k"}
    assert log_in(bench).unionid is None


@pytest.mark.parametrize("code", ["", " ", "a b", "a\n", "密", "x" * 257, "\x00"])
def test_a_code_that_can_be_none_is_not_even_asked_about(
    code: str, bench: Bench, script: Script
) -> None:
    with pytest.raises(errors.BadLoginCode):
        bench.gateway.code_to_identity(code)
    assert script.seen == []


def test_a_follower_is_told_of_in_our_words(bench: Bench, script: Script) -> None:
    script.answers[INFO] = {
        "subscribe": 1,
        "openid": OPENID,
        "subscribe_time": 1777608000,
        "unionid": "u1",
        "subscribe_scene": "ADD_SCENE_QR_CODE",
        "qr_scene": 0,
        "qr_scene_str": "lecture.7",
    }
    follower = bench.gateway.fetch_follower(OPENID)
    assert follower == FollowerDetails(
        openid=OPENID,
        subscribed=True,
        unionid="u1",
        subscribed_at=1777608000,
        scene="ADD_SCENE_QR_CODE",
        code_scene="lecture.7",
    )
    assert script.seen[-1].query == {
        "access_token": "token-1",
        "openid": OPENID,
        "lang": "zh_CN",
    }


def test_who_does_not_follow_is_told_of_too(bench: Bench, script: Script) -> None:
    script.answers[INFO] = {"subscribe": 0, "openid": OPENID}
    assert bench.gateway.fetch_follower(OPENID) == FollowerDetails(openid=OPENID, subscribed=False)


def test_the_menu_travels_as_raw_chinese(bench: Bench, script: Script) -> None:
    script.answers[MENU] = {"errcode": 0}
    menu = {"button": [{"type": "click", "name": "每日答题", "key": "QUIZ"}]}
    bench.gateway.push_menu(menu)
    assert script.seen[-1].body == menu
    assert "每日答题".encode() in script.seen[-1].raw


def test_the_menu_of_now_and_that_there_is_none(bench: Bench, script: Script) -> None:
    script.answers[MENU_NOW] = {"menu": {"button": []}}
    assert bench.gateway.current_menu() == {"button": []}
    script.answers[MENU_NOW] = 46003
    assert bench.gateway.current_menu() is None
    script.answers[MENU_NOW] = 48001
    with pytest.raises(errors.ConfigWrong):
        bench.gateway.current_menu()
    script.answers[MENU_NOW] = {}
    with pytest.raises(errors.CallInDoubt):
        bench.gateway.current_menu()


@pytest.mark.parametrize(
    ("permanent", "sent"),
    [
        (False, {"action_name": "QR_STR_SCENE", "expire_seconds": 2592000}),
        (True, {"action_name": "QR_LIMIT_STR_SCENE"}),
    ],
)
def test_a_scene_code(
    permanent: bool, sent: dict[str, object], bench: Bench, script: Script
) -> None:
    ticket = "gQ+/=&?"
    script.answers[CODE] = {"ticket": ticket, "expire_seconds": 60, "url": "http://weixin.qq.com/q"}
    code = bench.gateway.scene_code("lecture.7", permanent=permanent)
    picture = f"http://wechat.test/mpweb/cgi-bin/showqrcode?ticket={quote(ticket, safe='')}"
    assert code == MadeSceneCode(
        ticket=ticket, url="http://weixin.qq.com/q", picture_url=picture, expires_in_seconds=60
    )
    scene = {"action_info": {"scene": {"scene_str": "lecture.7"}}}
    assert script.seen[-1].body == sent | scene


def test_a_sentence_is_said(bench: Bench, script: Script) -> None:
    script.answers[SEND] = {"errcode": 0}
    say(bench)
    assert script.seen[-1].body == {
        "touser": OPENID,
        "msgtype": "text",
        "text": {"content": "你好"},
    }


@pytest.mark.parametrize("suggest", ["pass", "review", "risky"])
def test_a_verdict(suggest: str, bench: Bench, script: Script) -> None:
    script.answers[CHECK] = {"errcode": 0, "result": {"suggest": suggest, "label": 1}}
    assert check(bench) == Verdict(suggest)


def test_a_verdict_that_we_do_not_know_is_for_a_person_to_look_at(
    bench: Bench, script: Script
) -> None:
    counted = UNKNOWN_WORDS.labels("text_check")
    before = counted._value.get()
    script.answers[CHECK] = {"errcode": 0, "result": {"suggest": "passWithCare", "label": 1}}
    assert check(bench) == Verdict.REVIEW
    assert counted._value.get() == before + 1
    assert script.seen[-1].body == {
        "version": 2,
        "scene": 1,
        "openid": OPENID,
        "content": "桂林",
    }


def test_a_mini_program_code_is_a_picture(bench: Bench, script: Script) -> None:
    script.answers[PICTURE] = b"\xff\xd8\xff picture"
    assert bench.gateway.mini_program_code("s=1", "pages/a") == b"\xff\xd8\xff picture"
    assert script.seen[-1].body["scene"] == "s=1"
    script.answers[PICTURE] = 41030
    with pytest.raises(errors.TemplateRefused):
        bench.gateway.mini_program_code("s=1", "pages/none")


@pytest.mark.parametrize("name", ["opengid", "openGId"])
def test_a_group_is_told_by_either_name(name: str, bench: Bench, script: Script) -> None:
    entry = bench.gateway.group_entry("code", sealed(bench.app.appid, **{name: "G1"}), IV)
    assert entry == GroupEntry(openid=OPENID, opengid="G1")
    assert "G1" not in repr(entry)
    assert OPENID not in repr(entry)


@pytest.mark.parametrize(
    ("data", "iv"),
    [
        (sealed("wx" + "c" * 16, opengid="G1"), IV),
        (sealed(key=b"another-key-0123", opengid="G1"), IV),
        (sealed(), IV),
        (sealed(opengid=7), IV),
        (sealed_bytes(b"[1]"), IV),
        (sealed_bytes(b"{"), IV),
        (sealed_bytes(b'{"opengid":"G1"}'), IV),
        (sealed_bytes(b'{"opengid":"G1","watermark":{"appid":1}}'), IV),
        (sealed_bytes(b'{"opengid":"G1","watermark":[]}'), IV),
        (sealed_bytes(b"\xff\xfe"), IV),
        (sealed(opengid="G1")[:-4], IV),
        ("", IV),
        ("***", IV),
        ("\u5bc6", IV),
        (sealed(opengid="G1"), "aW9t"),
        (sealed(opengid="G1"), ""),
        (base64.b64encode(b"x" * 17 * 1024).decode(), IV),
    ],
)
def test_what_was_not_sealed_for_us_is_refused(
    data: str, iv: str, bench: Bench, script: Script
) -> None:
    with pytest.raises(errors.OpenDataRefused):
        bench.gateway.group_entry("code", data, iv)


def test_a_phone_number_is_asked_for_its_own_person(bench: Bench, script: Script) -> None:
    script.answers[PHONE] = {"errcode": 0, "phone_info": NUMBER}
    number = bench.gateway.phone_number(OPENID, "code")
    assert number == PhoneNumber(country="86", number="13800000000")
    assert "138" not in repr(number)
    assert script.seen[-1].body == {"code": "code", "openid": OPENID}
    for said, kind in (
        (40029, errors.BadLoginCode),
        (40003, errors.Unclassified),
        (40226, errors.Unclassified),
        (43101, errors.Unclassified),
        ({"errcode": 0}, errors.CallInDoubt),
        ({"errcode": 0, "phone_info": {**NUMBER, "purePhoneNumber": "x"}}, errors.CallInDoubt),
        ({"errcode": 0, "phone_info": {**NUMBER, "countryCode": ""}}, errors.CallInDoubt),
    ):
        script.answers[PHONE] = said
        with pytest.raises(kind):
            bench.gateway.phone_number(OPENID, "code")
    with pytest.raises(errors.BadLoginCode):
        bench.gateway.phone_number(OPENID, "a code")


def test_a_phone_code_is_never_spent_twice(bench: Bench, script: Script) -> None:
    script.answers[PHONE] = requests.exceptions.ReadTimeout()
    with pytest.raises(errors.CallInDoubt):
        bench.gateway.phone_number(OPENID, "code")
    assert script.count(PHONE) == 1


def test_a_picture_is_given_to_be_judged(bench: Bench, script: Script) -> None:
    script.answers[PICTURE_CHECK] = {"errcode": 0, "trace_id": "trace-1"}
    assert bench.gateway.check_picture(OPENID, "https://kepu.test/p.jpg") == "trace-1"
    assert script.seen[-1].body == {
        "version": 2,
        "media_type": 2,
        "scene": 1,
        "openid": OPENID,
        "media_url": "https://kepu.test/p.jpg",
    }
    script.answers[PICTURE_CHECK] = {"errcode": 0}
    with pytest.raises(errors.CallInDoubt):
        bench.gateway.check_picture(OPENID, "https://kepu.test/p.jpg")


GROUP = sealed(opengid="G1")
JPEG = b"\xff\xd8\xff"
CALLS: dict[str, Callable[[Gateway], object]] = {
    "try_credentials": lambda g: g.try_credentials("official_account"),
    "code_to_identity": lambda g: g.code_to_identity("code"),
    "fetch_follower": lambda g: g.fetch_follower(OPENID),
    "fetch_followers": lambda g: g.fetch_followers([OPENID]),
    "follower_page": lambda g: g.follower_page(),
    "push_menu": lambda g: g.push_menu({"button": []}),
    "current_menu": lambda g: g.current_menu(),
    "scene_code": lambda g: g.scene_code("s"),
    "send_text": lambda g: g.send_text(OPENID, "x"),
    "send_subscription": lambda g: g.send_subscription(
        SubscriptionMessage(openid=OPENID, template_id="t", page="p", fields={"thing1": "x"})
    ),
    "send_template": lambda g: g.send_template(
        TemplateMessage(openid=OPENID, template_id="t", fields={}, client_msg_id="c1")
    ),
    "send_official_subscription": lambda g: g.send_official_subscription(
        OfficialSubscription(openid=OPENID, template_id="t", fields={})
    ),
    "send_mass": lambda g: g.send_mass(
        MassSend(openids=(OPENID, "o-2"), media_id="m", client_msg_id="c1")
    ),
    "preview_mass": lambda g: g.preview_mass(OPENID, "m"),
    "mass_status": lambda g: g.mass_status("7"),
    "delete_mass": lambda g: g.delete_mass("7"),
    "add_draft": lambda g: g.add_draft(
        MassArticle(title="t", digest="", content_html="<p>x</p>", thumb_media_id="m")
    ),
    "delete_draft": lambda g: g.delete_draft("m"),
    "upload_picture": lambda g: g.upload_picture(JPEG, "cover.jpg"),
    "upload_article_picture": lambda g: g.upload_article_picture(JPEG, "p.jpg"),
    "list_templates": lambda g: g.list_templates(TemplateKind.MINI_SUBSCRIPTION),
    "check_text": lambda g: g.check_text(OPENID, "x", TextPlace.COMMENT),
    "mini_program_code": lambda g: g.mini_program_code("s", "p"),
    "group_entry": lambda g: g.group_entry("code", GROUP, IV),
    "phone_number": lambda g: g.phone_number(OPENID, "code"),
    "check_picture": lambda g: g.check_picture(OPENID, "https://kepu.test/p.jpg"),
}
# The fan-out opens no connection by itself; its calls have tests of their own.
LOCAL = {"is_available", "token_age_seconds", "open_fan_out"}


def test_every_call_of_the_gateway_is_tried_below() -> None:
    public = {name for name in vars(Gateway) if not name.startswith("_")}
    assert public - LOCAL == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_no_call_is_made_inside_a_transaction(name: str, bench: Bench, script: Script) -> None:
    bench.open_transactions.append("one")
    with pytest.raises(RuntimeError, match="transaction"):
        CALLS[name](bench.gateway)
    assert script.seen == []


@pytest.mark.parametrize("name", CALLS)
def test_no_call_leaves_for_another_host(
    name: str, bench: Bench, script: Script, closed_network: list[object]
) -> None:
    for path in (INFO, MENU, MENU_NOW, CODE, SEND, *NEW_PATHS):
        script.answers[path] = {
            "errcode": 0,
            "openid": OPENID,
            "menu": {},
            "ticket": "t",
            "url": "u",
            "msg_id": 7,
            "msg_status": "SENDING",
            "media_id": "m",
            "data": [],
        }
    script.answers[PICTURE] = JPEG
    script.answers[PHONE] = {"errcode": 0, "phone_info": NUMBER}
    script.answers[PICTURE_CHECK] = {"errcode": 0, "trace_id": "t"}
    script.answers[MANY] = {"user_info_list": [{"subscribe": 0, "openid": OPENID}]}
    script.answers[SUBSCRIPTION] = {"errcode": 0, "msgid": 7}
    script.answers[LIST] = {"total": 1, "count": 1, "data": {"openid": [OPENID]}}
    CALLS[name](bench.gateway)
    assert {seen.host for seen in script.seen} == {"wechat.test"}
    assert closed_network == []


@pytest.fixture
def closed_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every attempt to open a connection or to look up a name fails and is noted."""
    tried: list[object] = []

    def closed(*args: object, **_: object) -> None:
        tried.append(args)
        raise OSError("the network is closed")

    monkeypatch.setattr(socket.socket, "connect", closed)
    monkeypatch.setattr(socket, "getaddrinfo", closed)
    return tried


WRAPPERS: dict[str, Callable[[Bench], object]] = {
    **{name: lambda b, call=call: call(b.gateway) for name, call in CALLS.items()},
    "token": lambda b: b.tokens.replace_refused("token-1"),
    "wechatpy: login": lambda b: b.gateway._official.wxa.code_to_session("code"),
    "wechatpy: followers": lambda b: b.gateway._official.user.get_followers(),
    "wechatpy: templates": lambda b: b.gateway._official.template.get_all_private_template(),
    "wechatpy: ticket": lambda b: b.gateway._official.jsapi.get_ticket(),
    "wechatpy: addresses": lambda b: b.gateway._official.misc.get_wechat_ips(),
    "wechatpy: figures": lambda b: b.gateway._official.datacube.get_user_summary("a", "b"),
    "wechatpy: tags": lambda b: b.gateway._official.tag.create("a"),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_with_the_network_closed_only_the_configured_host_is_looked_for(
    name: str, bench: Bench, closed_network: list[object]
) -> None:
    """Also for wrappers of the library that we do not use: none reaches a host of its own."""
    bench.tokens.valid_token()
    transport = Transport("https://api.house.test", bench.clock)
    bench.gateway._transport = bench.tokens._transport = transport
    for calls in bench.gateway._accounts.values():
        calls._transport = transport
    with pytest.raises(errors.NotSent):
        WRAPPERS[name](bench)
    hosts = {args[0] for args in closed_network if isinstance(args, tuple)}
    assert hosts == {"api.house.test"}


def test_the_token_logic_and_other_hosts_of_the_library_are_shut(
    bench: Bench, closed_network: list[object]
) -> None:
    client = bench.gateway._official
    with pytest.raises(errors.ConfigWrong):
        client.fetch_access_token()
    with pytest.raises(errors.ConfigWrong):
        client.get("https://mp.weixin.qq.com/cgi-bin/showqrcode", params={"ticket": "t"})
    assert closed_network == []


# --- the fault matrix: log-in


class Refused(Exception):
    def __init__(self) -> None:
        self.reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]


UNREACHED = requests.exceptions.ConnectionError(Refused())
LOGIN_CELLS: list[tuple[str, object, type[WeChatError], int, int, list[str]]] = [
    # name, what WeChat says, class, HTTP status, calls made, alarms
    ("40029", 40029, errors.BadLoginCode, 401, 1, []),
    ("40163", 40163, errors.BadLoginCode, 401, 1, []),
    ("40003", 40003, errors.BadLoginCode, 401, 1, []),
    ("40013", 40013, errors.BadLoginCode, 401, 1, ["login_config"]),
    ("40125", 40125, errors.ConfigWrong, 503, 1, ["login_config"]),
    ("40226", 40226, errors.LoginRefused, 403, 1, []),
    ("48001", 48001, errors.ConfigWrong, 503, 1, ["login_config"]),
    ("48004", 48004, errors.ConfigWrong, 503, 1, ["login_config"]),
    ("50002", 50002, errors.ConfigWrong, 503, 1, ["login_config"]),
    ("40164", 40164, errors.ConfigWrong, 503, 1, ["login_config"]),
    ("45009", 45009, errors.QuotaSpent, 503, 1, []),
    ("45011", 45011, errors.SlowDown, 503, 2, []),
    ("-1", -1, errors.TryLater, 503, 2, []),
    ("unknown", 987654, errors.Unclassified, 503, 1, []),
    ("of a message", 43101, errors.Unclassified, 503, 1, []),
    ("of a body", 47001, errors.Unclassified, 503, 1, []),
    ("of a follower", 43004, errors.Unclassified, 503, 1, []),
    ("500", (500, b""), errors.CallInDoubt, 503, 1, []),
    ("HTML", b"<html>", errors.CallInDoubt, 503, 1, []),
    ("a list", b"[]", errors.CallInDoubt, 503, 1, []),
    ("errcode as text", {"errcode": "0", **SESSION}, errors.CallInDoubt, 503, 1, []),
    ("no openid", {"session_key": "k"}, errors.CallInDoubt, 503, 1, []),
    ("openid of another type", {"openid": 5, "session_key": "k"}, errors.CallInDoubt, 503, 1, []),
    ("time-out", requests.exceptions.ReadTimeout(), errors.CallInDoubt, 503, 1, []),
    ("half an answer", requests.exceptions.ChunkedEncodingError(), errors.CallInDoubt, 503, 1, []),
    ("reset", requests.exceptions.ConnectionError(), errors.CallInDoubt, 503, 1, []),
    ("refused", UNREACHED, errors.NotSent, 503, 1, []),
]


@pytest.mark.parametrize("cell", LOGIN_CELLS, ids=[cell[0] for cell in LOGIN_CELLS])
def test_login_when_wechat_says(
    cell: tuple[str, object, type[WeChatError], int, int, list[str]], bench: Bench, script: Script
) -> None:
    _, said, kind, status, calls, alarms = cell
    script.answers[LOGIN] = said
    with pytest.raises(WeChatError) as caught:
        log_in(bench)
    assert (type(caught.value), caught.value.status) == (kind, status)
    assert script.count(LOGIN) == calls
    assert bench.alarmed == alarms


@pytest.mark.parametrize("first", [-1, 45011])
def test_login_goes_on_when_the_other_try_is_answered(
    first: int, bench: Bench, script: Script
) -> None:
    script.answers[LOGIN] = [first, SESSION]
    assert log_in(bench).openid == OPENID


def test_the_other_try_of_a_login_may_find_the_code_used(bench: Bench, script: Script) -> None:
    script.answers[LOGIN] = [-1, 40163]
    with pytest.raises(errors.BadLoginCode):
        log_in(bench)


# --- the fault matrix: content check

CHECK_CELLS: list[tuple[str, object, type[WeChatError], int]] = [
    ("45009", 45009, errors.QuotaSpent, 1),
    ("45011", 45011, errors.SlowDown, 1),
    ("40003", 40003, errors.UnknownRecipient, 1),
    ("40013", 40013, errors.ConfigWrong, 1),
    ("48001", 48001, errors.ConfigWrong, 1),
    ("48004", 48004, errors.ConfigWrong, 1),
    ("50002", 50002, errors.ConfigWrong, 1),
    ("40164", 40164, errors.ConfigWrong, 1),
    ("61010", 61010, errors.RecipientGone, 1),
    ("44991", 44991, errors.SlowDown, 1),
    ("47001", 47001, errors.BadContent, 1),
    ("-1", -1, errors.TryLater, 2),
    ("unknown", 987654, errors.Unclassified, 1),
    ("500", (500, b""), errors.CallInDoubt, 2),
    ("HTML", b"<html>", errors.CallInDoubt, 2),
    ("a list", b"[]", errors.CallInDoubt, 2),
    ("errcode as text", {"errcode": "0", "result": {"suggest": "pass"}}, errors.CallInDoubt, 2),
    ("no result", {"errcode": 0}, errors.CallInDoubt, 1),
    ("a result that is none", {"errcode": 0, "result": "pass"}, errors.CallInDoubt, 1),
    ("a verdict that is no word", {"errcode": 0, "result": {"suggest": 1}}, errors.CallInDoubt, 1),
    ("time-out", requests.exceptions.ReadTimeout(), errors.CallInDoubt, 2),
    ("half an answer", requests.exceptions.ChunkedEncodingError(), errors.CallInDoubt, 2),
    ("reset", requests.exceptions.ConnectionError(), errors.CallInDoubt, 2),
    ("refused", UNREACHED, errors.NotSent, 1),
]


@pytest.mark.parametrize("cell", CHECK_CELLS, ids=[cell[0] for cell in CHECK_CELLS])
def test_the_check_gives_no_verdict_when_wechat_says(
    cell: tuple[str, object, type[WeChatError], int], bench: Bench, script: Script
) -> None:
    """Whoever asked keeps the words pending: every failure is a WeChatError, never a verdict."""
    _, said, kind, calls = cell
    script.answers[CHECK] = said
    with pytest.raises(WeChatError) as caught:
        check(bench)
    assert type(caught.value) is kind
    assert script.count(CHECK) == calls


def test_the_check_goes_on_when_the_other_try_is_answered(bench: Bench, script: Script) -> None:
    script.answers[CHECK] = [-1, PASSED]
    assert check(bench) is Verdict.PASS


# --- a refused token, for every call that has one

WITH_TOKEN = {
    "check_text": (check, CHECK, PASSED),
    "send_text": (say, SEND, {"errcode": 0}),
    "fetch_follower": (
        lambda b: b.gateway.fetch_follower(OPENID),
        INFO,
        {"openid": OPENID, "subscribe": 0},
    ),
    "phone_number": (
        lambda b: b.gateway.phone_number(OPENID, "code"),
        PHONE,
        {"errcode": 0, "phone_info": NUMBER},
    ),
    "check_picture": (
        lambda b: b.gateway.check_picture(OPENID, "https://kepu.test/p.jpg"),
        PICTURE_CHECK,
        {"errcode": 0, "trace_id": "t"},
    ),
}
each_call = pytest.mark.parametrize("name", WITH_TOKEN)
each_code = pytest.mark.parametrize("errcode", [40001, 40014, 41001, 42001])


@each_call
@each_code
def test_a_refused_token_is_renewed_and_the_call_made_once_more(
    name: str, errcode: int, bench: Bench, script: Script
) -> None:
    call, path, good = WITH_TOKEN[name]
    script.answers[PATH] = [
        {"access_token": "first", "expires_in": 7200},
        {"access_token": "second", "expires_in": 7200},
    ]
    script.answers[path] = [errcode, good]
    call(bench)
    used = [seen.query["access_token"] for seen in script.seen if seen.path == path]
    assert used == ["first", "second"]
    assert script.count(PATH) == 2
    assert bench.alarmed == []


@each_call
@each_code
def test_a_token_refused_again_ends_it_with_an_alarm(
    name: str, errcode: int, bench: Bench, script: Script
) -> None:
    call, path, _ = WITH_TOKEN[name]
    issued = iter(range(100))
    script.answers[PATH] = lambda _seen: {"access_token": f"t{next(issued)}", "expires_in": 7200}
    script.answers[path] = errcode
    with pytest.raises(errors.TokenRefused):
        call(bench)
    assert (script.count(path), script.count(PATH)) == (2, 2)
    assert bench.alarmed == ["call_auth"]


@each_call
def test_a_token_that_somebody_renewed_meanwhile_costs_no_request(
    name: str, bench: Bench, script: Script
) -> None:
    call, path, good = WITH_TOKEN[name]
    script.answers[PATH] = [
        {"access_token": "first", "expires_in": 7200},
        {"access_token": "second", "expires_in": 7200},
    ]
    bench.tokens.valid_token()
    kv = bench.facilities
    other = Bench(bench.clock, script)
    other.tokens._shared, other.tokens._lock = kv.shared, kv.lock
    other.tokens.replace_refused("first")
    script.answers[path] = [40001, good]
    call(bench)
    assert script.count(PATH) == 2


@each_call
def test_without_a_token_the_call_is_not_made(name: str, bench: Bench, script: Script) -> None:
    call, path, _ = WITH_TOKEN[name]
    script.answers[PATH] = (502, b"")
    with pytest.raises(errors.WeChatAway):
        call(bench)
    assert script.count(path) == 0


TOKEN_FAILURES = [
    ((502, b""), errors.NotSent),
    (b"<html>", errors.NotSent),
    (-1, errors.NotSent),
    (987654, errors.NotSent),
    (requests.exceptions.ReadTimeout(), errors.NotSent),
    (UNREACHED, errors.NotSent),
    (40125, errors.ConfigWrong),
    (45009, errors.QuotaSpent),
    (45011, errors.SlowDown),
]


@pytest.mark.parametrize(("said", "kind"), TOKEN_FAILURES)
def test_a_doubt_about_the_token_is_none_about_what_was_to_be_said(
    said: object, kind: type[WeChatError], bench: Bench, script: Script
) -> None:
    script.answers[PATH] = said
    with pytest.raises(WeChatError) as cold:
        say(bench)
    assert type(cold.value) is kind
    assert script.count(SEND) == 0


@pytest.mark.parametrize(("said", "kind"), TOKEN_FAILURES)
def test_nor_is_it_one_after_the_first_token_was_refused(
    said: object, kind: type[WeChatError], bench: Bench, script: Script
) -> None:
    script.answers[PATH] = [{"access_token": "first", "expires_in": 7200}, said]
    script.answers[SEND] = 42001
    with pytest.raises(WeChatError) as caught:
        say(bench)
    assert type(caught.value) is kind
    assert script.count(SEND) == 1


# --- sending is never repeated blindly


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (requests.exceptions.ReadTimeout(), errors.CallInDoubt),
        (requests.exceptions.ConnectionError(), errors.CallInDoubt),
        (UNREACHED, errors.NotSent),
        ((500, b""), errors.CallInDoubt),
        (b"<html>", errors.CallInDoubt),
        (-1, errors.TryLater),
        (45015, errors.RecipientGone),
        (45047, errors.RecipientGone),
        (43004, errors.Unfollowed),
        (70000, errors.RecipientGone),
        (45009, errors.QuotaSpent),
    ],
)
def test_a_sentence_that_may_have_been_said_is_not_said_again(
    said: object, kind: type[WeChatError], bench: Bench, script: Script
) -> None:
    script.answers[SEND] = said
    with pytest.raises(WeChatError) as caught:
        say(bench)
    assert type(caught.value) is kind
    assert script.count(SEND) == 1


def test_a_busy_admin_call_is_tried_twice(bench: Bench, script: Script) -> None:
    script.answers[CODE] = [-1, {"ticket": "t", "url": "u"}]
    assert bench.gateway.scene_code("s").ticket == "t"
    script.answers[MENU] = -1
    with pytest.raises(errors.TryLater):
        bench.gateway.push_menu({"button": []})
    assert (script.count(CODE), script.count(MENU)) == (2, 2)


def test_the_gateway_is_the_one_that_the_slices_know(bench: Bench) -> None:
    gateway: Gateway = bench.gateway
    assert isinstance(gateway, HttpGateway)
    assert gateway.is_available()
    assert gateway.token_age_seconds() is None
    bench.tokens.valid_token()
    assert gateway.token_age_seconds() == 0
