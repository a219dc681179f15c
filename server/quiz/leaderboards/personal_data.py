"""Members of WeChat groups as personal data: the declaration of their table, and the export."""

from __future__ import annotations

from sqlalchemy import select

from server.base.personal_data import Erase, Merge, Personal
from server.base.uow import UnitOfWork
from server.quiz.models import GroupMember, WeChatGroup


def tell_groups(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The WeChat groups whose boards a citizen is on."""
    rows = uow.session.execute(
        select(WeChatGroup.ref.label("id"), GroupMember.joined_at)
        .join(WeChatGroup, WeChatGroup.id == GroupMember.group_id)
        .where(GroupMember.citizen_id == citizen_id)
        .order_by(GroupMember.id)
    )
    return [dict(row._mapping) for row in rows]


PERSONAL = (
    Personal(
        GroupMember,
        "citizen_id",
        erase=Erase.KEEP_ANONYMOUS,
        kept_because="an erased entry keeps its place on the group's board, with nobody's name",
        merge=Merge.KEEP_ONE,
        export={"groups": tell_groups},
    ),
)
