"""The preview of an announcement: the bytes that reach WeChat."""

from __future__ import annotations

import pytest

from server.announcements.compose.content import LetterContent
from server.announcements.compose.preview import ID_MARK, OPENID_MARK, payload_bytes
from server.announcements.compose.rendering import RenderedText, address_letter, render_letter
from server.announcements.enums import Channel
from server.announcements.rules.contents import Contents, TemplateContent, TextContent
from server.announcements.rules.placeholders import Person, Placeholder
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import OPENID, an_app
from tests.wechat.script import SECRET, Bench, Script

FIELDS = {
    "thing1": "科普讲座开讲",
    "thing2": "{城市}科协",
    "time3": "15:00",
    "thing4": "{昵称}请来",
}
CONTENT = LetterContent(
    title="讲座改期",
    body="改到三楼。",
    page="packages/lectures/detail/index?id=act_1",
    contents=Contents(
        mini_subscription=TemplateContent(template="announcement", fields=FIELDS),
        official_subscription=TemplateContent(template="oa-sub-announcement", fields=FIELDS),
        template=TemplateContent(template="oa-announcement", fields=FIELDS),
        customer_message=TextContent(text="{昵称}您好：\n讲座改到三楼 🎉"),
    ),
    fallbacks={Placeholder.NAME: "朋友", Placeholder.CITY: "广西", Placeholder.UNIT: "您的单位"},
    chat_link="<a>详情</a>",
)
SENT_BY = {
    Channel.MINI_SUBSCRIPTION: ("send_subscription", "/cgi-bin/message/subscribe/send"),
    Channel.OFFICIAL_SUBSCRIPTION: (
        "send_official_subscription",
        "/cgi-bin/message/subscribe/bizsend",
    ),
    Channel.TEMPLATE: ("send_template", "/cgi-bin/message/template/send"),
    Channel.CUSTOMER_MESSAGE: ("send_text", "/cgi-bin/message/custom/send"),
}


@pytest.mark.parametrize("channel", SENT_BY)
def test_the_preview_equals_the_sent_payload_byte_for_byte(
    clock: FakeClock, tmp_path: object, channel: Channel
) -> None:
    script = Script(clock)
    gateway = Bench(clock, script, kv=f"fake:{tmp_path}").gateway
    name, path = SENT_BY[channel]
    script.answers[path] = {"errcode": 0, "msgid": 7}
    rendered = render_letter(CONTENT, channel, Person(name="小明", city="南宁市"))
    letter = address_letter(rendered, channel, OPENID, "id7")
    if isinstance(rendered, RenderedText):
        gateway.send_text(OPENID, rendered.text)
    else:
        getattr(gateway, name)(letter)
    sent = bytes(script.seen[-1].raw)
    assert OPENID.encode() in sent
    marked = sent.replace(OPENID.encode(), OPENID_MARK.encode())
    shown = payload_bytes(rendered, channel, an_app(secret=SECRET).appid)
    assert shown == marked.replace(b'"id7"', f'"{ID_MARK}"'.encode())
