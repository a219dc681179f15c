"""Drafts of articles: what WeChat accepts, cuts out of their text, and returns.

Source: "Drafts" of the service account: draft/add, update, get, delete, count, batchget. A draft
disappears when it is sent.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..world import World
from .common import ONLY_OFFICIAL, ApiError, Call, Endpoint, ok_answer
from .material import HOST, knows_material, read_page

MOST_ARTICLES = 8
# Units: characters; the text is also limited in bytes.
TITLE, AUTHOR, DIGEST, TEXT, TEXT_BYTES, ADDRESS = 32, 16, 120, 20_000, 2**20, 1024
USUAL_DIGEST = 54
SCRIPT = re.compile(r"<(script|iframe|style)\b.*?(</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
HANDLER = re.compile(r"""\son\w+\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""", re.IGNORECASE)
IMAGE = re.compile(r"""<img\b[^>]*?\bsrc\s*=\s*["']?([^"'\s>]*)[^>]*>""", re.IGNORECASE)
TAG = re.compile(r"<[^>]*>")
KEPT = ("title", "author", "digest", "content", "content_source_url", "thumb_media_id")


def add_draft(world: World, call: Call) -> dict[str, Any]:
    """Store up to eight articles as one draft."""
    articles = call.body.get("articles")
    if not isinstance(articles, list) or not articles:
        raise ApiError(44004)
    if len(articles) > MOST_ARTICLES:
        raise ApiError(45008)
    read = [_read_article(world, article) for article in articles]
    media_id = world.random_word(64)
    now = world.now()
    world.store.insert_row(
        "drafts", media_id=media_id, articles=_written(read), created=now, updated=now
    )
    return {"media_id": media_id}


def update_draft(world: World, call: Call) -> dict[str, Any]:
    """Replace one article of a draft."""
    media_id = call.text_field("media_id", missing=40007)
    articles = find_articles(world, media_id)
    index = call.body.get("index", 0)
    if type(index) is not int or not 0 <= index < len(articles):
        raise ApiError(40114)
    articles[index] = _read_article(world, call.body.get("articles"))
    sql = "UPDATE drafts SET articles = ?, updated = ? WHERE media_id = ?"
    world.store.run_sql(sql, _written(articles), world.now(), media_id)
    return ok_answer()


def get_draft(world: World, call: Call) -> dict[str, Any]:
    """Return the articles of a draft."""
    media_id = call.text_field("media_id", missing=40007)
    return {"news_item": find_articles(world, media_id)}


def delete_draft(world: World, call: Call) -> dict[str, Any]:
    """Delete a draft."""
    media_id = call.text_field("media_id", missing=40007)
    if not remove_draft(world, media_id):
        raise ApiError(40007)
    return ok_answer()


def count_drafts(world: World, _call: Call) -> dict[str, Any]:
    """Return the number of drafts."""
    return {"total_count": world.store.select_number("SELECT count(*) FROM drafts")}


def list_drafts(world: World, call: Call) -> dict[str, Any]:
    """Return one page of the drafts, newest first; `no_content` leaves out their texts."""
    offset, count = read_page(call)
    bare = call.body.get("no_content") == 1
    sql = "SELECT * FROM drafts ORDER BY updated DESC, media_id LIMIT ? OFFSET ?"
    rows = world.store.all_rows(sql, count, offset)
    return {
        **count_drafts(world, call),
        "item_count": len(rows),
        "item": [
            {
                "media_id": row["media_id"],
                "content": {"news_item": _without_text(json.loads(row["articles"]), bare=bare)},
                "update_time": int(row["updated"]),
            }
            for row in rows
        ],
    }


def find_articles(world: World, media_id: str) -> list[dict[str, Any]]:
    """The articles of a draft.

    Raises: ApiError 40007.
    """
    row = world.store.first_row("SELECT articles FROM drafts WHERE media_id = ?", media_id)
    if row is None:
        raise ApiError(40007)
    articles: list[dict[str, Any]] = json.loads(row["articles"])
    return articles


def remove_draft(world: World, media_id: str) -> bool:
    """Remove a draft; return whether there was one."""
    return world.store.run_sql("DELETE FROM drafts WHERE media_id = ?", media_id) == 1


def _read_article(world: World, article: object) -> dict[str, Any]:
    if not isinstance(article, dict):
        raise ApiError(47001)
    if article.get("article_type", "news") != "news":
        raise ApiError(40008)
    texts = _check_texts(article)
    if not knows_material(world, texts["thumb_media_id"], "image", "thumb"):
        raise ApiError(40007, "thumb_media_id")
    content = clean_text(texts["content"])
    words = " ".join(TAG.sub(" ", content).split())
    return {
        **texts,
        "article_type": "news",
        "content": content,
        "digest": texts["digest"] or words[:USUAL_DIGEST],
        "need_open_comment": int(article.get("need_open_comment") == 1),
        "only_fans_can_comment": int(article.get("only_fans_can_comment") == 1),
        "url": f"http://mp.weixin.qq.com/s/{world.random_word(22)}",
    }


def _check_texts(article: dict[str, Any]) -> dict[str, str]:
    texts = {name: article.get(name) or "" for name in KEPT}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ApiError(47001)
    limits = ((45003, "title", TITLE), (45110, "author", AUTHOR), (45004, "digest", DIGEST))
    for errcode, name, most in (*limits, (45005, "content_source_url", ADDRESS)):
        if len(texts[name]) > most:
            raise ApiError(errcode)
    if not texts["title"]:
        raise ApiError(45003)
    if not texts["content"]:
        raise ApiError(44004)
    if len(texts["content"]) >= TEXT or len(texts["content"].encode()) >= TEXT_BYTES:
        raise ApiError(45002)
    return texts


def clean_text(content: str) -> str:
    """The text of an article without scripts, and without pictures of other hosts."""
    bare = HANDLER.sub("", SCRIPT.sub("", content))
    return IMAGE.sub(lambda found: found[0] if found[1].startswith(HOSTS) else "", bare)


HOSTS = (HOST, HOST.replace("http://", "https://"))


def _without_text(articles: list[dict[str, Any]], *, bare: bool) -> list[dict[str, Any]]:
    if not bare:
        return articles
    return [{key: value for key, value in one.items() if key != "content"} for one in articles]


def _written(articles: list[dict[str, Any]]) -> str:
    return json.dumps(articles, ensure_ascii=False)


ENDPOINTS = [
    Endpoint(
        path="/cgi-bin/draft/add",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=add_draft,
        escapes="refused",
    ),
    Endpoint(
        path="/cgi-bin/draft/update",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=update_draft,
        escapes="refused",
    ),
    Endpoint(path="/cgi-bin/draft/get", method="POST", accounts=ONLY_OFFICIAL, answer=get_draft),
    Endpoint(
        path="/cgi-bin/draft/delete", method="POST", accounts=ONLY_OFFICIAL, answer=delete_draft
    ),
    Endpoint(
        path="/cgi-bin/draft/count", method="GET", accounts=ONLY_OFFICIAL, answer=count_drafts
    ),
    Endpoint(
        path="/cgi-bin/draft/batchget", method="POST", accounts=ONLY_OFFICIAL, answer=list_drafts
    ),
]
