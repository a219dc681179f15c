"""Mass messages of the official account.

Source: "Mass messages" of the service account: message/mass/sendall, send, preview, get, delete,
their limits, and the event MASSSENDJOBFINISH.
"""

from __future__ import annotations

import http.client
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest

from server.emulator.apps import OFFICIAL
from server.emulator.testing import ControlError, Emulator, emulated_wechat
from tests.emulator.conftest import Api, Receiver, Time
from tests.emulator.kit import JPEG, a_file, opened

ALL, SEND = "/cgi-bin/message/mass/sendall", "/cgi-bin/message/mass/send"
PREVIEW, GET = "/cgi-bin/message/mass/preview", "/cgi-bin/message/mass/get"
DELETE, ADD = "/cgi-bin/message/mass/delete", "/cgi-bin/draft/add"
BROKEN = (ConnectionError, http.client.HTTPException, urllib.error.URLError)


@pytest.fixture
def crowd(wechat: Emulator) -> list[str]:
    """The openids of five followers."""
    wechat.post_control("seed", followers=5, seed="crowd")
    rows = wechat.world.store.all_rows("SELECT openid_oa FROM people ORDER BY id")
    return [row["openid_oa"] for row in rows]


def a_draft(api: Api, **changed: Any) -> str:
    thumb = a_file(api, "image", JPEG, path="/cgi-bin/material/add_material")["media_id"]
    article = {"title": "科普月开幕", "content": "<p>您好</p>", "thumb_media_id": thumb, **changed}
    return str(api.official(ADD, {"articles": [article]})["media_id"])


def news(openids: list[str] | None, media_id: str, **more: Any) -> dict[str, Any]:
    scope = {"filter": {"is_to_all": True}} if openids is None else {"touser": openids}
    return {**scope, "msgtype": "mpnews", "mpnews": {"media_id": media_id}, **more}


def words(openids: list[str] | None, content: str = "您好", **more: Any) -> dict[str, Any]:
    scope = {"filter": {"is_to_all": True}} if openids is None else {"touser": openids}
    return {**scope, "msgtype": "text", "text": {"content": content}, **more}


def received(wechat: Emulator, openids: list[str]) -> list[int]:
    return [len(wechat.read_inbox(openid)) for openid in openids]


def test_an_article_reaches_the_list_and_its_draft_is_gone(
    wechat: Emulator, api: Api, crowd: list[str]
) -> None:
    """Source: mass/send returns msg_id and msg_data_id; "Drafts": a sent draft disappears."""
    media_id = a_draft(api)
    told = api.official(SEND, news(crowd[:3], media_id))
    assert (told["errcode"], told["msg_data_id"] > 0) == (0, True)
    assert received(wechat, crowd) == [1, 1, 1, 0, 0]
    (item,) = wechat.read_inbox(crowd[0])
    assert (item["kind"], item["via"], item["content"]) == ("article", "mass", "科普月开幕")
    assert item["msg_id"] == str(told["msg_id"])
    assert api.official("/cgi-bin/draft/get", {"media_id": media_id})["errcode"] == 40007
    told = api.official(GET, {"msg_id": told["msg_id"]})
    assert told["msg_status"] == "SEND_SUCCESS"


@pytest.mark.parametrize(
    ("openids", "errcode"),
    [(1, 40130), (10_001, 40032), ("all", 40032), ([1, 2], 40032)],
)
def test_a_list_has_from_two_to_ten_thousand_openids(
    api: Api, crowd: list[str], openids: Any, errcode: int
) -> None:
    """Source: mass/send, touser has 2 to 10,000 openids; 40130 with fewer than two."""
    if isinstance(openids, int):
        openids = [crowd[0]] if openids == 1 else [f"o{number}" for number in range(openids)]
    assert api.official(SEND, words(openids))["errcode"] == errcode


def test_a_strangers_openid_refuses_the_whole_call(
    wechat: Emulator, api: Api, crowd: list[str]
) -> None:
    """Source: mass/send, errcode 40003."""
    assert api.official(SEND, words([crowd[0], "o" * 28]))["errcode"] == 40003
    assert received(wechat, crowd) == [0] * 5


