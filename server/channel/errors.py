"""Errors of the official account."""

from __future__ import annotations

from server.base.errors import Conflict


class _Faulty(Conflict):
    """An error with one line per fault in `faults`; a failing start prints them."""

    def __str__(self) -> str:
        faults = self.facts.get("faults")
        lines = faults if isinstance(faults, list) else []
        return "; ".join([self.code, *map(str, lines)])


class MenuRefused(_Faulty):
    """The menu violates WeChat's limits, or has an entry without an answer."""

    code = "menu_refused"


class RepliesRefused(_Faulty):
    """The file of replies is invalid."""

    code = "replies_refused"


class SceneRefused(Conflict):
    """A scene that WeChat would refuse: valid are 1 to 64 letters, digits, `_` or `-`."""

    code = "scene_refused"


class ChannelNameTaken(Conflict):
    """The place has a code with this name for the same object."""

    code = "channel_name_taken"


class TooManyChannels(Conflict):
    """The place has `most` codes for the object."""

    code = "too_many_channels"
