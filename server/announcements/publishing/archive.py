"""The ZIP of a pack: the texts without a link, and a folder for each channel. Pure.

Texts are UTF-8 with a byte order mark and Windows line ends, so that Notepad opens them.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from server.announcements.publishing.links import draw_link
from server.announcements.publishing.publication import Publication
from server.announcements.publishing.wording import Say, write_long, write_short
from server.base.clock import BEIJING

# Characters that Windows refuses in the name of a file.
_REFUSED = re.compile(r'[<>:"/\\|?*]')
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, kw_only=True)
class PackedChannel:
    """A channel with its link, and the mini-program code that WeChat made for it, if any."""

    name: str
    link: str
    mini_code: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class PackedParts:
    """All that goes into a ZIP."""

    publication: Publication
    channels: Sequence[PackedChannel]
    picture: bytes | None = field(repr=False)
    made_at: datetime


def write_archive(parts: PackedParts, say: Say) -> bytes:
    """Write the ZIP; it draws QR codes, so never call it inside a transaction.

    The same parts give the same bytes.
    """
    made = io.BytesIO()
    at = parts.made_at.astimezone(BEIJING).timetuple()[:6]

    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as pack:

        def add(name: str, content: bytes) -> None:
            entry = zipfile.ZipInfo(name, at)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            pack.writestr(entry, content)

        for name, content in _texts_of(parts.publication, "", say):
            add(name, content)
        if parts.picture is not None:
            add(say("announcements.pack_file.picture") + ".jpg", parts.picture)
        for number, channel in enumerate(parts.channels, start=1):
            folder = f"{number:02d} {name_folder(channel.name)}".rstrip()
            for name, content in _files_of(parts.publication, channel, say):
                add(f"{folder}/{name}", content)
    return made.getvalue()


def _files_of(
    publication: Publication, channel: PackedChannel, say: Say
) -> list[tuple[str, bytes]]:
    files = [
        (say("announcements.pack_file.link") + ".txt", _for_notepad(channel.link)),
        *_texts_of(publication, channel.link, say),
        (say("announcements.pack_file.web_code") + ".png", draw_link(channel.link)),
    ]
    if channel.mini_code is not None:
        ending = "jpg" if channel.mini_code.startswith(_JPEG) else "png"
        name = say("announcements.pack_file.mini_code")
        files.append((f"{name}.{ending}", channel.mini_code))
    return files


def _texts_of(publication: Publication, link: str, say: Say) -> list[tuple[str, bytes]]:
    texts = {"short": write_short(publication, link), "long": write_long(publication, link, say)}
    return [
        (say(f"announcements.pack_file.{name}") + ".txt", _for_notepad(text))
        for name, text in texts.items()
    ]


def name_folder(name: str) -> str:
    """A name without what file systems refuse: marks, invisible characters, a dot at the end."""
    visible = "".join(one for one in name if unicodedata.category(one)[0] != "C")
    return _REFUSED.sub("_", visible).strip().rstrip(". ")


def _for_notepad(text: str) -> bytes:
    lines = "\r\n".join(text.splitlines())
    return f"\ufeff{lines}\r\n".encode()
