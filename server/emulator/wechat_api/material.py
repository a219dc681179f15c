"""Permanent material of the official account, and the pictures inside articles.

Source: "Permanent material" of the service account: add_material, get_material, batchget_material,
get_materialcount, del_material, and uploadimg.
"""

from __future__ import annotations

import json
from typing import Any

from ..world import World
from .common import ONLY_OFFICIAL, ApiError, Call, Endpoint, Picture, ok_answer
from .media import MB, MP4_NAME_AT, PICTURES, RULES, Rule, read_upload

BATCH = 20
# Most of each kind. Source: "Permanent material": 100,000 pictures, 1,000 of the others.
MOST = {"image": 100_000, "voice": 1000, "video": 1000, "thumb": 100_000}
ARTICLE_PICTURE = Rule(MB, PICTURES[:2])
INSIDE_ARTICLE = "article"
HOST = "http://mmbiz.qpic.cn/"


def add_material(world: World, call: Call) -> dict[str, Any]:
    """Store a file permanently."""
    kind = call.query.get("type", "")
    if kind not in MOST:
        raise ApiError(40004)
    mime, upload = read_upload(call, RULES[kind], MP4_NAME_AT if kind == "video" else 0)
    name = _read_title(call) if kind == "video" else upload.name
    sql = "SELECT count(*) FROM materials WHERE kind = ?"
    if world.store.select_number(sql, kind) >= MOST[kind]:
        raise ApiError(45009, "material")
    media_id, url = _keep_file(world, (kind, mime, name), upload.content)
    return {"media_id": media_id, **({"url": url} if kind in ("image", "thumb") else {})}


def upload_article_picture(world: World, call: Call) -> dict[str, Any]:
    """Store a picture for the text of an article; it is no material and has an address only."""
    mime, upload = read_upload(call, ARTICLE_PICTURE, 0, too_large=40009)
    _media_id, url = _keep_file(world, (INSIDE_ARTICLE, mime, upload.name), upload.content)
    return {"url": url}


def _read_title(call: Call) -> str:
    """The title of a video, from the form field `description`."""
    try:
        said = json.loads(call.form.get("description", ""))
    except ValueError as error:
        raise ApiError(47001) from error
    title = said.get("title") if isinstance(said, dict) else None
    if not isinstance(title, str) or not title:
        raise ApiError(45003)
    return title


def _keep_file(world: World, facts: tuple[str, str, str], content: bytes) -> tuple[str, str]:
    kind, mime, name = facts
    media_id, form = world.random_word(64), mime.rpartition("/")[2]
    url = f"{HOST}mmbiz_{form}/{world.random_word(60)}/0?wx_fmt={form}"
    world.store.insert_row(
        "materials",
        media_id=media_id,
        kind=kind,
        mime=mime,
        name=name,
        content=content,
        url=url,
        updated=world.now(),
    )
    return media_id, url


def get_material(world: World, call: Call) -> dict[str, Any] | Picture:
    """Return a file, or the description of a video."""
    row = _find_material(world, call)
    if row["kind"] == "video":
        return {"title": row["name"], "description": "", "down_url": row["url"]}
    return Picture(row["content"], row["mime"])


def delete_material(world: World, call: Call) -> dict[str, Any]:
    """Delete a file."""
    row = _find_material(world, call)
    world.store.run_sql("DELETE FROM materials WHERE media_id = ?", row["media_id"])
    return ok_answer()


def _find_material(world: World, call: Call) -> Any:
    row = world.store.first_row(
        "SELECT * FROM materials WHERE media_id = ? AND kind != ?",
        call.text_field("media_id", missing=40007),
        INSIDE_ARTICLE,
    )
    if row is None:
        raise ApiError(40007)
    return row


def count_material(world: World, _call: Call) -> dict[str, Any]:
    """Return the number of files of each kind."""
    rows = world.store.all_rows("SELECT kind, count(*) AS many FROM materials GROUP BY kind")
    found = {row["kind"]: row["many"] for row in rows}
    images = found.get("image", 0) + found.get("thumb", 0)
    return {
        "voice_count": found.get("voice", 0),
        "video_count": found.get("video", 0),
        "image_count": images,
        "news_count": 0,
    }


def list_material(world: World, call: Call) -> dict[str, Any]:
    """Return one page of a kind, newest first."""
    kind = call.body.get("type")
    if kind not in ("image", "voice", "video"):
        raise ApiError(40004)
    offset, count = read_page(call)
    kinds = ("image", "thumb") if kind == "image" else (kind, kind)
    where = "FROM materials WHERE kind IN (?, ?)"
    sql = f"SELECT * {where} ORDER BY updated DESC, media_id LIMIT ? OFFSET ?"
    rows = world.store.all_rows(sql, *kinds, count, offset)
    return {
        "total_count": world.store.select_number(f"SELECT count(*) {where}", *kinds),
        "item_count": len(rows),
        "item": [
            {
                "media_id": row["media_id"],
                "name": row["name"],
                "update_time": int(row["updated"]),
                "url": row["url"],
            }
            for row in rows
        ],
    }


def read_page(call: Call) -> tuple[int, int]:
    """The offset and count of a list.

    Raises: ApiError 40097 for a negative offset, or a count outside 1 to 20.
    """
    offset, count = call.body.get("offset"), call.body.get("count")
    if type(offset) is not int or offset < 0 or type(count) is not int or not 1 <= count <= BATCH:
        raise ApiError(40097, "offset or count")
    return offset, count


def knows_material(world: World, media_id: object, *kinds: str) -> bool:
    """Whether the account has this permanent file, as one of these kinds."""
    sql = "SELECT kind FROM materials WHERE media_id = ?"
    row = world.store.first_row(sql, media_id if isinstance(media_id, str) else "")
    return row is not None and row["kind"] in kinds


def find_picture(world: World, *, url: str = "", media_id: str = "") -> Picture | None:
    """A picture of an article by its address or its material, for the phone."""
    row = world.store.first_row(
        "SELECT mime, content FROM materials WHERE url = ? OR media_id = ?",
        url.replace("https://", "http://"),
        media_id,
    )
    return None if row is None else Picture(row["content"], row["mime"])


ENDPOINTS = [
    Endpoint(
        path="/cgi-bin/material/add_material",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=add_material,
        takes="file",
    ),
    Endpoint(
        path="/cgi-bin/media/uploadimg",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=upload_article_picture,
        takes="file",
    ),
    Endpoint(
        path="/cgi-bin/material/get_material",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=get_material,
    ),
    Endpoint(
        path="/cgi-bin/material/del_material",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=delete_material,
    ),
    Endpoint(
        path="/cgi-bin/material/get_materialcount",
        method="GET",
        accounts=ONLY_OFFICIAL,
        answer=count_material,
    ),
    Endpoint(
        path="/cgi-bin/material/batchget_material",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=list_material,
    ),
]
