"""Sends, drafts and pictures against the emulated WeChat, which has rules of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from server.base.redis.client import create_client
from server.base.redis.facilities import create_facilities
from server.base.settings import WeChatApp
from server.emulator.testing import Emulator, emulated_wechat
from server.emulator.wechat_api.common import ERRORS
from server.wechat import errors
from server.wechat.authorized_client import AuthorizedClient
from server.wechat.errors import WeChatError, class_of
from server.wechat.gateway import FanOutResult
from server.wechat.http_gateway import HttpGateway
from server.wechat.letters import (
    Accepted,
    MassArticle,
    MassSend,
    OfficialSubscription,
    PushLetter,
    SubscriptionMessage,
    TemplateKind,
    TemplateMessage,
)
from server.wechat.tokens import TokenService
from server.wechat.transport import Patience, Transport
from tests.kit.clock import FakeClock
from tests.kit.pictures import a_picture

OFFICIAL, MINI = "official_account", "mini_program"
PATIENCE = 60
TEMPLATE, MASS = "/cgi-bin/message/template/send", "/cgi-bin/message/mass/send"


@pytest.fixture
def wechat(clock: FakeClock) -> Iterator[Emulator]:
    with emulated_wechat(
        clock=lambda: clock.now().timestamp(), pause=lambda _seconds: None, deadline_s=0.2
    ) as emulator:
        yield emulator


def settings_of(wechat: Emulator, name: str) -> WeChatApp:
    app = wechat.apps[name]
    return WeChatApp(appid=app.appid, secret=app.secret, token=app.token, aes_key=app.aes_key)


@pytest.fixture
def gateway(wechat: Emulator, clock: FakeClock, tmp_path: object) -> HttpGateway:
    kit = create_facilities(create_client(f"fake:{tmp_path}", None, clock), clock)  # type: ignore[arg-type]
    transport = Transport(
        wechat.api_base, clock, patience=Patience(PATIENCE, PATIENCE, rest_seconds=0)
    )
    accounts = {
        name: AuthorizedClient(
            transport,
            TokenService(
                settings_of(wechat, name), transport, kit.shared, kit.lock, clock,
                pause=clock.advance,
            ),
        )
        for name in (OFFICIAL, MINI)
    }  # fmt: skip
    return HttpGateway(
        transport,
        settings_of(wechat, MINI),
        accounts,
        official_appid=wechat.apps[OFFICIAL].appid,
        mp_base=wechat.mp_base,
        outside_transaction=lambda: None,
    )


@pytest.fixture
def crowd(wechat: Emulator) -> list[str]:
    """The openids of twelve followers."""
    wechat.post_control("seed", followers=12, seed="crowd")
    rows = wechat.world.store.all_rows("SELECT openid_oa FROM people ORDER BY id")
    return [row["openid_oa"] for row in rows]


def template_of(gateway: HttpGateway) -> tuple[str, dict[str, str]]:
    """A category template of the account, and values that fit its types."""
    one = next(t for t in gateway.list_templates(TemplateKind.TEMPLATE) if "thing1" in t.fields)
    values = {"thing": "月球科普讲座", "time": "2026年6月13日 09:30"}
    return one.template_id, {key: values[key.rstrip("0123456789")] for key in one.fields}


def message(gateway: HttpGateway, openid: str, number: int = 0) -> TemplateMessage:
    template_id, fields = template_of(gateway)
    return TemplateMessage(
        openid=openid, template_id=template_id, fields=fields, client_msg_id=f"c{number}"
    )


def a_draft(gateway: HttpGateway) -> str:
    cover = gateway.upload_picture(a_picture("PNG", size=(90, 90)), "封面.png")
    inside = gateway.upload_article_picture(a_picture("JPEG", size=(90, 90)), "p.jpg")
    return gateway.add_draft(
        MassArticle(
            title="科普月开幕",
            digest="全区科普月",
            content_html=f'<p>您好</p><img src="{inside}">',
            thumb_media_id=cover.media_id,
        )
    )


# --- Service account, template messages


def test_a_template_message_is_shown_and_has_an_id(
    wechat: Emulator, gateway: HttpGateway, crowd: list[str]
) -> None:
    message_id = gateway.send_template(message(gateway, crowd[0]))
    (item,) = wechat.read_inbox(crowd[0])
    assert (item["kind"], item["msgid"]) == ("template", message_id)


def test_a_template_message_repeated_under_its_id_is_shown_once(
    wechat: Emulator, gateway: HttpGateway, crowd: list[str], clock: FakeClock
) -> None:
    """Source: template message, "send": client_msg_id, ten minutes."""
    one = message(gateway, crowd[0])
    wechat.order_fault(TEMPLATE, mode="accept_then_drop", count=1)
    with pytest.raises(errors.CallInDoubt):
        gateway.send_template(one)
    clock.advance(8 * 60)
    assert gateway.send_template(one) == wechat.read_inbox(crowd[0])[0]["msgid"]
    assert len(wechat.read_inbox(crowd[0])) == 1


def test_a_stranger_gets_no_template_message(
    wechat: Emulator, gateway: HttpGateway, crowd: list[str]
) -> None:
    stranger = wechat.create_person("Lan")
    with pytest.raises(errors.Unfollowed):
        gateway.send_template(message(gateway, stranger["openid_oa"]))
    with pytest.raises(errors.UnknownRecipient):
        gateway.send_template(message(gateway, stranger["openid_mp"]))


def test_a_field_that_is_too_long_is_named(gateway: HttpGateway, crowd: list[str]) -> None:
    template_id, fields = template_of(gateway)
    long = TemplateMessage(
        openid=crowd[0],
        template_id=template_id,
        fields={**fields, "thing1": "长" * 21},
        client_msg_id="c",
    )
    with pytest.raises(errors.BadContent) as caught:
        gateway.send_template(long)
    assert caught.value.field == "thing1"
    unknown = TemplateMessage(openid=crowd[0], template_id="x", fields=fields, client_msg_id="c")
    with pytest.raises(errors.TemplateRefused):
        gateway.send_template(unknown)


# --- Service account, subscription notices


def test_a_notice_needs_a_grant(gateway: HttpGateway, crowd: list[str]) -> None:
    template = gateway.list_templates(TemplateKind.OFFICIAL_SUBSCRIPTION)[0]
    values = dict.fromkeys(template.fields, "科普")
    notice = OfficialSubscription(openid=crowd[0], template_id=template.template_id, fields=values)
    with pytest.raises(errors.NoGrant):
        gateway.send_official_subscription(notice)


@pytest.mark.parametrize("kind", TemplateKind)
def test_each_list_of_templates_has_fields(kind: TemplateKind, gateway: HttpGateway) -> None:
    listed = gateway.list_templates(kind)
    assert listed
    assert all(one.template_id and one.fields for one in listed)


# --- Service account, mass messages and drafts


def test_a_draft_goes_to_a_list_once(
    wechat: Emulator, gateway: HttpGateway, crowd: list[str], clock: FakeClock
) -> None:
    """Source: mass messages: clientmsgid, 45065 with the first id, 45066 within a minute."""
    draft = a_draft(gateway)
    gateway.preview_mass(crowd[5], draft)
    mass = MassSend(openids=tuple(crowd[:3]), media_id=draft, client_msg_id="a-1")
    wechat.order_fault(MASS, mode="accept_then_drop", count=1)
    with pytest.raises(errors.CallInDoubt):
        gateway.send_mass(mass)
    with pytest.raises(errors.TryLater) as early:
        gateway.send_mass(mass)
    assert early.value.after_seconds == 60
    clock.advance(61)
    with pytest.raises(errors.AlreadySent) as again:
        gateway.send_mass(mass)
    assert gateway.mass_status(again.value.message_id) == "SEND_SUCCESS"
    assert [len(wechat.read_inbox(openid)) for openid in crowd[:6]] == [1, 1, 1, 0, 0, 1]
    with pytest.raises(errors.BadContent):
        gateway.delete_draft(draft)
    gateway.delete_mass(again.value.message_id)


def test_a_mass_message_tells_its_ids(gateway: HttpGateway, crowd: list[str]) -> None:
    mass = MassSend(openids=tuple(crowd), media_id=a_draft(gateway), client_msg_id="a-1")
    accepted = gateway.send_mass(mass)
    assert accepted.msg_id.isdigit()
    assert accepted.msg_data_id.isdigit()


def test_a_list_of_one_and_a_draft_that_is_gone_are_refused(
    gateway: HttpGateway, crowd: list[str]
) -> None:
    draft = a_draft(gateway)
    with pytest.raises(errors.BadContent):
        gateway.send_mass(MassSend(openids=(crowd[0],), media_id=draft, client_msg_id="a-1"))
    gateway.delete_draft(draft)
    with pytest.raises(errors.BadContent):
        gateway.send_mass(MassSend(openids=tuple(crowd), media_id=draft, client_msg_id="a-2"))


# --- the fan-out


def send_all(gateway: HttpGateway, letters: list[PushLetter]) -> dict[int, FanOutResult]:
    results: dict[int, FanOutResult] = {}
    with gateway.open_fan_out(4, results.__setitem__) as fan_out:
        for key, each in enumerate(letters):
            fan_out.submit(key, each)
        assert fan_out.drain(PATIENCE)
    return results


def test_a_fan_out_reaches_everybody_once(
    wechat: Emulator, gateway: HttpGateway, crowd: list[str]
) -> None:
    results = send_all(gateway, [message(gateway, openid) for openid in crowd])
    shown = [wechat.read_inbox(openid) for openid in crowd]
    assert [len(items) for items in shown] == [1] * len(crowd)
    assert results == {
        key: Accepted(message_id=items[0]["msgid"]) for key, items in enumerate(shown)
    }


def test_a_fan_out_whose_tokens_expire_goes_on_with_one_new_token(
    wechat: Emulator, gateway: HttpGateway, crowd: list[str]
) -> None:
    letters: list[PushLetter] = [message(gateway, openid) for openid in crowd]
    asked = len(wechat.list_calls("/cgi-bin/stable_token"))
    wechat.order_fault(TEMPLATE, errcode=42001, count=4)
    results = send_all(gateway, letters)
    assert {type(result) for result in results.values()} == {Accepted}
    assert [len(wechat.read_inbox(openid)) for openid in crowd] == [1] * len(crowd)
    # The token is still good at WeChat: asked for once, then forced once.
    assert len(wechat.list_calls("/cgi-bin/stable_token")) <= asked + 2


def test_a_fan_out_tells_what_each_recipient_refuses(
    wechat: Emulator, gateway: HttpGateway, crowd: list[str]
) -> None:
    stranger = wechat.create_person("Lan")
    mini = gateway.list_templates(TemplateKind.MINI_SUBSCRIPTION)[0]
    letters: list[PushLetter] = [
        message(gateway, crowd[0]),
        message(gateway, stranger["openid_oa"]),
        message(gateway, "oNobody_0123456789abcdefghij"),
        SubscriptionMessage(
            openid=stranger["openid_mp"], template_id=mini.template_id, page="p",
            fields=dict.fromkeys(mini.fields, "x"),
        ),
    ]  # fmt: skip
    kinds = [type(result) for _, result in sorted(send_all(gateway, letters).items())]
    assert kinds[:3] == [Accepted, errors.Unfollowed, errors.UnknownRecipient]
    assert issubclass(kinds[3], WeChatError)


@pytest.mark.parametrize(
    "fault",
    [
        {"mode": "accept_then_drop"},
        {"mode": "reset"},
        {"mode": "truncate"},
        {"mode": "html"},
        {"http": 502},
    ],
    ids=lambda fault: str(next(iter(fault.values()))),
)
def test_a_fan_out_with_a_broken_answer_leaves_a_doubt_and_sends_at_most_once(
    fault: dict[str, Any], wechat: Emulator, gateway: HttpGateway, crowd: list[str]
) -> None:
    letters: list[PushLetter] = [message(gateway, openid) for openid in crowd]
    wechat.order_fault(TEMPLATE, count=1, **fault)
    kinds = [type(result) for result in send_all(gateway, letters).values()]
    assert kinds.count(errors.CallInDoubt) == 1
    assert kinds.count(Accepted) == len(crowd) - 1
    assert all(len(wechat.read_inbox(openid)) <= 1 for openid in crowd)


def test_every_errcode_of_the_emulator_that_a_send_can_get_is_classified() -> None:
    of_others = {
        *(40019, 40020, 40052, 40053, 45159, 46003),  # menus, codes, tags
        *(45080, 45081, 76021, 76022),  # calls that we do not make
    }
    unknown = {code for code in ERRORS if class_of(code) is errors.Unclassified and code}
    assert unknown <= of_others