def test_each_person_receives_four_a_calendar_month(
    wechat: Emulator, api: Api, crowd: list[str], time_now: Time
) -> None:
    """Source: "Mass messages": four per person and calendar month, however they were sent."""
    for number in range(4):
        assert api.official(SEND, words(crowd[:2], str(number)))["errcode"] == 0
    assert api.official(ALL, words(None))["errcode"] == 0
    assert received(wechat, crowd) == [4, 4, 1, 1, 1]
    assert wechat.get_control("mass")["items"][-1]["counts"] == [5, 3, 3, 0]
    wechat.advance_time(31 * 86_400)
    assert api.official(SEND, words(crowd[:2]))["errcode"] == 0
    assert received(wechat, crowd) == [5, 5, 1, 1, 1]


def test_all_followers_are_sent_to_four_times_a_month(api: Api, crowd: list[str]) -> None:
    """Source: mass/sendall: is_to_all at most four times a month; 45028 after that."""
    codes = [api.official(ALL, words(None, str(number)))["errcode"] for number in range(5)]
    assert codes == [0, 0, 0, 0, 45028]
    assert api.official(ALL, {**words(None), "filter": {"is_to_all": False, "tag_id": 2}})[
        "errcode"
    ] == (45159)


def test_people_who_left_or_block_are_filtered(
    wechat: Emulator, api: Api, receiver: Receiver
) -> None:
    """Source: MASSSENDJOBFINISH: FilterCount leaves out people who refuse messages."""
    people = [wechat.create_person(name) for name in ("a", "b", "c", "d")]
    for person in people[:3]:
        wechat.follow_account(person["person"])
    wechat.post_control("people", person=people[0]["person"], blocks=True)
    openids = [person["openid_oa"] for person in people]
    told = api.official(SEND, words(openids))
    assert told["errcode"] == 0
    assert received(wechat, openids) == [0, 1, 1, 0]
    assert wechat.get_control("mass")["items"][0]["counts"] == [4, 2, 2, 0]


def test_the_same_clientmsgid_returns_the_first_msg_id_after_a_minute(
    wechat: Emulator, api: Api, crowd: list[str]
) -> None:
    """Source: mass/send, clientmsgid: 45066 within a minute, 45065 with msg_id within 24 hours."""
    first = api.official(SEND, words(crowd, clientmsgid="m1"))
    assert first["errcode"] == 0
    assert api.official(SEND, words(crowd, clientmsgid="m1"))["errcode"] == 45066
    wechat.advance_time(60)
    again = api.official(SEND, words(crowd, clientmsgid="m1"))
    assert (again["errcode"], again["msg_id"]) == (45065, first["msg_id"])
    wechat.advance_time(86_400)
    assert api.official(SEND, words(crowd, clientmsgid="m1"))["errcode"] == 0
    assert received(wechat, crowd) == [2] * 5
    assert api.official(SEND, words(crowd, clientmsgid="m" * 65))["errcode"] == 45067


def test_without_a_clientmsgid_scope_and_content_are_one(
    wechat: Emulator, api: Api, crowd: list[str]
) -> None:
    """Source: mass/send, clientmsgid: the digest of scope and content is its default."""
    assert api.official(SEND, words(crowd))["errcode"] == 0
    wechat.advance_time(60)
    assert api.official(SEND, words(list(reversed(crowd))))["errcode"] == 45065
    assert api.official(SEND, words(crowd[:2]))["errcode"] == 0
    assert received(wechat, crowd) == [2, 2, 1, 1, 1]


def test_a_lost_answer_is_found_again_by_the_clientmsgid(
    wechat: Emulator, api: Api, crowd: list[str]
) -> None:
    """Source: mass/send, clientmsgid; the draft is gone by then, which must not matter."""
    token, body = api.token(), news(crowd, a_draft(api), clientmsgid="m2")
    wechat.order_fault(SEND, mode="accept_then_drop", count=1)
    with pytest.raises(BROKEN):
        api.post(SEND, body, access_token=token)
    wechat.advance_time(60)
    again = api.post(SEND, body, access_token=token)
    assert again["errcode"] == 45065
    assert api.official(GET, {"msg_id": again["msg_id"]})["msg_status"] == "SEND_SUCCESS"
    assert received(wechat, crowd) == [1] * 5


