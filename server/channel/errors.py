"""The refusals of the official account's own matters."""

from __future__ import annotations

from server.base.errors import Conflict


class MenuRefused(Conflict):
    """The menu breaks WeChat's limits, or has an entry that nothing answers."""

    code = "menu_refused"


class RepliesRefused(Conflict):
    """The file of replies cannot be used as it stands."""

    code = "replies_refused"


class SceneRefused(Conflict):
    """A scene that WeChat would not take: 1 to 64 letters, digits, `_` or `-`."""

    code = "scene_refused"
