"""Checking in from the official account's menu: the phone scans, the account answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.accounts import service as accounts
from server.base.clock import BEIJING
from server.base.manifest import EventHandler
from server.base.uow import UnitOfWork
from server.channel import service as channel
from server.checkin import codes
from server.checkin.admitting import check_in_by_code
from server.wechat.callback.inbound import Message
from server.wechat.callback.replies import Reply

PAGE = "packages/lectures/ticket/index"
_TEXT = "checkin.chat"


def check_in_by_scan(uow: UnitOfWork, message: Message) -> Reply:
    """Check the scanning follower in by the venue's code; a refusal is answered in words.

    Raises: CodeExpired, NotSignedUp, WaitlistedOnly, TooEarly, TooLate (409).
    """
    code = _read_scanned(message)
    other = codes.name_other_code(code)
    if other is not None:
        return _reply_text(uow, other)
    citizen_id = accounts.player_of_openid(uow, message.app, message.openid)
    if citizen_id is None:
        return _reply_text(uow, "unlinked", page=PAGE)
    gate, admitted = check_in_by_code(uow, citizen_id, code)
    return _reply_text(
        uow,
        "done" if admitted.fresh else "again",
        title=channel.plain_words(gate.title),
        people=admitted.ticket.party_size,
        time=f"{admitted.at.astimezone(BEIJING):%H:%M}",
        page=PAGE,
    )


def _read_scanned(message: Message) -> str:
    """The text of the scanned code; empty when the event has none."""
    info = message.fields.get("ScanCodeInfo")
    read = info.get("ScanResult") if isinstance(info, Mapping) else None
    return read.strip() if isinstance(read, str) else ""


def _reply_text(uow: UnitOfWork, name: str, **facts: Any) -> Reply:
    return Reply.of_text(uow.texts.fill_text(f"{_TEXT}.{name}", **facts))


EVENTS: tuple[EventHandler, ...] = (("scancode_waitmsg", check_in_by_scan),)
