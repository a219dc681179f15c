"""Login and phone codes, group data, codes with scenes, and the content check."""

from __future__ import annotations

import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from PIL import Image

from server.emulator.apps import MINI, OFFICIAL
from server.emulator.testing import ControlError, Emulator, emulated_wechat
from tests.emulator.conftest import Api, Receiver
from tests.emulator.kit import opened

QR, WXA = "/cgi-bin/qrcode/create", "/wxa/getwxacodeunlimit"
CHECK, PHONE = "/wxa/msg_sec_check", "/wxa/business/getuserphonenumber"


@pytest.fixture
def wei(wechat: Emulator) -> dict[str, Any]:
    return wechat.create_person("Wei")


def session(api: Api, code: str, **changed: str) -> dict[str, Any]:
    app = api.emulator.apps[MINI]
    query = {
        "appid": app.appid,
        "secret": app.secret,
        "js_code": code,
        "grant_type": "authorization_code",
        **changed,
    }
    return api.get("/sns/jscode2session", **query)


def test_a_login_code_works_once(wechat: Emulator, api: Api, wei: dict[str, Any]) -> None:
    code = wechat.login_code(wei["person"])
    first = session(api, code)
    assert first["openid"] == wei["openid_mp"]
    assert first["unionid"] == wei["unionid"]
    assert len(base64.b64decode(first["session_key"])) == 16
    assert session(api, code)["errcode"] == 40163


def test_a_session_holds_from_the_first_login_on(wechat: Emulator, wei: dict[str, Any]) -> None:
    assert wechat.post_control("check_session", person=wei["person"]) == {"valid": False}
    wechat.login_code(wei["person"])
    assert wechat.post_control("check_session", person=wei["person"]) == {"valid": True}


