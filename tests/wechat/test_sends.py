"""Messages to one person and mass messages: the words on the wire, and no blind repetition."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from server.wechat import errors
from server.wechat.errors import WeChatError, class_of
from server.wechat.gateway import Gateway
from server.wechat.letters import (
    CustomerText,
    MassAccepted,
    MassSend,
    OfficialSubscription,
    SubscriptionMessage,
    TemplateMessage,
)
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import OPENID, an_app
from tests.wechat.script import SECRET, Bench, Script

TEMPLATE, NOTICE = "/cgi-bin/message/template/send", "/cgi-bin/message/subscribe/bizsend"
SUBSCRIPTION, CUSTOM = "/cgi-bin/message/subscribe/send", "/cgi-bin/message/custom/send"
MASS, PREVIEW = "/cgi-bin/message/mass/send", "/cgi-bin/message/mass/preview"
STATUS, DELETE = "/cgi-bin/message/mass/get", "/cgi-bin/message/mass/delete"
APPID = an_app(secret=SECRET).appid
A_TEMPLATE = TemplateMessage(
    openid=OPENID,
    template_id="t-1",
    fields={"thing1": "科学讲座"},
    page="pages/lecture/index?id=7",
    client_msg_id="a1b2",
)
A_NOTICE = OfficialSubscription(openid=OPENID, template_id="t-2", fields={"thing1": "科学讲座"})
A_MASS = MassSend(openids=(OPENID, "o-2"), media_id="draft-1", client_msg_id="a-7")

KINDS: dict[str, tuple[Callable[[Gateway], object], str]] = {
    "template": (lambda g: g.send_template(A_TEMPLATE), TEMPLATE),
    "official subscription": (lambda g: g.send_official_subscription(A_NOTICE), NOTICE),
    "mini subscription": (
        lambda g: g.send_subscription(
            SubscriptionMessage(openid=OPENID, template_id="t", page="p", fields={"thing1": "x"})
        ),
        SUBSCRIPTION,
    ),
    "customer text": (lambda g: g.send_text(OPENID, "你好"), CUSTOM),
    "mass": (lambda g: g.send_mass(A_MASS), MASS),
    "preview": (lambda g: g.preview_mass(OPENID, "draft-1"), PREVIEW),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def script(clock: FakeClock) -> Script:
    return Script(clock)


@pytest.fixture
def bench(clock: FakeClock, script: Script, tmp_path: object) -> Bench:
    return Bench(clock, script, kv=f"fake:{tmp_path}")


def test_a_template_message_opens_the_mini_program_and_has_its_own_id(
    bench: Bench, script: Script
) -> None:
    script.answers[TEMPLATE] = {"errcode": 0, "errmsg": "ok", "msgid": 200228332}
    assert bench.gateway.send_template(A_TEMPLATE) == "200228332"
    assert script.seen[-1].body == {
        "touser": OPENID,
        "template_id": "t-1",
        "data": {"thing1": {"value": "科学讲座"}},
        "miniprogram": {"appid": APPID, "pagepath": "pages/lecture/index?id=7"},
        "client_msg_id": "a1b2",
    }


def test_a_subscription_notice_of_the_account_needs_no_page(bench: Bench, script: Script) -> None:
    script.answers[NOTICE] = {"errcode": 0, "msgid": "9"}
    assert bench.gateway.send_official_subscription(A_NOTICE) == "9"
    assert script.seen[-1].body == {
        "touser": OPENID,
        "template_id": "t-2",
        "data": {"thing1": {"value": "科学讲座"}},
    }


def test_a_text_goes_into_the_chat(bench: Bench, script: Script) -> None:
    script.answers[CUSTOM] = {"errcode": 0}
    bench.gateway.send_text(OPENID, "你好")
    assert script.seen[-1].body == {
        "touser": OPENID,
        "msgtype": "text",
        "text": {"content": "你好"},
    }


@pytest.mark.parametrize("msgid", [None, 0, "", True, 1.5, ["7"], {"a": 1}, "x" * 65])
def test_an_accepted_message_with_a_useless_id_is_accepted(
    msgid: object, bench: Bench, script: Script
) -> None:
    script.answers[TEMPLATE] = {"errcode": 0, "msgid": msgid}
    assert bench.gateway.send_template(A_TEMPLATE) == ""


def test_a_mass_message_names_its_people_its_draft_and_its_id(bench: Bench, script: Script) -> None:
    script.answers[MASS] = {"errcode": 0, "msg_id": 34182, "msg_data_id": 206227730}
    accepted = bench.gateway.send_mass(A_MASS)
    assert accepted == MassAccepted(msg_id="34182", msg_data_id="206227730")
    assert script.seen[-1].body == {
        "touser": [OPENID, "o-2"],
        "msgtype": "mpnews",
        "mpnews": {"media_id": "draft-1"},
        "send_ignore_reprint": 0,
        "clientmsgid": "a-7",
    }
    assert OPENID not in repr(A_MASS)


def test_a_mass_message_that_was_sent_before_tells_the_id_of_that_time(
    bench: Bench, script: Script
) -> None:
    script.answers[MASS] = {"errcode": 45065, "errmsg": "clientmsgid exist", "msg_id": 34182}
    with pytest.raises(errors.AlreadySent) as caught:
        bench.gateway.send_mass(A_MASS)
    assert caught.value.message_id == "34182"


def test_a_mass_message_that_is_repeated_too_fast_waits_a_minute(
    bench: Bench, script: Script
) -> None:
    script.answers[MASS] = 45066
    with pytest.raises(errors.TryLater) as caught:
        bench.gateway.send_mass(A_MASS)
    assert caught.value.after_seconds == 60


def test_a_mass_message_without_its_id_is_in_doubt(bench: Bench, script: Script) -> None:
    for answer in ({"errcode": 0}, {"msg_id": 7}, {"errcode": 0, "msg_id": []}):
        script.answers[MASS] = answer
        with pytest.raises(errors.CallInDoubt):
            bench.gateway.send_mass(A_MASS)


def test_the_state_and_the_deletion_name_the_mass_message(bench: Bench, script: Script) -> None:
    script.answers[STATUS] = {"msg_id": 34182, "msg_status": "SEND_SUCCESS"}
    assert bench.gateway.mass_status("34182") == "SEND_SUCCESS"
    assert script.seen[-1].body == {"msg_id": "34182"}
    script.answers[DELETE] = {"errcode": 0}
    bench.gateway.delete_mass("34182")
    assert script.seen[-1].body == {"msg_id": 34182}
    script.answers[STATUS] = {"msg_id": 34182}
    with pytest.raises(errors.CallInDoubt):
        bench.gateway.mass_status("34182")


def test_a_preview_goes_to_an_openid_of_any_form(bench: Bench, script: Script) -> None:
    script.answers[PREVIEW] = {"errcode": 0, "msg_id": 7}
    bench.gateway.preview_mass("odd", "draft-1")
    assert script.seen[-1].body == {
        "touser": "odd",
        "msgtype": "mpnews",
        "mpnews": {"media_id": "draft-1"},
    }


REFUSED_CONNECTION = requests.exceptions.ConnectTimeout()
CELLS: list[tuple[str, object, type[WeChatError]]] = [
    ("time-out", requests.exceptions.ReadTimeout(), errors.CallInDoubt),
    ("reset", requests.exceptions.ConnectionError(), errors.CallInDoubt),
    ("half an answer", requests.exceptions.ChunkedEncodingError(), errors.CallInDoubt),
    ("no connection", REFUSED_CONNECTION, errors.NotSent),
    ("500", (500, b""), errors.CallInDoubt),
    ("502", (502, {"errcode": 0}), errors.CallInDoubt),
    ("HTML", b"<html>", errors.CallInDoubt),
    ("a list", b"[]", errors.CallInDoubt),
    ("errcode as text", {"errcode": "0", "msgid": 7}, errors.CallInDoubt),
    ("-1", -1, errors.TryLater),
    ("40003", 40003, errors.UnknownRecipient),
    ("40037", 40037, errors.TemplateRefused),
    ("43004", 43004, errors.Unfollowed),
    ("43019", 43019, errors.RecipientGone),
    ("43101", 43101, errors.NoGrant),
    ("43108", 43108, errors.BusyRecipient),
    ("43116", 43116, errors.TemplateRefused),
    ("43117", 43117, errors.BusyRecipient),
    ("45009", 45009, errors.QuotaSpent),
    ("45011", 45011, errors.SlowDown),
    ("45015", 45015, errors.RecipientGone),
    ("45047", 45047, errors.RecipientGone),
    ("45066", 45066, errors.TryLater),
    ("47003", 47003, errors.BadContent),
    ("48001", 48001, errors.ConfigWrong),
    ("70000", 70000, errors.RecipientGone),
    ("unknown", 987654, errors.Unclassified),
]


@pytest.mark.parametrize("cell", CELLS, ids=[cell[0] for cell in CELLS])
@each_kind
def test_no_send_is_repeated_blindly(
    kind: str, cell: tuple[str, object, type[WeChatError]], bench: Bench, script: Script
) -> None:
    send, path = KINDS[kind]
    _, script.answers[path], wanted = cell
    with pytest.raises(WeChatError) as caught:
        send(bench.gateway)
    assert type(caught.value) is wanted
    assert script.count(path) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "preview"])
def test_an_answer_without_an_errcode_may_be_anybodys(
    kind: str, bench: Bench, script: Script
) -> None:
    send, path = KINDS[kind]
    script.answers[path] = {"msgid": 7, "msg_id": 7}
    with pytest.raises(errors.CallInDoubt):
        send(bench.gateway)


@each_kind
def test_a_refused_token_did_nothing_so_the_send_goes_on_with_the_next(
    kind: str, bench: Bench, script: Script
) -> None:
    send, path = KINDS[kind]
    script.answers[path] = [40001, {"errcode": 0, "msgid": 7, "msg_id": 7}]
    send(bench.gateway)
    assert [seen.query["access_token"] for seen in script.seen if seen.path == path] == [
        "token-1",
        "token-2",
    ]


def test_a_bad_field_is_named(bench: Bench, script: Script) -> None:
    script.answers[TEMPLATE] = {
        "errcode": 47003,
        "errmsg": "argument invalid! data.thing1.value invalid rid: 1-2-3",
    }
    with pytest.raises(errors.BadContent) as caught:
        bench.gateway.send_template(A_TEMPLATE)
    assert caught.value.field == "thing1"


def test_a_person_and_a_text_are_not_printed() -> None:
    text = CustomerText(openid=OPENID, text="secret words")
    for letter in (A_TEMPLATE, A_NOTICE, text):
        assert OPENID not in repr(letter)
        assert "科学讲座" not in repr(letter)
        assert "secret words" not in repr(letter)


@pytest.mark.parametrize(
    ("errcodes", "wanted"),
    [
        ((-1, 45066), errors.TryLater),
        ((40001, 40014, 41001, 42001), errors.TokenRefused),
        (
            (
                *(40002, 40013, 40125, 40164, 40243, 41002, 41004, 43001, 43002, 48001, 48004),
                *(50001, 50002, 50004, 50007, 61004, 89503, 89504, 89505, 89506, 89507, 45103),
            ),
            errors.ConfigWrong,
        ),
        ((45011, 44990, 44991), errors.SlowDown),
        ((45009, 44993, 48006, 45028), errors.QuotaSpent),
        ((43101,), errors.NoGrant),
        ((43004,), errors.Unfollowed),
        ((40003,), errors.UnknownRecipient),
        ((43019, 46004, 48002, 49003, 45015, 45047, 70000, 61010), errors.RecipientGone),
        ((43108, 43117), errors.BusyRecipient),
        (
            (
                *(47003, 45168, 87014, 40033, 45002, 45003, 45005, 45008, 47001, 44002),
                *(40007, 40009, 40130, 40137, 45001, 45004, 45067),
            ),
            errors.BadContent,
        ),
        ((40037, 40165, 41030, 43107, 43116), errors.TemplateRefused),
        ((45065,), errors.AlreadySent),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_every_errcode_of_a_send_has_its_class(
    errcodes: tuple[int, ...], wanted: type[WeChatError]
) -> None:
    assert {errcode: class_of(errcode) for errcode in errcodes} == dict.fromkeys(errcodes, wanted)
