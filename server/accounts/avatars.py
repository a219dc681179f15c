"""A citizen's picture: shown under a random name, and only after WeChat's check has passed it.

WeChat fetches the picture by its address and tells its verdict later by an event. Which comes
first, our note of the name we asked under or the verdict, does not matter here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from server.accounts import privacy
from server.accounts.models import (
    App,
    Avatar,
    AvatarState,
    Citizen,
    Identity,
    MediaVerdict,
    PictureVerdict,
)
from server.base.settings import Settings
from server.base.tables import insert_for
from server.base.work import Work
from server.wechat.errors import WeChatError

_log = logging.getLogger(__name__)

TASK = "accounts.check_pictures"
SIDE = 256  # pixels
ASK_AGAIN_AFTER = timedelta(seconds=60)
# WeChat takes a picture only while its owner was in the mini-program within this time.
ASKED_WITHIN = timedelta(hours=2)
# It promises a verdict within half an hour; then a person has to look.
JUDGED_WITHIN = timedelta(minutes=45)
_VERDICTS_KEPT = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Unasked:
    """A picture to ask WeChat about."""

    avatar_id: int
    openid: str
    name: str


def keep(work: Work, citizen_id: int, picture: bytes) -> None:
    """Keep a new picture until it is judged; the one that is shown stays so long.

    Locks: the citizen.
    """
    privacy.hold(work, citizen_id)
    work.session.execute(
        delete(Avatar).where(Avatar.citizen_id == citizen_id, Avatar.state != AvatarState.SHOWN)
    )
    work.session.add(
        Avatar(
            name=work.new_ref("ava"),
            citizen_id=citizen_id,
            picture=picture,
            state=AvatarState.WAITING,
            ask_after=work.now,
            made_at=work.now,
        )
    )
    work.ring(TASK)


def take_back(work: Work, citizen_id: int) -> None:
    """Show no picture of a citizen any more, and keep none."""
    work.session.execute(delete(Avatar).where(Avatar.citizen_id == citizen_id))
    work.session.execute(update(Citizen).where(Citizen.id == citizen_id).values(avatar_url=None))


def picture(work: Work, name: str) -> bytes | None:
    """The picture of this name, as a JPEG; whoever has not been told the name cannot find it."""
    return work.session.scalar(select(Avatar.picture).where(Avatar.name == name))


def state_of(work: Work, citizen_id: int) -> AvatarState | None:
    """Where the picture that a citizen gave last stands."""
    asked = select(Avatar.state).where(Avatar.citizen_id == citizen_id)
    return work.session.scalar(asked.order_by(Avatar.id.desc()).limit(1))


def claim(work: Work, limit: int) -> list[Unasked]:
    """Pictures to ask WeChat about now; nobody else asks about them for a minute.

    Locks: the pictures, skipping those in other hands.
    """
    rows = work.session.execute(
        select(Avatar.id, Avatar.name, Avatar.citizen_id)
        .where(Avatar.state == AvatarState.WAITING, Avatar.ask_after <= work.now)
        .order_by(Avatar.ask_after)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    ids = [row.id for row in rows]
    work.session.execute(
        update(Avatar).where(Avatar.id.in_(ids)).values(ask_after=work.now + ASK_AGAIN_AFTER)
    )
    openids = _openids(work.session, [row.citizen_id for row in rows])
    return [
        Unasked(avatar_id=row.id, openid=openids[row.citizen_id], name=row.name)
        for row in rows
        if row.citizen_id in openids
    ]


def ask(check_picture: Callable[[str, str], str], unasked: Unasked, address: str) -> str | None:
    """The name of WeChat's check, None when it could not be asked; call it in no Work."""
    try:
        return check_picture(unasked.openid, address)
    except WeChatError as trouble:
        _log.warning("a picture waits for its check", extra={"code": trouble.code})
        return None


def note(work: Work, avatar_id: int, trace_id: str) -> None:
    """Write down under which name WeChat was asked."""
    work.session.execute(
        update(Avatar)
        .where(Avatar.id == avatar_id, Avatar.state == AvatarState.WAITING)
        .values(state=AvatarState.ASKED, trace_id=trace_id, ask_after=work.now)
    )


def hear(work: Work, trace_id: str, verdict: PictureVerdict) -> None:
    """Keep a verdict and have it carried out."""
    fresh = insert_for(work.session, MediaVerdict).values(
        trace_id=trace_id, verdict=verdict, at=work.now
    )
    work.session.execute(fresh.on_conflict_do_nothing())
    work.ring(TASK)


