"""WeChat's events about a citizen: account closed, data withdrawn or cleaned, picture checked.

Source: "Changes of authorized users' information" (mini-program; service account for the numbers
from 201 on); security.mediaCheckAsync, the event of its verdict.
"""

from __future__ import annotations

from collections.abc import Callable

from server.accounts import avatars, privacy, profile, service
from server.accounts.models import PictureVerdict
from server.base.uow import UnitOfWork
from server.wechat.callback.inbound import Message
from server.wechat.callback.replies import Reply
from server.wechat.words import count_unknown_word

# WeChat's numbers for withdrawn data that we store.
_NAME = frozenset({"6", "19", "205"})
_AVATAR = frozenset({"6", "20", "205"})
_PHONE = frozenset({"8"})
# All numbers of the list at present; WeChat extends it.
_LISTED = frozenset(str(number) for number in (*range(1, 21), *range(201, 207)))
_LONGEST_TRACE = 128


def account_closed(uow: UnitOfWork, message: Message) -> None:
    """The citizen closed the WeChat account: erase the citizen."""
    citizen_id = _citizen_of(uow, message)
    if citizen_id is not None:
        privacy.erase_citizen(uow, citizen_id)


def permission_withdrawn(uow: UnitOfWork, message: Message) -> None:
    """The citizen withdrew permission to use some data: delete it if we store it."""
    listed = message.fields.get("RevokeInfo", "")
    taken_back = {part.strip() for part in listed.split(",")} if isinstance(listed, str) else set()
    citizen_id = _citizen_of(uow, message)
    # An event with a plugin's id is about the plugin's permission, not ours.
    if citizen_id is None or message.fields.get("PluginID"):
        return
    for number in sorted(taken_back - _LISTED - {""}):
        count_unknown_word("withdrawn_data", number)
    if taken_back & _NAME:
        profile.drop_name(uow, citizen_id)
    if taken_back & _AVATAR:
        profile.drop_avatar(uow, citizen_id)
    if taken_back & _PHONE:
        profile.drop_phone(uow, citizen_id)


def profile_cleaned(uow: UnitOfWork, message: Message) -> None:
    """WeChat cleaned a risky profile, without saying which part: delete name and avatar."""
    citizen_id = _citizen_of(uow, message)
    if citizen_id is not None:
        profile.drop_name(uow, citizen_id)
        profile.drop_avatar(uow, citizen_id)


def picture_judged(uow: UnitOfWork, message: Message) -> None:
    """WeChat's verdict on a picture."""
    trace_id, result = message.fields.get("trace_id"), message.fields.get("result")
    if not isinstance(trace_id, str) or not 1 <= len(trace_id) <= _LONGEST_TRACE:
        return
    suggest = result.get("suggest") if isinstance(result, dict) else None
    fetched = message.fields.get("errcode", "0") == "0"
    verdict = _verdict_of(suggest) if fetched else PictureVerdict.FAILED
    if verdict is not None:
        avatars.store_verdict(uow, trace_id, verdict)


def _verdict_of(suggest: object) -> PictureVerdict | None:
    if not isinstance(suggest, str) or not suggest:
        return None
    if suggest in (PictureVerdict.PASS, PictureVerdict.REVIEW, PictureVerdict.RISKY):
        return PictureVerdict(suggest)
    # An unknown verdict is no pass: a person must decide.
    count_unknown_word("picture_check", suggest)
    return PictureVerdict.REVIEW


def _citizen_of(uow: UnitOfWork, message: Message) -> int | None:
    return service.citizen_of_openid(uow, message.app, message.openid, create=False)


HANDLERS: tuple[tuple[str, Callable[[UnitOfWork, Message], Reply | None]], ...] = (
    ("user_authorization_cancellation", account_closed),
    ("user_authorization_revoke", permission_withdrawn),
    ("user_info_modified", profile_cleaned),
    ("wxa_media_check", picture_judged),
)
