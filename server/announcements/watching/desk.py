"""The sending of an announcement of the organizer's place, for its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from server.announcements.audience.corrections import corrected_by
from server.announcements.compose.correcting import corrections_of, count_reached
from server.announcements.enums import OVER, AnnouncementState, RecipientState
from server.announcements.ledger.queue import QUEUE
from server.announcements.ledger.quotas import paused_channels
from server.announcements.models import Announcement
from server.announcements.watching.funnel import Acts, count_acts
from server.announcements.watching.progress import (
    MassCounts,
    Progress,
    read_mass_counts,
    read_progress,
)
from server.announcements.watching.recipients import say_reason
from server.base.access import Organizer
from server.base.clock import BEIJING
from server.base.errors import NotFound
from server.base.outbox import is_paused
from server.base.ownership import serving_found_row, writable_by
from server.base.uow import UnitOfWork

_MOVING = (AnnouncementState.SCHEDULED, AnnouncementState.SENDING, AnnouncementState.PAUSED)
_PAUSES = (
    "content_refused",
    "template_refused",
    "token_refused",
    "wechat_config",
    "wrong_audience",
    "organizer",
)
_SHOWN = (
    RecipientState.SENT,
    RecipientState.REFUSED,
    RecipientState.UNKNOWN,
    RecipientState.CANCELLED,
)

Line = tuple[str, str, str | None]


@dataclass(frozen=True, kw_only=True)
class WatchView:
    """The progress and the result of one announcement, in words.

    `counters` are the final states with their counts, `refused` the reasons in words, with the
    count and the stored reason. `facts` and `funnel` are names with values and remarks. `moving`
    tells that the figures still change.
    """

    row: Announcement
    # The announcement that this one corrects, its own corrections, and how many people another one
    # would be for: none while this one is being sent.
    corrected: Announcement | None
    corrections: Sequence[Announcement]
    reached: int
    progress: Progress
    counters: Sequence[tuple[RecipientState, int]]
    refused: Sequence[tuple[str, int, str]]
    facts: Sequence[Line]
    funnel: Sequence[Line]
    moving: bool
    paused: str


def watch_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> WatchView:
    """The progress and the result of an announcement of the organizer's place.

    Raises: NotFound (404).
    """
    row = read_own(uow, organizer, ref)
    with serving_found_row(uow.session):
        progress = read_progress(uow, row.id)
        acts = count_acts(uow, row.id)
        mass = read_mass_counts(uow, row.id)
    return WatchView(
        row=row,
        corrected=corrected_by(uow, row),
        corrections=corrections_of(uow, row),
        reached=count_reached(uow, row) if row.state in OVER else 0,
        progress=progress,
        counters=[(one, progress.count(one)) for one in _SHOWN],
        refused=[
            (say_reason(uow.texts, reason, RecipientState.REFUSED), n, reason)
            for reason, n in progress.refused
        ],
        facts=_facts_of(uow, row, progress),
        funnel=_funnel_of(uow, progress, acts, mass),
        moving=row.state in _MOVING,
        paused=_say_pause(uow, row, progress),
    )


def read_own(uow: UnitOfWork, organizer: Organizer, ref: str) -> Announcement:
    """An announcement of the organizer's place.

    Raises: NotFound (404).
    """
    own = writable_by(select(Announcement), organizer, Announcement)
    row: Announcement | None = uow.session.scalar(own.where(Announcement.ref == ref))
    if row is None:
        raise NotFound
    return row


def _say_pause(uow: UnitOfWork, row: Announcement, progress: Progress) -> str:
    """The reason for a pause in words; empty without one."""
    if progress.held:
        return uow.texts.fill_text("announcements.watching.held", count=progress.held)
    if row.state is AnnouncementState.SENDING and progress.left:
        return _say_wait(uow, row)
    if row.state is not AnnouncementState.PAUSED:
        return ""
    reason = row.pause_reason if row.pause_reason in _PAUSES else "other"
    detail = row.pause_detail or ""
    return uow.texts.fill_text(f"announcements.pause_reason.{reason}", detail=detail)


def _say_wait(uow: UnitOfWork, row: Announcement) -> str:
    """Name the quota or the pause for which the senders wait; empty while they send."""
    if is_paused(uow, QUEUE.name):
        return uow.texts.fill_text("announcements.watching.all_paused")
    spent = {
        channel: until
        for channel, until in paused_channels(uow).items()
        if channel.value in row.ladder
    }
    if not spent:
        return ""
    names = [uow.texts.fill_text(f"announcements.watch_channel.{one}") for one in sorted(spent)]
    return uow.texts.fill_text(
        "announcements.watching.quota_spent",
        channels="、".join(names),
        at=_minute(max(spent.values())),
    )


def _facts_of(
    uow: UnitOfWork, row: Announcement, progress: Progress
) -> list[tuple[str, str, str | None]]:
    say = uow.texts.fill_text
    facts: list[tuple[str, str, str | None]] = [
        (say("announcements.watching.audience"), str(progress.audience), None)
    ]
    if row.state in _MOVING:
        facts.append((say("announcements.watching.rate"), str(progress.per_minute), None))
        ends_at = progress.ends_at
        told = say("announcements.watching.no_end") if ends_at is None else _minute(ends_at)
        facts.append((say("announcements.watching.ends_at"), told, None))
    for name, at in (
        ("starts_at", row.starts_at),
        ("began_at", row.began_at),
        ("paused_at", row.paused_at),
        ("ended_at", row.ended_at),
        ("withdrawn_at", row.withdrawn_at),
    ):
        if at is not None:
            facts.append((say(f"announcements.watching.{name}"), _minute(at), None))
    return facts


def _funnel_of(
    uow: UnitOfWork, progress: Progress, acts: Acts, mass: MassCounts | None
) -> list[tuple[str, str, str | None]]:
    say = uow.texts.fill_text
    steps: list[tuple[str, str, str | None]] = [
        (say("announcements.watching.sent"), str(progress.count(RecipientState.SENT)), None),
        (
            say("announcements.watching.delivered"),
            str(progress.delivered),
            say("announcements.watching.delivered_about"),
        ),
    ]
    if mass is not None:
        told = "" if mass.sent is None else str(mass.sent)
        error = say("announcements.watching.mass_error", count=mass.error or 0)
        steps.append((say("announcements.watching.mass_sent"), told, error))
    steps += [
        (
            say("announcements.watching.opened"),
            str(progress.opened),
            say("announcements.watching.opened_about", count=progress.opened_in_inbox),
        ),
        (
            say("announcements.watching.acted"),
            str(acts.either),
            say(
                "announcements.watching.acted_about",
                signed=acts.signed_up,
                took=acts.took_part,
            ),
        ),
    ]
    return steps


def _minute(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"