def test_parallel_logins_with_one_code_succeed_once(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    code = wechat.login_code(wei["person"])
    with ThreadPoolExecutor(16) as many:
        answers = list(many.map(lambda _: session(api, code), range(32)))
    assert sum("openid" in answer for answer in answers) == 1


def test_a_login_code_lives_five_minutes(wechat: Emulator, api: Api, wei: dict[str, Any]) -> None:
    code = wechat.login_code(wei["person"])
    wechat.advance_time(300)
    assert session(api, code)["errcode"] == 40029


def test_a_login_is_refused_for_the_reason_it_has(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    code = wechat.login_code(wei["person"])
    official = wechat.apps[OFFICIAL]
    assert session(api, "made-up")["errcode"] == 40029
    assert session(api, "")["errcode"] == 41008
    assert session(api, code, secret="0" * 32)["errcode"] == 40125
    assert session(api, code, grant_type="x")["errcode"] == 40002
    wrong_app = {"appid": official.appid, "secret": official.secret}
    assert session(api, code, **wrong_app)["errcode"] == 40013
    wechat.post_control("people", person=wei["person"], risky=True)
    assert session(api, code)["errcode"] == 40226


def test_without_an_open_platform_there_is_no_unionid(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    wechat.post_control("apps", open_platform=False)
    assert "unionid" not in session(api, wechat.login_code(wei["person"]))
    wechat.follow_account(wei["person"])
    assert "unionid" not in api.official("/cgi-bin/user/info", openid=wei["openid_oa"])


def test_a_phone_code_works_once_and_for_its_own_person(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    other = wechat.create_person("Mo")
    code = wechat.post_control("phone_code", person=wei["person"])["code"]
    stolen = api.mini(PHONE, {"code": code, "openid": other["openid_mp"]})
    assert stolen["errcode"] == 40029
    info = api.mini(PHONE, {"code": code, "openid": wei["openid_mp"]})["phone_info"]
    assert info["purePhoneNumber"].isdigit()
    assert info["watermark"]["appid"] == wechat.apps[MINI].appid
    assert api.mini(PHONE, {"code": code})["errcode"] == 40029


def test_group_data_opens_with_the_session_key_of_its_own_code(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    other = wechat.create_person("Mo")
    groups = []
    for person in (wei, other):
        entry = wechat.post_control("group_entry", person=person["person"], group="class 3")
        key = base64.b64decode(session(api, entry["code"])["session_key"])
        opener = Cipher(algorithms.AES(key), modes.CBC(base64.b64decode(entry["iv"]))).decryptor()
        padded = opener.update(base64.b64decode(entry["encrypted_data"])) + opener.finalize()
        stripper = padding.PKCS7(128).unpadder()
        groups.append(json.loads(stripper.update(padded) + stripper.finalize()))
    assert groups[0]["opengid"] == groups[1]["opengid"]
    assert groups[0]["group_openid"] != groups[1]["group_openid"]
    assert groups[0]["watermark"]["appid"] == wechat.apps[MINI].appid


def code(kind: str, scene: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"action_name": kind, "action_info": {"scene": scene}, **more}


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        (code("QR_STR_SCENE", {"scene_str": "lecture-7"}), None),
        (code("QR_STR_SCENE", {"scene_str": "x" * 65}), 40053),
        (code("QR_STR_SCENE", {"scene_str": ""}), 40053),
        (code("QR_SCENE", {"scene_id": 7}), None),
        (code("QR_SCENE", {"scene_id": 0}), 40053),
        (code("QR_SCENE", {"scene_id": 2**32}), 40053),
        (code("QR_SCENE", {"scene_id": "7"}), 40053),
        (code("QR_LIMIT_SCENE", {"scene_id": 100_001}), 40053),
        (code("QR_LIMIT_STR_SCENE", {"scene_str": "unit"}), None),
        (code("QR_STR_SCENE", {"scene_str": "a"}, expire_seconds=2_592_001), 40053),
        (code("QR_POEM", {}), 40052),
        ({"action_name": "QR_SCENE"}, 40053),
    ],
)
def test_a_scene_has_its_form(api: Api, body: dict[str, Any], errcode: int | None) -> None:
    assert api.official(QR, body).get("errcode") == errcode


def test_a_code_lasts_a_minute_unless_told_otherwise_and_is_a_picture(
    wechat: Emulator, api: Api
) -> None:
    made = api.official(QR, code("QR_STR_SCENE", {"scene_str": "a"}))
    assert made["expire_seconds"] == 60
    assert "expire_seconds" not in api.official(QR, code("QR_LIMIT_SCENE", {"scene_id": 1}))
    (first, second) = wechat.get_control("codes")["items"]
    assert (first["scene"], first["ticket"], first["url"]) == ("a", made["ticket"], made["url"])
    assert second["expires_at"] is None
    assert wechat.world.quota.used_today(wechat.apps[OFFICIAL].appid, QR) == 2


def test_scanning_follows_first_and_tells_the_scene_afterwards(
    wechat: Emulator, api: Api, receiver: Receiver, wei: dict[str, Any]
) -> None:
    made = api.official(QR, code("QR_SCENE", {"scene_id": 7}, expire_seconds=600))
    for _ in range(2):
        wechat.scan_code(wei["person"], made["ticket"])
    events = [opened(wechat.apps[OFFICIAL], push) for push in receiver.pushes]
    assert [(e["Event"], e["EventKey"]) for e in events] == [
        ("subscribe", "qrscene_7"),
        ("SCAN", "7"),
    ]
    assert {e["Ticket"] for e in events} == {made["ticket"]}
    info = api.official("/cgi-bin/user/info", openid=wei["openid_oa"])
    assert (info["subscribe_scene"], info["qr_scene"]) == ("ADD_SCENE_QR_CODE", 7)
    wechat.advance_time(600)
    with pytest.raises(ControlError, match="409"):
        wechat.scan_code(wei["person"], made["ticket"])


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"scene": "a=1&b=2"}, None),
        ({"scene": "x" * 33}, 40169),
        ({"scene": ""}, 40169),
        ({"scene": 7}, 40169),
        ({"scene": "讲座"}, 40129),
        ({"scene": "a%20"}, 40129),
        ({"scene": "a", "page": "pages/a"}, 41030),
        ({"scene": "a", "page": "pages/a", "check_path": False}, None),
        ({"scene": "a", "page": "/pages/a", "check_path": False}, 41030),
        ({"scene": "a", "page": "pages/a?x=1", "check_path": False}, 41030),
        ({"scene": "a", "width": 279}, 40097),
        ({"scene": "a", "width": 1281}, 40097),
        ({"scene": "a", "env_version": "beta"}, 40097),
    ],
)
def test_a_mini_program_code_has_its_rules(
    api: Api, body: dict[str, Any], errcode: int | None
) -> None:
    mime, content = api.raw(WXA, json.dumps(body).encode(), access_token=api.token(MINI))
    if errcode is None:
        assert mime == "image/jpeg"
        with Image.open(io.BytesIO(content)) as picture:
            width = body.get("width", 430)
            assert (picture.format, picture.size) == ("JPEG", (width, width))
    else:
        assert json.loads(content)["errcode"] == errcode


