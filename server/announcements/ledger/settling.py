"""Settles recipients: the person's state, the call, the grant, the copy in the inbox.

The next channel follows only a refused call, never one that may have arrived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from server.accounts import service as accounts
from server.announcements.audience.facts import outreach_key, template_id_for
from server.announcements.enums import AnnouncementState, Channel, RecipientState, TryState
from server.announcements.ledger.claiming import CANCELLED
from server.announcements.ledger.outcomes import Refused, may_repeat
from server.announcements.ledger.tries import Tries, load_tries, write_tries
from server.announcements.models import Announcement
from server.base.outbox_batches import HeldRow
from server.base.outbox_rows import Done, GiveUp, InDoubt, OutboxState, Outcome, PutOff, Retry
from server.base.uow import UnitOfWork
from server.channel import service as channel_service
from server.notices import service as notices
from server.notices.service import NotPushed
from server.wechat.errors import NoGrant, Unfollowed

# Before a call in doubt is repeated: longer than the slowest call.
_DOUBT_REST = timedelta(seconds=15)


@dataclass(kw_only=True)
class _Ends:
    """Common results of many recipients of one announcement, written by few statements."""

    announcement: Announcement
    reached: list[int] = field(default_factory=list)
    not_pushed: dict[int, str] = field(default_factory=dict)
    released: list[int] = field(default_factory=list)
    given_back: list[int] = field(default_factory=list)
    without_grant: dict[Channel, list[int]] = field(default_factory=lambda: defaultdict(list))
    unfollowed: list[int] = field(default_factory=list)


def settle_recipients(uow: UnitOfWork, ended: Sequence[tuple[HeldRow, Outcome]]) -> None:
    """Apply the outcomes of calls, and of claims without a call, to recipients.

    Locks: grants; the caller holds the announcements, the citizens and the rows.
    """
    tries = load_tries(uow, [row.id for row, _ in ended])
    ends: dict[int, _Ends] = {}
    for row, outcome in ended:
        if row.announcement_id not in ends:
            announcement = uow.session.get_one(Announcement, row.announcement_id)
            ends[row.announcement_id] = _Ends(announcement=announcement)
        common = ends[row.announcement_id]
        if row.state is RecipientState.CLAIMED:
            _settle_call(uow, common, row, tries[row.id], outcome)
        elif row.state is RecipientState.UNKNOWN:
            _settle_late(uow, row, tries[row.id], outcome)
        else:
            _settle_unsent(uow, common, row, tries[row.id], outcome)
        _end_if_cancelled(uow, common, row, tries[row.id])
    write_tries(uow, tries.values())
    for common in ends.values():
        _write_common(uow, common)


def _settle_unsent(
    uow: UnitOfWork, common: _Ends, row: HeldRow, tries: Tries, outcome: Outcome
) -> None:
    """The result of a claim that made no call."""
    match outcome:
        case Done():
            row.channel = Channel.INBOX
            _end_row(uow, row, RecipientState.SENT, None)
            common.reached.append(row.citizen_id)
        case InDoubt(reason=reason):
            # Given up after a restore: a call may have been made after the backup.
            _lose_answer(uow, common, row, tries.current, reason)
        case GiveUp(reason=reason) if tries.in_doubt:
            _lose_answer(uow, common, row, tries.current, reason)
        case GiveUp(reason=reason) if reason != CANCELLED:
            _refuse_row(uow, common, row, reason)


def _settle_call(
    uow: UnitOfWork, common: _Ends, row: HeldRow, tries: Tries, outcome: Outcome
) -> None:
    attempt = tries.current
    if attempt is None:
        raise LookupError("a claimed recipient has no call")
    match outcome:
        case Done(result=message_id):
            attempt.state, attempt.message_id = TryState.ACCEPTED, message_id or None
            attempt.settled_at = uow.now
            _end_row(uow, row, RecipientState.SENT, None)
        case InDoubt(reason=reason):
            _doubt_call(uow, common, row, attempt, reason)
        case Refused() if not tries.in_doubt:
            _refuse_call(uow, common, row, (tries, attempt), outcome)
        case GiveUp(reason=reason):
            # A refused repeat says nothing about the first call.
            _lose_answer(uow, common, row, attempt, reason)
        case Retry() | PutOff():
            row.state = RecipientState.IN_DOUBT if tries.in_doubt else RecipientState.QUEUED
            _give_back(common, attempt)


def _settle_late(uow: UnitOfWork, row: HeldRow, tries: Tries, outcome: Outcome) -> None:
    """The answer of a worker that stood still for longer than its claim."""
    attempt = tries.unknown
    if attempt is None:
        return
    attempt.settled_at = uow.now
    if isinstance(outcome, Done):
        attempt.state, attempt.message_id = TryState.ACCEPTED, outcome.result or None
        _end_row(uow, row, RecipientState.SENT, None)
    elif isinstance(outcome, Refused):
        attempt.state, attempt.reason = TryState.REFUSED, outcome.reason
        _end_row(uow, row, RecipientState.REFUSED, outcome.reason)


def _doubt_call(
    uow: UnitOfWork, common: _Ends, row: HeldRow, attempt: HeldRow, reason: str
) -> None:
    """A call without an answer: repeated where WeChat recognises it, otherwise unknown."""
    attempt.reason = reason
    if not may_repeat(attempt.channel, attempt.made_at, uow.now):
        _lose_answer(uow, common, row, attempt, reason)
        return
    attempt.state, row.state = TryState.IN_DOUBT, RecipientState.IN_DOUBT
    row.requeue(uow.now + _DOUBT_REST)


def _lose_answer(
    uow: UnitOfWork, common: _Ends, row: HeldRow, attempt: HeldRow | None, reason: str
) -> None:
    """The message may have arrived, and no call follows; only a receipt can tell."""
    if attempt is not None:
        attempt.state, attempt.settled_at = TryState.UNKNOWN, uow.now
    _end_row(uow, row, RecipientState.UNKNOWN, reason)
    row.outbox_state = OutboxState.IN_DOUBT
    common.not_pushed[row.citizen_id] = NotPushed.UNKNOWN.value


def _refuse_call(
    uow: UnitOfWork,
    common: _Ends,
    row: HeldRow,
    calls: tuple[Tries, HeldRow],
    outcome: Refused,
) -> None:
    tries, attempt = calls
    attempt.state, attempt.reason, attempt.settled_at = TryState.REFUSED, outcome.reason, uow.now
    if isinstance(outcome.trouble, NoGrant):
        common.without_grant[attempt.channel].append(row.citizen_id)
    else:
        _give_back(common, attempt)
    if isinstance(outcome.trouble, Unfollowed):
        common.unfollowed.append(row.citizen_id)
    tried = {*tries.refused, attempt.channel}
    if all(Channel(one) in tried for one in common.announcement.ladder):
        _refuse_row(uow, common, row, outcome.reason)
        return
    row.state, row.reason = RecipientState.QUEUED, outcome.reason
    row.requeue(uow.now)


def _refuse_row(uow: UnitOfWork, common: _Ends, row: HeldRow, reason: str) -> None:
    _end_row(uow, row, RecipientState.REFUSED, reason)
    common.not_pushed[row.citizen_id] = reason.split(":")[0]
    common.released.append(row.citizen_id)


def _end_row(uow: UnitOfWork, row: HeldRow, state: RecipientState, reason: str | None) -> None:
    row.state, row.reason, row.settled_at = state, reason, uow.now


def _give_back(common: _Ends, attempt: HeldRow) -> None:
    if attempt.grant_id is not None and attempt.state is not TryState.IN_DOUBT:
        common.given_back.append(attempt.grant_id)
        attempt.grant_id = None


def _end_if_cancelled(uow: UnitOfWork, common: _Ends, row: HeldRow, tries: Tries) -> None:
    """End a recipient that waits although its announcement was cancelled meanwhile."""
    if common.announcement.state is not AnnouncementState.CANCELLED:
        return
    if row.state is RecipientState.QUEUED:
        row.leave_outbox()
        _end_row(uow, row, RecipientState.CANCELLED, CANCELLED)
        common.released.append(row.citizen_id)
    elif row.state is RecipientState.IN_DOUBT:
        row.leave_outbox()
        _lose_answer(uow, common, row, tries.current, CANCELLED)


def _write_common(uow: UnitOfWork, common: _Ends) -> None:
    announcement = common.announcement
    if common.given_back:
        notices.give_back_grants(uow, common.given_back)
    for channel, citizen_ids in common.without_grant.items():
        template_id = template_id_for(announcement, channel)
        if template_id is not None:
            notices.end_grants(uow, template_id, citizen_ids)
    if common.unfollowed:
        channel_service.mark_unfollowed(uow, common.unfollowed)
    if common.released:
        notices.release_outreach(uow, outreach_key(announcement), common.released)
    if announcement.letter_id is not None:
        _write_copies(uow, common, announcement.letter_id)


def _write_copies(uow: UnitOfWork, common: _Ends, letter_id: int) -> None:
    told = {**dict.fromkeys(common.reached), **common.not_pushed}
    present = _present_citizens(uow, list(told))
    copies = [(one, reason) for one, reason in told.items() if one in present]
    if copies:
        notices.post_copies(uow, letter_id, copies)
    reasons = {one: reason for one, reason in copies if reason is not None}
    if reasons:
        notices.mark_not_pushed(uow, letter_id, reasons)


def _present_citizens(uow: UnitOfWork, citizen_ids: list[int]) -> set[int]:
    """The citizens among these that were not erased; the caller holds them already."""
    return set(accounts.lock_citizens(uow, citizen_ids)) if citizen_ids else set()
