"""Joining the board of a WeChat group."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.base.errors import Invalid
from server.base.rate_limits import BAD_CODE, GROUP, counting_failures
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, PreflightContext, endpoint
from server.base.web.schema import In, Out
from server.quiz.leaderboards import groups
from server.wechat.errors import AWAY, BadLoginCode, LoginRefused
from server.wechat.gateway import GroupEntry

GROUP_API = Api("groups")


class GroupIn(In, frozen=True, kw_only=True):
    """A code of wx.login, and the result of wx.getGroupEnterInfo after it."""

    code: Annotated[str, Meta(min_length=1, max_length=256)]
    encrypted_data: Annotated[str, Meta(min_length=1, max_length=16384)]
    iv: Annotated[str, Meta(min_length=1, max_length=64)]


class GroupOut(Out, frozen=True, kw_only=True):
    """The group, as `scope=group:<id>` names it."""

    group_id: str


def _open_group_entry(preflight: PreflightContext, body: GroupIn) -> GroupEntry:
    """Let WeChat identify the person and the group."""
    try:
        with counting_failures(
            preflight.uow_factory.dependencies, BAD_CODE, preflight.network, BadLoginCode
        ):
            entry: GroupEntry = preflight.gateway.group_entry(
                body.code, body.encrypted_data, body.iv
            )
    except BadLoginCode:
        raise Invalid((("body", "code"), "unknown, used or too old")) from None
    return entry


@endpoint(
    GROUP_API,
    "POST",
    "/groups",
    who=Who.CITIZEN,
    body=GroupIn,
    out=GroupOut,
    errors=(Invalid, LoginRefused, *AWAY),
    consent=True,
    ask=_open_group_entry,
    pace=GROUP,
)
def enter_group(uow: UnitOfWork, body: GroupIn, asked: GroupEntry) -> GroupOut:  # noqa: ARG001 - used by `ask`
    """Join the board of the WeChat group that the mini-program was opened from."""
    return GroupOut(group_id=groups.join_group(uow, uow.caller_id, asked))
