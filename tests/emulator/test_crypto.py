"""The emulator's own signatures and ciphers against the official test vectors."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from server.emulator import crypto

KEY, APPID = "A" * 43, "wxba5fad812f8e6fb9"
SAFE_PUSH = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQ"
    "qcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZu"
    "Mcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb"
    "3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
RAW_DATA = (
    '{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong",'
    '"country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w'
    '7bQxKARol6503Iuswjjn6nIGBiaycAjAtpujxyzYsrztuuICqIM5ibXQ/0"}'
)


def test_the_url_check_vector() -> None:
    signature = crypto.sign_push("AAAAA", "1714036504", "1514711492")
    assert signature == "f464b24fc39322e44b38aa78f5edd27bd1441696"


def test_the_plain_push_vector() -> None:
    signature = crypto.sign_push("AAAAA", "1714037059", "486452656")
    assert signature == "899cf89e464efb63f54ddac96b0a0a235f53aa78"


def test_the_safe_push_vector() -> None:
    signature = crypto.sign_push("AAAAA", "1714112445", "415670741", SAFE_PUSH)
    assert signature == "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
    plain = crypto.decrypt_push(KEY, appid=APPID, encrypted=SAFE_PUSH)
    assert len(plain.encode()) == 167
    assert json.loads(plain)["Event"] == "debug_demo"


def test_the_safe_reply_vector() -> None:
    encrypted = crypto.encrypt_push(
        KEY, appid=APPID, message='{"demo_resp":"good luck"}', prefix=b"707722b803182950"
    )
    assert encrypted == (
        "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
    )
    signature = crypto.sign_push("AAAAA", "1713424427", "415670741", encrypted)
    assert signature == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"


def test_the_raw_data_vector() -> None:
    signature = crypto.raw_data_signature(RAW_DATA, "HyVFkGl5F5OQWJZZaNzBBg==")
    assert signature == "75e81ceda165f4ffa64f4068af58c64b8f54b88c"


def test_the_login_state_vector() -> None:
    signature = crypto.login_state_signature("o0q0otL8aEzpcZL/FT9WsQ==", '{"foo":"bar"}')
    assert signature == "654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_is_sealed_can_be_opened(message: str) -> None:
    sealed = crypto.encrypt_push(KEY, appid=APPID, message=message, prefix=b"0" * 16)
    assert crypto.decrypt_push(KEY, appid=APPID, encrypted=sealed) == message


@pytest.mark.parametrize(
    "encrypted",
    [
        "",
        "not base64!",
        base64.b64encode(b"x" * 15).decode(),
        crypto.encrypt_raw(KEY, b"\x00" * 64),
        crypto.encrypt_raw(KEY, b"a" * 31 + b"\x21"),
        crypto.encrypt_raw(KEY, crypto.pad_push(b"short")),
        crypto.encrypt_raw(KEY, crypto.pad_push(b"r" * 16 + b"\xff\xff\xff\xffabc")),
        crypto.encrypt_raw(KEY, crypto.pad_push(b"r" * 16 + b"\0\0\0\1\xff" + APPID.encode())),
        crypto.encrypt_push(KEY, appid="wx0000000000000000", message="{}", prefix=b"0" * 16),
    ],
    ids=[
        "empty",
        "not base64",
        "no whole block",
        "padding of zero",
        "padding too long",
        "no header",
        "length past the end",
        "not utf-8",
        "another appid",
    ],
)
def test_a_cipher_that_is_not_ours_is_refused(encrypted: str) -> None:
    with pytest.raises(crypto.CryptoError):
        crypto.decrypt_push(KEY, appid=APPID, encrypted=encrypted)


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "=" * 43])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(crypto.CryptoError):
        crypto.push_key(key)


def test_open_data_is_aes_128_under_the_session_key() -> None:
    session_key, iv = base64.b64encode(b"k" * 16).decode(), b"i" * 16
    sealed = crypto.seal_open_data(session_key, iv, {"opengid": "G1"})
    opener = Cipher(algorithms.AES(b"k" * 16), modes.CBC(iv)).decryptor()
    padded = opener.update(base64.b64decode(sealed)) + opener.finalize()
    stripper = padding.PKCS7(128).unpadder()
    assert json.loads(stripper.update(padded) + stripper.finalize()) == {"opengid": "G1"}
