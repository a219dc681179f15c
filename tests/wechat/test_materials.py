"""Pictures, drafts and templates through the gateway."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP

import pytest

from server.wechat import errors
from server.wechat.letters import MassArticle, MessageTemplate, TemplateKind
from tests.kit.clock import FakeClock
from tests.wechat.script import Bench, Script

ADD, KEEP, UPLOAD = (
    "/cgi-bin/draft/add",
    "/cgi-bin/material/add_material",
    "/cgi-bin/media/uploadimg",
)
OLD_LIST, NEW_LIST = "/cgi-bin/template/get_all_private_template", "/wxaapi/newtmpl/gettemplate"
JPEG, PNG = b"\xff\xd8\xff rest", b"\x89PNG\r\n\x1a\n rest"
ARTICLE = MassArticle(
    title="科技周", digest="摘要", content_html="<p>正文</p>", thumb_media_id="cover-1"
)


@pytest.fixture
def script(clock: FakeClock) -> Script:
    return Script(clock)


@pytest.fixture
def bench(clock: FakeClock, script: Script, tmp_path: object) -> Bench:
    return Bench(clock, script, kv=f"fake:{tmp_path}")


def parts_of(raw: bytes) -> list[tuple[str, str, str, bytes]]:
    """Field name, file name, content type and content of each part of a form."""
    boundary = raw.split(b"\r\n", 1)[0].removeprefix(b"--").decode()
    head = f'Content-Type: multipart/form-data; boundary="{boundary}"\r\n\r\n'.encode()
    message = BytesParser(policy=HTTP).parsebytes(head + raw)
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename() or "",
            part.get_content_type(),
            bytes(part.get_payload(decode=True)),
        )
        for part in message.iter_parts()
    ]


def test_a_draft_has_one_article_in_raw_chinese(bench: Bench, script: Script) -> None:
    script.answers[ADD] = {"media_id": "draft-1", "item": []}
    assert bench.gateway.add_draft(ARTICLE) == "draft-1"
    (article,) = script.seen[-1].body["articles"]
    assert article == {
        "article_type": "news",
        "title": "科技周",
        "digest": "摘要",
        "content": "<p>正文</p>",
        "thumb_media_id": "cover-1",
        "need_open_comment": 0,
        "only_fans_can_comment": 0,
    }
    assert "科技周".encode() in script.seen[-1].raw


@pytest.mark.parametrize(("path", "said"), [(ADD, -1), (ADD, b"<html>"), (KEEP, -1)])
def test_what_would_leave_a_second_one_is_not_repeated(
    path: str, said: object, bench: Bench, script: Script
) -> None:
    script.answers[path] = said
    with pytest.raises(errors.WeChatAway):
        if path == ADD:
            bench.gateway.add_draft(ARTICLE)
        else:
            bench.gateway.upload_picture(JPEG, "cover.jpg")
    assert script.count(path) == 1


def test_a_draft_that_is_gone_is_no_failure_of_wechat(bench: Bench, script: Script) -> None:
    script.answers["/cgi-bin/draft/delete"] = [{"errcode": 0}, 40007]
    bench.gateway.delete_draft("draft-1")
    assert script.seen[-1].body == {"media_id": "draft-1"}
    with pytest.raises(errors.BadContent):
        bench.gateway.delete_draft("draft-1")


@pytest.mark.parametrize(
    ("picture", "name", "sent"),
    [
        (JPEG, "cover.jpg", ("cover.jpg", "image/jpeg")),
        (PNG, "海报.jpg", ("picture.png", "image/png")),
        (PNG, 'a"b\r\nc.d.png', ("a-b-c-d.png", "image/png")),
        (JPEG, "", ("picture.jpg", "image/jpeg")),
    ],
)
def test_a_cover_is_kept_under_a_plain_name_that_fits_its_content(
    picture: bytes, name: str, sent: tuple[str, str], bench: Bench, script: Script
) -> None:
    script.answers[KEEP] = {"media_id": "m-1", "url": "https://mmbiz.test/1"}
    kept = bench.gateway.upload_picture(picture, name)
    assert kept == ("m-1", "https://mmbiz.test/1")
    assert script.seen[-1].query["type"] == "image"
    assert parts_of(script.seen[-1].raw) == [("media", *sent, picture)]


def test_a_picture_of_an_article_becomes_an_address(bench: Bench, script: Script) -> None:
    script.answers[UPLOAD] = [-1, {"url": "https://mmbiz.test/2"}]
    assert bench.gateway.upload_article_picture(PNG, "p.png") == "https://mmbiz.test/2"
    assert parts_of(script.seen[-1].raw) == [("media", "p.png", "image/png", PNG)]
    script.answers[UPLOAD] = {"errcode": 0}
    with pytest.raises(errors.CallInDoubt):
        bench.gateway.upload_article_picture(PNG, "p.png")


def test_what_is_no_picture_is_not_uploaded(bench: Bench, script: Script) -> None:
    for content in (b"", b"GIF89a", b"<svg/>"):
        with pytest.raises(errors.BadContent):
            bench.gateway.upload_picture(content, "a.png")
        with pytest.raises(errors.BadContent):
            bench.gateway.upload_article_picture(content, "a.png")
    assert script.seen == []


def test_category_templates_tell_their_fields_in_order(bench: Bench, script: Script) -> None:
    script.answers[OLD_LIST] = {
        "template_list": [
            {
                "template_id": "t-1",
                "title": "活动提醒",
                "content": "活动名称：{{thing1.DATA}}\n时间:{{time2.DATA}}\n",
                "example": "活动名称：科技周",
            },
            {"template_id": "t-2"},
        ]
    }
    one, other = bench.gateway.list_templates(TemplateKind.TEMPLATE)
    assert one == MessageTemplate(
        template_id="t-1",
        title="活动提醒",
        content="活动名称：{{thing1.DATA}}\n时间:{{time2.DATA}}\n",
        example="活动名称：科技周",
        fields={"thing1": "活动名称", "time2": "时间"},
    )
    assert list(one.fields) == ["thing1", "time2"]
    assert (other.title, other.fields) == ("", {})


@pytest.mark.parametrize(
    "kind", [TemplateKind.MINI_SUBSCRIPTION, TemplateKind.OFFICIAL_SUBSCRIPTION]
)
def test_subscription_templates_tell_their_term_and_their_choices(
    kind: TemplateKind, bench: Bench, script: Script
) -> None:
    script.answers[NEW_LIST] = {
        "errcode": 0,
        "data": [
            {
                "priTmplId": "p-1",
                "title": "报名结果",
                "content": "结果:{{phrase1.DATA}}\n",
                "example": "结果:成功\n",
                "type": 2,
                "keywordEnumValueList": [
                    {"keywordCode": "phrase1.DATA", "enumValueList": ["成功", "失败"]}
                ],
            },
            {"priTmplId": "p-2", "title": "天气", "content": "", "type": 3},
        ],
    }
    once, long = bench.gateway.list_templates(kind)
    assert (once.template_id, once.long_term) == ("p-1", False)
    assert once.choices == {"phrase1": ("成功", "失败")}
    assert (long.template_id, long.long_term, long.choices) == ("p-2", True, {})
    assert script.seen[-1].method == "GET"


def test_a_garbled_list_of_templates_is_in_doubt(bench: Bench, script: Script) -> None:
    for answer in ({}, {"data": {}}, {"data": [{}]}, {"data": ["t"]}):
        script.answers[NEW_LIST] = {"errcode": 0, **answer}
        with pytest.raises(errors.CallInDoubt):
            bench.gateway.list_templates(TemplateKind.MINI_SUBSCRIPTION)
