"""Subscription messages of the mini-program: grants, field rules, one send per person at a time."""

from __future__ import annotations

from typing import Any

from .. import grants, inbox, people, push
from ..apps import MINI
from ..people import Person
from ..templates import Template
from ..world import World
from .common import BOTH, ONLY_MINI, ApiError, Call, Endpoint, ok_answer

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
    return _accept_message(world, person, template, {"page": page, "data": data})


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
    data = call.body.get("data")
    if not isinstance(data, dict):
        raise ApiError(47003, "data")
    wrong = template.wrong_key(data)
    if wrong is not None:
        raise ApiError(47003, f"data.{wrong}.value invalid")
    if any(SENSITIVE in cell["value"] for cell in data.values()):
        raise ApiError(45168)
    return data


def _accept_message(
    world: World, person: Person, template: Template, shown: dict[str, Any]
) -> dict[str, Any]:
    msgid = world.random_number64()
    values = {key: cell["value"] for key, cell in shown["data"].items()}
    inbox.put_line(
        world,
        person.openid_mp,
        "subscribe",
        template.title,
        via="subscribe",
        template_id=template.id,
        page=shown["page"],
        data=values,
        names=dict(zip(template.keys, template.names, strict=True)),
        msgid=str(msgid),
    )
    push.sent_event(world, person, template.id, msgid)
    return ok_answer(msgid=msgid)


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
        path="/wxaapi/newtmpl/gettemplate", method="GET", accounts=BOTH, answer=list_templates
    ),
]