def test_pages_are_those_of_the_real_app_json(tmp_path: Path) -> None:
    manifest = tmp_path / "app.json"
    packages = [{"root": "packages/unit", "pages": ["index"]}]
    manifest.write_text(json.dumps({"pages": ["pages/quiz/index"], "subPackages": packages}))
    with emulated_wechat(app_json=manifest) as emulator:
        api = Api(emulator)
        token = api.token(MINI)
        answers = [
            api.raw(WXA, json.dumps({"scene": "a", "page": page}).encode(), access_token=token)[0]
            for page in ("pages/quiz/index", "packages/unit/index", "pages/none")
        ]
    assert [mime.split(";")[0] for mime in answers] == ["image/jpeg"] * 2 + ["application/json"]


def test_scanning_a_mini_program_code_opens_its_page(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    body = {"scene": "s=1", "page": "pages/a", "check_path": False}
    api.raw(WXA, json.dumps(body).encode(), access_token=api.token(MINI))
    (made,) = wechat.get_control("codes")["items"]
    assert made["kind"] == "WXA_CODE"
    assert wechat.scan_code(wei["person"], made["ticket"])["open"] == {
        "page": "pages/a",
        "scene": "s=1",
    }


def text(person: dict[str, Any], content: str, **changed: Any) -> dict[str, Any]:
    return {
        "version": 2,
        "scene": 1,
        "openid": person["openid_mp"],
        "content": content,
        **changed,
    }


@pytest.mark.parametrize(
    ("content", "suggest"), [("韦小宝", "pass"), ("[risky] x", "risky"), ("[review]", "review")]
)
def test_words_decide_the_content_check(
    wechat: Emulator, api: Api, wei: dict[str, Any], content: str, suggest: str
) -> None:
    wechat.login_code(wei["person"])
    assert api.mini(CHECK, text(wei, content))["result"]["suggest"] == suggest


def test_the_content_check_wants_somebody_seen_within_two_hours(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    assert api.mini(CHECK, text(wei, "hi"))["errcode"] == 61010
    wechat.login_code(wei["person"])
    wechat.advance_time(7200)
    assert api.mini(CHECK, text(wei, "hi"))["errcode"] == 0
    wechat.advance_time(1)
    assert api.mini(CHECK, text(wei, "hi"))["errcode"] == 61010


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"version": 1}, 40097),
        ({"scene": 5}, 40129),
        ({"openid": "nobody"}, 40003),
        ({"content": ""}, 44002),
        ({"content": "x" * 2501}, 45002),
    ],
)
def test_a_wrong_content_check_is_refused(
    wechat: Emulator, api: Api, wei: dict[str, Any], changed: dict[str, Any], errcode: int
) -> None:
    wechat.login_code(wei["person"])
    assert api.mini(CHECK, text(wei, **{"content": "hi", **changed}))["errcode"] == errcode


def test_the_official_accounts_openid_does_not_belong_to_the_mini_program(
    api: Api, wei: dict[str, Any]
) -> None:
    assert api.mini(CHECK, text(wei, "hi", openid=wei["openid_oa"]))["errcode"] == 43104
