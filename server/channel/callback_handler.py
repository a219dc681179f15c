"""Callback handlers: each message's effects once, in one transaction with the reply.

The webhook calls a handler; the handler calls the chat and the slices' event handlers. No HTTP
here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from server.accounts import service as accounts
from server.base.errors import Unavailable
from server.base.group_commit import GroupCommit
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import late_replies, processed_messages, windows
from server.channel.chat import Chat, Effect, LiveAnswer, reply_or_refusal
from server.channel.contacts import Contacts
from server.channel.loading import read_shipped
from server.channel.reply_rule_cache import ReplyRuleCache
from server.channel.rule_stats import RuleStats
from server.wechat.callback.inbound import Envelope, Message
from server.wechat.callback.replies import Reply

_log = logging.getLogger(__name__)

# Events of a person on whose reply a slice decides. WeChat's own reports take none.
# Source: "custom menu events": the phone waits for the reply to a scan.
ANSWERED_BY_SLICES = frozenset({("event", "scancode_waitmsg")})

# A slice's handler of a WeChat event: the lower-case event name, and the function.
Handler = tuple[str, Effect]


@dataclass(frozen=True, kw_only=True)
class Events:
    """The events that slices handle, by their lower-case names.

    `handlers` have effects, once per message. `idle` tells the messages of such an event without
    effects. `reports` are stored in shared transactions, before a handler's effects: they may come
    a thousand times a second, and a repeat stores nothing new.
    """

    handlers: Iterable[Handler] = ()
    idle: Iterable[tuple[str, Callable[[Message], bool]]] = ()
    reports: Iterable[tuple[str, GroupCommit]] = ()


class CallbackHandler:
    """The handler of one app; without a `chat` it sends no replies of its own."""

    def __init__(
        self,
        uow_factory: UnitOfWorkFactory,
        envelope: Envelope,
        events: Events,
        *,
        chat: Chat | None = None,
    ) -> None:
        self._uow_factory = uow_factory
        self._envelope = envelope
        self._chat = chat
        self._effects = _effect_table(events.handlers, chat)
        self._idle = {event.lower(): idle for event, idle in events.idle}
        self._reports = {event.lower(): store for event, store in events.reports}

    @property
    def envelope(self) -> Envelope:
        """Signature check and encryption of this app."""
        return self._envelope

    def reply_without_effects(self, message: Message) -> Reply | None:
        """The reply to a message without effects; None when it has some."""
        place = _kind_and_event(message)
        if message.event in self._reports:
            return None
        if self._chat is not None:
            reply = self._chat.reply_without_effects(message)
            # When the chat has no reply, a slice may handle the message.
            if reply is None or reply.says_something or place not in self._effects:
                return reply
        return None if self._has_effects(message) else Reply()

    def apply_effects(self, message: Message) -> Reply:
        """Apply a message's effects once per `message.key`; a repeat gets the first reply.

        Raises: Unavailable (503) when it failed: nothing is stored, and WeChat repeats the message.
        A message without effects gets an apology as its reply instead.
        """
        report = self._reports.get(message.event)
        if report is not None:
            report.store_item(message)
            if not self._has_effects(message):
                return Reply()
        try:
            return self._apply_once(message)
        except Unavailable as refusal:
            if self._chat is None or _kind_and_event(message) not in self._chat.asking:
                raise
            return Reply.of_text(
                self._uow_factory.dependencies.texts.error_text(refusal.code, refusal.facts)
            )

    def _has_effects(self, message: Message) -> bool:
        idle = self._idle.get(message.event)
        return _kind_and_event(message) in self._effects and not (idle and idle(message))

    def _apply_once(self, message: Message) -> Reply:
        with self._uow_factory.begin() as uow:
            earlier = processed_messages.claim_message(uow, message.key)
            if earlier is not None:
                return earlier
            reply = self._run_handler(uow, message)
            whose = accounts.citizen_of_openid(uow, message.app, message.openid, create=False)
            processed_messages.store_reply(uow, message.key, reply, whose)
            return reply

    def deliver_late(self, message: Message, reply: Reply) -> None:
        """Deliver a late reply as a customer-service message, once per key."""
        if message.app != late_replies.APP or reply.kind != "text":
            _log.warning("late reply cannot be delivered", extra={"outcome": reply.kind})
            return
        with self._uow_factory.begin() as uow:
            if message.kind != "event":
                # Before its use is counted, so that the write of all contacts does not undo that.
                at = min(message.created_at, uow.now.timestamp())
                windows.record_messages(uow, {message.openid: datetime.fromtimestamp(at, UTC)})
            late_replies.queue_reply(uow, message.key, message.openid, reply.text)

    def _run_handler(self, uow: UnitOfWork, message: Message) -> Reply:
        place = _kind_and_event(message)
        doing = self._effects.get(place)
        if doing is None:
            return Reply()
        reply = reply_or_refusal(uow, lambda: doing(uow, message))
        if self._chat is None:
            return Reply()
        if place in ANSWERED_BY_SLICES:
            return self._chat.link_reply(reply)
        # Only events of a person's chat take a reply, WeChat's own reports do not.
        return reply if place in self._chat.effects else Reply()


def official_account_handler(
    uow_factory: UnitOfWorkFactory,
    envelope: Envelope,
    *,
    answers: Mapping[str, LiveAnswer],
    events: Events | None = None,
    rule_stats: RuleStats | None = None,
    contacts: Contacts | None = None,
) -> CallbackHandler:
    """Create the official account's handler, with its chat.

    Raises: ValueError when the shipped replies refer to an unknown live answer.
    """
    shipped = read_shipped()
    counts = RuleStats(uow_factory) if rule_stats is None else rule_stats
    heard = Contacts(uow_factory) if contacts is None else contacts
    chat = Chat(
        uow_factory.dependencies,
        ReplyRuleCache(uow_factory, shipped),
        counts,
        shipped,
        answers,
        heard,
    )
    return CallbackHandler(uow_factory, envelope, events or Events(), chat=chat)


def mini_program_handler(
    uow_factory: UnitOfWorkFactory, envelope: Envelope, events: Events | None = None
) -> CallbackHandler:
    """Create the mini-program's handler: no chat, only the slices' event handlers."""
    return CallbackHandler(uow_factory, envelope, events or Events())


def _kind_and_event(message: Message) -> tuple[str, str]:
    return message.kind, message.event


def _effect_table(handlers: Iterable[Handler], chat: Chat | None) -> dict[tuple[str, str], Effect]:
    table = dict(chat.effects) if chat is not None else {}
    for event, doing in handlers:
        place = ("event", event.lower())
        if place in table:
            raise ValueError(f"two slices do something with the event {event}")
        table[place] = doing
    return table
