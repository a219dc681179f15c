"""Sessions of organizers: created at log-in, resolved at each request, ended one by one or all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select, update

from server.base.access import ROLES, Organizer, Permission
from server.base.clock import BEIJING
from server.base.database_away import DatabaseAway
from server.base.ids import new_token
from server.base.ownership import scope_of
from server.base.signing import token_hash
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.organizers import rules
from server.organizers.models import AccountState, OrganizerAccount, OrganizerSession
from server.units import service as units

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SessionView:
    """A session in the list of the organizer's sessions."""

    ref: str
    seen: str
    network: str
    browser: str
    own: bool


class SessionResolver:
    """Resolves session cookies for the console, and notes when a session was last used."""

    def __init__(self, uow_factory: UnitOfWorkFactory) -> None:
        self._uow_factory = uow_factory

    def resolve_cookie(self, uow: UnitOfWork, cookie: str) -> Organizer | None:
        """The organizer of a valid session of an open account."""
        row = uow.session.execute(
            select(OrganizerSession, OrganizerAccount)
            .join(OrganizerAccount, OrganizerAccount.id == OrganizerSession.organizer_id)
            .where(OrganizerSession.token_hash == token_hash(cookie))
        ).first()
        if row is None or row.OrganizerAccount.state is not AccountState.ACTIVE:
            return None
        session, now = row.OrganizerSession, uow.system_now
        if not rules.session_alive(session.started_at, session.seen_at, now):
            return None
        if now - session.seen_at >= rules.TOUCH_EVERY:
            session_id = session.id
            uow.after_commit(lambda: self._touch_session(session_id, now))
        return organizer_of(uow, row.OrganizerAccount, session=session.id)

    def _touch_session(self, session_id: int, now: datetime) -> None:
        mine = update(OrganizerSession).where(OrganizerSession.id == session_id)
        try:
            with self._uow_factory.begin() as uow:
                uow.session.execute(mine.values(seen_at=now))
        except DatabaseAway:
            # The page has been read; the next request writes it.
            _log.warning("last use of a session was not stored")


def organizer_of(uow: UnitOfWork, account: OrganizerAccount, *, session: int = 0) -> Organizer:
    """The actor of an account."""
    _, place = units.resolve_scope(uow, account.owner)
    until = account.no_approvals_until
    paused = until is not None and uow.system_now < until
    return Organizer(
        id=account.id,
        ref=account.ref,
        name=account.name,
        role=account.role,
        scope=scope_of(account),
        place=place,
        withheld=_approvals_of(account) if paused else frozenset(),
        session=session,
    )


def start_session(uow: UnitOfWork, organizer_id: int, network: str, browser: str) -> str:
    """Create a session and return its token; the oldest ones beyond ten end."""
    token = new_token()
    now = uow.system_now
    uow.session.add(
        OrganizerSession(
            ref=uow.new_ref("ses"),
            organizer_id=organizer_id,
            token_hash=token_hash(token),
            started_at=now,
            seen_at=now,
            network=network,
            browser=browser,
        )
    )
    uow.session.flush()
    mine = select(OrganizerSession.id).where(OrganizerSession.organizer_id == organizer_id)
    kept = uow.session.scalars(
        mine.order_by(OrganizerSession.id.desc()).limit(rules.MOST_SESSIONS)
    ).all()
    uow.session.execute(
        delete(OrganizerSession).where(
            OrganizerSession.organizer_id == organizer_id, OrganizerSession.id.not_in(kept)
        )
    )
    return token


def end_session_of_cookie(uow: UnitOfWork, cookie: str) -> None:
    """End the session of a cookie, at log-out."""
    mine = OrganizerSession.token_hash == token_hash(cookie)
    uow.session.execute(delete(OrganizerSession).where(mine))


def end_sessions(uow: UnitOfWork, organizer_id: int, *, but: int = 0) -> int:
    """End all sessions of an organizer, except one; return how many."""
    gone = delete(OrganizerSession).where(
        OrganizerSession.organizer_id == organizer_id, OrganizerSession.id != but
    )
    return len(uow.session.execute(gone.returning(OrganizerSession.id)).all())


def explain_end(uow: UnitOfWork, cookie: str) -> str | None:
    """Explain why a browser's session is not valid: `expired` or `ended`; else None.

    Ended are log-outs elsewhere, revoked sessions, the oldest beyond ten, and all of an account
    whose password was renewed.
    """
    if not cookie:
        return None
    wanted = select(OrganizerSession).where(OrganizerSession.token_hash == token_hash(cookie))
    session = uow.session.scalar(wanted)
    if session is None:
        return "ended"
    alive = rules.session_alive(session.started_at, session.seen_at, uow.system_now)
    return None if alive else "expired"


def end_one_session(uow: UnitOfWork, organizer_id: int, ref: str) -> bool:
    """End one session of an organizer; False when there is none with this ref."""
    gone = delete(OrganizerSession).where(
        OrganizerSession.organizer_id == organizer_id, OrganizerSession.ref == ref
    )
    return bool(uow.session.execute(gone.returning(OrganizerSession.id)).all())


def list_sessions(uow: UnitOfWork, organizer_id: int, own: int) -> list[SessionView]:
    """The valid sessions of an organizer, the last used first; `own` is the current one's id."""
    now = uow.system_now
    rows: Sequence[OrganizerSession] = uow.session.scalars(
        select(OrganizerSession)
        .where(OrganizerSession.organizer_id == organizer_id)
        .order_by(OrganizerSession.seen_at.desc(), OrganizerSession.id.desc())
    ).all()
    return [
        SessionView(
            ref=row.ref,
            seen=row.seen_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"),
            network=row.network,
            browser=rules.browser_name(row.browser),
            own=row.id == own,
        )
        for row in rows
        if rules.session_alive(row.started_at, row.seen_at, now)
    ]


def drop_dead_sessions(uow: UnitOfWork) -> int:
    """Delete sessions that expired a week ago, being idle for too long or too old; return how many.

    The row of an ended session is deleted when it ends.
    """
    now = uow.system_now - rules.KEEP_EXPIRED
    dead = or_(
        OrganizerSession.seen_at < now - rules.IDLE,
        OrganizerSession.started_at < now - rules.LONGEST_SESSION,
    )
    gone = delete(OrganizerSession).where(dead).returning(OrganizerSession.id)
    return len(uow.session.execute(gone).all())


def _approvals_of(account: OrganizerAccount) -> frozenset[Permission]:
    return frozenset(one for one in ROLES[account.role] if one.approves)