def test_sixty_calls_a_minute_and_a_hundred_a_day_are_counted_over_both(
    wechat: Emulator, api: Api, crowd: list[str]
) -> None:
    """Source: "Mass messages": 60 requests a minute; "API call limits": 100 a day."""
    quota = wechat.post_control("quota", path=SEND)
    assert (quota["limit"], quota["minute"]) == (100, 60)
    wechat.post_control("quota", path=ALL, minute=2, limit=3)
    codes = [api.official(SEND, words(crowd, str(number)))["errcode"] for number in range(2)]
    assert [*codes, api.official(ALL, words(None))["errcode"]] == [0, 0, 45011]
    wechat.advance_time(60)
    assert api.official(ALL, words(None))["errcode"] == 0
    assert api.official(SEND, words(crowd, "more"))["errcode"] == 45009


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"msgtype": "poem", "poem": {}}, 40008),
        ({"msgtype": "mpnews", "mpnews": {"media_id": "none"}}, 40007),
        ({"msgtype": "mpnews", "mpnews": {}}, 41006),
        ({"msgtype": "text", "text": {"content": ""}}, 44004),
        ({"msgtype": "text", "text": {"content": "字" * 683}}, 45002),
        ({"msgtype": "text", "text": "x"}, 44004),
        ({"msgtype": "voice", "voice": {"media_id": "none"}}, 40007),
        ({"msgtype": "image", "images": {"media_ids": []}}, 41006),
    ],
)
def test_each_kind_of_message_has_its_rules(
    api: Api, crowd: list[str], body: dict[str, Any], errcode: int
) -> None:
    """Source: mass/send, the parameters of each msgtype."""
    assert api.official(SEND, {"touser": crowd, **body})["errcode"] == errcode


def test_a_picture_can_be_sent(wechat: Emulator, api: Api, crowd: list[str]) -> None:
    """Source: mass/send, msgtype image with images.media_ids."""
    media_id = a_file(api, "image", JPEG)["media_id"]
    body = {"touser": crowd, "msgtype": "image", "images": {"media_ids": [media_id]}}
    assert api.official(SEND, body)["errcode"] == 0
    assert wechat.read_inbox(crowd[0])[0]["kind"] == "image"


def test_only_articles_can_be_deleted(wechat: Emulator, api: Api, crowd: list[str]) -> None:
    """Source: mass/delete: articles only; their cards stay, their pages are gone."""
    text = api.official(SEND, words(crowd))["msg_id"]
    assert api.official(DELETE, {"msg_id": text})["errcode"] == 40008
    sent = api.official(SEND, news(crowd, a_draft(api)))["msg_id"]
    page = f"article?msg_id={sent}&index=0"
    assert wechat.get_control(page)["content"] == "<p>您好</p>"
    assert api.official(DELETE, {"msg_id": sent, "article_idx": 2})["errcode"] == 40114
    assert api.official(DELETE, {"msg_id": sent, "article_idx": 1})["errcode"] == 0
    assert api.official(GET, {"msg_id": sent})["msg_status"] == "DELETE"
    assert wechat.get_control(page) == {"title": "科普月开幕", "deleted": True}
    assert received(wechat, crowd) == [2] * 5
    assert api.official(DELETE, {"msg_id": 7})["errcode"] == 40059
    assert api.official(GET, {"msg_id": 7})["errcode"] == 40059
    with pytest.raises(ControlError, match="404"):
        wechat.get_control(f"article?msg_id={text}")


def test_a_preview_goes_to_one_follower_and_is_not_counted(
    wechat: Emulator, api: Api, crowd: list[str]
) -> None:
    """Source: mass/preview by touser or towxname; the draft stays."""
    media_id = a_draft(api)
    told = api.official(PREVIEW, news(None, media_id, touser=crowd[0]))
    assert told["errcode"] == 0
    assert api.official(PREVIEW, news(None, media_id, towxname="person-crowd-1"))["errcode"] == 0
    assert received(wechat, crowd) == [1, 1, 0, 0, 0]
    assert wechat.read_inbox(crowd[0])[0]["via"] == "preview"
    assert wechat.get_control("mass")["items"] == []
    assert api.official(GET, {"msg_id": told["msg_id"]})["errcode"] == 40059
    assert api.official(PREVIEW, news(None, media_id, towxname="nobody"))["errcode"] == 40132
    assert api.official(PREVIEW, news(None, media_id, touser="nobody"))["errcode"] == 40003
    wechat.unfollow_account("person-crowd-0")
    assert api.official(PREVIEW, news(None, media_id, touser=crowd[0]))["errcode"] == 43004


