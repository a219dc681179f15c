"""Replies keep to WeChat's limits whatever is put into them."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.wechat.callback.replies import TEXT_LIMIT_BYTES, Article, Reply


def children(document: bytes | None) -> dict[str, str]:
    assert document is not None
    return {child.tag: child.text or "" for child in ElementTree.fromstring(document)}


def shown(reply: Reply) -> dict[str, str]:
    return children(reply.to_document("oA", "gh_b", 1777608000, "xml"))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_comes_through_whole_or_cut(text: str) -> None:
    reply = Reply.of_text(text)
    if not reply.says_something:
        return
    fields = shown(reply)
    assert set(fields) == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"}
    allowed = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    # An XML parser reads every line break as one line feed.
    assert fields["Content"] == allowed.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("text", ["]]>", "a]]>b]]>c", "]]]]>>", "]]><MsgType>event</MsgType>"])
def test_the_end_of_cdata_in_a_text_ends_nothing(text: str) -> None:
    assert shown(Reply.of_text(text))["Content"] == text


@pytest.mark.parametrize("text", ["", "   ", "\n", "\x00\x07"])
def test_an_empty_text_says_nothing(text: str) -> None:
    assert Reply.of_text(text) == Reply()
    assert not Reply.of_text(text).says_something


@pytest.mark.parametrize("letter", ["a", "é", "桂", "\U0001f600"])
@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_a_long_text_is_cut_between_characters(letter: str, before: int) -> None:
    text = "x" * before + letter * 3000
    kept = Reply.of_text(text).text
    assert text.startswith(kept)
    size = len(kept.encode())
    assert TEXT_LIMIT_BYTES - len(letter.encode()) < size <= TEXT_LIMIT_BYTES


def test_control_and_half_characters_are_left_out() -> None:
    assert Reply.of_text("a\x00\x07\ud800b\n").text == "ab\n"


def test_an_article_is_one_card() -> None:
    article = Article(title="T]]>", description="D", url="https://a/?b=1&c=2", picture_url="p")
    document = Reply.of_article(article).to_document("oA", "gh_b", 1, "xml")
    assert document is not None
    root = ElementTree.fromstring(document)
    assert root.findtext("ArticleCount") == "1"
    items = root.findall("Articles/item")
    assert [(i.findtext("Title"), i.findtext("Url")) for i in items] == [
        ("T]]>", "https://a/?b=1&c=2")
    ]


def test_a_transfer_names_no_one() -> None:
    assert shown(Reply.of_transfer())["MsgType"] == "transfer_customer_service"


def test_a_json_answer_to_an_xml_push_says_nothing() -> None:
    assert Reply.of_json({"demo_resp": "x"}).to_document("oA", "gh_b", 1, "xml") is None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(),
        Reply.of_text("你好"),
        Reply.of_transfer(),
        Reply.of_article(Article(title="T")),
        Reply.of_json({"demo_resp": "x"}),
    ],
)
def test_what_is_remembered_is_the_same_reply(reply: Reply) -> None:
    assert Reply.from_bytes(reply.to_bytes()) == reply


def test_garbage_is_no_remembered_reply() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Reply.from_bytes(b"begun")