def settle(work: Work) -> int:
    """Carry out the verdicts that have come; how many.

    Locks: the pictures, skipping those in other hands.
    """
    rows = work.session.execute(
        select(Avatar, MediaVerdict.verdict)
        .join(MediaVerdict, MediaVerdict.trace_id == Avatar.trace_id)
        .where(Avatar.state == AvatarState.ASKED)
        .order_by(Avatar.id)
        .with_for_update(of=Avatar, skip_locked=True)
    ).all()
    for avatar, verdict in rows:
        _carry_out(work, avatar, verdict)
    work.session.flush()
    return len(rows)


def _carry_out(work: Work, avatar: Avatar, verdict: PictureVerdict) -> None:
    match verdict:
        case PictureVerdict.PASS:
            _show(work, avatar)
        case PictureVerdict.RISKY:
            avatar.state, avatar.picture = AvatarState.REFUSED, None
        case PictureVerdict.REVIEW:
            avatar.state = AvatarState.REVIEW
        case PictureVerdict.FAILED:
            avatar.state, avatar.trace_id = AvatarState.WAITING, None
            avatar.ask_after = work.now + ASK_AGAIN_AFTER


def _show(work: Work, avatar: Avatar) -> None:
    work.session.execute(
        delete(Avatar).where(Avatar.citizen_id == avatar.citizen_id, Avatar.id != avatar.id)
    )
    work.session.execute(
        update(Citizen)
        .where(Citizen.id == avatar.citizen_id)
        .values(avatar_url=f"{work.settings.public_url.rstrip('/')}{path_of(avatar.name)}")
    )
    avatar.state = AvatarState.SHOWN


def path_of(name: str) -> str:
    """Where a picture is served."""
    return f"/pictures/{name}.jpg"


def address_of(settings: Settings, name: str) -> str:
    """Where WeChat finds a picture."""
    base = settings.public_url.rstrip("/") or f"http://127.0.0.1:{settings.port}"
    return f"{base}{path_of(name)}"


def give_up(work: Work) -> int:
    """Let go of pictures that nobody judged in time; how many."""
    unasked = (
        update(Avatar)
        .where(Avatar.state == AvatarState.WAITING, Avatar.made_at <= work.now - ASKED_WITHIN)
        .values(state=AvatarState.UNCHECKED, picture=None)
    )
    unjudged = (
        update(Avatar)
        .where(Avatar.state == AvatarState.ASKED, Avatar.ask_after <= work.now - JUDGED_WITHIN)
        .values(state=AvatarState.REVIEW)
    )
    work.session.execute(delete(MediaVerdict).where(MediaVerdict.at < work.now - _VERDICTS_KEPT))
    gone = [work.session.execute(statement) for statement in (unasked, unjudged)]
    return sum(int(getattr(done, "rowcount", 0)) for done in gone)


def _openids(session: Session, citizen_ids: list[int]) -> dict[int, str]:
    rows = session.execute(
        select(Identity.citizen_id, Identity.openid)
        .where(Identity.citizen_id.in_(citizen_ids), Identity.app == App.MINI_PROGRAM)
        .order_by(Identity.id)
    )
    return {row.citizen_id: row.openid for row in rows}


def forget(work: Work, citizen_id: int) -> None:
    """Drop every picture of a citizen."""
    work.session.execute(delete(Avatar).where(Avatar.citizen_id == citizen_id))


def held(work: Work, citizen_id: int) -> dict[str, object]:
    """The pictures of a citizen: where they are and where they stand."""
    rows = work.session.execute(
        select(Avatar.name, Avatar.state, Avatar.made_at)
        .where(Avatar.citizen_id == citizen_id)
        .order_by(Avatar.id)
    )
    return {
        "pictures": [
            {"path": path_of(row.name), "state": row.state.value, "given_at": row.made_at}
            for row in rows
        ]
    }


def join(work: Work, keep_id: int, gone_id: int) -> None:
    """Take over the pictures of a double, unless a picture is shown already."""
    session = work.session
    if session.scalar(select(Citizen.avatar_url).where(Citizen.id == keep_id)) is not None:
        session.execute(delete(Avatar).where(Avatar.citizen_id == gone_id))
        return
    session.execute(update(Avatar).where(Avatar.citizen_id == gone_id).values(citizen_id=keep_id))
