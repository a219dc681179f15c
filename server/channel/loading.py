"""Loads the replies: as shipped (data/replies.json), and as stored in the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, select

from server.base.settings import ROOT, Operator, WeChat
from server.base.uow import UnitOfWork
from server.channel import links, menus, places, rules
from server.channel.errors import RepliesRefused
from server.channel.models import (
    KeywordRule,
    KeywordVersion,
    Mode,
    RuleState,
    SceneMode,
    SceneReply,
)
from server.channel.placeholders import Facts, facts_of, fill_placeholders, placeholder_faults
from server.channel.rules import Matcher, Rule, Said, SceneRule, Scenes

DATA = Path(__file__).parent / "data" / "replies.json"
MANIFEST = ROOT / "miniprogram" / "app.json"


class ShippedRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A keyword rule in the file; with `each`, a pattern for one rule per city or county."""

    slug: str
    words: tuple[str, ...]
    mode: Mode
    priority: int
    text: str | None = None
    answer: str | None = None
    each: places.Kind | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    daily: tuple[int, int] | None = None


class ShippedScene(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scene reply in the file."""

    scene: str
    mode: SceneMode
    text: str | None = None
    answer: str | None = None


class Shipped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The complete file."""

    schema: Literal["channel-replies/1"]
    source: str
    keywords: tuple[ShippedRule, ...]
    scenes: tuple[ShippedScene, ...]
    clicks: dict[str, str]
    menu: dict[str, Any]

    def answer_names(self) -> frozenset[str]:
        """Names of the live answers that the file uses."""
        named = [rule.answer for rule in self.keywords] + [scene.answer for scene in self.scenes]
        return frozenset(name for name in named if name is not None)


class _Package(msgspec.Struct, frozen=True, kw_only=True):
    root: str
    pages: tuple[str, ...]


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The part of app.json that is read; the fields have WeChat's names."""

    pages: tuple[str, ...]
    subPackages: tuple[_Package, ...] = ()  # noqa: N815 - WeChat's name


class ReplyBook:
    """All replies at one version, in memory, so that most messages need no database."""

    def __init__(self, version: int, rows: tuple[Rule, ...], scenes: Scenes) -> None:
        self.version = version
        self.matcher = Matcher(rows)
        self.scenes = scenes
        self.by_slug: Mapping[str, Rule] = {rule.slug: rule for rule in rows}


_READ_SHIPPED, _READ_MANIFEST = msgspec.json.Decoder(Shipped), msgspec.json.Decoder(_Manifest)


@cache
def released_pages(path: Path = MANIFEST) -> frozenset[str]:
    """The pages of this version's mini-program.

    Raises: RepliesRefused (409) when its app.json is missing or invalid.
    """
    try:
        manifest = _READ_MANIFEST.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as trouble:
        raise RepliesRefused(faults=[f"{path.name} of the mini-program: {trouble}"]) from None
    inside = (
        f"{part.root.strip('/')}/{page}" for part in manifest.subPackages for page in part.pages
    )
    return frozenset((*manifest.pages, *inside))


def program_of(wechat: WeChat) -> links.Program:
    """The mini-program that the account links to.

    Raises: RepliesRefused (409) when its app.json cannot be read.
    """
    return links.Program.from_settings(wechat, released_pages())


def read_shipped(path: Path = DATA) -> Shipped:
    """Read and check the file of replies; every linked page must be in app.json.

    Raises: RepliesRefused (409) with every fault under `faults`.
    """
    try:
        shipped = _READ_SHIPPED.decode(path.read_bytes())
    except msgspec.DecodeError as trouble:
        raise RepliesRefused(faults=[str(trouble)]) from None
    every = tuple(rule for pattern in shipped.keywords for rule in _rules_of_places(pattern))
    shipped = msgspec.structs.replace(shipped, keywords=every)
    found = list(_shipped_faults(shipped))
    if found:
        raise RepliesRefused(faults=found)
    return shipped


def _rules_of_places(pattern: ShippedRule) -> Iterator[ShippedRule]:
    if pattern.each is None:
        yield pattern
        return
    for code, names in places.names_by_code(pattern.each).items():
        words = tuple(word.replace("{place}", name) for name in names for word in pattern.words)
        yield msgspec.structs.replace(
            pattern,
            slug=pattern.slug.replace("{code}", code),
            words=words,
            answer=(pattern.answer or "").replace("{code}", code) or None,
            each=None,
        )


def shipped_book(shipped: Shipped, operator: Operator) -> ReplyBook:
    """The shipped replies, for a database that was never seeded."""
    facts = facts_of(operator)
    keywords = (
        Rule(
            slug=rule.slug,
            words=tuple(rules.as_rule_word(word) for word in rule.words),
            exact=rule.mode is Mode.EXACT,
            priority=rule.priority,
            said=_said_with_facts(rule.text, rule.answer, facts),
            starts_at=rule.starts_at,
            ends_at=rule.ends_at,
            daily=rule.daily,
        )
        for rule in shipped.keywords
    )
    scenes = (
        SceneRule(
            scene=scene.scene,
            exact=scene.mode is SceneMode.EXACT,
            said=_said_with_facts(scene.text, scene.answer, facts),
        )
        for scene in shipped.scenes
    )
    return ReplyBook(0, tuple(keywords), Scenes(scenes))


def book_version(uow: UnitOfWork) -> int:
    """The version of the replies; 0 before the first change."""
    return uow.session.scalar(select(KeywordVersion.version)) or 0


def load_book(uow: UnitOfWork) -> ReplyBook:
    """All enabled replies, with the settings' values filled in."""
    version = book_version(uow)
    facts = facts_of(uow.settings.operator)
    connection = uow.session.connection()
    return ReplyBook(
        version, tuple(_active_rules(connection, facts)), Scenes(_active_scenes(connection, facts))
    )


def _said_with_facts(text: str | None, answer: str | None, facts: Facts) -> Said:
    return Said(text=None if text is None else fill_placeholders(text, facts), answer=answer)


def _active_rules(connection: Connection, facts: Facts) -> Iterator[Rule]:
    table = KeywordRule.__table__
    for row in connection.execute(select(table).where(table.c.state == RuleState.ON)):
        yield Rule(
            slug=row.slug,
            words=tuple(rules.as_rule_word(word) for word in row.words),
            exact=row.mode is Mode.EXACT,
            priority=row.priority,
            said=_said_with_facts(row.text, row.answer, facts),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            daily=None if row.daily_from is None else (row.daily_from, row.daily_to),
        )


def _active_scenes(connection: Connection, facts: Facts) -> Iterator[SceneRule]:
    table = SceneReply.__table__
    for row in connection.execute(select(table).where(table.c.state == RuleState.ON)):
        said = _said_with_facts(row.text, row.answer, facts)
        yield SceneRule(scene=row.scene, exact=row.mode is SceneMode.EXACT, said=said)


def _shipped_faults(shipped: Shipped) -> Iterator[str]:
    slugs = [rule.slug for rule in shipped.keywords]
    if len(set(slugs)) < len(slugs):
        yield "a slug is used twice"
    for rule in shipped.keywords:
        if not rule.words or not all(rules.as_rule_word(word) for word in rule.words):
            yield f"{rule.slug}: a word is empty"
        if rule.daily is not None and not all(0 <= m <= rules.MINUTES_A_DAY for m in rule.daily):
            yield f"{rule.slug}: the daily window is in minutes of the day"
        yield from _said_faults(rule.slug, rule.text, rule.answer)
    for scene in shipped.scenes:
        if not rules.is_scene(scene.scene):
            yield f"{scene.scene}: not a scene"
        yield from _said_faults(scene.scene, scene.text, scene.answer)
    yield from (
        f"{key}: no rule {slug}" for key, slug in shipped.clicks.items() if slug not in slugs
    )
    yield from menus.menu_faults(shipped.menu, frozenset(shipped.clicks), released_pages())


def _said_faults(name: str, text: str | None, answer: str | None) -> Iterator[str]:
    if (text is None) == (answer is None):
        yield f"{name}: a text or an answer, not both"
    if text is not None and not rules.fits_reply(text):
        yield f"{name}: the text has more than {rules.TEXT_LIMIT_BYTES} bytes or none"
    yield from (f"{name}: {fault}" for fault in placeholder_faults(text or ""))
    for address in links.pages_linked(text or ""):
        wrong = links.address_fault(address, released_pages())
        if wrong is not None:
            yield f"{name}: {wrong}"
