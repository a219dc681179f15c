"""The official vectors, and every way in which an envelope can be wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from server.wechat.callback.crypto import Cipher, equal_signatures, sign_parts
from server.wechat.errors import SignatureRefused
from tests.kit.wechat_side import pad, raw_encrypt

KEY, APPID = "A" * 43, "wxba5fad812f8e6fb9"
PUSHED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcv"
    "ZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3F"
    "n2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSe"
    "OBrebufAlr7F9mFUPAJGj04="
)
ANSWERED = (
    "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
)
RAW_DATA = (
    '{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong",'
    '"country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w7'
    'bQxKARol6503Iuswjjn6nIGBiaycAjAtpujxyzYsrztuuICqIM5ibXQ/0"}'
)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("AAAAA", "1714036504", "1514711492"), "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        (("AAAAA", "1714037059", "486452656"), "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        (("AAAAA", "1714112445", "415670741", PUSHED), "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"),
        (
            ("AAAAA", "1713424427", "415670741", ANSWERED),
            "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
        ),
    ],
    ids=["address check", "plain push", "safe push", "safe reply"],
)
def test_signatures_are_the_official_ones(parts: tuple[str, ...], expected: str) -> None:
    assert sign_parts(*parts) == expected


def test_the_official_push_opens() -> None:
    plain = Cipher(KEY, APPID).decrypt_message(PUSHED)
    assert len(plain) == 167
    assert b'"Event":"debug_demo"' in plain.replace(b" ", b"")


def test_the_official_reply_is_sealed_to_the_same_text() -> None:
    sealed = Cipher(KEY, APPID).encrypt_message(b'{"demo_resp":"good luck"}', b"707722b803182950")
    assert sealed == ANSWERED


def test_other_official_signatures_hold_with_the_standard_library() -> None:
    """Vectors of calls that this server answers with the same primitives later on."""
    raw = hashlib.sha1((RAW_DATA + "HyVFkGl5F5OQWJZZaNzBBg==").encode()).hexdigest()
    assert raw == "75e81ceda165f4ffa64f4068af58c64b8f54b88c"
    state = hmac.new(b"o0q0otL8aEzpcZL/FT9WsQ==", b'{"foo":"bar"}', hashlib.sha256).hexdigest()
    assert state == "654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b"
    ticket = (
        "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    )
    text = (
        f"jsapi_ticket={ticket}&noncestr=Wm3WZYTPz0wzccnW&timestamp=1414587457"
        "&url=http://mp.weixin.qq.com?params=value"
    )
    assert hashlib.sha1(text.encode()).hexdigest() == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


@pytest.mark.parametrize("size", [0, 1, 11, 12, 13, 31, 32, 33, 600, 65536])
def test_what_is_sealed_opens_again(size: int) -> None:
    cipher = Cipher(KEY, APPID)
    plain = bytes(n % 251 for n in range(size))
    assert cipher.decrypt_message(cipher.encrypt_message(plain, b"p" * 16)) == plain


def content(plain: bytes = b"hello", length: int | None = None, appid: str = APPID) -> bytes:
    stated = len(plain) if length is None else length
    return b"r" * 16 + stated.to_bytes(4, "big") + plain + appid.encode()


def with_pad(raw: bytes, last: bytes) -> str:
    return raw_encrypt(KEY, raw[: len(raw) - len(last)] + last)


WHOLE = pad(content())
BROKEN = {
    "nothing": "",
    "no base64": "%%%",
    "a line break in base64": PUSHED[:64] + "\n" + PUSHED[64:],
    "not whole blocks": base64.b64encode(b"x" * 17).decode(),
    "one zero block": base64.b64encode(bytes(16)).decode(),
    "random bytes": base64.b64encode(hashlib.sha256(b"x").digest()).decode(),
    "pad of zero": with_pad(WHOLE, b"\x00"),
    "pad of 33": raw_encrypt(KEY, b"r" * 15 + b"\x21" * 33),
    "pad of 255": with_pad(WHOLE, b"\xff"),
    "pad bytes that differ": with_pad(WHOLE, b"\x02\x03"),
    "pad bytes that differ after a whole message": raw_encrypt(
        KEY, WHOLE[:-2] + b"\0" + WHOLE[-1:]
    ),
    "pad longer than the text": raw_encrypt(KEY, b"\x20" * 16),
    "all pad": raw_encrypt(KEY, b"\x20" * 32),
    "shorter than the header": raw_encrypt(KEY, pad(b"r" * 18)),
    "a header alone": raw_encrypt(KEY, pad(b"r" * 16 + bytes(4))),
    "length beyond the end": raw_encrypt(KEY, pad(content(length=10_000))),
    "length of 4 GiB": raw_encrypt(KEY, pad(content(length=2**32 - 1))),
    "length one too long": raw_encrypt(KEY, pad(content(length=6))),
    "length one too short": raw_encrypt(KEY, pad(content(length=4))),
    "another appid": raw_encrypt(KEY, pad(content(appid="wx0000000000000000"))),
    "no appid": raw_encrypt(KEY, pad(content(appid=""))),
    "appid and more": raw_encrypt(KEY, pad(content(appid=APPID + "x"))),
    "an appid in capitals": raw_encrypt(KEY, pad(content(appid=APPID.upper()))),
    "under another key": raw_encrypt("B" * 43, pad(content())),
    "not ascii": "密文",
}


@pytest.mark.parametrize("encrypted", BROKEN.values(), ids=BROKEN.keys())
def test_every_wrong_envelope_is_the_same_refusal(encrypted: str) -> None:
    with pytest.raises(SignatureRefused) as refusal:
        Cipher(KEY, APPID).decrypt_message(encrypted)
    assert (refusal.value.status, refusal.value.facts) == (403, {})


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "密" * 43, "A" * 42 + "="])
def test_a_key_of_the_wrong_shape_is_refused_at_the_start(key: str) -> None:
    with pytest.raises(ValueError, match="EncodingAESKey"):
        Cipher(key, APPID)


def test_a_key_without_an_appid_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="appid"):
        Cipher(KEY, "")


def test_a_prefix_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Cipher(KEY, APPID).encrypt_message(b"x", b"short")


@pytest.mark.parametrize("theirs", ["", "a", "密", "\ud800", "ab"])
def test_signatures_that_differ_in_any_way_are_not_the_same(theirs: str) -> None:
    assert not equal_signatures("aa", theirs)
    assert equal_signatures("aa", "aa")
