"""Groups recipients of a mass message into batches: one call for 2 to 10,000 people.

A mass message is alone in its announcement. Its people are chosen like others, but the limit over
all senders and personal quiet hours do not apply; WeChat's own limit is four a month.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, insert, select, update

from server.accounts import service as accounts
from server.announcements.audience.choice import Obstacle, obstacle_to
from server.announcements.audience.facts import load_facts
from server.announcements.enums import AnnouncementState, Channel, RecipientState, TryState
from server.announcements.ledger.claiming import ERASED
from server.announcements.ledger.control import due_announcements, lock_in
from server.announcements.ledger.quotas import count_calls, paused_channels
from server.announcements.ledger.tries import new_client_id
from server.announcements.models import Announcement, MassBatch, Recipient, SendTry
from server.base.jobs import TaskContext
from server.base.outbox_rows import OutboxState, idle_values
from server.base.uow import UnitOfWork
from server.notices import service as notices

# Source: mass messages, "send by list of openids": 2 to 10,000.
FEWEST, MOST = 2, 10_000
TOO_FEW = "too_few"
_NO_SYNC = {"synchronize_session": False}


def plan_batches(context: TaskContext) -> int:
    """Put the due recipients of mass messages into batches; return how many were processed."""
    with context.uow_factory.begin(read_only=True) as uow:
        waiting = due_announcements(uow, mass=True)
    planned = 0
    for announcement_id in waiting:
        while True:
            with context.uow_factory.begin() as uow:
                moved = _plan_batch(uow, announcement_id)
            planned += moved
            if not moved:
                break
    return planned


@dataclass(frozen=True, slots=True)
class _DueRow:
    id: int
    citizen_id: int


def _plan_batch(uow: UnitOfWork, announcement_id: int) -> int:
    """Plan one call; return how many recipients were processed, 0 when none is due.

    Locks: the announcement, the citizens, the rows.
    """
    row = uow.session.get_one(Announcement, announcement_id)
    if row.state is not AnnouncementState.SENDING or Channel.MASS in paused_channels(uow):
        return 0
    lock_in(uow, announcement_id, AnnouncementState.SENDING)
    if notices.next_loud(uow.now, None) > uow.now:
        return 0
    waiting = _count_due(uow, announcement_id)
    # A rest of one person cannot be sent, so the last full batch leaves one more to it.
    size = MOST - 1 if waiting == MOST + 1 else MOST
    chosen = _lock_due(uow, announcement_id, size)
    reachable, refused = _split_rows(uow, row, chosen)
    if len(reachable) == 1 and waiting == len(chosen):
        refused[TOO_FEW] += reachable
        reachable = []
    for reason, rows in sorted(refused.items()):
        _refuse_rows(uow, row, rows, reason)
    if len(reachable) >= FEWEST:
        _add_batch(uow, row, reachable)
        return len(chosen)
    return sum(map(len, refused.values()))


def _due_conditions(uow: UnitOfWork, announcement_id: int) -> tuple[object, ...]:
    return (
        Recipient.announcement_id == announcement_id,
        Recipient.state == RecipientState.QUEUED,
        Recipient.outbox_state == OutboxState.QUEUED,
        Recipient.outbox_due_at <= uow.now,
    )


def _count_due(uow: UnitOfWork, announcement_id: int) -> int:
    due = _due_conditions(uow, announcement_id)
    return uow.session.scalar(select(func.count(Recipient.id)).where(*due)) or 0  # type: ignore[arg-type]


def _lock_due(uow: UnitOfWork, announcement_id: int, limit: int) -> list[_DueRow]:
    due = _due_conditions(uow, announcement_id)
    wanted = select(Recipient.id, Recipient.citizen_id).where(*due)  # type: ignore[arg-type]
    found = uow.session.execute(wanted.order_by(Recipient.id).limit(limit)).all()
    accounts.lock_citizens(uow, {one.citizen_id for one in found})
    held = uow.session.execute(
        wanted.where(Recipient.id.in_([one.id for one in found]))
        .order_by(Recipient.id)
        .with_for_update()
    )
    return [_DueRow(one.id, one.citizen_id) for one in held]


def _split_rows(
    uow: UnitOfWork, announcement: Announcement, rows: Sequence[_DueRow]
) -> tuple[list[_DueRow], dict[str, list[_DueRow]]]:
    people = select(Recipient.citizen_id).where(Recipient.id.in_([row.id for row in rows]))
    facts = load_facts(uow, people, announcement)
    reachable: list[_DueRow] = []
    refused: dict[str, list[_DueRow]] = defaultdict(list)
    for row in rows:
        person = facts.get(row.citizen_id)
        if person is None:
            refused[ERASED].append(row)
            continue
        obstacle = obstacle_to(Channel.MASS, replace(person, capped=False))
        if obstacle is None:
            reachable.append(row)
        else:
            refused[Obstacle(obstacle).value].append(row)
    return reachable, refused


def _refuse_rows(
    uow: UnitOfWork, announcement: Announcement, rows: Sequence[_DueRow], reason: str
) -> None:
    _set_rows(
        uow, rows, state=RecipientState.REFUSED, reason=reason, settled_at=uow.now, **idle_values()
    )
    if announcement.letter_id is not None and reason != ERASED:
        copies = [(row.citizen_id, reason) for row in rows]
        notices.post_copies(uow, announcement.letter_id, copies)


def _add_batch(uow: UnitOfWork, announcement: Announcement, rows: Sequence[_DueRow]) -> None:
    batch = MassBatch(
        announcement_id=announcement.id,
        client_msg_id=new_client_id(uow),
        size=len(rows),
        made_at=uow.now,
    )
    batch.enqueue_again(uow.now)
    uow.session.add(batch)
    uow.session.flush()
    tries = [_try_values(uow, batch.id, row) for row in rows]
    uow.session.execute(insert(SendTry), tries)
    _set_rows(uow, rows, state=RecipientState.CLAIMED, channel=Channel.MASS, **idle_values())
    if announcement.letter_id is not None:
        copies = [(row.citizen_id, None) for row in rows]
        notices.post_copies(uow, announcement.letter_id, copies)
    count_calls(uow, Counter({Channel.MASS: 1}))
    uow.enqueue_after_commit("announcements.send_mass", batch.id)


def _try_values(uow: UnitOfWork, batch_id: int, row: _DueRow) -> Mapping[str, object]:
    return {
        "recipient_id": row.id,
        "channel": Channel.MASS,
        "state": TryState.CLAIMED,
        "client_msg_id": new_client_id(uow),
        "mass_batch_id": batch_id,
        "made_at": uow.now,
    }


def _set_rows(uow: UnitOfWork, rows: Sequence[_DueRow], **values: object) -> None:
    changed = update(Recipient).where(Recipient.id.in_([row.id for row in rows]))
    uow.session.execute(changed.values(**values).execution_options(**_NO_SYNC))
