"""The form of WeChat's answers on the wire: content types, chunked bodies, request ids."""

from __future__ import annotations

import http.client
import io
import json
import re
from typing import Any

import pytest
from PIL import Image

from server.emulator.apps import MINI
from server.emulator.dispatch import ENDPOINTS
from server.emulator.testing import Emulator
from tests.emulator.conftest import Api

RID = re.compile(r" rid: ([0-9a-f]{8})-[0-9a-f]{8}-[0-9a-f]{8}$")
WXA = "/wxa/getwxacodeunlimit"


def test_a_login_is_answered_as_plain_text(wechat: Emulator, api: Api) -> None:
    app = wechat.apps[MINI]
    query = {"appid": app.appid, "secret": app.secret, "grant_type": "authorization_code"}
    code = wechat.login_code(wechat.create_person()["person"])
    for js_code in (code, "made-up"):
        mime, content = api.raw("/sns/jscode2session", None, js_code=js_code, **query)
        assert mime == "text/plain"
        assert json.loads(content)
    assert api.raw("/cgi-bin/token", None)[0].startswith("application/json")


@pytest.mark.parametrize("path", ["/cgi-bin/stable_token", WXA, "/cgi-bin/media/upload"])
def test_a_body_without_a_length_is_refused_by_the_gateway(wechat: Emulator, path: str) -> None:
    host, _, port = wechat.base.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    try:
        connection.request("POST", f"/api{path}", iter([b"{", b"}"]), encode_chunked=True)
        answer = connection.getresponse()
        assert answer.status == 412
        answer.read()
        # The connection goes on with the next request.
        connection.request("POST", f"/api{path}", b"{}")
        assert connection.getresponse().status == 200
    finally:
        connection.close()
    assert [call["status"] for call in wechat.list_calls(path)] == [412, 200]


@pytest.mark.parametrize("path", sorted(ENDPOINTS))
def test_every_refusal_ends_with_a_request_id_that_tells_its_second(
    wechat: Emulator, api: Api, path: str
) -> None:
    method = ENDPOINTS[path].method
    refused = [api.post(path, {}) if method == "GET" else api.get(path)]
    refused.append(api.get(path) if method == "GET" else api.post(path, {}))
    wechat.order_fault(path, errcode=-1)
    refused.append(api.get(path) if method == "GET" else api.post(path, {}))
    for answer in refused:
        assert answer["errcode"] != 0
        found = RID.search(answer["errmsg"])
        assert found, answer
        assert int(found[1], 16) == int(wechat.world.now())


def test_a_transparent_code_is_a_png_and_any_other_a_jpeg(api: Api) -> None:
    def drawn(**more: Any) -> tuple[str, Image.Image]:
        body = json.dumps({"scene": "a", "width": 300, **more}).encode()
        mime, content = api.raw(WXA, body, access_token=api.token(MINI))
        return mime, Image.open(io.BytesIO(content))

    mime, clear = drawn(is_hyaline=True)
    assert (mime, clear.format, clear.size) == ("image/png", "PNG", (300, 300))
    assert clear.getpixel((0, 0)) == (0, 0, 0, 0)
    mime, opaque = drawn()
    assert (mime, opaque.format, opaque.mode) == ("image/jpeg", "JPEG", "RGB")
