"""Base of the gateway over HTTP: the clients of both apps, and the guard of transactions.

wechatpy has its own hosts and token logic; here all of its requests go through our client, so that
it never opens a connection itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from wechatpy.client import WeChatClient

from server.wechat.authorized_client import AuthorizedClient
from server.wechat.errors import ConfigWrong
from server.wechat.letter_calls import MINI_PROGRAM, OFFICIAL_ACCOUNT
from server.wechat.tokens import Credentials
from server.wechat.transport import ApiCall, Transport

_API_HOST = "api.weixin.qq.com"


class _Client(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """wechatpy's client with its HTTP, hosts, tokens and retries replaced.

    Only harmless calls go through it, because it retries them.
    """

    def __init__(self, appid: str, calls: AuthorizedClient) -> None:
        super().__init__(appid, secret="", auto_retry=False)
        self._http.close()
        self._calls = calls

    def _request(self, method: str, url_or_endpoint: str, **options: Any) -> Any:
        base = options.get("api_base_url", self.API_BASE_URL)
        whole = url_or_endpoint if "://" in url_or_endpoint else f"{base}{url_or_endpoint}"
        address = urlsplit(whole)
        if address.hostname != _API_HOST:
            raise ConfigWrong
        call = ApiCall(
            method=method.upper(),
            path=address.path,
            params=options.get("params") or {},
            body=options.get("data"),
        )
        return self._calls.call_api(call)

    def fetch_access_token(self) -> None:
        """Raise ConfigWrong: wechatpy must not fetch tokens; they come from the token service."""
        raise ConfigWrong


class HttpBase:
    """Connections and clients of a gateway over HTTP.

    `outside_transaction` raises when a transaction is open in this thread.
    """

    def __init__(
        self,
        transport: Transport,
        mini_program: Credentials,
        accounts: Mapping[str, AuthorizedClient],
        *,
        official_appid: str,
        mp_base: str,
        outside_transaction: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._mini_program = mini_program
        self._mini_calls = accounts[MINI_PROGRAM]
        self._official_calls = accounts[OFFICIAL_ACCOUNT]
        self._official = _Client(official_appid, self._official_calls)
        self._mp_base = mp_base.rstrip("/")
        self._outside_transaction = outside_transaction
        self._accounts = accounts
