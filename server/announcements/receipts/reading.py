"""Reads the receipts in WeChat's events; one event of subscription messages may have several.

No database here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from server.announcements.enums import ReceiptKind, ReceiptWord
from server.announcements.receipts.words import mass_word, subscription_word, template_word
from server.wechat.callback.inbound import AppName, Message
from server.wechat.words import count_unknown_word

TEMPLATE_EVENT = "templatesendjobfinish"
MASS_EVENT = "masssendjobfinish"
SUBSCRIPTION_EVENT = "subscribe_msg_sent_event"

_FRAME = "SubscribeMsgSentEvent"
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,40}")
_STATUS_LENGTH = 60
_TEMPLATE_ID_LENGTH = 64
_COUNTS = {
    "total": "TotalCount",
    "filtered": "FilterCount",
    "sent": "SentCount",
    "error": "ErrorCount",
}
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, kw_only=True)
class Report:
    """One receipt as WeChat sent it.

    `openid` is that of a citizen, empty for a mass message. `word` is None when WeChat's status is
    unknown to us.
    """

    kind: ReceiptKind
    app: AppName
    message_id: str
    openid: str
    status: str
    word: ReceiptWord | None
    template_id: str | None = None
    counts: Mapping[str, int] | None = None

    @property
    def key(self) -> tuple[ReceiptKind, str]:
        """The message that the receipt is about."""
        return self.kind, self.message_id


def read_reports(message: Message) -> list[Report]:
    """The receipts in an event; one without a message id is counted and left out."""
    found = list(_reports_in(message))
    whole = [one for one in found if _MESSAGE_ID.fullmatch(one.message_id)]
    if len(whole) != len(found) or not found:
        count_unknown_word("receipt", message.event)
    return whole


def _reports_in(message: Message) -> Iterator[Report]:
    fields = message.fields
    if message.event == TEMPLATE_EVENT:
        status = _text_field(fields, "Status")
        yield Report(
            kind=ReceiptKind.TEMPLATE,
            app=message.app,
            message_id=_message_id(fields),
            openid=message.openid,
            status=status[:_STATUS_LENGTH],
            word=template_word(status),
        )
    elif message.event == MASS_EVENT:
        status = _text_field(fields, "Status")
        yield Report(
            kind=ReceiptKind.MASS,
            app=message.app,
            message_id=_message_id(fields),
            openid="",
            status=status[:_STATUS_LENGTH],
            word=mass_word(status),
            counts=_counts_in(fields),
        )
    else:
        for item in _listed_items(fields):
            yield _subscription_report(message, item)


def _subscription_report(message: Message, item: Mapping[str, object]) -> Report:
    mini = message.app == "mini_program"
    errcode, said = _text_field(item, "ErrorCode"), _text_field(item, "ErrorStatus")
    return Report(
        kind=ReceiptKind.SUBSCRIPTION if mini else ReceiptKind.OFFICIAL_SUBSCRIPTION,
        app=message.app,
        message_id=_message_id(item),
        openid=message.openid,
        status=f"{errcode} {said}".strip()[:_STATUS_LENGTH],
        word=subscription_word(errcode),
        template_id=_text_field(item, "TemplateId")[:_TEMPLATE_ID_LENGTH] or None,
    )


def _listed_items(fields: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The entries of an event, one object or several; in JSON the list has no frame."""
    framed = fields.get(_FRAME)
    listed = (framed if isinstance(framed, Mapping) else fields).get("List")
    several = listed if isinstance(listed, list) else [listed]
    return [item for item in several if isinstance(item, Mapping)]


def _message_id(fields: Mapping[str, object]) -> str:
    # `MsgID` in events, `MsgId` in messages: an event with the other spelling is read too.
    return _text_field(fields, "MsgID") or _text_field(fields, "MsgId")


def _text_field(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""


def _counts_in(fields: Mapping[str, object]) -> dict[str, int]:
    told = {name: _text_field(fields, field) for name, field in _COUNTS.items()}
    return {name: int(text) for name, text in told.items() if _NUMBER.fullmatch(text)}
