"""Which handler a message belongs to: a table, put together once from what the slices offer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from server.wechat.inbound import Message
from server.wechat.replies import Reply

Answering = Callable[[Message], Reply | None]


@dataclass(frozen=True, kw_only=True)
class Handler:
    """What a slice does with one kind of message, or with one event when `event` is given.

    Units: `pure` touches no store and returns None when this message needs `effects`.
    """

    kind: str = "event"
    event: str = ""
    pure: Answering | None = None
    effects: Answering | None = None


class Router:
    """The table of one app."""

    def __init__(self, handlers: Iterable[Handler]) -> None:
        self._table: dict[tuple[str, str], Handler] = {}
        for handler in handlers:
            place = (handler.kind.lower(), handler.event.lower())
            if place in self._table:
                raise ValueError(f"two handlers for {place}")
            if handler.pure is None and handler.effects is None:
                raise ValueError(f"a handler that does nothing for {place}")
            self._table[place] = handler

    def pure(self, message: Message) -> Reply | None:
        """The reply to a message without effects, None when it has some; nobody's is nothing."""
        handler = self._table.get((message.kind, message.event))
        if handler is None:
            return Reply()
        reply = handler.pure(message) if handler.pure is not None else None
        if reply is None and handler.effects is None:
            return Reply()
        return reply

    def effects(self, message: Message) -> Reply:
        """Let the handler do its work; call it inside whatever it needs around it."""
        handler = self._table.get((message.kind, message.event))
        if handler is None or handler.effects is None:
            return Reply()
        return handler.effects(message) or Reply()
