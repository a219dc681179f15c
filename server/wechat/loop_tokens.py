"""An app's token for the calls of an event loop.

The token service blocks, so it runs in a thread; calls of the loop that need the same answer wait
for one request together. All methods run on the loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial

from server.wechat.authorized_client import before_sending
from server.wechat.tokens import TokenService
from server.wechat.transport import Transport

# Seconds for which a token is used without asking the service, which rereads Redis as often.
_TRUSTED_SECONDS = 5.0
_VALID = ""


class LoopTokens:
    """The token that the calls of one loop use."""

    def __init__(self, service: TokenService, transport: Transport, executor: Executor) -> None:
        self._service = service
        self._transport = transport
        self._executor = executor
        self._value = ""
        self._trusted_until = 0.0
        self._replacements = 0
        self._running: dict[str, asyncio.Future[str]] = {}
        self._alarmed_for = ""

    async def valid_token(self) -> str:
        """A token that WeChat should accept.

        Raises: WeChatError, which never leaves the waiting call in doubt.
        """
        if self._value and asyncio.get_running_loop().time() < self._trusted_until:
            return self._value
        return await self._asked_once(_VALID, self._service.valid_token)

    async def replace_refused(self, refused: str) -> str:
        """The successor of a token that WeChat refused.

        Raises: as `valid_token`.
        """
        if self._value not in ("", refused):
            return self._value
        return await self._asked_once(refused, partial(self._service.replace_refused, refused))

    def alarm_once(self, what: str, token: str) -> None:
        """Tell an operator that WeChat refuses the successor too; once per token."""
        if token != self._alarmed_for:
            self._alarmed_for = token
            self._transport.alarm(what)

    async def _asked_once(self, key: str, ask: Callable[[float], str]) -> str:
        running = self._running.get(key)
        if running is None:
            until = self._transport.new_deadline()
            running = asyncio.get_running_loop().run_in_executor(
                self._executor, before_sending, partial(ask, until)
            )
            self._running[key] = running
            running.add_done_callback(partial(self._keep_token, key, self._replacements))
        return await asyncio.shield(running)

    def _keep_token(self, key: str, replacements: int, asked: asyncio.Future[str]) -> None:
        self._running.pop(key, None)
        if asked.cancelled() or asked.exception() is not None:
            return
        if key == _VALID and replacements != self._replacements:
            # A token that was read before a replacement must not overwrite its successor.
            return
        self._replacements += key != _VALID
        self._value = asked.result()
        self._trusted_until = asyncio.get_running_loop().time() + _TRUSTED_SECONDS
