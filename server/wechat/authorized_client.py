"""Calls in the name of an account: with its token, with one retry at most where one is allowed."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, TypeVar

from server.wechat.errors import (
    ConfigWrong,
    InDoubt,
    NotSent,
    QuotaSpent,
    SlowDown,
    TokenRefused,
    TryLater,
    WeChatError,
)
from server.wechat.tokens import TokenService
from server.wechat.transport import Call, Transport

_T = TypeVar("_T")


class Repeat(Enum):
    """Whether a call may be made again when nobody knows whether it was done."""

    HARMLESS = auto()
    NEVER = auto()


class AuthorizedClient:
    """One app's calls. All tries of a call, token included, share one patience."""

    def __init__(self, transport: Transport, tokens: TokenService) -> None:
        self._transport = transport
        self.tokens = tokens

    def ask(self, call: Call, repeat: Repeat = Repeat.HARMLESS) -> dict[str, Any]:
        """The answer to a call made with the account's token."""
        return self._with_token(call, self._transport.ask, repeat)

    def picture(self, call: Call) -> bytes:
        """The picture that a call answers with."""
        return self._with_token(call, self._transport.picture, Repeat.HARMLESS)

    def _with_token(self, call: Call, make: Callable[[Call, float], _T], repeat: Repeat) -> _T:
        with self._transport.place_for(call.path):
            return self._tried(call, make, repeat)

    def _tried(self, call: Call, make: Callable[[Call, float], _T], repeat: Repeat) -> _T:
        until = self._transport.until()
        token = _before_sending(lambda: self.tokens.token(until))
        try:
            return make(call.with_token(token), until)
        except TokenRefused:
            # WeChat did nothing with it, so even a send may go out once more.
            refused = token
            token = _before_sending(lambda: self.tokens.refused(refused, until))
        except (SlowDown, NotSent):
            raise
        except (TryLater, InDoubt):
            if repeat is Repeat.NEVER:
                raise
            self._transport.rest()
        return self._once_more(call.with_token(token), make, until)

    def _once_more(self, call: Call, make: Callable[[Call, float], _T], until: float) -> _T:
        try:
            return make(call, until)
        except (TokenRefused, ConfigWrong) as error:
            self._transport.alarm(f"call_{error.kind}")
            raise


def _before_sending(token: Callable[[], str]) -> str:
    """A token; a doubt about the token's own call is none about the call that waits for it."""
    try:
        return token()
    except (ConfigWrong, QuotaSpent, SlowDown, TokenRefused):
        raise
    except WeChatError as error:
        raise NotSent(errcode=error.errcode, rid=error.rid) from None
