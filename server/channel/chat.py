"""Replies of the official account to texts, menu clicks, follows and scans.

Replies that need no database come from memory; the others run inside the handler's transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus

from server.accounts import service as accounts
from server.base.errors import AppError
from server.base.uow import Dependencies, UnitOfWork
from server.channel import rules, service
from server.channel.contacts import Contacts
from server.channel.loading import Shipped, program_of
from server.channel.reply_rule_cache import ReplyRuleCache
from server.channel.rule_stats import RuleStats
from server.channel.rules import Rule, Said
from server.organizers import service as organizers
from server.wechat.callback.inbound import Message
from server.wechat.callback.replies import Reply

_log = logging.getLogger(__name__)

# An answer from live data, for a citizen known from the mini-program or for anybody (None); it may
# contain links, `[words](page)`.
LiveAnswer = Callable[[UnitOfWork, int | None], str]
Effect = Callable[[UnitOfWork, Message], Reply | None]

WORDS_READ = 500
# Maximum clock difference: a message may have a slightly later time than ours.
AHEAD_SECONDS = 600

_NOT_TEXT = {
    "image": "channel.reply.image",
    "voice": "channel.reply.voice",
    "video": "channel.reply.video",
    "shortvideo": "channel.reply.video",
    "location": "channel.reply.location",
    "link": "channel.reply.link",
}
# Menu actions of a follower; each counts as a contact, like a message.
_TAPS = frozenset(
    {
        *("click", "view", "view_miniprogram", "scancode_push", "scancode_waitmsg"),
        *("pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select"),
    }
)
_REPLIES_KEPT = 512
_SELF_TEST = Reply.of_json({"demo_resp": "good luck"})


class Chat:
    """The chat of the official account."""

    def __init__(
        self,
        dependencies: Dependencies,
        reply_rules: ReplyRuleCache,
        rule_stats: RuleStats,
        shipped: Shipped,
        answers: Mapping[str, LiveAnswer],
        contacts: Contacts,
    ) -> None:
        lacking = sorted(shipped.answer_names() - answers.keys())
        if lacking:
            raise ValueError(f"nobody offers the answers {lacking}")
        self._say = dependencies.texts.fill_text
        self._clock = dependencies.clock
        self._reply_rules = reply_rules
        self._rule_stats = rule_stats
        self._contacts = contacts
        self._clicks = shipped.clicks
        self._answers = answers
        # Caches only texts of rules and of the catalogue, never replies about a person.
        self._kept_reply = lru_cache(_REPLIES_KEPT)(self._linked_reply)
        self._program = program_of(dependencies.settings.wechat)
        # These events have no effects, so an apology is a sufficient reply after a failure.
        self.asking = frozenset({("text", ""), ("event", "click")})
        self.effects: Mapping[tuple[str, str], Effect] = {
            ("text", ""): self._answer_text,
            ("event", "click"): self._answer_click,
            ("event", "subscribe"): self._answer_follow,
            ("event", "scan"): self._answer_scan,
            ("event", "unsubscribe"): self._record_unfollow,
        }

    def reply_without_effects(self, message: Message) -> Reply | None:
        """The reply that needs no database; None when this message needs it."""
        if message.kind != "event" or message.event in _TAPS:
            at = _told_at(self._clock.now(), message)
            self._contacts.note_contact(message.openid, at, wrote=message.kind != "event")
        if message.kind not in ("text", "event"):
            return self._standard_reply(_NOT_TEXT.get(message.kind, "channel.reply.other"))
        self._reply_rules.refresh_book()
        if message.kind == "text":
            return self._known_words(message)
        if message.event == "click":
            rule = self._rule_of_click(message)
            return (
                self._fixed_reply(rule.said)
                if rule
                else self._standard_reply("channel.reply.old_menu")
            )
        if message.event == "debug_demo":
            return _SELF_TEST
        return None if ("event", message.event) in self.effects else Reply()

    def _known_words(self, message: Message) -> Reply | None:
        written = rules.visible_text(message.content[:WORDS_READ])
        rule = self._best_rule(written)
        if rule is None:
            unknown = rules.unmatched_form(rules.normalise_text(written))
            self._rule_stats.count_missed(message.key, unknown, self._clock.now())
            return self._standard_reply("channel.reply.fallback")
        reply = self._fixed_reply(rule.said)
        if reply is not None:
            self._rule_stats.count_hit(message.key, rule.slug)
        return reply

    def _best_rule(self, written: str) -> Rule | None:
        return self._reply_rules.book.matcher.best_rule(written, self._clock.now())

    def _rule_of_click(self, message: Message) -> Rule | None:
        return self._reply_rules.book.by_slug.get(self._clicks.get(message.event_key, ""))

    def _answer_text(self, uow: UnitOfWork, message: Message) -> Reply:
        rule = self._best_rule(rules.visible_text(message.content[:WORDS_READ]))
        if rule is None:
            return self._standard_reply("channel.reply.fallback")
        slug = rule.slug
        uow.after_commit(lambda: self._rule_stats.count_hit(message.key, slug))
        return self._linked_reply(self._say_answer(uow, message, rule.said))

    def _answer_click(self, uow: UnitOfWork, message: Message) -> Reply:
        rule = self._rule_of_click(message)
        if rule is None:
            return self._standard_reply("channel.reply.old_menu")
        return self._linked_reply(self._say_answer(uow, message, rule.said))

    def _answer_follow(self, uow: UnitOfWork, message: Message) -> Reply:
        service.record_follow(uow, message.openid, _told_at(uow.now, message), message.scene)
        if not message.scene:
            return self._standard_reply("channel.welcome.plain")
        if message.scene.startswith(organizers.WECHAT_SCENE):
            return self._bind_organizer(uow, message)
        welcome = self._say("channel.welcome.by_code")
        said = self._reply_rules.book.scenes.said_for(message.scene)
        more = self._say_answer(uow, message, said) if said else ""
        return self._linked_reply(f"{welcome}\n\n{more}" if more else welcome)

    def _answer_scan(self, uow: UnitOfWork, message: Message) -> Reply:
        service.record_scan(uow, message.openid, _told_at(uow.now, message), message.scene)
        if message.scene.startswith(organizers.WECHAT_SCENE):
            return self._bind_organizer(uow, message)
        said = self._reply_rules.book.scenes.said_for(message.scene)
        if said is None:
            return self._standard_reply("channel.scan.unknown")
        return self._linked_reply(self._say_answer(uow, message, said))

    def _bind_organizer(self, uow: UnitOfWork, message: Message) -> Reply:
        def bind_scanner() -> Reply:
            name = organizers.bind_wechat(uow, message.openid, message.scene)
            return Reply.of_text(self._say("organizers.account.bound_reply", name=name))

        # `reply_or_refusal` runs it in a savepoint, so that an expired code does not undo the
        # stored follow.
        return reply_or_refusal(uow, bind_scanner)

    def _record_unfollow(self, uow: UnitOfWork, message: Message) -> None:
        service.record_unfollow(uow, message.openid, _told_at(uow.now, message))

    def _say_answer(self, uow: UnitOfWork, message: Message, said: Said) -> str:
        if said.text is not None:
            return said.text
        answer = self._answers.get(said.answer or "")
        if answer is None:
            _log.error("unknown live answer", extra={"rule": said.answer})
            return self._say("channel.reply.fallback")
        citizen_id = accounts.player_of_openid(uow, message.app, message.openid)
        return reply_or_refusal(uow, lambda: Reply.of_text(answer(uow, citizen_id))).text

    def _fixed_reply(self, said: Said) -> Reply | None:
        return None if said.text is None else self._kept_reply(said.text)

    def _standard_reply(self, key: str) -> Reply:
        return self._kept_reply(self._say(key))

    def link_reply(self, reply: Reply) -> Reply:
        """A text of a slice with its links in WeChat's format; another reply is unchanged."""
        return self._linked_reply(reply.text) if reply.kind == "text" else reply

    def _linked_reply(self, words: str) -> Reply:
        return Reply.of_text(self._program.link_pages(words))


def reply_or_refusal(uow: UnitOfWork, doing: Callable[[], Reply | None]) -> Reply:
    """The reply; an error becomes its text, and the effects so far are rolled back.

    Raises: an error that means `try again` (5xx).
    """
    try:
        with uow.open_savepoint():
            return doing() or Reply()
    except AppError as refusal:
        if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return Reply.of_text(uow.texts.error_text(refusal.code, refusal.facts))


def _told_at(now: datetime, message: Message) -> datetime:
    latest = int(now.timestamp()) + AHEAD_SECONDS
    return datetime.fromtimestamp(min(message.created_at, latest), UTC)
