"""The API call of each kind of message; one place for the gateway and the fan-out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.wechat.errors import CallInDoubt
from server.wechat.letters import (
    Accepted,
    CustomerText,
    OfficialSubscription,
    PushLetter,
    SubscriptionMessage,
    TemplateMessage,
)
from server.wechat.transport import ApiCall

OFFICIAL_ACCOUNT, MINI_PROGRAM = "official_account", "mini_program"
_LONGEST_ID = 64


def account_of(letter: PushLetter) -> str:
    """The app that sends this kind of message."""
    return MINI_PROGRAM if isinstance(letter, SubscriptionMessage) else OFFICIAL_ACCOUNT


def call_of(letter: PushLetter, mini_program_appid: str) -> ApiCall:
    """The call that sends a message, without token.

    Sources: subscribeMessage.send; subscription notice, "send"; template message, "send"; customer
    service, "send a message".
    """
    if isinstance(letter, CustomerText):
        return ApiCall(
            method="POST",
            path="/cgi-bin/message/custom/send",
            body={
                "touser": letter.openid,
                "msgtype": "text",
                "text": {"content": letter.text},
            },
        )
    body: dict[str, object] = {
        "touser": letter.openid,
        "template_id": letter.template_id,
        "data": {key: {"value": value} for key, value in letter.fields.items()},
    }
    if isinstance(letter, SubscriptionMessage):
        body |= {"page": letter.page, "miniprogram_state": "formal", "lang": "zh_CN"}
        return ApiCall(method="POST", path="/cgi-bin/message/subscribe/send", body=body)
    if letter.page is not None:
        body["miniprogram"] = {"appid": mini_program_appid, "pagepath": letter.page}
    if isinstance(letter, OfficialSubscription):
        return ApiCall(method="POST", path="/cgi-bin/message/subscribe/bizsend", body=body)
    return _template_call(letter, body)


def accepted_of(answer: Mapping[str, Any]) -> Accepted:
    """Read the response to a send that is without an error.

    Raises: CallInDoubt for one without an errcode: another service may have answered.
    """
    if "errcode" not in answer:
        raise CallInDoubt
    return Accepted(message_id=id_of(answer, "msgid"))


def id_of(answer: Mapping[str, Any], name: str) -> str:
    """Read an id, which WeChat sends as a number or a text; empty when there is none.

    A useless id is no reason for doubt: the message itself was accepted.
    """
    found = answer.get(name)
    good = isinstance(found, int | str) and not isinstance(found, bool)
    return str(found) if found and good and len(str(found)) <= _LONGEST_ID else ""


def _template_call(letter: TemplateMessage, body: dict[str, object]) -> ApiCall:
    body["client_msg_id"] = letter.client_msg_id
    return ApiCall(method="POST", path="/cgi-bin/message/template/send", body=body)
