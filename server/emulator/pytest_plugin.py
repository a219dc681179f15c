"""The emulator as a pytest fixture for any project that uses WeChat.

Registered when installed; `wechat_emulator` starts one WeChat per test.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .testing import Emulator, emulated_wechat


@pytest.fixture
def wechat_options() -> dict[str, Any]:
    """Override it to set the emulator's options, such as `{"deadline_s": 0.2}`."""
    return {}


@pytest.fixture
def wechat_emulator(wechat_options: dict[str, Any]) -> Iterator[Emulator]:
    """Start an emulated WeChat for one test:

    def test_a_grant_is_used_up(wechat_emulator):
        wechat_emulator.push_to(server.url)
        wei = wechat_emulator.person("Wei")
        wechat_emulator.fault("/cgi-bin/message/subscribe/send", errcode=43101, count=1)
        notify(wei["openid_mp"], api_base=wechat_emulator.api_base)
        assert wechat_emulator.inbox(wei["openid_mp"]) == []
    """
    with emulated_wechat(**wechat_options) as emulator:
        yield emulator
