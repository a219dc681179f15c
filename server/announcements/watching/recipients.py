"""The recipients of announcements, for the list and its exports; names are masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from server.accounts import service as accounts
from server.announcements.enums import FROZEN, Channel, ReceiptWord, RecipientState
from server.announcements.models import Announcement, Recipient
from server.base.access import Organizer
from server.base.ownership import serving_found_row, writable_by
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.console.tables import Column, ColumnKind, Filter, ListQuery, Table

_MOST_TITLES = 200
# Reasons with a text; WeChat's own are stored with its number.
REASONS = (
    "no_grant", "no_openid", "not_following", "not_asked_for", "no_window", "capped", "opted_out",
    "never_pushed",
    "quota_spent", "too_late", "cancelled", "erased", "user_block", "system_failed", "freq_limit",
    "not_delivered", "mass_refused", "refused",
)  # fmt: skip
BADGES = {
    RecipientState.SENT: "good",
    RecipientState.REFUSED: "bad",
    RecipientState.UNKNOWN: "mind",
    RecipientState.IN_DOUBT: "mind",
}


class RecipientQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list."""

    announcement: str | None = None
    state: RecipientState | None = None
    channel: Channel | None = None
    receipt: ReceiptWord | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecipientLine:
    """A recipient as organizers see it."""

    row: Recipient
    title: str
    name: str


# Reasons for unknown results with a text of their own.
UNKNOWN_REASONS = ("dropped", "worker_lost", "too_old", "cancelled")


def say_reason(texts: Texts, reason: str | None, state: RecipientState) -> str:
    """The words for a stored reason; one of WeChat's own is named with its number.

    An unknown result is never called a refusal.
    """
    if not reason:
        return ""
    if reason in REASONS and state is not RecipientState.UNKNOWN:
        return texts.fill_text(f"announcements.watch_reason.{reason}")
    if state is RecipientState.UNKNOWN:
        known = reason if reason in UNKNOWN_REASONS else "other"
        return texts.fill_text(f"announcements.unknown_reason.{known}", reason=reason)
    return texts.fill_text("announcements.watching.other_reason", reason=reason)


def _find_recipients(_uow: UnitOfWork, organizer: Organizer, query: RecipientQuery) -> Select[Any]:
    rows = select(Recipient).join(Announcement, Announcement.id == Recipient.announcement_id)
    rows = writable_by(rows, organizer, Announcement)
    wanted = {
        Announcement.ref: query.announcement,
        Recipient.state: query.state,
        Recipient.channel: query.channel,
        Recipient.receipt: query.receipt,
        Recipient.reason: query.reason,
    }
    for column, value in wanted.items():
        if value is not None:
            rows = rows.where(column == value)
    return rows


def describe_recipients(uow: UnitOfWork, rows: Sequence[Recipient]) -> list[RecipientLine]:
    """Recipients with their masked names, in their order."""
    with serving_found_row(uow.session):
        names = accounts.names_of(uow, [row.citizen_id for row in rows])
        ids = {row.announcement_id for row in rows}
        found = uow.session.execute(
            select(Announcement.id, Announcement.title).where(Announcement.id.in_(ids))
        )
        titles = {row.id: row.title for row in found}
        return [
            RecipientLine(
                row=row,
                title=titles.get(row.announcement_id, ""),
                name=names[row.citizen_id].shown,
            )
            for row in rows
        ]


def own_titles(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """Ref and title of the newest announcements of the organizer's place that have recipients."""
    own: Select[Any] = writable_by(select(Announcement), organizer, Announcement)
    newest = own.where(Announcement.state.in_(FROZEN)).order_by(Announcement.id.desc())
    return [(row.ref, row.title) for row in uow.session.scalars(newest.limit(_MOST_TITLES))]


RECIPIENTS = Table(
    name="announcement_recipients",
    path="/announcement-recipients",
    title="announcements.watching.recipients",
    empty="announcements.watching.no_recipients",
    query=RecipientQuery,
    select=_find_recipients,
    prepare=describe_recipients,
    key=Recipient.id,
    persons=True,
    columns=(
        Column(name="name", title="announcements.watching.name", value=lambda line: line.name),
        Column(
            name="announcement", title="announcements.watching.announcement",
            kind=ColumnKind.LONG, value=lambda line: line.title,
        ),
        Column(
            name="state", title="announcements.watching.state",
            value=lambda line: line.row.state.value, words="announcements.recipient_state",
            badge=lambda line: BADGES.get(line.row.state, "plain"),
        ),
        Column(
            name="channel", title="announcements.watching.channel",
            value=lambda line: line.row.channel and line.row.channel.value,
            words="announcements.watch_channel",
        ),
        Column(
            name="reason", title="announcements.watching.reason",
            value=lambda line: line.row.reason,
            say=lambda texts, line: say_reason(texts, line.row.reason, line.row.state),
        ),
        Column(
            name="receipt", title="announcements.watching.receipt",
            value=lambda line: line.row.receipt and line.row.receipt.value,
            words="announcements.receipt_word",
        ),
        Column(
            name="settled_at", title="announcements.watching.settled_at", kind=ColumnKind.DATE,
            value=lambda line: line.row.settled_at,
        ),
        Column(
            name="opened_at", title="announcements.watching.opened_at", kind=ColumnKind.DATE,
            value=lambda line: line.row.opened_at,
        ),
    ),
    filters=(
        Filter(
            name="announcement", title="announcements.watching.announcement", options=own_titles
        ),
        Filter(
            name="state", title="announcements.watching.state",
            choices=[(one.value, f"announcements.recipient_state.{one}") for one in RecipientState],
        ),
        Filter(
            name="channel", title="announcements.watching.channel",
            choices=[(one.value, f"announcements.watch_channel.{one}") for one in Channel],
        ),
        Filter(
            name="receipt", title="announcements.watching.receipt",
            choices=[(one.value, f"announcements.receipt_word.{one}") for one in ReceiptWord],
        ),
        Filter(
            name="reason", title="announcements.watching.reason",
            choices=[(one, f"announcements.watch_reason.{one}") for one in REASONS],
        ),
    ),
)  # fmt: skip
