"""What people agreed to receive: one accept, one message."""

from __future__ import annotations

from .world import World

# A stronger yes is a yes: acceptWithAudio, acceptWithAlert, acceptWithForcePush.
YES = "accept"
SELECT = "SELECT count FROM grants WHERE openid = ? AND template_id = ?"


def count(world: World, openid: str, template_id: str) -> int:
    """How many messages of a template may still be sent to this openid."""
    return world.store.number(SELECT, openid, template_id)


def add(world: World, openid: str, template_id: str) -> None:
    """One more accept."""
    world.store.run(
        "INSERT INTO grants (openid, template_id, count) VALUES (?, ?, 1) "
        "ON CONFLICT (openid, template_id) DO UPDATE SET count = count + 1",
        openid,
        template_id,
    )


def take(world: World, openid: str, template_id: str) -> bool:
    """Use one up; whether there was one."""
    changed = world.store.run(
        "UPDATE grants SET count = count - 1 WHERE openid = ? AND template_id = ? AND count > 0",
        openid,
        template_id,
    )
    return changed == 1


def drop(world: World, openid: str, template_id: str) -> None:
    """The person turned the template off."""
    world.store.run("DELETE FROM grants WHERE openid = ? AND template_id = ?", openid, template_id)
