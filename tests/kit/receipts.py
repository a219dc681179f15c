"""WeChat's reports of sent messages, as both callbacks hand them on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs
from sqlalchemy import select

from server.announcements.models import SendReceipt
from server.announcements.receipts.applying import BATCH, apply_due
from server.announcements.receipts.delivered import apply_delivered
from server.announcements.receipts.storing import store_reports
from server.base.uow import UnitOfWorkFactory
from server.wechat.callback.documents import Fields
from server.wechat.callback.inbound import AppName, Message, key_of
from tests.kit.channel import an_event


def a_report(
    event: str, fields: Fields, openid: str = "o-somebody", app: AppName = "official_account"
) -> Message:
    """An event with these fields."""
    made: Message = an_event(event, openid=openid, app=app)
    return structs.replace(made, fields=fields, key=key_of(app, "wx0", made.key, str(fields)))


def a_template_receipt(openid: str, message_id: str, status: str = "success") -> Message:
    """The result of a template message."""
    fields = {"MsgID": message_id, "Status": status}
    return a_report("templatesendjobfinish", fields, openid)


def a_mass_receipt(message_id: str, status: str = "send success", **counts: int) -> Message:
    """The result of a mass message, with WeChat's counts."""
    told = {name: str(count) for name, count in counts.items()}
    fields = {"MsgID": message_id, "Status": status, **told}
    return a_report("masssendjobfinish", fields, "oPlatform")


def an_item(message_id: str, errcode: str = "0", template: str = "a-template") -> dict[str, Any]:
    """One entry of the event of sent subscription messages."""
    said = "success" if errcode == "0" else "fail"
    return {
        "TemplateId": template, "MsgID": message_id, "ErrorCode": errcode, "ErrorStatus": said
    }  # fmt: skip


def a_subscription_receipt(
    openid: str, *items: dict[str, Any], app: AppName = "mini_program", framed: bool = True
) -> Message:
    """The results of subscription messages: one object or a list, with or without a frame."""
    listed: Any = {"List": items[0] if len(items) == 1 else list(items)}
    fields = {"SubscribeMsgSentEvent": listed} if framed else listed
    return a_report("subscribe_msg_sent_event", fields, openid, app)


def store(uow_factory: UnitOfWorkFactory, *messages: Message) -> None:
    """Store reports as one batch."""
    with uow_factory.begin() as uow:
        store_reports(uow, messages)


def apply(uow_factory: UnitOfWorkFactory) -> int:
    """Apply the due receipts as the task does; return how many found their send."""
    with uow_factory.begin() as uow:
        delivered = apply_delivered(uow, BATCH)
    with uow_factory.begin() as uow:
        return delivered + apply_due(uow).matched


def stored(uow_factory: UnitOfWorkFactory) -> Sequence[SendReceipt]:
    """The stored receipts, in the order of their message ids."""
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalars(select(SendReceipt).order_by(SendReceipt.message_id)).all()
