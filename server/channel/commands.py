"""Operator commands for the account: seed the replies, push the menu, create a code."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from sqlalchemy import Table, select, update

from server.audit.service import Subject, record_change
from server.base.access import REGION, System
from server.base.ownership import owned_by
from server.base.sql.tables import Base, insert_for
from server.base.uow import UnitOfWork, UnitOfWorkFactory
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
    """Changes of a seeding; rows edited by an operator are never changed."""

    added: int
    updated: int
    switched_off: int


@dataclass(frozen=True, kw_only=True)
class Code:
    """A permanent code of the official account.

    `url` is the content of the code, `picture_url` the address of WeChat's picture of it.
    """

    scene: str
    ticket: str
    url: str
    picture_url: str


def seed_replies(uow_factory: UnitOfWorkFactory, shipped: Shipped | None = None) -> Seeded:
    """Load the shipped replies into the database; a repeat changes nothing.

    Raises: RepliesRefused (409) when the file is invalid.
    """
    file = loading.read_shipped() if shipped is None else shipped
    actor = System(name="seed-replies")
    with uow_factory.begin(actor) as uow:
        region = owned_by(REGION)
        keywords = [
            _Row({"slug": rule.slug}, _keyword_values(rule), region) for rule in file.keywords
        ]
        scenes = [
            _Row({"scene": scene.scene, "mode": scene.mode}, _scene_values(scene))
            for scene in file.scenes
        ]
        one, other = _seed_rows(uow, KeywordRule, keywords), _seed_rows(uow, SceneReply, scenes)
        seeded = Seeded(
            added=one.added + other.added,
            updated=one.updated + other.updated,
            switched_off=one.switched_off + other.switched_off,
        )
        if seeded != Seeded(added=0, updated=0, switched_off=0):
            replies_changed(uow)
            subject = Subject("replies", "shipped")
            record_change(uow, actor, "channel.seed_replies", subject, after=asdict(seeded))
    return seeded


def replies_changed(uow: UnitOfWork) -> None:
    """Make every process reload the replies."""
    made = insert_for(uow.session, KeywordVersion).values(id=1, version=1)
    uow.session.execute(
        made.on_conflict_do_update(
            index_elements=["id"], set_={"version": KeywordVersion.version + 1}
        )
    )


def push_menu(
    uow_factory: UnitOfWorkFactory, gateway: Gateway, *, show: Show | None = None
) -> list[str]:
    """Show how the shipped menu differs from the live one, then push it; return the same lines.

    Raises: MenuRefused (409) before anything is pushed, a WeChatError when WeChat refuses.
    """
    shipped = loading.read_shipped()
    program = loading.program_of(uow_factory.dependencies.settings.wechat)
    with uow_factory.begin(read_only=True) as uow:
        answered = _answered_keys(uow, shipped)
    faults = menus.menu_faults(shipped.menu, answered, program.pages)
    if not program.appid:
        faults.append("wechat.mini_program.appid is not set: no entry can open a page")
    if faults:
        raise MenuRefused(faults=faults)
    menu = menus.complete_menu(shipped.menu, program)
    live = gateway.current_menu() or {}
    lines = list(
        difflib.unified_diff(
            menus.menu_lines(live), menus.menu_lines(menu), "live menu", "new menu", lineterm=""
        )
    ) or ["the live menu is the same"]
    if show is not None:
        for line in lines:
            show(line)
    gateway.push_menu(menu)
    actor = System(name="push-menu")
    with uow_factory.begin(actor) as uow:
        record_change(uow, actor, "channel.push_menu", Subject("menu", "official"),
                      after={"lines": len(lines)})  # fmt: skip
    return lines


def scene_code(uow_factory: UnitOfWorkFactory, gateway: Gateway, scene: str) -> Code:
    """The permanent code of a scene, created once and stored.

    Raises: SceneRefused (409), a WeChatError when WeChat refuses.
    """
    if not rules.is_scene(scene):
        raise SceneRefused(scene=scene)
    with uow_factory.begin(read_only=True) as uow:
        known = _kept_code(uow, scene)
    if known is not None:
        return known
    made = gateway.scene_code(scene, permanent=True)
    actor = System(name="scene-code")
    with uow_factory.begin(actor) as uow:
        uow.session.execute(
            insert_for(uow.session, SceneCode)
            .values(
                scene=scene,
                ticket=made.ticket,
                url=made.url,
                picture_url=made.picture_url,
                made_at=uow.now,
                **owned_by(REGION),
            )
            .on_conflict_do_nothing()
        )
        record_change(uow, actor, "channel.make_code", Subject("scene_code", scene))
        kept = _kept_code(uow, scene)
    assert kept is not None  # noqa: S101 - written just now, here or by a concurrent call
    return kept


def _kept_code(uow: UnitOfWork, scene: str) -> Code | None:
    row = uow.session.get(SceneCode, scene)
    if row is None:
        return None
    return Code(scene=scene, ticket=row.ticket, url=row.url, picture_url=row.picture_url)


def _answered_keys(uow: UnitOfWork, shipped: Shipped) -> frozenset[str]:
    if loading.book_version(uow):
        book = loading.load_book(uow)
    else:
        book = loading.shipped_book(shipped, uow.settings.operator)
    return frozenset(key for key, slug in shipped.clicks.items() if slug in book.by_slug)


@dataclass(frozen=True)
class _Row:
    key: Mapping[str, Any]
    values: Mapping[str, Any]
    # Values for a new row that are never updated.
    once: Mapping[str, Any] = field(default_factory=dict)


def _seed_rows(uow: UnitOfWork, table: type[Base], rows: list[_Row]) -> Seeded:
    """Insert the missing rows, then update and switch off the rows that no operator edited."""
    added = _insert_missing(uow, table, rows)
    names = tuple(rows[0].key) if rows else ()
    shipped = {tuple(row.key[name] for name in names): row for row in rows}
    updated, gone = 0, []
    unedited = select(table.__table__).where(table.__table__.c.edited.is_(False))
    for stored in uow.session.execute(unedited).mappings():
        row = shipped.get(tuple(stored[name] for name in names))
        if row is not None:
            updated += _update_changed(uow, table, stored, row)
        elif stored["state"] == RuleState.ON:
            gone.append(stored["id"])
    if gone:
        columns = table.__table__.c
        uow.session.execute(update(table).where(columns.id.in_(gone)).values(state=RuleState.OFF))
    return Seeded(added=added, updated=updated, switched_off=len(gone))


def _insert_missing(uow: UnitOfWork, table: type[Base], rows: list[_Row]) -> int:
    if not rows:
        return 0
    shipped = cast(Table, table.__table__)
    made = insert_for(uow.session, shipped).on_conflict_do_nothing().returning(shipped.c.id)
    fresh = {"state": RuleState.ON, "edited": False}
    values = [{**row.key, **row.values, **row.once, **fresh} for row in rows]
    return len(uow.session.execute(made, values).all())


def _update_changed(
    uow: UnitOfWork, table: type[Base], stored: Mapping[Any, Any], row: _Row
) -> bool:
    wanted = {**row.values, "state": RuleState.ON}
    if all(stored[name] == wanted[name] for name in wanted):
        return False
    same_row = table.__table__.c.id == stored["id"]
    uow.session.execute(update(table).where(same_row).values(**wanted))
    return True


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
