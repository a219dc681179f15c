"""The inbox: every message addressed to a citizen, pushed or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select, update

from server.accounts import service as accounts
from server.base.errors import Invalid, NotAuthenticated
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.base.web.cursor import decode_cursor, encode_cursor
from server.notices.errors import NoSuchMessage
from server.notices.models import InboxMessage, LetterText


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


@dataclass(frozen=True, kw_only=True)
class Received:
    """A message as its recipient sees it; a withdrawn one has the reason as its body, no page."""

    ref: str
    title: str
    body: str
    page: str | None
    posted_at: datetime
    not_pushed_reason: str | None
    withdrawn: bool
    read_at: datetime | None

    @property
    def read(self) -> bool:
        """Whether it was opened."""
        return self.read_at is not None


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
) -> tuple[list[Received], str | None]:
    """One page of a citizen's inbox, newest first, and the next cursor.

    Raises: Invalid (422) for an unreadable cursor.
    """
    wanted = _WITH_TEXT.where(InboxMessage.citizen_id == citizen_id)
    if after is not None:
        at, ref = _position_from_cursor(after)
        wanted = wanted.where(
            or_(
                InboxMessage.posted_at < at,
                and_(InboxMessage.posted_at == at, InboxMessage.ref < ref),
            )
        )
    newest_first = wanted.order_by(InboxMessage.posted_at.desc(), InboxMessage.ref.desc())
    rows = uow.session.execute(newest_first.limit(limit + 1)).all()
    page = [_received(uow, *row) for row in rows[:limit]]
    more = len(rows) > limit
    return page, encode_cursor(page[-1].posted_at.isoformat(), page[-1].ref) if more else None


def find_message(uow: UnitOfWork, citizen_id: int, ref: str) -> Received:
    """One message of a citizen's inbox.

    Raises: NoSuchMessage (404).
    """
    mine = (InboxMessage.citizen_id == citizen_id, InboxMessage.ref == ref)
    row = uow.session.execute(_WITH_TEXT.where(*mine)).one_or_none()
    if row is None:
        raise NoSuchMessage
    return _received(uow, *row)


def mark_read(uow: UnitOfWork, citizen_id: int, ref: str | None) -> None:
    """Store that a citizen has opened a message, or all of them when `ref` is None.

    Raises: NoSuchMessage (404).
    """
    mine = InboxMessage.citizen_id == citizen_id
    if ref is not None:
        find_message(uow, citizen_id, ref)
        mine = and_(mine, InboxMessage.ref == ref)
    uow.session.execute(
        update(InboxMessage)
        .where(mine, InboxMessage.read_at.is_(None))
        .values(read_at=uow.now)
        .execution_options(synchronize_session=False)
    )


def count_unread(uow: UnitOfWork, citizen_id: int) -> int:
    """How many messages a citizen has not opened yet."""
    unread = select(func.count()).where(
        InboxMessage.citizen_id == citizen_id, InboxMessage.read_at.is_(None)
    )
    return uow.session.scalar(unread) or 0


def tell_inbox(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's messages as the inbox shows them, for the export."""
    rows = uow.session.execute(
        _WITH_TEXT.where(InboxMessage.citizen_id == citizen_id).order_by(InboxMessage.id)
    )
    shown = [_received(uow, *row) for row in rows]
    return [
        {
            "title": one.title,
            "body": one.body,
            "posted_at": one.posted_at,
            "not_pushed_reason": one.not_pushed_reason,
            "read_at": one.read_at,
        }
        for one in shown
    ]


_WITH_TEXT = select(InboxMessage, LetterText).outerjoin(
    LetterText, LetterText.id == InboxMessage.letter_id
)


def _received(uow: UnitOfWork, row: InboxMessage, letter: LetterText | None) -> Received:
    withdrawn = letter is not None and letter.withdrawn_at is not None
    source = row if letter is None else letter
    body = source.body or ""
    if letter is not None and withdrawn:
        reason = letter.withdrawn_reason
        said = "notices.withdrawn.with_reason" if reason else "notices.withdrawn.without_reason"
        body = uow.texts.fill_text(said, reason=reason or "")
    return Received(
        ref=row.ref,
        title=source.title or "",
        body=body,
        page=None if withdrawn else source.page,
        posted_at=row.posted_at,
        not_pushed_reason=row.not_pushed_reason,
        withdrawn=withdrawn,
        read_at=row.read_at,
    )


def _position_from_cursor(after: str) -> tuple[datetime, str]:
    told, ref = decode_cursor(after, str, str)
    try:
        at = datetime.fromisoformat(str(told))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or "\0" in str(ref):
        raise Invalid((("query", "after"), "an unreadable cursor"))
    return at, str(ref)
