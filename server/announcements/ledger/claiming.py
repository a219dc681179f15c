"""Claims a batch of recipients: chooses the channel of each, and takes what the call uses up.

Everything is committed before the first call: the claim, the call with its client id, the grant,
the place in the limit over all senders, and the copy in the inbox.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from server.accounts import service as accounts
from server.announcements.audience.choice import Obstacle, PersonFacts, choose_channel
from server.announcements.audience.facts import load_batch_facts, outreach_key, template_id_for
from server.announcements.compose.content import load_content
from server.announcements.compose.people import is_personal, load_persons
from server.announcements.compose.rendering import address_letter, render_letter
from server.announcements.compose.urgency import ignores_quiet_hours
from server.announcements.enums import AnnouncementState, Channel, RecipientState
from server.announcements.ledger.outcomes import PlannedCall, may_repeat
from server.announcements.ledger.quotas import count_calls, paused_channels
from server.announcements.ledger.tries import PlannedTry, Tries, load_tries, place_tries
from server.announcements.models import Announcement, Recipient
from server.announcements.rules.placeholders import Person
from server.base.outbox_batches import HeldRow
from server.base.outbox_rows import Done, GiveUp, Outcome, PutOff
from server.base.sql.many import is_any
from server.base.uow import UnitOfWork
from server.channel import service as channel_service
from server.notices import service as notices

# A recipient to whom another message is being sent is tried again after this time.
_BUSY_REST = timedelta(seconds=15)
_GRANTED = (Channel.MINI_SUBSCRIPTION, Channel.OFFICIAL_SUBSCRIPTION)
CANCELLED, ERASED, TOO_OLD = "cancelled", "erased", "too_old"


def app_of(channel: Channel) -> accounts.AppName:
    """The app whose openid a channel uses."""
    return "mini_program" if channel is Channel.MINI_SUBSCRIPTION else "official_account"


@dataclass(kw_only=True)
class _Batch:
    """Recipients of one announcement in one claim, and what was decided about each."""

    announcement: Announcement
    rows: Mapping[int, HeldRow]
    tries: Mapping[int, Tries]
    people: Mapping[int, PersonFacts]
    paused: Mapping[Channel, datetime]
    ladder: Sequence[Channel]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    # Recipients by the channel that was chosen for them.
    chosen: dict[int, Channel] = field(default_factory=dict)


def prepare_recipients(uow: UnitOfWork, rows: Sequence[HeldRow]) -> list[PlannedCall | Outcome]:
    """The calls of leased recipients, or why there is none now.

    Locks: grants; the caller holds the announcements, the citizens and the rows.
    """
    by_announcement: dict[int, list[HeldRow]] = defaultdict(list)
    for row in rows:
        by_announcement[row.announcement_id].append(row)
    answers: dict[int, PlannedCall | Outcome] = {}
    for announcement_id, some in sorted(by_announcement.items()):
        announcement = uow.session.get_one(Announcement, announcement_id)
        answers |= _prepare_some(uow, announcement, some)
    return [answers[row.id] for row in rows]


def _prepare_some(
    uow: UnitOfWork, announcement: Announcement, rows: Sequence[HeldRow]
) -> dict[int, PlannedCall | Outcome]:
    if announcement.state is AnnouncementState.CANCELLED:
        return {row.id: GiveUp(reason=CANCELLED) for row in rows}
    if announcement.state is not AnnouncementState.SENDING:
        return {row.id: PutOff(until=uow.now) for row in rows}
    batch = _Batch(
        announcement=announcement,
        rows={row.id: row for row in rows},
        # One that was never claimed has no calls.
        tries=load_tries(uow, [row.id for row in rows if row.outbox_tries]),
        people=load_batch_facts(uow, announcement, [row.id for row in rows]),
        paused=paused_channels(uow),
        ladder=tuple(map(Channel, announcement.ladder)),
    )
    _put_off_disturbed(uow, batch)
    _choose_channels(uow, batch)
    _reserve_places(uow, batch)
    return {**batch.outcomes, **_plan_calls(uow, batch)}


def _put_off_disturbed(uow: UnitOfWork, batch: _Batch) -> None:
    """Put off recipients in quiet hours, and those to whom another message is being sent."""
    busy = _busy_citizens(uow, batch)
    quiet = accounts.quiet_hours_of(uow, {row.citizen_id for row in batch.rows.values()})
    silent = ignores_quiet_hours(uow, batch.announcement, uow.now) or batch.ladder == (
        Channel.INBOX,
    )
    for row_id, row in batch.rows.items():
        loud = uow.now if silent else notices.next_loud(uow.now, quiet.get(row.citizen_id))
        if loud > uow.now:
            batch.outcomes[row_id] = PutOff(until=loud)
        elif row.citizen_id in busy:
            batch.outcomes[row_id] = PutOff(until=uow.now + _BUSY_REST)


def _busy_citizens(uow: UnitOfWork, batch: _Batch) -> set[int]:
    """Citizens with a claimed message of another announcement: WeChat takes one at a time."""
    other = aliased(Recipient)
    found = select(other.citizen_id).where(
        is_any(other.citizen_id, {row.citizen_id for row in batch.rows.values()}),
        other.state == RecipientState.CLAIMED,
        other.announcement_id != batch.announcement.id,
    )
    return set(uow.session.scalars(found))


def _choose_channels(uow: UnitOfWork, batch: _Batch) -> None:
    for row_id, row in batch.rows.items():
        if row_id in batch.outcomes:
            continue
        chosen = _choose_for(uow, batch, row)
        if isinstance(chosen, Outcome):
            batch.outcomes[row_id] = chosen
        else:
            batch.chosen[row_id] = chosen


def _choose_for(uow: UnitOfWork, batch: _Batch, row: HeldRow) -> Channel | Outcome:
    tries, person = batch.tries[row.id], batch.people.get(row.citizen_id)
    if tries.in_doubt and tries.current is not None:
        # The call may have arrived, so only the same call may follow.
        channel = tries.current.channel
        if person is None or not may_repeat(channel, tries.current.made_at, uow.now):
            return GiveUp(reason=TOO_OLD)
    elif person is None:
        return GiveUp(reason=ERASED)
    else:
        choice = choose_channel(batch.ladder, person, tries.refused)
        if isinstance(choice, Obstacle):
            # A refusal by WeChat says more than the obstacle on the rest of the ladder.
            return GiveUp(reason=(row.reason if tries.refused else None) or choice.value)
        channel = choice
    if channel is Channel.INBOX:
        return Done(result="")
    return PutOff(until=batch.paused[channel]) if channel in batch.paused else channel


def _reserve_places(uow: UnitOfWork, batch: _Batch) -> None:
    """Reserve the places in the limit over all senders; those without one get no message."""
    counted = {
        batch.rows[row_id].citizen_id
        for row_id in batch.chosen
        if not batch.tries[row_id].in_doubt and not _is_uncounted(batch, row_id)
    }
    limit = uow.settings.outreach
    key = outreach_key(batch.announcement)
    reserved = notices.reserve_outreach(uow, key, counted, limit.per_day, limit.per_week)
    _refuse_chosen(batch, counted - reserved, GiveUp(reason=Obstacle.CAPPED.value))


def _is_uncounted(batch: _Batch, row_id: int) -> bool:
    return batch.people[batch.rows[row_id].citizen_id].uncounted


def _refuse_chosen(batch: _Batch, citizen_ids: set[int], outcome: Outcome) -> None:
    for row_id in list(batch.chosen):
        if batch.rows[row_id].citizen_id in citizen_ids and not batch.tries[row_id].in_doubt:
            batch.outcomes[row_id] = outcome
            del batch.chosen[row_id]


def _plan_calls(uow: UnitOfWork, batch: _Batch) -> dict[int, PlannedCall | Outcome]:
    """Take grants, windows and calls of the quota, store the calls, and write the letters."""
    grants = _take_grants(uow, batch)
    openids = _load_openids(uow, batch)
    repeated = {row_id for row_id in batch.chosen if batch.tries[row_id].in_doubt}
    planned = {
        row_id: PlannedTry(channel=channel, grant_id=grants.get(row_id))
        for row_id, channel in batch.chosen.items()
        if row_id not in repeated
    }
    client_ids = place_tries(uow, planned, batch.tries)
    for row_id in repeated:
        current = batch.tries[row_id].current
        client_ids[row_id] = current.client_msg_id if current is not None else ""
    count_calls(uow, Counter(batch.chosen.values()))
    _note_windows(uow, batch)
    _post_copies(uow, batch)
    return _write_letters(uow, batch, client_ids, openids)


def _take_grants(uow: UnitOfWork, batch: _Batch) -> dict[int, int]:
    """Take one grant for each message by subscription; return its id by recipient.

    Without one the recipient is looked at again: the grant went to another message.
    """
    taken: dict[int, int] = {}
    for channel in _GRANTED:
        waiting = {
            row_id: batch.rows[row_id].citizen_id
            for row_id, chosen in batch.chosen.items()
            if chosen is channel
        }
        template_id = template_id_for(batch.announcement, channel)
        if not waiting or template_id is None:
            continue
        found = notices.take_grants(uow, template_id, set(waiting.values()))
        for row_id, citizen_id in waiting.items():
            if citizen_id in found:
                taken[row_id] = found[citizen_id]
            else:
                batch.outcomes[row_id] = PutOff(until=uow.now)
                del batch.chosen[row_id]
    return taken


def _load_openids(uow: UnitOfWork, batch: _Batch) -> dict[int, str]:
    """The address of each recipient in the app of its channel; without one it is refused."""
    wanted: dict[accounts.AppName, set[int]] = defaultdict(set)
    for row_id, channel in batch.chosen.items():
        wanted[app_of(channel)].add(batch.rows[row_id].citizen_id)
    known = {app: accounts.openids_of(uow, ids, app) for app, ids in wanted.items()}
    return {
        row_id: known[app_of(channel)][batch.rows[row_id].citizen_id]
        for row_id, channel in batch.chosen.items()
    }


def _note_windows(uow: UnitOfWork, batch: _Batch) -> None:
    used = [
        batch.rows[row_id].citizen_id
        for row_id, channel in batch.chosen.items()
        if channel is Channel.CUSTOMER_MESSAGE
    ]
    if used:
        channel_service.note_window_use(uow, used)


def _post_copies(uow: UnitOfWork, batch: _Batch) -> None:
    letter_id = batch.announcement.letter_id
    if letter_id is not None and batch.chosen:
        copies = [(batch.rows[row_id].citizen_id, None) for row_id in batch.chosen]
        notices.post_copies(uow, letter_id, copies)


def _write_letters(
    uow: UnitOfWork,
    batch: _Batch,
    client_ids: Mapping[int, str],
    openids: Mapping[int, str],
) -> dict[int, PlannedCall | Outcome]:
    content = load_content(uow, batch.announcement)
    citizens = {batch.rows[row_id].citizen_id for row_id in batch.chosen}
    personal = is_personal(content.contents)
    persons = load_persons(uow, citizens) if personal and citizens else {}
    shared: dict[Channel, Any] = {}
    letters: dict[int, PlannedCall | Outcome] = {}
    for row_id, channel in batch.chosen.items():
        row = batch.rows[row_id]
        rendered = (
            render_letter(content, channel, persons[row.citizen_id])
            if personal
            else shared.get(channel) or render_letter(content, channel, Person())
        )
        shared[channel] = rendered
        row.state, row.channel = RecipientState.CLAIMED, channel
        letters[row_id] = PlannedCall(
            announcement_id=batch.announcement.id,
            channel=channel,
            letter=address_letter(rendered, channel, openids[row_id], client_ids[row_id]),
        )
    return letters
