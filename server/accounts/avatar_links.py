"""The two private addresses of a picture whose check is not finished.

WeChat fetches the picture at one of them; the other is for the citizen who uploaded it. Each is
signed with its own key and expires, so neither can be derived from the picture's name or from the
other address.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from server.base.signing import Keys

_LONGEST_INSTANT = 12  # digits of Unix time


class Viewer(StrEnum):
    """The user of a private address."""

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
        """The path of the address."""
        return f"/pictures/{self.viewer}/{self.name}/{self.until}/{self.signature}.jpg"


def sign_link(keys: Keys, viewer: Viewer, name: str, until: datetime) -> PrivateLink:
    """Sign a private address for one viewer, valid until an instant."""
    stated = str(int(until.timestamp()))
    signature = _link_signature(keys, viewer, name, stated)
    return PrivateLink(viewer=viewer.value, name=name, until=stated, signature=signature)


def check_link(keys: Keys, now: datetime, link: PrivateLink) -> Viewer | None:
    """The viewer of an address; None when its signature is wrong or it has expired."""
    viewer = next((one for one in Viewer if one.value == link.viewer), None)
    if viewer is None or not _is_instant(link.until):
        return None
    right = _link_signature(keys, viewer, link.name, link.until)
    if not hmac.compare_digest(right.encode(), link.signature.encode()):
        return None
    ends = datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(link.until))
    return viewer if now < ends else None


def _link_signature(keys: Keys, viewer: Viewer, name: str, until: str) -> str:
    return keys.blind_hash(f"{name}\n{until}", f"picture:{viewer.value}")


def _is_instant(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_INSTANT
