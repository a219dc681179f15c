"""The inbox: every message addressed to a citizen, pushed or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select

from server.accounts import service as accounts
from server.base.errors import Invalid, NotAuthenticated
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.base.web.cursor import decode_cursor, encode_cursor
from server.notices.models import InboxMessage


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message as its slice writes it.

    `key` is unique per citizen; `page` is the mini-program page to open, without a leading slash;
    `not_pushed_reason` is a sentence.
    """

    key: str
    title: str
    body: str
    page: str | None = None
    not_pushed_reason: str | None = None


def post_message(uow: UnitOfWork, citizen_id: int, letter: Letter) -> bool:
    """Add a message to a citizen's inbox; False when one with this key exists.

    False too for a citizen who was erased meanwhile.
    Locks: the citizen.
    """
    try:
        accounts.lock_citizen(uow, citizen_id)
    except NotAuthenticated:
        return False
    made = uow.session.scalar(
        insert_for(uow.session, InboxMessage)
        .values(_row_of_letter(uow, citizen_id, letter))
        .on_conflict_do_nothing(index_elements=["citizen_id", "key"])
        .returning(InboxMessage.id)
    )
    return made is not None


def post_messages(uow: UnitOfWork, letters: Sequence[tuple[int, Letter]]) -> int:
    """Add a message to each of these citizens' inboxes, in few statements; return how many.

    As `post_message`: one per citizen and key, none for erased citizens. Those of merged citizens
    go to the survivors, whose own come first.
    Raises: Unavailable (503) when a citizen is merged at this moment.
    Locks: the citizens in the order of their ids, shared.
    """
    found = accounts.lock_recipients(uow, {citizen_id for citizen_id, _ in letters})
    own_first = sorted(letters, key=lambda one: found.get(one[0]) != one[0])
    rows = [
        _row_of_letter(uow, found[citizen_id], letter)
        for citizen_id, letter in own_first
        if citizen_id in found
    ]
    if not rows:
        return 0
    fresh = insert_for(uow.session, InboxMessage).on_conflict_do_nothing(
        index_elements=["citizen_id", "key"]
    )
    return len(uow.session.scalars(fresh.returning(InboxMessage.id), rows).all())


def _row_of_letter(uow: UnitOfWork, citizen_id: int, letter: Letter) -> dict[str, object]:
    return {
        "ref": uow.new_ref("msg"),
        "citizen_id": citizen_id,
        "key": letter.key,
        "title": letter.title,
        "body": letter.body,
        "page": letter.page,
        "not_pushed_reason": letter.not_pushed_reason,
        "posted_at": uow.now,
    }


def list_messages(
    uow: UnitOfWork, citizen_id: int, *, limit: int, after: str | None
) -> tuple[list[InboxMessage], str | None]:
    """One page of a citizen's inbox, newest first, and the next cursor.

    Raises: Invalid (422) for an unreadable cursor.
    """
    wanted = select(InboxMessage).where(InboxMessage.citizen_id == citizen_id)
    if after is not None:
        at, ref = _position_from_cursor(after)
        wanted = wanted.where(
            or_(
                InboxMessage.posted_at < at,
                and_(InboxMessage.posted_at == at, InboxMessage.ref < ref),
            )
        )
    newest_first = wanted.order_by(InboxMessage.posted_at.desc(), InboxMessage.ref.desc())
    rows = list(uow.session.scalars(newest_first.limit(limit + 1)))
    page = rows[:limit]
    more = len(rows) > limit
    return page, encode_cursor(page[-1].posted_at.isoformat(), page[-1].ref) if more else None


def _position_from_cursor(after: str) -> tuple[datetime, str]:
    told, ref = decode_cursor(after, str, str)
    try:
        at = datetime.fromisoformat(str(told))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or "\0" in str(ref):
        raise Invalid((("query", "after"), "an unreadable cursor"))
    return at, str(ref)
