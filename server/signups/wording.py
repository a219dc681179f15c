"""The words of messages about sign-ups: a letter for the inbox, and fields of a push."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.activities import service as activities
from server.activities.service import ActivityView
from server.base.clock import BEIJING
from server.base.templates import (
    is_template_name,
    shorten_thing,
    spell_template_time,
    template_id_of,
)
from server.base.uow import UnitOfWork
from server.notices.service import Letter, PlannedPush
from server.signups.contacts import unseal_name
from server.signups.kinds import NoticeKind
from server.signups.models import SignUp, SignUpNotice

SIGNED, PROMOTED, REMINDER, CHANGE = (
    "signup-success", "waitlist-promoted", "lecture-reminder", "change-notice",
)  # fmt: skip
TEMPLATES = (SIGNED, PROMOTED, REMINDER, CHANGE)
TEMPLATE_OF = {
    NoticeKind.CONFIRMED: SIGNED,
    NoticeKind.DRAWN: SIGNED,
    NoticeKind.PROMOTED: PROMOTED,
    NoticeKind.OFFERED: PROMOTED,
    NoticeKind.TOMORROW: REMINDER,
    NoticeKind.SOON: REMINDER,
    NoticeKind.CHANGED: CHANGE,
    NoticeKind.CANCELLED: CHANGE,
}
PAGE = "packages/lectures/detail/index"
_TEXT = "signups.notice"


@dataclass(frozen=True, kw_only=True)
class DueNotice:
    """A message with the sign-up and the activity that it is about."""

    notice: SignUpNotice
    signup: SignUp
    view: ActivityView

    @property
    def kind(self) -> NoticeKind:
        """The kind of the message."""
        return self.notice.kind

    @property
    def starts_at(self) -> datetime:
        """The start in the message: that of its change, else the present one."""
        told: str | None = self.notice.facts.get("starts_at")
        return self.view.activity.starts_at if told is None else datetime.fromisoformat(told)

    @property
    def place(self) -> tuple[str, str]:
        """Venue and address that the message names."""
        row, facts = self.view.activity, self.notice.facts
        return facts.get("venue", row.venue), facts.get("address", row.address)


def write_letter(uow: UnitOfWork, due: DueNotice, not_pushed_reason: str | None = None) -> Letter:
    """Write the message as a letter of the inbox; its key is unique to the row."""
    part = _part_of(due)
    return Letter(
        key=f"signup-notice:{due.notice.id}",
        title=uow.texts.fill_text(f"{_TEXT}.{part}.title"),
        body=uow.texts.fill_text(f"{_TEXT}.{part}.body", **_facts_of(uow, due)),
        page=f"{PAGE}?id={due.view.activity.ref}",
        not_pushed_reason=not_pushed_reason,
    )


def write_push(uow: UnitOfWork, due: DueNotice) -> PlannedPush:
    """Write the message as a push, with its letter.

    Raises: KeyError for a kind without a template.
    """
    letter = write_letter(uow, due)
    slug = TEMPLATE_OF[due.kind]
    offered, row = due.kind is NoticeKind.OFFERED, due.view.activity
    return PlannedPush(
        letter=letter,
        template_id=template_id_of(slug),
        page=letter.page or PAGE,
        fields=_FIELDS[slug](uow, due),
        expires_at=(due.signup.offer_expires_at if offered else None) or due.starts_at,
        urgent=slug == CHANGE and activities.is_urgent(row.starts_at, row.moved_from, uow.now),
    )


def _part_of(due: DueNotice) -> str:
    """The section of the texts: changes have one for each sort of change."""
    if due.kind is NoticeKind.CHANGED:
        return f"changed_{due.notice.facts['change']}"
    return due.kind.value


def _facts_of(uow: UnitOfWork, due: DueNotice) -> dict[str, Any]:
    row, facts = due.view.activity, due.notice.facts
    return {
        "title": row.title,
        "when": spell_moment(uow, due.starts_at),
        "where": spell_place(uow, *due.place),
        "until": _spell_end(uow, due.signup.offer_expires_at),
        "draw_at": _spell_end(uow, row.draw_at),
        "seats": due.signup.party_size,
        "note": _spell_note(uow, facts),
    }


def spell_moment(uow: UnitOfWork, at: datetime) -> str:
    """An instant in Beijing time with its day of the week."""
    local = at.astimezone(BEIJING)
    return uow.texts.fill_text(
        f"{_TEXT}_word.moment",
        year=local.year, month=local.month, day=local.day, time=f"{local:%H:%M}",
        weekday=uow.texts.fill_text(f"{_TEXT}_word.weekdays")[local.weekday()],
    )  # fmt: skip


def _spell_end(uow: UnitOfWork, at: datetime | None) -> str:
    return "" if at is None else spell_moment(uow, at)


def spell_place(uow: UnitOfWork, venue: str, address: str) -> str:
    """A venue with its address, if it has one."""
    if not address:
        return venue
    return uow.texts.fill_text(f"{_TEXT}_word.place", venue=venue, address=address)


def _spell_note(uow: UnitOfWork, facts: Mapping[str, Any]) -> str:
    """The additions of a change to the text: the reason, and the end of an offer."""
    told = ""
    reason = " ".join((facts.get("reason") or "").split()).rstrip("。")
    if reason:
        told += uow.texts.fill_text(f"{_TEXT}_word.reason", reason=reason)
    if facts.get("offer_ended"):
        told += uow.texts.fill_text(f"{_TEXT}_word.offer_ended")
    return told


def _signed_fields(uow: UnitOfWork, due: DueNotice) -> Mapping[str, str]:
    name = unseal_name(uow, due.signup.ref, due.signup.name) or ""
    return {
        "thing1": shorten_thing(due.view.activity.title),
        "time2": spell_template_time(due.starts_at),
        "thing3": shorten_thing(due.place[0]),
        "name4": name if is_template_name(name) else _say_word(uow, "self"),
        "thing5": _say_word(uow, "bring_ticket"),
    }


def _promoted_fields(uow: UnitOfWork, due: DueNotice) -> Mapping[str, str]:
    offered = due.kind is NoticeKind.OFFERED
    return {
        "thing1": shorten_thing(due.view.activity.title),
        "time2": spell_template_time(due.starts_at),
        "thing3": shorten_thing(due.place[0]),
        "phrase4": _say_word(uow, "to_confirm" if offered else "confirmed"),
        "time5": spell_template_time(due.signup.offer_expires_at or due.starts_at),
    }


def _reminder_fields(uow: UnitOfWork, due: DueNotice) -> Mapping[str, str]:
    speaker = due.view.activity.speaker
    return {
        "thing1": shorten_thing(due.view.activity.title),
        "name2": speaker if is_template_name(speaker) else _say_word(uow, "see_details"),
        "time3": spell_template_time(due.starts_at),
        "thing4": shorten_thing(due.place[0]),
        "thing5": _say_word(uow, "bring_ticket"),
    }


def _change_fields(uow: UnitOfWork, due: DueNotice) -> Mapping[str, str]:
    change = due.notice.facts.get("change", due.kind.value)
    reason = due.notice.facts.get("reason") or _say_word(uow, f"about_{change}")
    return {
        "thing1": shorten_thing(due.view.activity.title),
        "phrase2": _say_word(uow, f"phrase_{change}"),
        "time3": spell_template_time(due.starts_at),
        "thing4": shorten_thing(due.place[0]),
        "thing5": shorten_thing(reason),
    }


def _say_word(uow: UnitOfWork, name: str) -> str:
    return uow.texts.fill_text(f"{_TEXT}_word.{name}")


_FIELDS: Mapping[str, Callable[[UnitOfWork, DueNotice], Mapping[str, str]]] = {
    SIGNED: _signed_fields,
    PROMOTED: _promoted_fields,
    REMINDER: _reminder_fields,
    CHANGE: _change_fields,
}
