"""A citizen's picture: public under a random name, and only after it passed WeChat's check.

WeChat fetches the picture at a private address and pushes its verdict later as an event. The
verdict may arrive before our transaction has stored the trace id.

Lock order: the citizen first, then that citizen's pictures. A transaction that does not hold the
citizen's lock locks pictures only with SKIP LOCKED, and never waits for a citizen afterwards.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from server.accounts import privacy
from server.accounts.avatar_links import PrivateLink, Viewer, check_link, sign_link
from server.accounts.models import (
    App,
    Avatar,
    AvatarState,
    Citizen,
    Identity,
    MediaVerdict,
    PictureVerdict,
)
from server.base.jobs import TaskContext
from server.base.outbox_rows import Backoff, Done, GiveUp, Lost, Outcome, Queue, Retry
from server.base.settings import Settings
from server.base.signing import Keys
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.wechat.errors import WeChatError
from server.wechat.retries import outcome_of

_log = logging.getLogger(__name__)

TASK = "accounts.check_pictures"
SIDE = 256  # pixels
ASK_AGAIN_AFTER = timedelta(seconds=60)
# WeChat only checks pictures of people who used the mini-program within this time.
ASKED_WITHIN = timedelta(hours=2)
# WeChat promises a verdict within half an hour; after this time a person must decide.
JUDGED_WITHIN = timedelta(minutes=45)
_VERDICTS_KEPT = timedelta(days=1)
OWNER_SEES_FOR = timedelta(minutes=10)
# States in which a private address works; the public one works only in SHOWN.
_VISIBLE_TO = {
    Viewer.CHECK: (AvatarState.WAITING, AvatarState.ASKED),
    Viewer.OWNER: (AvatarState.WAITING, AvatarState.ASKED, AvatarState.REVIEW),
}


@dataclass(frozen=True, kw_only=True)
class UncheckedPicture:
    """A picture to be checked; WeChat fetches it at `address`."""

    openid: str = field(repr=False)
    address: str = field(repr=False)


def keep_picture(uow: UnitOfWork, citizen_id: int, picture: bytes) -> None:
    """Store a new picture as unchecked; the public one remains until it passes.

    Locks: the citizen.
    """
    privacy.lock_citizen(uow, citizen_id)
    drop_unshown(uow, citizen_id)
    avatar = Avatar(
        name=uow.new_ref("ava"),
        citizen_id=citizen_id,
        picture=picture,
        state=AvatarState.WAITING,
        made_at=uow.now,
    )
    avatar.enqueue_again(uow.now)
    uow.session.add(avatar)
    uow.enqueue_after_commit(TASK)


def drop_unshown(uow: UnitOfWork, citizen_id: int) -> None:
    """Delete every picture of a citizen except the public one, under the caller's lock."""
    uow.session.execute(
        delete(Avatar).where(Avatar.citizen_id == citizen_id, Avatar.state != AvatarState.SHOWN)
    )


def take_back(uow: UnitOfWork, citizen_id: int) -> None:
    """Delete every picture of a citizen."""
    uow.session.execute(delete(Avatar).where(Avatar.citizen_id == citizen_id))
    uow.session.execute(update(Citizen).where(Citizen.id == citizen_id).values(avatar_url=None))


def public_picture(uow: UnitOfWork, name: str) -> bytes | None:
    """The picture with this name as a JPEG, if it passed the check."""
    return uow.session.scalar(
        select(Avatar.picture).where(Avatar.name == name, Avatar.state == AvatarState.SHOWN)
    )


def private_picture(uow: UnitOfWork, link: PrivateLink) -> bytes | None:
    """The picture behind a private address, while its check is not finished."""
    viewer = check_link(uow.keys, uow.now, link)
    if viewer is None:
        return None
    return uow.session.scalar(
        select(Avatar.picture).where(
            Avatar.name == link.name, Avatar.state.in_(_VISIBLE_TO[viewer])
        )
    )


