"""The refusals of the official account's own matters."""

from __future__ import annotations

from server.base.errors import Conflict


class _Faulty(Conflict):
    """A refusal with a line for each complaint under `faults`; a start that fails shows them."""

    def __str__(self) -> str:
        faults = self.facts.get("faults")
        lines = faults if isinstance(faults, list) else []
        return "; ".join([self.code, *map(str, lines)])


class MenuRefused(_Faulty):
    """The menu breaks WeChat's limits, or has an entry that nothing answers."""

    code = "menu_refused"


class RepliesRefused(_Faulty):
    """The file of replies cannot be used as it stands."""

    code = "replies_refused"


class SceneRefused(Conflict):
    """A scene that WeChat would not take: 1 to 64 letters, digits, `_` or `-`."""

    code = "scene_refused"
