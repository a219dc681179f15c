"""Calls with an account's token, with at most one retry where the call allows it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, TypeVar

from server.wechat.errors import (
    CallInDoubt,
    ConfigWrong,
    NotSent,
    QuotaSpent,
    SlowDown,
    TokenRefused,
    TryLater,
    WeChatError,
)
from server.wechat.tokens import TokenService
from server.wechat.transport import ApiCall, Transport

_T = TypeVar("_T")


class Repeat(Enum):
    """Rule for retrying a call when it is unknown whether it was executed."""

    HARMLESS = auto()
    NEVER = auto()


class AuthorizedClient:
    """The calls of one app; all attempts of a call share one timeout, token request included."""

    def __init__(self, transport: Transport, tokens: TokenService) -> None:
        self._transport = transport
        self.tokens = tokens

    def call_api(self, call: ApiCall, repeat: Repeat = Repeat.HARMLESS) -> dict[str, Any]:
        """Call with the account's token and return the response."""
        return self._with_token(call, self._transport.call_api, repeat)

    def fetch_picture(self, call: ApiCall) -> bytes:
        """Call with the account's token and return the picture."""
        return self._with_token(call, self._transport.fetch_picture, Repeat.HARMLESS)

    def _with_token(
        self, call: ApiCall, make: Callable[[ApiCall, float], _T], repeat: Repeat
    ) -> _T:
        with self._transport.place_for(call.path):
            return self._call_with_retry(call, make, repeat)

    def _call_with_retry(
        self, call: ApiCall, make: Callable[[ApiCall, float], _T], repeat: Repeat
    ) -> _T:
        until = self._transport.new_deadline()
        token = before_sending(lambda: self.tokens.valid_token(until))
        try:
            return make(call.with_token(token), until)
        except TokenRefused:
            # WeChat refused the token before doing anything, so even a send may be retried.
            refused = token
            token = before_sending(lambda: self.tokens.replace_refused(refused, until))
        except (SlowDown, NotSent):
            raise
        except (TryLater, CallInDoubt):
            if repeat is Repeat.NEVER:
                raise
            self._transport.rest_briefly()
        return self._once_more(call.with_token(token), make, until)

    def _once_more(self, call: ApiCall, make: Callable[[ApiCall, float], _T], until: float) -> _T:
        try:
            return make(call, until)
        except (TokenRefused, ConfigWrong) as error:
            self._transport.alarm(f"call_{error.kind}")
            raise


def before_sending(token: Callable[[], str]) -> str:
    """Get a token. InDoubt about the token request does not leave the waiting call in doubt."""
    try:
        return token()
    except (ConfigWrong, QuotaSpent, SlowDown, TokenRefused):
        raise
    except WeChatError as error:
        raise NotSent(errcode=error.errcode, rid=error.rid) from None