def preview_of(uow: UnitOfWork, citizen_id: int) -> str | None:
    """A private address for the citizen's own view, valid for ten minutes, while the check runs."""
    name = uow.session.scalar(
        select(Avatar.name)
        .where(
            Avatar.citizen_id == citizen_id,
            Avatar.state.in_(_VISIBLE_TO[Viewer.OWNER]),
        )
        .order_by(Avatar.id.desc())
        .limit(1)
    )
    if name is None:
        return None
    link = sign_link(uow.keys, Viewer.OWNER, name, uow.now + OWNER_SEES_FOR)
    return f"{uow.settings.public_url.rstrip('/')}{link.path}"


def state_of(uow: UnitOfWork, citizen_id: int) -> AvatarState | None:
    """State of the picture that a citizen uploaded last."""
    asked = select(Avatar.state).where(Avatar.citizen_id == citizen_id)
    return uow.session.scalar(asked.order_by(Avatar.id.desc()).limit(1))


def _prepare_question(uow: UnitOfWork, row: Avatar) -> UncheckedPicture | Outcome:
    openid = uow.session.scalar(
        select(Identity.openid)
        .where(Identity.citizen_id == row.citizen_id, Identity.app == App.MINI_PROGRAM)
        .order_by(Identity.id.desc())
        .limit(1)
    )
    if openid is None:
        return Retry(reason="no_openid")
    address = address_for_check(uow.settings, uow.keys, row.name, uow.now)
    return UncheckedPicture(openid=openid, address=address)


def _ask_for_verdict(context: TaskContext, picture: UncheckedPicture) -> Outcome:
    try:
        return Done(result=context.gateway.check_picture(picture.openid, picture.address))
    except WeChatError as trouble:
        _log.warning("picture waits for its check", extra={"code": trouble.code})
        now = context.uow_factory.dependencies.clock.now()
        return outcome_of(trouble, now, repeatable=True)


def _settle_question(uow: UnitOfWork, row: Avatar, outcome: Outcome) -> None:
    match outcome:
        case Done():
            row.state, row.trace_id, row.asked_at = AvatarState.ASKED, outcome.result, uow.now
        case GiveUp():
            row.state, row.picture = AvatarState.UNCHECKED, None


QUEUE = Queue(
    name="picture_checks",
    task=TASK,
    table=Avatar,
    prepare=_prepare_question,
    send=_ask_for_verdict,
    settle=_settle_question,
    lost=Lost.QUEUED,
    lease=ASK_AGAIN_AFTER,
    backoff=Backoff(first=ASK_AGAIN_AFTER, most=ASK_AGAIN_AFTER),
    keep_for=ASKED_WITHIN,
)


def store_verdict(uow: UnitOfWork, trace_id: str, verdict: PictureVerdict) -> None:
    """Store a verdict, and enqueue its execution."""
    fresh = insert_for(uow.session, MediaVerdict).values(
        trace_id=trace_id, verdict=verdict, at=uow.now
    )
    uow.session.execute(fresh.on_conflict_do_nothing())
    uow.enqueue_after_commit(TASK)


def judged_pictures(uow: UnitOfWork, limit: int) -> list[int]:
    """Pictures with a verdict that is not applied yet."""
    rows = uow.session.scalars(
        select(Avatar.id)
        .join(MediaVerdict, MediaVerdict.trace_id == Avatar.trace_id)
        .where(Avatar.state == AvatarState.ASKED)
        .order_by(Avatar.id)
        .limit(limit)
    )
    return list(rows)


