"""Letters shared by many inboxes: the text is stored once, each recipient has a copy of one row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from server.base.sql.many import insert_many, is_any
from server.base.sql.tables import insert_for, table_of
from server.base.uow import UnitOfWork
from server.notices.models import InboxMessage, LetterText
from server.notices.reasons import say_reason


@dataclass(frozen=True, kw_only=True)
class SharedLetter:
    """A text for many inboxes as its slice writes it; `key` is unique.

    `page` is the mini-program page to open, without a leading slash.
    """

    key: str
    title: str
    body: str
    page: str | None = None


def post_shared_letter(uow: UnitOfWork, written: SharedLetter) -> int:
    """Store a text for many inboxes once; return its row id, also when it was stored before."""
    uow.session.execute(
        insert_for(uow.session, LetterText)
        .values(
            key=written.key,
            title=written.title,
            body=written.body,
            page=written.page,
            posted_at=uow.now,
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )
    stored = select(LetterText.id).where(LetterText.key == written.key)
    return uow.session.scalars(stored).one()


def post_copies(
    uow: UnitOfWork, letter_id: int, recipients: Iterable[tuple[int, str | None]]
) -> int:
    """Add a shared letter to inboxes, once to each; return how many were added.

    `recipients` are citizens, each with the key of the reason why it is not pushed, or None.
    Locks: the caller holds the citizens.
    """
    key = uow.session.scalars(select(LetterText.key).where(LetterText.id == letter_id)).one()
    people: dict[str | None, list[int]] = defaultdict(list)
    for citizen_id, reason in recipients:
        people[reason].append(citizen_id)
    added = 0
    for reason, citizen_ids in people.items():
        same = {
            "key": key,
            "letter_id": letter_id,
            "not_pushed_reason": reason and say_reason(uow, reason),
            "posted_at": uow.now,
        }
        refs = [uow.new_ref("msg") for _ in citizen_ids]
        varied: dict[str, Sequence[Any]] = {"ref": refs, "citizen_id": citizen_ids}
        added += insert_many(uow.session, table_of(InboxMessage), same, varied)
    return added


def mark_not_pushed(uow: UnitOfWork, letter_id: int, reasons: Mapping[int, str]) -> None:
    """Store on the copies of these citizens why they were not pushed, by the reasons' keys.

    Locks: the caller holds the citizens.
    """
    key = uow.session.scalars(select(LetterText.key).where(LetterText.id == letter_id)).one()
    people: dict[str, list[int]] = defaultdict(list)
    for citizen_id, reason in reasons.items():
        people[reason].append(citizen_id)
    for reason, citizen_ids in sorted(people.items()):
        uow.session.execute(
            update(InboxMessage)
            .where(is_any(InboxMessage.citizen_id, citizen_ids), InboxMessage.key == key)
            .values(not_pushed_reason=say_reason(uow, reason))
            .execution_options(synchronize_session=False)
        )


def mark_pushed(uow: UnitOfWork, letter_id: int, citizen_ids: Collection[int]) -> None:
    """Take from the copies of these citizens why they were not pushed: they were after all.

    Locks: the caller holds the citizens.
    """
    key = select(LetterText.key).where(LetterText.id == letter_id).scalar_subquery()
    uow.session.execute(
        update(InboxMessage)
        .where(InboxMessage.citizen_id.in_(citizen_ids), InboxMessage.key == key)
        .values(not_pushed_reason=None)
        .execution_options(synchronize_session=False)
    )


def withdraw_shared_letter(uow: UnitOfWork, letter_id: int, reason: str = "") -> bool:
    """Replace the text in all inboxes by the reason; False when it was withdrawn before."""
    done = uow.session.scalar(
        update(LetterText)
        .where(LetterText.id == letter_id, LetterText.withdrawn_at.is_(None))
        .values(withdrawn_at=uow.now, withdrawn_reason=reason)
        .returning(LetterText.id)
    )
    return done is not None
