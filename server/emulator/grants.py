"""Subscription grants: one accept allows one message."""

from __future__ import annotations

from .world import World

# acceptWithAudio, acceptWithAlert and acceptWithForcePush also count as accept.
YES = "accept"
SELECT = "SELECT count FROM grants WHERE openid = ? AND template_id = ?"


def count_grants(world: World, openid: str, template_id: str) -> int:
    """How many messages of a template may still be sent to this openid."""
    return world.store.select_number(SELECT, openid, template_id)


def add_grant(world: World, openid: str, template_id: str) -> None:
    """Add one grant."""
    world.store.run_sql(
        "INSERT INTO grants (openid, template_id, count) VALUES (?, ?, 1) "
        "ON CONFLICT (openid, template_id) DO UPDATE SET count = count + 1",
        openid,
        template_id,
    )


def take_grant(world: World, openid: str, template_id: str) -> bool:
    """Consume one grant; return whether there was one."""
    changed = world.store.run_sql(
        "UPDATE grants SET count = count - 1 WHERE openid = ? AND template_id = ? AND count > 0",
        openid,
        template_id,
    )
    return changed == 1


def drop_grants(world: World, openid: str, template_id: str) -> None:
    """Remove all grants, because the person turned the template off."""
    world.store.run_sql(
        "DELETE FROM grants WHERE openid = ? AND template_id = ?", openid, template_id
    )