def test_protection_waits_for_the_administrator(
    wechat: Emulator, api: Api, crowd: list[str]
) -> None:
    """Source: "Mass messages", API protection: the administrator confirms within 30 minutes."""
    wechat.configure_apps(mass_protection=True)
    media_id = a_draft(api)
    sent = [api.official(SEND, news(crowd, media_id, clientmsgid=name)) for name in ("a", "b")]
    first, second = (told["msg_id"] for told in sent)
    assert received(wechat, crowd) == [0] * 5
    assert api.official(GET, {"msg_id": first})["msg_status"] == "SENDING"
    wechat.post_control("mass", msg_id=first, confirm=True)
    assert received(wechat, crowd) == [1] * 5
    wechat.post_control("mass", msg_id=second, confirm=False)
    assert api.official(GET, {"msg_id": second})["msg_status"] == "SEND_FAIL"
    assert received(wechat, crowd) == [1] * 5
    with pytest.raises(ControlError, match="404"):
        wechat.post_control("mass", msg_id=second, confirm=True)
    third = api.official(SEND, words(crowd, clientmsgid="c"))["msg_id"]
    wechat.advance_time(1800)
    assert api.official(GET, {"msg_id": third})["msg_status"] == "SEND_FAIL"
    assert received(wechat, crowd) == [1] * 5


@pytest.fixture
def reporting(receiver: Receiver) -> Iterator[Emulator]:
    with emulated_wechat(server=receiver.url, sent_event_s=(0.0, 0.0)) as emulator:
        emulator.post_control("seed", followers=3, seed="crowd")
        yield emulator


def openids_of(wechat: Emulator) -> list[str]:
    rows = wechat.world.store.all_rows("SELECT openid_oa FROM people ORDER BY id")
    return [row["openid_oa"] for row in rows]


def report_of(wechat: Emulator, receiver: Receiver) -> dict[str, Any]:
    assert wechat.wait_settled()
    return opened(wechat.apps[OFFICIAL], receiver.pushes[-1])


def test_the_report_has_the_counts_and_the_addresses(
    reporting: Emulator, receiver: Receiver
) -> None:
    """Source: MASSSENDJOBFINISH: Status `send success`, counts, ArticleUrlResult."""
    api = Api(reporting)
    sent = api.official(SEND, news(openids_of(reporting), a_draft(api)))
    report = report_of(reporting, receiver)
    assert (report["Event"], report["MsgID"]) == ("MASSSENDJOBFINISH", str(sent["msg_id"]))
    assert report["Status"] == "send success"
    names = ("TotalCount", "FilterCount", "SentCount", "ErrorCount")
    assert [report[name] for name in names] == ["3", "3", "3", "0"]
    assert report["ArticleUrlResult"]["Count"] == "1"
    assert report["ArticleUrlResult"]["ResultList"]["item"]["ArticleIdx"] == "1"


@pytest.mark.parametrize(("answer", "status"), [(False, "err(40001)"), (None, "err(40002)")])
def test_an_unconfirmed_message_is_reported_as_failed(
    reporting: Emulator, receiver: Receiver, answer: bool | None, status: str
) -> None:
    """Source: MASSSENDJOBFINISH: err(40001) refused, err(40002) silent for 30 minutes."""
    reporting.configure_apps(mass_protection=True)
    sent = Api(reporting).official(SEND, words(openids_of(reporting)))
    if answer is None:
        reporting.advance_time(1801)
    else:
        reporting.post_control("mass", msg_id=sent["msg_id"], confirm=answer)
    report = report_of(reporting, receiver)
    assert (report["MsgID"], report["Status"]) == (str(sent["msg_id"]), status)


def test_a_message_can_fail_the_check_of_its_content(
    reporting: Emulator, receiver: Receiver
) -> None:
    """Source: MASSSENDJOBFINISH: err(20001) and other verdicts on the content."""
    reporting.order_receipts("MASSSENDJOBFINISH", status="err(20001)", count=1)
    openids = openids_of(reporting)
    sent = Api(reporting).official(SEND, words(openids))
    assert report_of(reporting, receiver)["Status"] == "err(20001)"
    assert received(reporting, openids) == [0] * 3
    told = Api(reporting).official(GET, {"msg_id": sent["msg_id"]})
    assert told["msg_status"] == "SEND_FAIL"
    Api(reporting).official(SEND, words(openids, "[risky]"))
    assert report_of(reporting, receiver)["Status"] == "err(20003)"
    assert received(reporting, openids) == [0] * 3


def test_a_whole_send_is_counted_page_by_page(
    wechat: Emulator, api: Api, crowd: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.emulator.control._A_PAGE", 3)
    assert api.official(ALL, words(None))["errcode"] == 0
    assert len(wechat.get_control("deliveries")["items"]) == 3
    listed = wechat.list_deliveries()
    assert [(item["openid"], item["via"]) for item in listed] == [(one, "mass") for one in crowd]
