"""Sends letters over the pooled connections of one event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from server.wechat.authorized_client import AuthorizedClient
from server.wechat.errors import BadContent, CallInDoubt, ConfigWrong, TokenRefused, WeChatError
from server.wechat.gateway import FanOutResult
from server.wechat.letter_calls import accepted_of, account_of, call_of
from server.wechat.letters import Accepted, PushLetter
from server.wechat.loop_tokens import LoopTokens
from server.wechat.transport import ANSWER_LIMIT, Transport, encode_body

if TYPE_CHECKING:
    import aiohttp
    import yarl

_log = logging.getLogger(__name__)

# Paths of letters, with the present and the previous token.
_MOST_ADDRESSES = 16


class SendLine:
    """The connections of one fan-out; created, used and closed on its loop.

    Units: at most `connections` open connections.
    """

    def __init__(
        self,
        transport: Transport,
        accounts: Mapping[str, AuthorizedClient],
        mini_program_appid: str,
        connections: int,
    ) -> None:
        # Imported here, because the web server never fans out, and it costs 15 MB.
        import aiohttp
        import yarl

        self._mini_program_appid = mini_program_appid
        self._transport = transport
        self._judge = transport.judge
        self._executor = ThreadPoolExecutor(len(accounts), thread_name_prefix="fan-out-token")
        self._tokens = {
            name: LoopTokens(client.tokens, transport, self._executor)
            for name, client in accounts.items()
        }
        self._timeout = aiohttp.ClientTimeout
        self._url = yarl.URL
        # Building an address costs more than sending a letter should.
        self._addresses: dict[tuple[str, str], yarl.URL] = {}
        self._broken = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
        self._never_left = (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
            aiohttp.NonHttpUrlClientError,
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, limit_per_host=connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "Content-Type": "application/json"},
            trust_env=False,
            # A small compressed answer could unpack to gigabytes.
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close the connections; no call may run any more."""
        await self._session.close()
        self._executor.shutdown()

    async def send_letter(self, letter: PushLetter) -> FanOutResult:
        """Send one letter; return its result, an error as a value."""
        failure: WeChatError
        try:
            return await self._send_with_token(letter)
        except WeChatError as error:
            failure = error
        except Exception as error:
            # A fault of ours must not lose the letter. Only its class is logged, because the error
            # may contain the letter.
            _log.error("fan-out failed", extra={"outcome": type(error).__name__})
            failure = CallInDoubt()
        # The traceback would keep the letter and the token alive as long as the result.
        failure.__context__ = None
        return failure.with_traceback(None)

    async def _send_with_token(self, letter: PushLetter) -> Accepted:
        until = asyncio.get_running_loop().time() + self._transport.total_seconds
        call = call_of(letter, self._mini_program_appid)
        body = _encoded(call.body or {})
        tokens = self._tokens[account_of(letter)]
        token = await tokens.valid_token()
        try:
            return await self._exchange_call(call.path, body, token, until)
        except TokenRefused:
            # WeChat refused the token before doing anything, so the send may be repeated.
            token = await tokens.replace_refused(token)
        try:
            return await self._exchange_call(call.path, body, token, until)
        except (TokenRefused, ConfigWrong) as error:
            tokens.alarm_once(f"call_{error.kind}", token)
            raise

    def _address_of(self, path: str, token: str) -> yarl.URL:
        address = self._addresses.get((path, token))
        if address is None:
            if len(self._addresses) >= _MOST_ADDRESSES:
                self._addresses.clear()
            address = self._url(f"{self._transport.base}{path}").with_query(access_token=token)
            self._addresses[path, token] = address
        return address

    async def _exchange_call(self, path: str, body: bytes, token: str, until: float) -> Accepted:
        left = until - asyncio.get_running_loop().time()
        self._judge.admit_call(path, left)
        never_left: bool | None = None
        address: yarl.URL | None = None
        status, content = 0, b""
        try:
            address = self._address_of(path, token)
            async with self._session.post(
                address,
                data=body,
                timeout=self._timeout(total=left, connect=self._transport.patience.connect_seconds),
                allow_redirects=False,
            ) as response:
                status, content = response.status, await _read_content(response)
        except self._broken as trouble:
            never_left = address is None or isinstance(trouble, self._never_left)
        if never_left is not None:
            self._judge.break_off(path, never_left=never_left)
        self._judge.check_status(path, status)
        return accepted_of(self._judge.judge_body(path, content))


def _encoded(body: Mapping[str, object]) -> bytes:
    """The JSON of a letter.

    Raises: BadContent for half a character, which no retry mends.
    """
    try:
        return encode_body(body)
    except ValueError:
        raise BadContent from None


async def _read_content(response: aiohttp.ClientResponse) -> bytes:
    length = response.content_length
    if length is not None and length <= ANSWER_LIMIT:
        return await response.read()
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > ANSWER_LIMIT:
            raise ValueError("the answer is too long")
    return b"".join(pieces)
