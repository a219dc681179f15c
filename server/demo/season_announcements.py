"""The announcements of the demo's season: a draft, one in review, and one sent last week.

They are written through the functions that serve organizers; the ledger of the sent one follows
from who followed the account and who had granted a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from server.accounts import service as accounts
from server.announcements import service as announcements
from server.announcements.service import (
    AnnouncementDraft,
    Channel,
    PastResult,
    ReceiptWord,
    RecipientState,
)
from server.base.clock import BEIJING, beijing_day
from server.base.templates import spell_template_time
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.organizers import service as organizers

if TYPE_CHECKING:
    from random import Random  # noqa: TID251 - only the type of an argument; creates no generator

_DATA = Path(__file__).with_name("data") / "announcements.json"
_EDITOR, _APPROVER = "editor-region", "approver-region"
# The sent one began five days ago at ten; the written times are three days from now at three.
_SENT_DAYS, _SENT_AT, _SOON_DAYS, _SOON_AT = 5, time(10), 3, time(15)
# One of so many recipients: blocked the account, got no clear answer; two of five opened it.
_BLOCKED, _UNCLEAR, _OPENED = 60, 250, 0.4
_OPENED_WITHIN_S = 36 * 3600


class AnnouncementStory(StrEnum):
    """State of an announcement."""

    DRAFT = "draft"
    REVIEW = "review"
    DONE = "done"


class AnnouncementFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An announcement of the data file; contents and audience as they are stored."""

    ref: str
    story: AnnouncementStory
    title: str
    body: str
    page: str
    topic: str
    ladder: tuple[Channel, ...]
    contents: Mapping[str, Any]
    audience: Mapping[str, Any]


class AnnouncementsFile(msgspec.Struct, frozen=True, kw_only=True):
    """The data file."""

    source: str
    announcements: tuple[AnnouncementFacts, ...]


_READ_FILE = msgspec.json.Decoder(AnnouncementsFile)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A citizen of the season who logged in."""

    ref: str
    follows: bool
    granted: bool


def write_announcements(
    uow_factory: UnitOfWorkFactory, readers: Sequence[Reader], chance: Random
) -> int:
    """Write the announcements that do not exist yet; return how many."""
    file = _READ_FILE.decode(_DATA.read_bytes())
    with uow_factory.begin(read_only=True) as uow:
        known = announcements.known_announcements(uow, [one.ref for one in file.announcements])
    missing = [one for one in file.announcements if one.ref not in known]
    for one in missing:
        with uow_factory.begin() as uow:
            _write_announcement(uow, one, readers, chance)
    return len(missing)


def _write_announcement(
    uow: UnitOfWork, facts: AnnouncementFacts, readers: Sequence[Reader], chance: Random
) -> None:
    editor = organizers.organizer_by_username(uow, _EDITOR)
    draft = _draft_of(uow, facts)
    announcements.write_announcement(uow, editor, draft, ref=facts.ref)
    if facts.story is AnnouncementStory.REVIEW:
        announcements.send_to_review(uow, editor, facts.ref)
    if facts.story is AnnouncementStory.DONE:
        approver = organizers.organizer_by_username(uow, _APPROVER)
        began_at = _moment(uow.now, -_SENT_DAYS, _SENT_AT)
        ids = accounts.ids_of_refs(uow, [one.ref for one in readers])
        held = accounts.lock_citizens(uow, ids.values())
        present = [one for one in readers if held.get(ids[one.ref]) == ids[one.ref]]
        results = list(_list_results(uow.now, began_at, present, ids, chance))
        announcements.add_past_results(uow, facts.ref, approver, began_at, results)


def _list_results(
    now: datetime,
    began_at: datetime,
    readers: Sequence[Reader],
    ids: Mapping[str, int],
    chance: Random,
) -> Iterator[PastResult]:
    """The end of each reader: by template, by a grant of the mini-program, or in the inbox only."""
    for one in readers:
        channel = Channel.TEMPLATE if one.follows else Channel.MINI_SUBSCRIPTION
        citizen_id = ids[one.ref]
        if not (one.follows or one.granted):
            yield PastResult(
                citizen_id=citizen_id, state=RecipientState.REFUSED, reason="not_following"
            )
        elif chance.randrange(_UNCLEAR) == 0:
            yield PastResult(citizen_id=citizen_id, state=RecipientState.UNKNOWN, channel=channel)
        elif one.follows and chance.randrange(_BLOCKED) == 0:
            yield PastResult(
                citizen_id=citizen_id, state=RecipientState.REFUSED, channel=channel,
                reason="user_block", receipt=ReceiptWord.BLOCKED,
            )  # fmt: skip
        else:
            after = timedelta(seconds=chance.randrange(60, _OPENED_WITHIN_S))
            opened = chance.random() < _OPENED
            yield PastResult(
                citizen_id=citizen_id, state=RecipientState.SENT, channel=channel,
                receipt=ReceiptWord.DELIVERED,
                opened_at=min(now, began_at + after) if opened else None,
            )  # fmt: skip


def _draft_of(uow: UnitOfWork, facts: AnnouncementFacts) -> AnnouncementDraft:
    moments = {
        "{time}": _moment(uow.now, _SOON_DAYS, _SOON_AT),
        "{past}": _moment(uow.now, _SOON_DAYS - _SENT_DAYS, _SOON_AT),
    }
    written = msgspec.json.encode(facts.contents).decode()
    for mark, at in moments.items():
        written = written.replace(mark, spell_template_time(at))
    return AnnouncementDraft(
        title=facts.title,
        body=facts.body,
        page=facts.page,
        topic=facts.topic,
        ladder=facts.ladder,
        contents=announcements.read_contents(msgspec.json.decode(written)),
        audience=announcements.read_rule(facts.audience),
    )


def _moment(now: datetime, days: int, at: time) -> datetime:
    return datetime.combine(beijing_day(now) + timedelta(days=days), at, BEIJING)
