"""Selects the reply that matches a text or a scene; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from server.base.clock import BEIJING
from server.channel.readings import as_rule_word as as_rule_word
from server.channel.readings import normalise_text as normalise_text
from server.channel.readings import readings_of, without_marks
from server.channel.readings import visible_text as visible_text

TEXT_LIMIT_BYTES = 2048
UNMATCHED_LENGTH = 64
FORGET_AFTER = timedelta(days=7)
# WeChat accepts a customer-service message for 48 hours; the last hour is a margin for clock
# errors.
LATE_FOR = timedelta(hours=47)
# A claim this old belongs to a dead worker, which may have sent the reply.
CLAIM_LASTS = timedelta(seconds=60)
SEEN_KEPT = timedelta(days=2)
# WeChat returned no unionid; it may return one later, once both apps are bound to one account.
ASK_AFTER_NONE = timedelta(hours=1)
# The list of followers is swept in parts, to stay below WeChat's quota of 500 pages a day and to
# leave time for other tasks; after a complete sweep it rests for a day.
SWEEP_EVERY, SWEEP_REST = timedelta(minutes=5), timedelta(days=1)
SWEEP_PART, SWEEP_BATCH = 1000, 100
SWEEP_SECONDS = 3.0
MINUTES_A_DAY = 24 * 60

_SCENE = re.compile(r"[0-9A-Za-z_-]{1,64}")
# Long numbers may be phone or identity-card numbers, which must not enter the list of unknown
# texts.
_LONG_NUMBER = re.compile(r"[0-9][0-9 -]{4,}[0-9]")


@dataclass(frozen=True, kw_only=True)
class Said:
    """The answer of a rule: a fixed text, or the name of a live answer."""

    text: str | None = None
    answer: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A keyword rule for the matcher; `words` are normalised by `as_rule_word`.

    Units: `daily` is from and to in minutes of the Beijing day; from > to spans midnight.
    """

    slug: str
    words: tuple[str, ...]
    exact: bool
    priority: int
    said: Said
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    daily: tuple[int, int] | None = None

    def counts_at(self, now: datetime) -> bool:
        """Whether the rule's time window is open."""
        if self.starts_at is not None and now < self.starts_at:
            return False
        if self.ends_at is not None and now >= self.ends_at:
            return False
        return self.daily is None or _in_day(self.daily, now)


# A matching rule, and the length of the matched word.
_Hit: TypeAlias = tuple[Rule, int]


@dataclass(frozen=True, kw_only=True)
class SceneRule:
    """A scene reply for the matcher."""

    scene: str
    exact: bool
    said: Said


class Matcher:
    """All keyword rules, indexed so that matching a message is cheap."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._exact: dict[str, list[Rule]] = {}
        self._contains: list[tuple[str, Rule]] = []
        for rule in rules:
            for word in rule.words:
                if rule.exact:
                    self._exact.setdefault(word, []).append(rule)
                else:
                    self._contains.append((word, rule))
        self._most = max((rule.priority for _word, rule in self._contains), default=None)

    def best_rule(self, seen: str, now: datetime) -> Rule | None:
        """The rule that answers: highest priority, then the longer word, then the slug's order.

        All normalised forms of the text count equally; more of them are only computed when they
        could win.
        `seen` is the visible text.
        """
        whole = self._whole_hits(without_marks(seen), now)
        if whole and (self._most is None or whole[0][0].priority > self._most):
            return whole[0][0]
        found = [hit for text in readings_of(seen) for hit in self._find_hits(text, now)]
        return min(found, key=_hit_order)[0] if found else None

    def _find_hits(self, text: str, now: datetime) -> list[_Hit]:
        parts = [
            (rule, len(word))
            for word, rule in self._contains
            if word in text and rule.counts_at(now)
        ]
        return [*self._whole_hits(text, now), *parts]

    def _whole_hits(self, text: str, now: datetime) -> list[_Hit]:
        found = [(r, len(text)) for r in self._exact.get(text, ()) if r.counts_at(now)]
        return sorted(found, key=_hit_order)


def _hit_order(hit: _Hit) -> tuple[int, int, str]:
    rule, length = hit
    return -rule.priority, -length, rule.slug


class Scenes:
    """All scene replies: an exact match first, then the longest prefix."""

    def __init__(self, rules: Iterable[SceneRule]) -> None:
        every = list(rules)
        self._exact = {rule.scene: rule.said for rule in every if rule.exact}
        beginnings = [rule for rule in every if not rule.exact]
        self._beginnings = sorted(beginnings, key=lambda rule: -len(rule.scene))

    def said_for(self, scene: str) -> Said | None:
        """The reply for somebody who comes with this scene."""
        if scene in self._exact:
            return self._exact[scene]
        for rule in self._beginnings:
            if scene.startswith(rule.scene):
                return rule.said
        return None


def unmatched_form(normalised: str) -> str:
    """The form of an unknown text in the statistics: short, and without long numbers."""
    return _LONG_NUMBER.sub("#", normalised)[:UNMATCHED_LENGTH].strip()


def is_scene(scene: str) -> bool:
    """Whether a scene can be stored in a code."""
    return _SCENE.fullmatch(scene) is not None


def fits_reply(text: str) -> bool:
    """Whether WeChat accepts a text reply without cutting it."""
    return 0 < len(text.encode()) <= TEXT_LIMIT_BYTES


def _in_day(daily: tuple[int, int], now: datetime) -> bool:
    begin, end = daily
    local = now.astimezone(BEIJING)
    minute = local.hour * 60 + local.minute
    if begin <= end:
        return begin <= minute < end
    return minute >= begin or minute < end
