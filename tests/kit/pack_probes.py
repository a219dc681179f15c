"""Publishing packs of every owner for the console's matrix."""

from __future__ import annotations

from typing import Any

from server.base.access import Scope
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork
from server.channel.models import ChannelCode, CodeTarget
from tests.kit.activities import a_lecture
from tests.kit.activity_probes import make_activity
from tests.kit.console_matrix import Probe


def a_channel_code(
    uow: UnitOfWork, target_ref: str, name: str = "微博", **columns: Any
) -> ChannelCode:
    """A code for an activity, without a picture from WeChat; columns as in the table."""
    target = CodeTarget.ACTIVITY if target_ref.startswith("act") else CodeTarget.ANNOUNCEMENT
    row = ChannelCode(
        **{
            "code": uow.new_ref("chn")[-12:],
            "target": target,
            "target_ref": target_ref,
            "name": name,
            "made_at": uow.now,
            **owned_by(Scope()),
            **columns,
        }
    )
    uow.session.add(row)
    uow.session.flush()
    return row


def make_pack(uow: UnitOfWork, owner: Scope, published: bool) -> dict[str, str]:
    """The pack of an activity, which may be a draft, with a channel of its owner."""
    made = make_activity(uow, owner, published)
    a_channel_code(uow, made["ref"], **owned_by(owner))
    return {"target": "activity", **made}


def make_published_pack(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """The pack of a published activity, whatever is requested, without channels."""
    return {"target": "activity", **make_activity(uow, owner, True)}


def make_coded(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A code of an owner, for an activity that everybody sees."""
    ref = a_lecture(uow).ref
    code = a_channel_code(uow, ref, **owned_by(owner)).code
    return {"target": "activity", "ref": ref, "code": code}


PACK_PROBES = {
    "GET /packs/<target>/<ref>": Probe(make=make_pack, upward=True),
    "POST /packs/<target>/<ref>": Probe(
        make=make_published_pack, upward=True, all_published=True, form={"name": "微博"}
    ),
    "POST /packs/<target>/<ref>/<code>/stop": Probe(make=make_coded),
    "GET /packs/<target>/<ref>/file": Probe(
        make=make_published_pack, upward=True, all_published=True
    ),
}