def settle_verdict(uow: UnitOfWork, avatar_id: int) -> bool:
    """Apply the verdict on one picture; return whether there was one.

    Locks: the citizen, then the picture. One citizen per transaction, because a merge locks two.
    """
    owner = uow.session.scalar(select(Avatar.citizen_id).where(Avatar.id == avatar_id))
    uow.session.execute(select(Citizen.id).where(Citizen.id == owner).with_for_update())
    row = uow.session.execute(
        select(Avatar, MediaVerdict.verdict)
        .join(MediaVerdict, MediaVerdict.trace_id == Avatar.trace_id)
        .where(
            Avatar.id == avatar_id,
            # A merge may have moved it to another citizen meanwhile; the next sweep finds it there.
            Avatar.citizen_id == owner,
            Avatar.state == AvatarState.ASKED,
        )
        .with_for_update(of=Avatar)
    ).one_or_none()
    if row is None:
        return False
    carry_out_verdict(uow, row.Avatar, row.verdict)
    uow.session.flush()
    return True


def carry_out_verdict(uow: UnitOfWork, avatar: Avatar, verdict: PictureVerdict) -> None:
    """Apply a verdict to a picture; the caller holds the citizen and the picture."""
    match verdict:
        case PictureVerdict.PASS:
            _show_picture(uow, avatar)
        case PictureVerdict.RISKY:
            avatar.state, avatar.picture = AvatarState.REFUSED, None
        case PictureVerdict.REVIEW:
            avatar.state = AvatarState.REVIEW
        case PictureVerdict.FAILED:
            avatar.state, avatar.trace_id = AvatarState.WAITING, None
            avatar.enqueue_again(uow.now, uow.now + ASK_AGAIN_AFTER)
            # WeChat's time limit for a check runs from the upload.
            avatar.outbox_since = avatar.made_at


def _show_picture(uow: UnitOfWork, avatar: Avatar) -> None:
    uow.session.execute(
        delete(Avatar).where(Avatar.citizen_id == avatar.citizen_id, Avatar.id != avatar.id)
    )
    uow.session.execute(
        update(Citizen)
        .where(Citizen.id == avatar.citizen_id)
        .values(avatar_url=f"{uow.settings.public_url.rstrip('/')}{path_of(avatar.name)}")
    )
    avatar.state = AvatarState.SHOWN


def path_of(name: str) -> str:
    """The public path of a picture."""
    return f"/pictures/{name}.jpg"


def address_for_check(settings: Settings, keys: Keys, name: str, now: datetime) -> str:
    """The private address for WeChat's check. It must not appear in a response, log or export."""
    return settings.own_address + sign_link(keys, Viewer.CHECK, name, now + JUDGED_WITHIN).path


def give_up(uow: UnitOfWork) -> int:
    """Move pictures without a timely verdict to manual review; return how many.

    Locks: the pictures, skipping those locked by others.
    """
    late = (Avatar.state == AvatarState.ASKED, Avatar.asked_at <= uow.now - JUDGED_WITHIN)
    ids = uow.session.scalars(
        select(Avatar.id).where(*late).with_for_update(skip_locked=True)
    ).all()
    uow.session.execute(update(Avatar).where(Avatar.id.in_(ids)).values(state=AvatarState.REVIEW))
    uow.session.execute(delete(MediaVerdict).where(MediaVerdict.at < uow.now - _VERDICTS_KEPT))
    return len(ids)


def tell_pictures(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """The pictures of a citizen and their states; only a public one has an address here."""
    rows = uow.session.execute(
        select(Avatar.name, Avatar.state, Avatar.made_at)
        .where(Avatar.citizen_id == citizen_id)
        .order_by(Avatar.id)
    )
    return [
        {
            "path": path_of(row.name) if row.state is AvatarState.SHOWN else None,
            "state": row.state.value,
            "given_at": row.made_at,
        }
        for row in rows
    ]


def merge_pictures(uow: UnitOfWork, keep_id: int, gone_id: int) -> None:
    """Move a merged citizen's pictures to the survivor, unless that one has a public picture."""
    session = uow.session
    if session.scalar(select(Citizen.avatar_url).where(Citizen.id == keep_id)) is not None:
        session.execute(delete(Avatar).where(Avatar.citizen_id == gone_id))
        return
    session.execute(update(Avatar).where(Avatar.citizen_id == gone_id).values(citizen_id=keep_id))
