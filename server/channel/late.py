"""Replies that missed WeChat's five seconds: said by customer-service message, at most once each.

Such messages carry no id by which WeChat would know a repeat. So a row is claimed and committed
before the call, and a call whose end we did not see makes it `unknown`, for good.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update

from server.accounts import service as accounts
from server.base.tables import insert_for
from server.base.work import Work
from server.channel import rules
from server.channel.models import LateReply, LateState

APP: Final = "official_account"
SAY_LATE = "channel.say_late"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One late reply in the hands of one worker; `tries` tells this claim from later ones.

    It names its row by the message: SQLite gives the number of a deleted row to the next one.
    """

    key: str
    tries: int
    openid: str = field(repr=False)
    text: str = field(repr=False)


def queue(work: Work, key: str, openid: str, text: str) -> None:
    """Have a reply said later, once for each message."""
    citizen_id = accounts.citizen_of_openid(work, APP, openid, create=True)
    row_id = work.session.scalar(
        insert_for(work.session, LateReply)
        .values(
            key=key,
            citizen_id=citizen_id,
            text=text,
            state=LateState.QUEUED,
            made_at=work.now,
            due_at=work.now,
            tries=0,
        )
        .on_conflict_do_nothing()
        .returning(LateReply.id)
    )
    if row_id is not None:
        work.ring(SAY_LATE, row_id)


def tidy(work: Work) -> int:
    """Give up what is too old to be said, and what a lost worker may have said."""
    unseen = _end(
        work,
        LateReply.state == LateState.CLAIMED,
        LateReply.claimed_at <= work.now - rules.CLAIM_LASTS,
        state=LateState.UNKNOWN,
        reason="worker_lost",
    )
    too_old = _end(
        work,
        LateReply.state == LateState.QUEUED,
        LateReply.made_at <= work.now - rules.LATE_FOR,
        state=LateState.REFUSED,
        reason="too_old",
    )
    return unseen + too_old


def claim_one(work: Work) -> Claim | None:
    """Take the reply that has waited longest; it is this worker's alone once committed."""
    row = work.session.scalar(
        select(LateReply)
        .where(LateReply.state == LateState.QUEUED, LateReply.due_at <= work.now)
        .order_by(LateReply.due_at, LateReply.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.tries += 1
    openid = accounts.openid_of(work, row.citizen_id, APP)
    # Without an openid the row is claimed all the same: it is settled as refused right after.
    row.state, row.claimed_at = LateState.CLAIMED, work.now
    return Claim(key=row.key, tries=row.tries, openid=openid or "", text=row.text)


def said(work: Work, claim: Claim) -> None:
    """WeChat took it, also when it took longer than our patience."""
    _settle(work, claim, state=LateState.SAID, reason=None, also_unknown=True)


def refused(work: Work, claim: Claim, reason: str) -> None:
    """WeChat will not take it."""
    _settle(work, claim, state=LateState.REFUSED, reason=reason, also_unknown=True)


def in_doubt(work: Work, claim: Claim, reason: str) -> None:
    """It may have been said; it is not said again."""
    _settle(work, claim, state=LateState.UNKNOWN, reason=reason)


def again(work: Work, claim: Claim, after: timedelta) -> None:
    """It surely was not said: it goes back into the queue."""
    work.session.execute(
        update(LateReply)
        .where(_mine(claim), LateReply.state == LateState.CLAIMED)
        .values(state=LateState.QUEUED, due_at=work.now + after, claimed_at=None)
    )


def _settle(
    work: Work, claim: Claim, *, state: LateState, reason: str | None, also_unknown: bool = False
) -> None:
    open_states = [LateState.CLAIMED, *([LateState.UNKNOWN] if also_unknown else [])]
    work.session.execute(
        update(LateReply)
        .where(_mine(claim), LateReply.state.in_(open_states))
        .values(state=state, reason=reason, text="")
    )


def _mine(claim: Claim) -> Any:
    return (LateReply.key == claim.key) & (LateReply.tries == claim.tries)


def _end(work: Work, *where: Any, state: LateState, reason: str) -> int:
    ids = select(LateReply.id).where(*where).with_for_update(skip_locked=True)
    # Nobody reads a reply that is over, so its words go.
    ended: Any = work.session.execute(
        update(LateReply)
        .where(LateReply.id.in_(ids), *where)
        .values(state=state, reason=reason, text="")
        .execution_options(synchronize_session=False)
    )
    return int(ended.rowcount)


def forget(work: Work, citizen_id: int) -> None:
    """Erase a citizen's late replies."""
    work.session.execute(delete(LateReply).where(LateReply.citizen_id == citizen_id))


def held(work: Work, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's late replies, for the export."""
    rows = work.session.scalars(
        select(LateReply).where(LateReply.citizen_id == citizen_id).order_by(LateReply.id)
    )
    return [
        {"at": row.made_at.isoformat(), "state": row.state.value, "text": row.text} for row in rows
    ]


def join(work: Work, keep_id: int, gone_id: int) -> None:
    """Re-point the rows."""
    work.session.execute(
        update(LateReply).where(LateReply.citizen_id == gone_id).values(citizen_id=keep_id)
    )
