"""Followers of the official account: follow state, the code they came by, missing unionids.

WeChat's events may be repeated, late or in any order; the resulting rows are the same. Following
earns nothing: other slices only ask whom a message of the account can reach.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select, update

from server.accounts import service as accounts
from server.base.errors import NotAuthenticated, Unavailable
from server.base.outbox_rows import OutboxState
from server.base.uow import UnitOfWork
from server.channel import rules, visits
from server.channel.bulk import NewFollower as NewFollower
from server.channel.bulk import add_followers as add_followers
from server.channel.codes import SceneArrival as SceneArrival
from server.channel.codes import arrivals_by_codes as arrivals_by_codes
from server.channel.codes import codes_of_target as codes_of_target
from server.channel.codes import count_code_opening as count_code_opening
from server.channel.codes import find_channel_code as find_channel_code
from server.channel.codes import list_channel_codes as list_channel_codes
from server.channel.codes import make_channel_code as make_channel_code
from server.channel.codes import openings_of_codes as openings_of_codes
from server.channel.codes import pictures_of_codes as pictures_of_codes
from server.channel.codes import stop_channel_code as stop_channel_code
from server.channel.links import address_fault as address_fault
from server.channel.links import fit_lines as fit_lines
from server.channel.links import pages_linked as pages_linked
from server.channel.links import plain_words as plain_words
from server.channel.loading import program_of as program_of
from server.channel.loading import released_pages as released_pages
from server.channel.models import SCENE_LENGTH, Follower, LateReply, VisitedApp
from server.channel.models import ChannelCode as ChannelCode
from server.channel.models import CodeTarget as CodeTarget
from server.channel.personal_data import OWN_DATA, latest_of
from server.channel.scenes import knows_scene as knows_scene
from server.channel.unionids import LEARN_UNIONID
from server.channel.visits import citizens_by_scene as citizens_by_scene
from server.channel.windows import note_window_use as note_window_use
from server.channel.windows import open_window_ids as open_window_ids
from server.channel.windows import open_windows as open_windows
from server.channel.windows import record_messages as record_messages
from server.wechat.gateway import FollowerDetails

APP: Final = "official_account"
_OPEN = (OutboxState.QUEUED, OutboxState.CLAIMED)


def record_follow(uow: UnitOfWork, openid: str, at: datetime, scene: str) -> int:
    """Store a follow, with a code when `scene` is not empty; return the citizen's id.

    Locks: the citizen.
    """
    row = _note_follower(uow, openid, at, following=True, scene=scene)
    row.subscribed_at = latest_of(row.subscribed_at, at)
    return row.citizen_id


def record_scan(uow: UnitOfWork, openid: str, at: datetime, scene: str) -> int:
    """Store a follower's scan of a code, which is not a new follow; return the citizen's id.

    Locks: the citizen.
    """
    return _note_follower(uow, openid, at, following=True, scene=scene).citizen_id


def record_unfollow(uow: UnitOfWork, openid: str, at: datetime) -> int:
    """Store an unfollow; return the citizen's id.

    Locks: the citizen.
    """
    row = _note_follower(uow, openid, at, following=False, scene="")
    row.unsubscribed_at = latest_of(row.unsubscribed_at, at)
    return row.citizen_id


def heard_from(uow: UnitOfWork, openid: str, at: datetime) -> int:
    """Store the sender of a message or menu tap as a follower; return the citizen's id.

    A follower from before the launch gets a row only in this way. The unionid is requested from
    WeChat, and again later when it returned none.
    Locks: the citizen.
    """
    return _note_follower(uow, openid, at, following=True, scene="").citizen_id


def following_select() -> Select[Any]:
    """A subquery of the citizens who follow the account now."""
    return select(Follower.citizen_id).where(Follower.subscribed)


def mark_unfollowed(uow: UnitOfWork, citizen_ids: Collection[int]) -> None:
    """Store that these citizens do not follow any more, because WeChat refused a message to them.

    Locks: the caller holds the citizens.
    Source: error 43004, "the user must follow".
    """
    uow.session.execute(
        update(Follower)
        .where(Follower.citizen_id.in_(citizen_ids), Follower.subscribed)
        .values(subscribed=False, state_at=uow.now, unsubscribed_at=uow.now, heard_at=None)
        .execution_options(synchronize_session=False)
    )


def worth_hearing(uow: UnitOfWork, openids: Collection[str]) -> list[str]:
    """The openids for which `heard_from` would change something, in their order."""
    owners = accounts.citizens_of_openids(uow, APP, openids)
    rows = uow.session.execute(
        select(Follower.citizen_id).where(
            Follower.citizen_id.in_(owners.values()),
            or_(Follower.outbox_state.is_not(None), Follower.ask_at > uow.now),
        )
    )
    settled = {row.citizen_id for row in rows}
    return [openid for openid in openids if owners.get(openid) not in settled]


def _note_follower(
    uow: UnitOfWork, openid: str, at: datetime, *, following: bool, scene: str
) -> Follower:
    row = _store_follower(uow, openid, at, following=following, scene=scene)
    if following and row.outbox_state is None and row.ask_at <= uow.now:
        _want_unionid(uow, row)
    return row


def _store_follower(
    uow: UnitOfWork, openid: str, at: datetime, *, following: bool, scene: str
) -> Follower:
    # This locks the citizen, so that two events of one person are stored one after the other.
    citizen_id = accounts.citizen_of_openid(uow, APP, openid, create=True)
    assert citizen_id is not None  # noqa: S101 - it was to be created
    row = uow.session.scalar(select(Follower).where(Follower.citizen_id == citizen_id))
    if row is None:
        row = Follower(
            citizen_id=citizen_id,
            subscribed=following,
            state_at=at,
            last_event_at=at,
            ask_at=uow.now,
        )
        uow.session.add(row)
    # WeChat's event times are whole seconds: of two events in one second the later received one
    # counts.
    if at >= row.state_at:
        row.subscribed, row.state_at = following, at
        if not following:
            row.heard_at = None  # the window for customer messages has ended
    row.last_event_at = max(row.last_event_at, at)
    if scene:
        _came_by(uow, row, at, scene[:SCENE_LENGTH])
    return row


def _came_by(uow: UnitOfWork, row: Follower, at: datetime, scene: str) -> None:
    if row.first_scene_at is None or at < row.first_scene_at:
        row.first_scene, row.first_scene_at = scene, at
    if row.last_scene_at is None or at >= row.last_scene_at:
        row.last_scene, row.last_scene_at = scene, at
    visits.record_visit(uow, row.citizen_id, VisitedApp.OFFICIAL_ACCOUNT, scene, at)


def record_mini_program_visit(uow: UnitOfWork, citizen_id: int, scene: str) -> None:
    """Record that a citizen opened the mini-program by a code or a card, once a day."""
    visits.record_visit(uow, citizen_id, VisitedApp.MINI_PROGRAM, scene, uow.now)


def _want_unionid(uow: UnitOfWork, row: Follower) -> None:
    row.enqueue_again(uow.now)
    uow.session.flush()  # the wake-up contains the row's id
    uow.enqueue_after_commit(LEARN_UNIONID, row.id)


def unlinked_openids(uow: UnitOfWork, openids: Collection[str]) -> list[str]:
    """The openids whose unionid has not been requested from WeChat, in their order."""
    owners = accounts.citizens_of_openids(uow, APP, openids)
    rows = uow.session.execute(
        select(Follower.citizen_id).where(
            Follower.citizen_id.in_(owners.values()), Follower.outbox_state.is_not(None)
        )
    )
    settled = {row.citizen_id for row in rows}
    return [openid for openid in openids if owners.get(openid) not in settled]


def known_among(uow: UnitOfWork, listed: Iterable[FollowerDetails]) -> list[FollowerDetails]:
    """Listed followers who are known citizens, by openid or by unionid.

    The list never creates a citizen.
    """
    found = [one for one in listed if one.subscribed and one.unionid]
    by_openid = accounts.citizens_of_openids(uow, APP, [one.openid for one in found])
    by_unionid = accounts.known_unionids(uow, [one.unionid for one in found if one.unionid])
    return [one for one in found if one.openid in by_openid or one.unionid in by_unionid]


def link_follower(uow: UnitOfWork, listed: FollowerDetails) -> None:
    """Link a listed follower with the citizen of the same unionid.

    Locks: the citizens, before the follower.
    """
    if listed.unionid is None:
        return
    accounts.learn_unionid(uow, APP, listed.openid, listed.unionid)
    since = listed.subscribed_at
    at = uow.now if since is None else min(datetime.fromtimestamp(since, UTC), uow.now)
    row = _store_follower(uow, listed.openid, at, following=True, scene="")
    row.subscribed_at = latest_of(row.subscribed_at, at)
    row.leave_outbox(OutboxState.DONE)


def gone_for_good(uow: UnitOfWork, limit: int = 500) -> list[int]:
    """The citizens who unfollowed a week ago and still have data here."""
    return list(
        uow.session.scalars(select(Follower.citizen_id).where(*_left_long_ago(uow)).limit(limit))
    )


def forget_the_gone(uow: UnitOfWork, citizen_id: int) -> bool:
    """Erase data from the official account only, a week after somebody unfollowed.

    False when they follow again meanwhile. Locks: the citizen, before their rows, as everywhere
    here.
    Source: WeChat's operating rules require it; data of the campaign itself is kept.
    """
    try:
        accounts.lock_citizen(uow, citizen_id)
    except (NotAuthenticated, Unavailable):
        return False  # erased or merged meanwhile, and these rows with them
    still = select(Follower.id).where(Follower.citizen_id == citizen_id, *_left_long_ago(uow))
    if uow.session.scalar(still) is None:
        return False
    OWN_DATA.erase_person(uow, citizen_id)
    return True


def _left_long_ago(uow: UnitOfWork) -> tuple[ColumnElement[bool], ...]:
    return (
        Follower.subscribed.is_(False),
        Follower.unsubscribed_at <= uow.now - rules.FORGET_AFTER,
    )


def _count_rows(uow: UnitOfWork, table: Any, *where: ColumnElement[bool]) -> float:
    return float(uow.session.scalar(select(func.count()).select_from(table).where(*where)) or 0)


def count_followers(uow: UnitOfWork) -> float:
    """Number of present followers."""
    return _count_rows(uow, Follower, Follower.subscribed.is_(True))


def unionids_wanted(uow: UnitOfWork) -> float:
    """Number of followers whose unionid is still to be requested from WeChat."""
    return _count_rows(uow, Follower, Follower.outbox_state.in_(_OPEN))


def late_waiting(uow: UnitOfWork) -> float:
    """Number of late replies still to be sent."""
    waiting = LateReply.outbox_state.in_(_OPEN)
    return _count_rows(uow, LateReply, waiting)


def late_unknown(uow: UnitOfWork) -> float:
    """Number of late replies with an unknown result."""
    return _count_rows(uow, LateReply, LateReply.outbox_state == OutboxState.IN_DOUBT)


READINGS = {
    "followers": count_followers,
    "unionids_wanted": unionids_wanted,
    "late_replies_queued": late_waiting,
    "late_replies_unknown": late_unknown,
}
