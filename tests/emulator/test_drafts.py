"""Drafts and permanent material of the official account.

Source: "Drafts" and "Permanent material" of the service account, and uploadimg.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.emulator.testing import Emulator
from tests.emulator.conftest import Api, Time
from tests.emulator.kit import JPEG, a_file

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
MATERIAL, ARTICLE_PICTURE = "/cgi-bin/material/add_material", "/cgi-bin/media/uploadimg"


def draft(api: Api, act: str, **body: Any) -> dict[str, Any]:
    return api.official(f"/cgi-bin/draft/{act}", body)


@pytest.fixture
def article(api: Api) -> dict[str, Any]:
    thumb = a_file(api, "image", JPEG, path=MATERIAL)["media_id"]
    return {"title": "科普月", "content": "<p>您好，科普月开始了。</p>", "thumb_media_id": thumb}


def test_a_draft_is_read_changed_counted_and_deleted(
    api: Api, article: dict[str, Any], time_now: Time
) -> None:
    """Source: draft/add, get, update, count, delete."""
    media_id = draft(api, "add", articles=[article])["media_id"]
    (item,) = draft(api, "get", media_id=media_id)["news_item"]
    assert (item["title"], item["digest"]) == ("科普月", "您好，科普月开始了。")
    changed = {**article, "title": "新标题", "digest": "摘要"}
    assert draft(api, "update", media_id=media_id, index=0, articles=changed)["errcode"] == 0
    (item,) = draft(api, "get", media_id=media_id)["news_item"]
    assert (item["title"], item["digest"]) == ("新标题", "摘要")
    assert draft(api, "update", media_id=media_id, index=1, articles=changed)["errcode"] == 40114
    assert api.official("/cgi-bin/draft/count")["total_count"] == 1
    codes = [draft(api, "delete", media_id=media_id)["errcode"] for _ in range(2)]
    assert codes == [0, 40007]


def test_drafts_are_listed_newest_first_in_pages_of_at_most_twenty(
    wechat: Emulator, api: Api, article: dict[str, Any]
) -> None:
    """Source: draft/batchget: count from 1 to 20, no_content."""
    made = []
    for number in range(3):
        titled = {**article, "title": str(number)}
        made.append(draft(api, "add", articles=[titled])["media_id"])
        wechat.advance_time(1)
    told = draft(api, "batchget", offset=1, count=20, no_content=1)
    assert (told["total_count"], told["item_count"]) == (3, 2)
    assert [item["media_id"] for item in told["item"]] == made[1::-1]
    assert "content" not in told["item"][0]["content"]["news_item"][0]
    assert draft(api, "batchget", offset=0, count=21)["errcode"] == 40097


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"title": ""}, 45003),
        ({"title": "长" * 33}, 45003),
        ({"author": "长" * 17}, 45110),
        ({"digest": "长" * 121}, 45004),
        ({"content": ""}, 44004),
        ({"content": "长" * 20_000}, 45002),
        ({"content_source_url": "x" * 1025}, 45005),
        ({"thumb_media_id": "none"}, 40007),
        ({"article_type": "poem"}, 40008),
        ({"title": 5}, 47001),
        ({"title": "长" * 32, "content": "长" * 19_999}, None),
    ],
)
def test_an_article_has_its_limits(
    api: Api, article: dict[str, Any], changed: dict[str, Any], errcode: int | None
) -> None:
    """Source: draft/add: title 32 characters, author 16, text below 20,000, a permanent picture."""
    assert draft(api, "add", articles=[{**article, **changed}]).get("errcode") == errcode


def test_a_draft_has_one_to_eight_articles(api: Api, article: dict[str, Any]) -> None:
    """Source: draft/add, articles."""
    assert draft(api, "add", articles=[])["errcode"] == 44004
    assert draft(api, "add", articles=[article] * 9)["errcode"] == 45008
    assert draft(api, "add", articles=["x"])["errcode"] == 47001
    assert "media_id" in draft(api, "add", articles=[article] * 8)


def test_escaped_chinese_is_refused(api: Api, article: dict[str, Any]) -> None:
    """Source: draft/add, errcode 40033 for escaped characters."""
    body = json.dumps({"articles": [article]}).encode()
    assert api.official("/cgi-bin/draft/add", body)["errcode"] == 40033


def test_a_temporary_picture_cannot_be_the_cover(api: Api, article: dict[str, Any]) -> None:
    """Source: draft/add, thumb_media_id is a permanent one."""
    thumb = a_file(api, "image", JPEG)["media_id"]
    assert draft(api, "add", articles=[{**article, "thumb_media_id": thumb}])["errcode"] == 40007


def test_scripts_and_pictures_of_other_hosts_are_taken_out(
    api: Api, article: dict[str, Any]
) -> None:
    """Source: draft/add, content: scripts and foreign pictures are filtered; uploadimg."""
    own = a_file(api, "image", PNG, path=ARTICLE_PICTURE)["url"]
    content = (
        f'<p onclick="x()">a<script>alert(1)</script></p><img src="{own}">'
        '<img alt="b" src="https://example.org/b.png">'
    )
    media_id = draft(api, "add", articles=[{**article, "content": content}])["media_id"]
    (item,) = draft(api, "get", media_id=media_id)["news_item"]
    assert item["content"] == f'<p>a</p><img src="{own}">'


@pytest.mark.parametrize(
    ("content", "errcode"),
    [(PNG, None), (JPEG, None), (b"GIF89a", 40005), (b"", 44001), (JPEG + bytes(2**20), 40009)],
)
def test_pictures_of_articles_are_small_jpeg_or_png(
    api: Api, content: bytes, errcode: int | None
) -> None:
    """Source: uploadimg: JPEG or PNG below 1 MB."""
    told = a_file(api, "image", content, path=ARTICLE_PICTURE)
    assert told.get("errcode") == errcode


def test_material_is_kept_for_good_and_listed_by_kind(wechat: Emulator, api: Api) -> None:
    """Source: add_material, get_material, get_materialcount, batchget_material, del_material."""
    told = a_file(api, "image", JPEG, path=MATERIAL)
    media_id = told["media_id"]
    assert told["url"].startswith("http://mmbiz.qpic.cn/")
    wechat.advance_time(400 * 86_400)
    path = "/cgi-bin/material/get_material"
    body = json.dumps({"media_id": media_id}).encode()
    assert api.raw(path, body, access_token=api.token()) == ("image/jpeg", JPEG)
    counts = api.official("/cgi-bin/material/get_materialcount")
    assert (counts["image_count"], counts["voice_count"]) == (1, 0)
    listing = "/cgi-bin/material/batchget_material"
    page = api.official(listing, {"type": "image", "offset": 0, "count": 20})
    assert (page["total_count"], page["item"][0]["media_id"]) == (1, media_id)
    assert api.official(listing, {"type": "poem", "offset": 0, "count": 1})["errcode"] == 40004
    delete = "/cgi-bin/material/del_material"
    assert [api.official(delete, {"media_id": media_id})["errcode"] for _ in range(2)] == [0, 40007]


@pytest.mark.parametrize(
    ("kind", "content", "errcode"),
    [("poem", JPEG, 40004), ("image", b"text", 40005), ("thumb", JPEG + bytes(2**16), 40006)],
)
def test_material_has_the_limits_of_its_kind(
    api: Api, kind: str, content: bytes, errcode: int
) -> None:
    """Source: add_material, kinds and sizes."""
    assert a_file(api, kind, content, path=MATERIAL)["errcode"] == errcode


def test_a_video_needs_its_description(api: Api) -> None:
    """Source: add_material, the form field description of a video."""
    video = bytes(4) + b"ftypisom" + bytes(32)
    assert a_file(api, "video", video, path=MATERIAL)["errcode"] == 47001
    form = {"description": json.dumps({"title": "月球", "introduction": ""})}
    media_id = a_file(api, "video", video, path=MATERIAL, form=form)["media_id"]
    told = api.official("/cgi-bin/material/get_material", {"media_id": media_id})
    assert told["title"] == "月球"
