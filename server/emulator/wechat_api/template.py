"""Template messages of the official account: to followers, with WeChat's types and one id per send.

Source: "Template messages" of the service account: template/send, get_all_private_template,
del_private_template, and the announcement of 2023-05-04 about fields and categories.
"""

from __future__ import annotations

import re
from typing import Any

from .. import inbox, letters
from ..people import Person
from ..receipt_orders import BLOCKED, SUCCESS, TEMPLATE
from ..templates import Template
from ..world import World
from .common import ONLY_OFFICIAL, ApiError, Call, Endpoint, Receipt, ok_answer
from .user import find_holder

# Within this time the same openid and client_msg_id are one message.
SAME_SECONDS = 600
CLIENT_ID = re.compile(r"[0-9A-Za-z_-]{1,32}")
ADDRESS = re.compile(r"https?://[!-~]{1,2040}")


def send_template(world: World, call: Call) -> dict[str, Any]:
    """Send a message to a follower; the same client_msg_id again returns the first one's msgid."""
    person = find_holder(world, call.body.get("touser"))
    template = _find_template(world, call)
    if not person.subscribed:
        raise ApiError(43004)
    data = check_data(call, template)
    target = {"url": _read_url(call), "page": read_jump(world, call)}
    client_id = _read_client_id(call)
    before = _sent_before(world, person.openid_oa, client_id)
    if before is not None:
        return ok_answer(msgid=before)
    msgid = world.random_number64()
    if client_id is not None:
        _note_client_id(world, person.openid_oa, client_id, msgid)
    _deliver_message(world, call, person, (template, msgid), {**target, "data": data})
    return ok_answer(msgid=msgid)


def _deliver_message(
    world: World,
    call: Call,
    person: Person,
    sent: tuple[Template, int],
    shown: dict[str, Any],
) -> None:
    """Show the message on the phone, unless it fails, and plan the report about it."""
    template, msgid = sent
    manner = world.receipts.match_send(TEMPLATE, person.openid_oa)
    status = manner.status or (BLOCKED if person.blocks else SUCCESS)
    if status == SUCCESS:
        put_card(world, person.openid_oa, "template", template, {**shown, "msgid": str(msgid)})
    letter = letters.template_receipt(world, person.openid_oa, msgid, status)
    call.receipts.append(Receipt(letter, manner))


def put_card(
    world: World, openid: str, kind: str, template: Template, shown: dict[str, Any]
) -> None:
    """Add a card of a template to the messages of this openid; `kind` is also how it came."""
    values = template.shown_values(shown["data"])
    names = dict(zip(template.keys, template.names, strict=True))
    inbox.put_line(
        world,
        openid,
        kind,
        template.title,
        via=kind,
        template_id=template.id,
        **{**shown, "data": values},
        names={key: names[key] for key in values},
    )


def _find_template(world: World, call: Call) -> Template:
    template = world.official_templates.get(call.text_field("template_id", missing=40037))
    if template is None or template.id in world.deleted_templates:
        raise ApiError(40037)
    if template.id in world.banned:
        raise ApiError(43116)
    return template


def check_data(call: Call, template: Template) -> dict[str, Any]:
    """The data of a message.

    Raises: ApiError 47003 naming the first key that is missing, unknown or of another type.
    """
    data = call.body.get("data")
    if not isinstance(data, dict):
        raise ApiError(47003, "data")
    wrong = template.wrong_key(data)
    if wrong is not None:
        raise ApiError(47003, f"data.{wrong}.value invalid")
    return data


def _read_url(call: Call) -> str:
    url = call.body.get("url") or ""
    if url and not (isinstance(url, str) and ADDRESS.fullmatch(url)):
        raise ApiError(40048)
    return str(url)


def read_jump(world: World, call: Call) -> str:
    """The page of the linked mini-program that the card opens, or nothing.

    Raises: ApiError 40013 for a mini-program that is not linked, 40165 for an unreleased page.
    """
    jump = call.body.get("miniprogram")
    if not jump:
        return ""
    if not isinstance(jump, dict) or jump.get("appid") != world.mini.appid:
        raise ApiError(40013)
    if not world.can_open(jump.get("pagepath")):
        raise ApiError(40165)
    return str(jump["pagepath"])


def _read_client_id(call: Call) -> str | None:
    given = call.body.get("client_msg_id")
    if given is None:
        return None
    if not isinstance(given, str) or not CLIENT_ID.fullmatch(given):
        raise ApiError(40097, "client_msg_id")
    return given


def _sent_before(world: World, openid: str, client_id: str | None) -> int | None:
    if client_id is None:
        return None
    row = world.store.first_row(
        "SELECT msgid FROM sends WHERE openid = ? AND client_id = ? AND at > ?",
        openid,
        client_id,
        world.now() - SAME_SECONDS,
    )
    return None if row is None else int(row["msgid"])


def _note_client_id(world: World, openid: str, client_id: str, msgid: int) -> None:
    world.store.run_sql(
        "INSERT OR REPLACE INTO sends (openid, client_id, msgid, at) VALUES (?, ?, ?, ?)",
        openid,
        client_id,
        msgid,
        world.now(),
    )


def list_templates(world: World, _call: Call) -> dict[str, Any]:
    """List the account's templates."""
    kept = (
        template
        for template in world.official_templates.values()
        if template.id not in world.deleted_templates
    )
    return {
        "template_list": [
            {
                "template_id": template.id,
                "title": template.title,
                "primary_industry": "",
                "deputy_industry": "",
                "content": template.show_content(),
                "example": "",
            }
            for template in kept
        ]
    }


def delete_template(world: World, call: Call) -> dict[str, Any]:
    """Remove a template from the account."""
    template_id = call.text_field("template_id", missing=40037)
    if template_id not in world.official_templates or template_id in world.deleted_templates:
        raise ApiError(40037)
    world.deleted_templates.add(template_id)
    return ok_answer()


ENDPOINTS = [
    Endpoint(
        path="/cgi-bin/message/template/send",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=send_template,
        one_at_a_time_by="touser",
    ),
    Endpoint(
        path="/cgi-bin/template/get_all_private_template",
        method="GET",
        accounts=ONLY_OFFICIAL,
        answer=list_templates,
    ),
    Endpoint(
        path="/cgi-bin/template/del_private_template",
        method="POST",
        accounts=ONLY_OFFICIAL,
        answer=delete_template,
    ),
]
