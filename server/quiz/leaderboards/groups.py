"""WeChat groups with boards; the group's id is stored only as a hash.

Opening the mini-program from a group's card adds a person to its board, in every contest.
"""

from __future__ import annotations

from sqlalchemy import select

from server.accounts import service as accounts
from server.base.errors import Invalid, NotFound
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.quiz.models import GroupMember, WeChatGroup
from server.wechat.gateway import GroupEntry


def join_group(uow: UnitOfWork, citizen_id: int, entry: GroupEntry) -> str:
    """Add a citizen to the board of the group they came from; return its public id.

    Raises: Invalid (422) when the entry is another person's.
    Locks: the citizen.
    """
    accounts.lock_citizen(uow, citizen_id)
    owner = accounts.citizen_of_openid(uow, "mini_program", entry.openid, create=False)
    if owner != citizen_id:
        raise Invalid((("body", "code"), "a code of another person"))
    group_id, ref = _find_or_add_group(uow, entry.opengid)
    fresh = insert_for(uow.session, GroupMember).values(
        group_id=group_id, citizen_id=citizen_id, joined_at=uow.now
    )
    uow.session.execute(fresh.on_conflict_do_nothing())
    return ref


def _find_or_add_group(uow: UnitOfWork, opengid: str) -> tuple[int, str]:
    hashed = uow.keys.blind_hash(opengid, "opengid")
    fresh = insert_for(uow.session, WeChatGroup).values(
        ref=uow.new_ref("grp"), opengid_hash=hashed, made_at=uow.now
    )
    uow.session.execute(fresh.on_conflict_do_nothing())
    asked = select(WeChatGroup.id, WeChatGroup.ref).where(WeChatGroup.opengid_hash == hashed)
    group_id, ref = uow.session.execute(asked).one()
    return group_id, ref


def group_of_member(uow: UnitOfWork, ref: str, citizen_id: int | None) -> int:
    """The row id of a group.

    Raises: NotFound (404) for non-members.
    """
    found = uow.session.scalar(
        select(WeChatGroup.id)
        .join(GroupMember, GroupMember.group_id == WeChatGroup.id)
        .where(WeChatGroup.ref == ref, GroupMember.citizen_id == citizen_id)
    )
    if found is None:
        raise NotFound
    return found
