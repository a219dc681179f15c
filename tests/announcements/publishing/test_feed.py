"""The public feed, read by parsers of others."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import xmltodict
from defusedxml import ElementTree
from flask import Flask
from werkzeug.test import TestResponse

from server.announcements.enums import AnnouncementState
from server.base.access import REGION, Scope
from server.base.uow import UnitOfWork
from tests.conftest import application_of
from tests.kit.announcements import an_announcement

PATH = "/feeds/announcements.atom"
ATOM = "{http://www.w3.org/2005/Atom}"
NANNING, LIUZHOU = Scope(city="450100"), Scope(city="450200")


def sent(uow: UnitOfWork, title: str, scope: Scope = REGION, **columns: Any) -> None:
    """An announcement that was sent."""
    given = {"state": AnnouncementState.DONE, "began_at": uow.now, **columns}
    an_announcement(uow, scope=scope, title=title, **given)


def ask(app: Flask, query: str = "", **headers: str) -> TestResponse:
    return app.test_client().get(PATH + query, headers=headers)


def titles(app: Flask, query: str = "") -> list[str]:
    found = xmltodict.parse(ask(app, query).data, force_list=("entry",))["feed"]
    return [one["title"] for one in found.get("entry", ())]


def test_only_what_was_sent_to_everybody_is_public(app: Flask) -> None:
    with application_of(app).uow_factory.begin() as uow:
        sent(uow, "全区")
        sent(uow, "暂停中", state=AnnouncementState.PAUSED)
        sent(uow, "主题", audience={"topics": ["lectures"]}, began_at=uow.now + timedelta(hours=1))
        for state in AnnouncementState:
            an_announcement(uow, title=f"未发出 {state}", state=state)
        sent(uow, "已取消", state=AnnouncementState.CANCELLED)
        for name, part in {
            "took_part": {"programme": "quiz-contest"},
            "contest": {"contest": "daily"},
            "signups": {"activities": ["act_1"]},
            "came_by": {"scenes": ["poster-1"]},
            "units": ["unt_1"],
            "correction_of": "ann_1",
            "unknown": 1,
        }.items():
            sent(uow, f"个人 {name}", audience={name: part})
        sent(uow, "给 {昵称} 的通知")
    assert titles(app) == ["主题", "暂停中", "全区"]


def test_a_city_reads_its_own_and_those_of_the_region_for_it(app: Flask) -> None:
    with application_of(app).uow_factory.begin() as uow:
        sent(uow, "全区")
        sent(uow, "南宁的", NANNING)
        sent(uow, "兴宁区的", Scope(city="450100", county="450103"))
        sent(uow, "柳州的", LIUZHOU)
        sent(uow, "全区发南宁", audience={"cities": ["450100"]})
        sent(uow, "全区发柳州", audience={"cities": ["450200"]})
        sent(uow, "全区发城中区", audience={"counties": ["450202"]})
    assert titles(app, "?city=450100") == ["全区发南宁", "兴宁区的", "南宁的", "全区"]
    assert titles(app, "?city=450200") == ["全区发城中区", "全区发柳州", "柳州的", "全区"]
    assert len(titles(app)) == 7
    assert ask(app, "?city=110000").status_code == 404


def test_a_withdrawn_one_is_marked_and_has_its_reason_as_text(app: Flask) -> None:
    with application_of(app).uow_factory.begin() as uow:
        sent(uow, "讲座改期", body="旧的时间", withdrawn_at=uow.now, remark="时间写错了")
    (entry,) = ElementTree.fromstring(ask(app).data).findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "【已撤回】讲座改期"
    assert entry.findtext(f"{ATOM}content") == "时间写错了"
    assert [one.get("term") for one in entry.findall(f"{ATOM}category")] == ["withdrawn"]


HOSTILE = [
    "<script>alert(1)</script>",
    "a & b ]]> \"'",
    "\x00\x0b\x1f\ufffe控制",
    "表情😀",
    "&amp;lt;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_makes_a_valid_document(app: Flask, text: str) -> None:
    stored = text.replace("\x00", "")
    with application_of(app).uow_factory.begin() as uow:
        sent(uow, stored, body=stored)
    answer = ask(app)
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.data)
    entry = feed.find(f"{ATOM}entry")
    kept = "".join(one for one in stored if one >= " " and one != "\ufffe")
    assert entry.findtext(f"{ATOM}content") == kept
    # Elements that RFC 4287 requires of a feed and of an entry, each once.
    for part in (feed, entry):
        for name in ("id", "title", "updated"):
            assert len(part.findall(ATOM + name)) == 1, name
            assert part.findtext(ATOM + name)
        assert part.findtext(f"{ATOM}author/{ATOM}name")
        assert datetime.fromisoformat(part.findtext(f"{ATOM}updated")).tzinfo is not None
    assert feed.find(f"{ATOM}link[@rel='self']").get("href").endswith(PATH)


def test_ids_are_unique_and_stay_the_same(app: Flask) -> None:
    with application_of(app).uow_factory.begin() as uow:
        for number in range(3):
            sent(uow, f"第{number}条")
    feeds = [xmltodict.parse(ask(app, query).data)["feed"] for query in ("", "", "?city=450100")]
    ids = [[one["id"] for one in feed["entry"]] for feed in feeds]
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids[0])) == 3
    assert feeds[0]["id"] != feeds[2]["id"]


def test_an_unchanged_feed_is_not_sent_again(app: Flask) -> None:
    with application_of(app).uow_factory.begin() as uow:
        sent(uow, "第一条")
    first = ask(app)
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert first.last_modified is not None
    tag = first.headers["ETag"]
    again = ask(app, **{"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    with application_of(app).uow_factory.begin() as uow:
        sent(uow, "第二条")
    changed = ask(app, **{"If-None-Match": tag})
    assert (changed.status_code, changed.headers["ETag"] == tag) == (200, False)


def test_an_empty_feed_is_valid(app: Flask) -> None:
    feed = ElementTree.fromstring(ask(app).data)
    assert feed.findall(f"{ATOM}entry") == []
    assert feed.findtext(f"{ATOM}updated")
