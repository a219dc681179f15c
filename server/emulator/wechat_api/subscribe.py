"""Subscription messages of both accounts: grants, field rules, one send per person at a time.

Source: "Sending subscription messages" (mini-program), "Subscription notices" (service account).
"""

from __future__ import annotations

from typing import Any

from .. import grants, letters, people
from ..apps import MINI
from ..receipt_orders import SENT, SUCCESS
from ..templates import Template
from ..world import World
from .common import BOTH, ONLY_MINI, ApiError, Call, Endpoint, Receipt, ok_answer
from .template import ADDRESS, check_data, put_card, read_jump

SENSITIVE = "[risky]"


def send_message(world: World, call: Call) -> dict[str, Any]:
    """Use one grant and add the message to the person's service notices."""
    person = people.find_by_openid(world, world.mini, call.body.get("touser"))
    if person is None:
        raise ApiError(40003)
    template = world.templates.get(call.text_field("template_id", missing=40037))
    if template is None:
        raise ApiError(40037)
    if template.id in world.banned:
        raise ApiError(43107)
    page = _read_page(world, call)
    data = _read_data(call, template)
    if not grants.take_grant(world, person.openid_mp, template.id):
        raise ApiError(43101)
    shown = {"page": page, "data": data}
    return ok_answer(msgid=_accept_message(world, call, person.openid_mp, template, shown))


def send_notice(world: World, call: Call) -> dict[str, Any]:
    """Use one grant and add the official account's notice to the chat.

    The person need not follow the account. The answer has no msgid, but the event about it has one.
    """
    if call.app.account == MINI:
        raise ApiError(45103)
    person = people.find_by_openid(world, world.official, call.body.get("touser"))
    if person is None:
        raise ApiError(40003)
    template = world.official_notices.get(call.text_field("template_id", missing=40037))
    if template is None:
        raise ApiError(40037)
    if template.id in world.banned:
        raise ApiError(43107)
    url = call.body.get("page") or ""
    if url and not (isinstance(url, str) and ADDRESS.fullmatch(url)):
        raise ApiError(41030)
    shown = {"url": url, "page": read_jump(world, call), "data": _read_data(call, template)}
    if not grants.take_grant(world, person.openid_oa, template.id):
        raise ApiError(43101)
    _accept_message(world, call, person.openid_oa, template, shown)
    return ok_answer()


def _read_page(world: World, call: Call) -> str:
    page = call.body.get("page", "")
    if not isinstance(page, str):
        raise ApiError(41030)
    released = world.released_pages()
    if page and released is not None and page.split("?")[0] not in released:
        raise ApiError(41030)
    if call.body.get("miniprogram_state", "formal") not in ("developer", "trial", "formal"):
        raise ApiError(40097, "miniprogram_state")
    return page


def _read_data(call: Call, template: Template) -> dict[str, Any]:
    data = check_data(call, template)
    if any(SENSITIVE in cell["value"] for cell in data.values()):
        raise ApiError(45168)
    return data


def _accept_message(
    world: World, call: Call, openid: str, template: Template, shown: dict[str, Any]
) -> int:
    """Show the message, unless it fails later, and plan the event about it; return its msgid."""
    msgid = world.random_number64()
    manner = world.receipts.match_send(SENT, openid)
    status = manner.status or SUCCESS
    if status == SUCCESS:
        kind = "subscribe" if call.app.account == MINI else "notice"
        put_card(world, openid, kind, template, {**shown, "msgid": str(msgid)})
    letter = letters.sent_event(world, call.app, openid, (template.id, msgid), status)
    call.receipts.append(Receipt(letter, manner))
    return msgid


def list_templates(world: World, call: Call) -> dict[str, Any]:
    """List the caller's templates: the mini-program's, or the official account's notices.

    Source: "getTemplateList" (mini-program), "Subscription notices" (service account).
    """
    own = world.templates if call.app.account == MINI else world.official_notices
    return ok_answer(
        data=[
            {
                "priTmplId": template.id,
                "title": template.title,
                "content": template.show_content(),
                "example": "",
                "type": 2,
                "keywordEnumValueList": [
                    {"keywordCode": f"{key}.DATA", "enumValueList": list(values)}
                    for key, values in template.listed.items()
                    if values
                ],
            }
            for template in own.values()
        ]
    )


ENDPOINTS = [
    Endpoint(
        path="/cgi-bin/message/subscribe/send",
        method="POST",
        accounts=ONLY_MINI,
        answer=send_message,
        one_at_a_time_by="touser",
    ),
    Endpoint(
        path="/cgi-bin/message/subscribe/bizsend",
        method="POST",
        accounts=BOTH,
        answer=send_notice,
        one_at_a_time_by="touser",
    ),
    Endpoint(
        path="/wxaapi/newtmpl/gettemplate", method="GET", accounts=BOTH, answer=list_templates
    ),
]
