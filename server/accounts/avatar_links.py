"""The two private addresses of a picture that has not passed its check.

One is for WeChat, which fetches the picture to judge it; the other is for the citizen who sent it.
Each is signed with a key of its own and ends by itself, so neither can be made from the name of the
picture, nor one from the other.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from server.base.signing import Keys

_LONGEST_INSTANT = 12  # digits of a Unix time


class Viewer(StrEnum):
    """Who a private address is for."""

    CHECK = "check"
    OWNER = "owner"


@dataclass(frozen=True, kw_only=True)
class PrivateLink:
    """The parts of a private address; `until` is Unix time in seconds, as text."""

    viewer: str
    name: str
    until: str
    signature: str

    @property
    def path(self) -> str:
        """Where the server answers it."""
        return f"/pictures/{self.viewer}/{self.name}/{self.until}/{self.signature}.jpg"


def sign_link(keys: Keys, viewer: Viewer, name: str, until: datetime) -> PrivateLink:
    """The private address of a picture for one viewer, valid until an instant."""
    stated = str(int(until.timestamp()))
    signature = _signature(keys, viewer, name, stated)
    return PrivateLink(viewer=viewer.value, name=name, until=stated, signature=signature)


def check_link(keys: Keys, now: datetime, link: PrivateLink) -> Viewer | None:
    """Who an address is for; None when its signature is wrong or its time is over."""
    viewer = next((one for one in Viewer if one.value == link.viewer), None)
    if viewer is None or not _is_instant(link.until):
        return None
    right = _signature(keys, viewer, link.name, link.until)
    if not hmac.compare_digest(right.encode(), link.signature.encode()):
        return None
    ends = datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(link.until))
    return viewer if now < ends else None


def _signature(keys: Keys, viewer: Viewer, name: str, until: str) -> str:
    return keys.blind(f"{name}\n{until}", f"picture:{viewer.value}")


def _is_instant(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_INSTANT
