"""Which reply fits what somebody wrote or scanned: pure, from rules to the one that wins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from server.base.clock import BEIJING
from server.channel.readings import as_rule_word as as_rule_word
from server.channel.readings import normalise as normalise
from server.channel.readings import readings_of, without_marks
from server.channel.readings import visible as visible

TEXT_LIMIT_BYTES = 2048
UNMATCHED_LENGTH = 64
FORGET_AFTER = timedelta(days=7)
# WeChat takes a customer-service message for 48 hours; the last hour is left to slow clocks.
LATE_FOR = timedelta(hours=47)
# A claim this old belongs to a worker that is gone: it may have spoken.
CLAIM_LASTS = timedelta(seconds=60)
SEEN_KEPT = timedelta(days=2)
# WeChat told no unionid: it may tell one later, once both apps are bound to one platform account.
ASK_AFTER_NONE = timedelta(hours=1)
# The list of followers is gone through in parts, so that WeChat's daily quota of 500 pages and the
# other steps are not hurt; then it is left alone for a day.
SWEEP_EVERY, SWEEP_REST = timedelta(minutes=5), timedelta(days=1)
SWEEP_PART, SWEEP_BATCH = 1000, 100
SWEEP_SECONDS = 3.0
MINUTES_A_DAY = 24 * 60

_SCENE = re.compile(r"[0-9A-Za-z_-]{1,64}")
# Long numbers are phones and identity cards: nobody needs them in a list of unknown words.
_LONG_NUMBER = re.compile(r"[0-9][0-9 -]{4,}[0-9]")


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a rule answers: a fixed text, or the name of an answer from live data."""

    text: str | None = None
    answer: str | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A keyword rule as the matcher sees it; `words` are spelled as `as_rule_word` does.

    Units: `daily` minutes of the Beijing day, from and to; from > to goes over midnight.
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
        """Whether its window is open."""
        if self.starts_at is not None and now < self.starts_at:
            return False
        if self.ends_at is not None and now >= self.ends_at:
            return False
        return self.daily is None or _in_day(self.daily, now)


# A rule that fits, and how many characters of its word do.
_Hit: TypeAlias = tuple[Rule, int]


@dataclass(frozen=True, kw_only=True)
class SceneRule:
    """A scene reply as the matcher sees it."""

    scene: str
    exact: bool
    said: Said


class Matcher:
    """All rules, arranged so that one message costs little."""

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

    def best(self, seen: str, now: datetime) -> Rule | None:
        """The rule that answers: highest priority, then the longer word, then the slug's order.

        Every reading counts the same; the others are only made when one of them could still win.
        Units: `seen` is the visible text.
        """
        whole = self._whole(without_marks(seen), now)
        if whole and (self._most is None or whole[0][0].priority > self._most):
            return whole[0][0]
        found = [hit for text in readings_of(seen) for hit in self._hits(text, now)]
        return min(found, key=_order)[0] if found else None

    def _hits(self, text: str, now: datetime) -> list[_Hit]:
        parts = [
            (rule, len(word))
            for word, rule in self._contains
            if word in text and rule.counts_at(now)
        ]
        return [*self._whole(text, now), *parts]

    def _whole(self, text: str, now: datetime) -> list[_Hit]:
        found = [(r, len(text)) for r in self._exact.get(text, ()) if r.counts_at(now)]
        return sorted(found, key=_order)


def _order(hit: _Hit) -> tuple[int, int, str]:
    rule, length = hit
    return -rule.priority, -length, rule.slug


class Scenes:
    """All scene replies: the scene itself first, then the longest beginning."""

    def __init__(self, rules: Iterable[SceneRule]) -> None:
        every = list(rules)
        self._exact = {rule.scene: rule.said for rule in every if rule.exact}
        beginnings = [rule for rule in every if not rule.exact]
        self._beginnings = sorted(beginnings, key=lambda rule: -len(rule.scene))

    def said(self, scene: str) -> Said | None:
        """What somebody is told who comes by this scene."""
        if scene in self._exact:
            return self._exact[scene]
        for rule in self._beginnings:
            if scene.startswith(rule.scene):
                return rule.said
        return None


def unmatched(normalised: str) -> str:
    """An unknown text as it is counted: short, and without long numbers."""
    return _LONG_NUMBER.sub("#", normalised)[:UNMATCHED_LENGTH].strip()


def is_scene(scene: str) -> bool:
    """Whether a scene can be printed into a code and kept."""
    return _SCENE.fullmatch(scene) is not None


def fits(text: str) -> bool:
    """Whether WeChat takes a text reply whole."""
    return 0 < len(text.encode()) <= TEXT_LIMIT_BYTES


def _in_day(daily: tuple[int, int], now: datetime) -> bool:
    begin, end = daily
    local = now.astimezone(BEIJING)
    minute = local.hour * 60 + local.minute
    if begin <= end:
        return begin <= minute < end
    return minute >= begin or minute < end
