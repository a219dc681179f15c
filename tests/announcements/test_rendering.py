"""Rendering: one text per recipient within WeChat's limits, and a preview of the very bytes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.announcements.compose.content import LetterContent, load_content
from server.announcements.compose.people import is_personal, load_persons
from server.announcements.compose.rendering import (
    INBOX_PAGE,
    NothingWritten,
    RenderedArticle,
    RenderedNote,
    RenderedTemplate,
    RenderedText,
    address_letter,
    finish_article,
    render_letter,
)
from server.announcements.enums import Channel
from server.announcements.rules.contents import (
    ArticleContent,
    Contents,
    TemplateContent,
    TextContent,
    read_contents,
    spell_contents,
    template_id_for,
)
from server.announcements.rules.fields import check_field
from server.announcements.rules.placeholders import (
    Person,
    Placeholder,
    fixed_length,
    unknown_placeholders,
)
from server.base.templates import template_id_of
from server.base.uow import UnitOfWorkFactory
from server.wechat.letters import SubscriptionMessage, TemplateMessage
from tests.kit.accounts import a_citizen
from tests.kit.announcements import an_announcement
from tests.kit.units import a_unit

FIELDS = {
    "thing1": "科普讲座开讲", "thing2": "{城市}科协", "time3": "2026年5月1日 15:00",
    "thing4": "{昵称}，请到{单位}报到",
}  # fmt: skip
CONTENTS = Contents(
    mini_subscription=TemplateContent(template="announcement", fields=FIELDS),
    official_subscription=TemplateContent(template="oa-sub-announcement", fields=FIELDS),
    template=TemplateContent(template="oa-announcement", fields=FIELDS),
    customer_message=TextContent(text="{昵称}您好：\n讲座改到三楼。"),
    mass=ArticleContent(title="科普月", digest="一起来", text="第一段 <b>\n\n第二段"),
)
CONTENT = LetterContent(
    title="讲座改期",
    body="改到三楼。",
    page="packages/lectures/detail/index?id=act_1",
    contents=CONTENTS,
    fallbacks={Placeholder.NAME: "朋友", Placeholder.CITY: "广西", Placeholder.UNIT: "您的单位"},
    chat_link="<a>详情</a>",
    article_link="点这里查看详情",
    appid="wx-mini",
)
SOMEBODY = Person(name="小明", city="南宁市", unit="五象小学")


def test_a_template_is_filled_for_its_recipient() -> None:
    rendered = render_letter(CONTENT, Channel.TEMPLATE, SOMEBODY)
    assert rendered == RenderedTemplate(
        template_id=template_id_of("oa-announcement"),
        fields=FIELDS | {"thing2": "南宁市科协", "thing4": "小明，请到五象小学报到"},
        page="packages/lectures/detail/index?id=act_1",
    )


def test_what_a_recipient_has_not_given_has_a_fallback() -> None:
    rendered = render_letter(CONTENT, Channel.MINI_SUBSCRIPTION, Person(name="🎉"))
    assert isinstance(rendered, RenderedTemplate)
    assert rendered.fields["thing2"] == "广西科协"
    assert rendered.fields["thing4"] == "朋友，请到您的单位报到"


@pytest.mark.parametrize("length", [1, 4, 9, 20, 40])
def test_long_names_are_shortened_so_that_the_field_still_fits(length: int) -> None:
    person = Person(name="长" * length, city="市" * length, unit="𠮷" * length)
    for channel in (Channel.MINI_SUBSCRIPTION, Channel.OFFICIAL_SUBSCRIPTION, Channel.TEMPLATE):
        rendered = render_letter(CONTENT, channel, person)
        assert isinstance(rendered, RenderedTemplate)
        for key, value in rendered.fields.items():
            assert check_field(key, value) is None, (key, value)


def test_a_nickname_cannot_become_a_link_in_the_chat() -> None:
    rendered = render_letter(CONTENT, Channel.CUSTOMER_MESSAGE, Person(name="<a>[x](y)"))
    assert rendered == RenderedText(text="＜a＞［x］(y)您好：\n讲座改到三楼。\n<a>详情</a>")


def test_an_article_escapes_its_text_and_has_its_picture_first() -> None:
    rendered = render_letter(CONTENT, Channel.MASS, SOMEBODY)
    assert isinstance(rendered, RenderedArticle)
    article = finish_article(rendered, "cover-1", "https://mmbiz.qpic.cn/1")
    assert article.content_html.startswith(
        '<p><img src="https://mmbiz.qpic.cn/1"></p><p>第一段 &lt;b&gt;</p><p>第二段</p>'
    )
    assert 'data-miniprogram-path="packages/lectures/detail/index?id=act_1"' in article.content_html
    assert (article.title, article.thumb_media_id) == ("科普月", "cover-1")
    assert finish_article(rendered, "c", None).content_html == rendered.content_html


def test_the_inbox_has_the_title_and_the_text() -> None:
    assert render_letter(CONTENT, Channel.INBOX, SOMEBODY) == RenderedNote(
        title="讲座改期", body="改到三楼。", page="packages/lectures/detail/index?id=act_1"
    )


def test_a_message_without_a_page_opens_the_inbox() -> None:
    rendered = render_letter(replace(CONTENT, page=None), Channel.TEMPLATE, SOMEBODY)
    assert isinstance(rendered, RenderedTemplate)
    assert rendered.page == INBOX_PAGE


def test_a_channel_without_content_is_an_error() -> None:
    empty = replace(CONTENT, contents=Contents())
    for channel in Channel:
        if channel is not Channel.INBOX:
            with pytest.raises(NothingWritten):
                render_letter(empty, channel, SOMEBODY)
    note = render_letter(CONTENT, Channel.INBOX, SOMEBODY)
    with pytest.raises(NothingWritten):
        address_letter(note, Channel.INBOX, "o", "i")


def test_contents_are_stored_and_read_back() -> None:
    assert read_contents(spell_contents(CONTENTS)) == CONTENTS
    assert spell_contents(Contents()) == {}
    assert template_id_for(CONTENTS, Channel.TEMPLATE) == template_id_of("oa-announcement")
    assert template_id_for(CONTENTS, Channel.INBOX) is None


def test_words_in_braces_are_placeholders_or_named_as_unknown() -> None:
    assert unknown_placeholders("{昵称}在{学校}{}") == ["学校", ""]
    assert fixed_length("{昵称}您好") == 6
    assert is_personal(CONTENTS)
    assert not is_personal(Contents(customer_message=TextContent(text="大家好")))


def test_letters_carry_the_ids_of_their_channel() -> None:
    rendered = render_letter(CONTENT, Channel.TEMPLATE, SOMEBODY)
    letter = address_letter(rendered, Channel.TEMPLATE, "o-1", "id7")
    assert isinstance(letter, TemplateMessage)
    assert letter.client_msg_id == "id7"
    mini = address_letter(rendered, Channel.MINI_SUBSCRIPTION, "o-2", "id7")
    assert isinstance(mini, SubscriptionMessage)
    assert mini.openid == "o-2"


def test_people_and_content_come_from_the_rows(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        unit = a_unit(uow, name="五象小学")
        named = a_citizen(uow, nickname="小明", city="450100", unit_id=unit.id)
        unnamed = a_citizen(uow)
        erased = a_citizen(uow, erased_at=uow.now)
        row = an_announcement(
            uow, contents=spell_contents(CONTENTS), page="packages/quiz/round/index?id=c1"
        )
    with uow_factory.begin() as uow:
        found = load_persons(uow, [named.id, unnamed.id, erased.id])
        assert found == {
            named.id: Person(name="小明", city="南宁市", unit="五象小学"),
            unnamed.id: Person(),
        }
        content = load_content(uow, row)
    assert content.contents == CONTENTS
    assert content.page == "packages/quiz/round/index?id=c1"
    assert 'data-miniprogram-path="packages/quiz/round/index?id=c1"' in content.chat_link
