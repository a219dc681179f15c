"""Known scenes: those with a code, of the account or of a channel, or a reply."""

from __future__ import annotations

from sqlalchemy import select

from server.base.uow import UnitOfWork
from server.channel.codes import find_channel_code
from server.channel.models import RuleState, SceneCode, SceneMode, SceneReply


def knows_scene(uow: UnitOfWork, scene: str) -> bool:
    """Whether a scene has a stored code or a reply."""
    if uow.session.get(SceneCode, scene) is not None:
        return True
    if find_channel_code(uow, scene) is not None:
        return True
    rows = uow.session.execute(
        select(SceneReply.scene, SceneReply.mode).where(SceneReply.state == RuleState.ON)
    )
    return any(
        scene == ours or (mode is SceneMode.PREFIX and scene.startswith(ours))
        for ours, mode in rows
    )
