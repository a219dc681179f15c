"""What an operator does with the account: seed the replies, push the menu, get a code."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from server.base.access import REGION
from server.base.ownership import owned_by
from server.base.tables import Base, insert_for
from server.base.work import Desk, Work
from server.channel import loading, menus, rules
from server.channel.errors import MenuRefused, SceneRefused
from server.channel.loading import Shipped, ShippedRule, ShippedScene
from server.channel.models import (
    KeywordRule,
    KeywordVersion,
    RuleState,
    SceneCode,
    SceneReply,
)
from server.wechat.gateway import Gateway

Show = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """What a seeding changed; rows that somebody edited are never touched."""

    added: int
    updated: int
    switched_off: int


@dataclass(frozen=True, kw_only=True)
class Code:
    """A permanent code of the official account.

    Units: `url` is what the code says, `picture_url` where WeChat draws it.
    """

    scene: str
    ticket: str
    url: str
    picture_url: str


def seed_replies(desk: Desk, shipped: Shipped | None = None) -> Seeded:
    """Bring the shipped replies into the database; a second time changes nothing.

    Raises: RepliesRefused (409) when the file is wrong.
    """
    file = loading.read_shipped() if shipped is None else shipped
    with desk.work() as work:
        region = owned_by(REGION)
        keywords = [
            _Row({"slug": rule.slug}, _keyword_values(rule), region) for rule in file.keywords
        ]
        scenes = [
            _Row({"scene": scene.scene, "mode": scene.mode}, _scene_values(scene))
            for scene in file.scenes
        ]
        one, other = _bring(work, KeywordRule, keywords), _bring(work, SceneReply, scenes)
        seeded = Seeded(
            added=one.added + other.added,
            updated=one.updated + other.updated,
            switched_off=one.switched_off + other.switched_off,
        )
        if seeded != Seeded(added=0, updated=0, switched_off=0):
            replies_changed(work)
    return seeded


def replies_changed(work: Work) -> None:
    """Let every process read the replies anew."""
    made = insert_for(work.session, KeywordVersion).values(id=1, version=1)
    work.session.execute(
        made.on_conflict_do_update(
            index_elements=["id"], set_={"version": KeywordVersion.version + 1}
        )
    )


def push_menu(desk: Desk, gateway: Gateway, *, show: Show | None = None) -> list[str]:
    """Show how the shipped menu differs from the live one, then push it; the same lines come back.

    Raises: MenuRefused (409) before anything is pushed, a WeChatError when WeChat refuses.
    """
    shipped = loading.read_shipped()
    program = loading.program_of(desk.tools.settings.wechat)
    with desk.work(read_only=True) as work:
        answered = _answered_keys(work, shipped)
    faults = menus.faults(shipped.menu, answered, program.pages)
    if not program.appid:
        faults.append("wechat.mini_program.appid is not set: no entry can open a page")
    if faults:
        raise MenuRefused(faults=faults)
    menu = menus.complete(shipped.menu, program)
    live = gateway.current_menu() or {}
    lines = list(
        difflib.unified_diff(
            menus.lines(live), menus.lines(menu), "live menu", "new menu", lineterm=""
        )
    ) or ["the live menu is the same"]
    if show is not None:
        for line in lines:
            show(line)
    gateway.push_menu(menu)
    return lines


def scene_code(desk: Desk, gateway: Gateway, scene: str) -> Code:
    """The permanent code of a scene, made once; the same ever after.

    Raises: SceneRefused (409), a WeChatError when WeChat refuses.
    """
    if not rules.is_scene(scene):
        raise SceneRefused(scene=scene)
    with desk.work(read_only=True) as work:
        known = _kept_code(work, scene)
    if known is not None:
        return known
    made = gateway.scene_code(scene, permanent=True)
    with desk.work() as work:
        work.session.execute(
            insert_for(work.session, SceneCode)
            .values(
                scene=scene,
                ticket=made.ticket,
                url=made.url,
                picture_url=made.picture_url,
                made_at=work.now,
                **owned_by(REGION),
            )
            .on_conflict_do_nothing()
        )
        kept = _kept_code(work, scene)
    assert kept is not None  # noqa: S101 - it was just written, by us or by a twin
    return kept


def _kept_code(work: Work, scene: str) -> Code | None:
    row = work.session.get(SceneCode, scene)
    if row is None:
        return None
    return Code(scene=scene, ticket=row.ticket, url=row.url, picture_url=row.picture_url)


def _answered_keys(work: Work, shipped: Shipped) -> frozenset[str]:
    if loading.book_version(work):
        book = loading.load_book(work)
    else:
        book = loading.shipped_book(shipped, work.settings.operator)
    return frozenset(key for key, slug in shipped.clicks.items() if slug in book.by_slug)


@dataclass(frozen=True)
class _Row:
    key: Mapping[str, Any]
    values: Mapping[str, Any]
    # What is written when the row is new and never brought up to date.
    once: Mapping[str, Any] = field(default_factory=dict)


def _bring(work: Work, table: type[Base], rows: list[_Row]) -> Seeded:
    added = updated = 0
    columns = table.__table__.c
    for row in rows:
        made = work.session.scalar(
            insert_for(work.session, table)
            .values(**row.key, **row.values, **row.once, state=RuleState.ON, edited=False)
            .on_conflict_do_nothing()
            .returning(columns.id)
        )
        if made is not None:
            added += 1
            continue
        same_key = [columns[name] == value for name, value in row.key.items()]
        stored = work.session.execute(select(table.__table__).where(*same_key)).one()._mapping
        wanted = {**row.values, "state": RuleState.ON}
        if not stored["edited"] and any(stored[name] != wanted[name] for name in wanted):
            work.session.execute(update(table).where(*same_key).values(**wanted))
            updated += 1
    return Seeded(added=added, updated=updated, switched_off=_switch_off(work, table, rows))


def _switch_off(work: Work, table: type[Base], rows: list[_Row]) -> int:
    shipped = [dict(row.key) for row in rows]
    columns = table.__table__.c
    ours = select(table.__table__).where(columns.edited.is_(False), columns.state == RuleState.ON)
    gone = [
        stored.id
        for stored in work.session.execute(ours)
        if not any(all(stored._mapping[n] == v for n, v in key.items()) for key in shipped)
    ]
    work.session.execute(update(table).where(columns.id.in_(gone)).values(state=RuleState.OFF))
    return len(gone)


def _keyword_values(rule: ShippedRule) -> dict[str, Any]:
    daily_from, daily_to = rule.daily or (None, None)
    return {
        "words": list(rule.words),
        "mode": rule.mode,
        "priority": rule.priority,
        "starts_at": rule.starts_at,
        "ends_at": rule.ends_at,
        "daily_from": daily_from,
        "daily_to": daily_to,
        "text": rule.text,
        "answer": rule.answer,
    }


def _scene_values(scene: ShippedScene) -> dict[str, Any]:
    return {"text": scene.text, "answer": scene.answer}
