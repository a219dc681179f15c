"""Temporary media: uploaded, downloaded, and referenced by messages for three days.

Source: "Add temporary media", "Get temporary media": kinds, sizes and formats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..apps import App
from ..world import World
from .common import BOTH, ApiError, Call, Endpoint, Picture, Upload

KEPT_SECONDS = 3 * 86_400
MB = 2**20


@dataclass(frozen=True)
class Rule:
    """The maximum size of a kind, and the first bytes of its formats with their content types."""

    most: int
    starts: tuple[tuple[bytes, str], ...]


PICTURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
RULES = {
    "image": Rule(10 * MB, PICTURES),
    "voice": Rule(
        2 * MB, ((b"#!AMR", "audio/amr"), (b"ID3", "audio/mp3"), (b"\xff\xfb", "audio/mp3"))
    ),
    "video": Rule(10 * MB, ((b"ftyp", "video/mp4"),)),
    "thumb": Rule(64 * 1024, PICTURES[:1]),
}
# The first box of an MP4 file starts with its length.
MP4_NAME_AT = 4


def upload_media(world: World, call: Call) -> dict[str, Any]:
    """Store a file for three days."""
    kind = call.query.get("type", "")
    rule = RULES.get(kind)
    if rule is None:
        raise ApiError(40004)
    mime, upload = read_upload(call, rule, MP4_NAME_AT if kind == "video" else 0)
    media_id = world.random_word(64)
    world.store.insert_row(
        "media",
        media_id=media_id,
        appid=call.app.appid,
        kind=kind,
        mime=mime,
        content=upload.content,
        expires=world.now() + KEPT_SECONDS,
    )
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    return {"type": kind, name: media_id, "created_at": int(world.now())}


def read_upload(
    call: Call, rule: Rule, starts_at: int, too_large: int = 40006
) -> tuple[str, Upload]:
    """The content type of the uploaded file, and the file.

    Raises: ApiError 41005, 44001, 40005, or `too_large`.
    """
    if call.upload is None:
        raise ApiError(41005)
    content = call.upload.content
    if not content:
        raise ApiError(44001)
    if len(content) > rule.most:
        raise ApiError(too_large)
    starts = content[starts_at:]
    mime = next((said for start, said in rule.starts if starts.startswith(start)), None)
    if mime is None:
        raise ApiError(40005)
    return mime, call.upload


def fetch_media(world: World, call: Call) -> Picture:
    """Return the bytes of an uploaded file."""
    row = world.store.first_row(
        "SELECT mime, content FROM media WHERE media_id = ? AND appid = ? AND expires > ?",
        call.query.get("media_id", ""),
        call.app.appid,
        world.now(),
    )
    if row is None:
        raise ApiError(40007)
    return Picture(row["content"], row["mime"])


def knows_media(world: World, app: App, media_id: object, *kinds: str) -> bool:
    """Whether an app still has this file, as one of these kinds."""
    row = world.store.first_row(
        "SELECT kind FROM media WHERE media_id = ? AND appid = ? AND expires > ?",
        media_id if isinstance(media_id, str) else "",
        app.appid,
        world.now(),
    )
    return row is not None and row["kind"] in kinds


ENDPOINTS = [
    Endpoint(
        path="/cgi-bin/media/upload",
        method="POST",
        accounts=BOTH,
        answer=upload_media,
        takes="file",
    ),
    Endpoint(path="/cgi-bin/media/get", method="GET", accounts=BOTH, answer=fetch_media),
]
