"""An activity in words for its page: names with values, as citizens will read them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from server.activities.desk import ShownActivity
from server.activities.drafts import ActivityDraft
from server.activities.questions import spell_lines
from server.base.clock import BEIJING
from server.base.texts import Texts
from server.units import service as units

Facts = Iterator[tuple[str, str, str | None]]


def say_moment(at: datetime) -> str:
    """An instant in Beijing time, with its day of the week."""
    local = at.astimezone(BEIJING)
    weekday = "一二三四五六日"[local.weekday()]
    return f"{local.year}年{local.month}月{local.day}日（周{weekday}）{local:%H:%M}"


def say_times(texts: Texts, shown: ShownActivity) -> Facts:
    """The time and the place of an activity."""
    say, draft = texts.fill_text, shown.draft
    yield say("activities.form.starts_at"), say_moment(draft.starts_at), None
    yield say("activities.form.ends_at"), say_moment(draft.ends_at), None
    yield say("activities.form.venue"), draft.venue, draft.address or None
    area = draft.county or draft.city
    place = say("activities.form.place_none") if area is None else units.name_place(area)
    if draft.county is not None and draft.city is not None:
        place = units.name_place(draft.city) + place
    yield say("activities.form.place"), place, None
    pointed = draft.latitude is not None
    yield say("activities.map"), say(f"activities.map_{'set' if pointed else 'missing'}"), None


def say_content(texts: Texts, shown: ShownActivity) -> Facts:
    """The description of an activity; empty fields are left out."""
    say, draft = texts.fill_text, shown.draft
    yield say("activities.form.kind"), say(f"activities.kind.{draft.kind.value}"), None
    if shown.programme:
        yield say("activities.form.programme"), shown.programme, None
    yield say("activities.form.audiences"), _say_audiences(texts, draft), None
    for name in ("speaker", "speaker_post", "speaker_bio", "abstract", "notes", "live_link"):
        if getattr(draft, name):
            yield say(f"activities.form.{name}"), getattr(draft, name), None
    if draft.office_phone:
        yield say("activities.form.office_phone"), draft.office_phone, None


def say_terms(texts: Texts, shown: ShownActivity) -> Facts:
    """The terms of the sign-up."""
    say, draft = texts.fill_text, shown.draft
    yield say("activities.form.signup_opens_at"), say_moment(draft.signup_opens_at), None
    yield say("activities.form.signup_closes_at"), say_moment(draft.signup_closes_at), None
    yield say("activities.form.party_max"), str(draft.party_max), None
    yield say("activities.form.waitlist_most"), _say_waitlist(texts, draft), None
    if draft.offer_minutes:
        told = say("activities.offer_lasts", minutes=draft.offer_minutes)
    else:
        told = say("activities.offer_none")
    yield say("activities.form.offer_minutes"), told, None
    if draft.draw_at is not None:
        yield say("activities.form.draw_at"), say_moment(draft.draw_at), None
    needed = "needed" if draft.phone_needed else "free"
    yield say("activities.phone"), say(f"activities.phone_{needed}"), None
    if draft.questions:
        lines = "；".join(spell_lines(draft.questions).splitlines())
        yield say("activities.form.questions"), lines, None


def say_seats(texts: Texts, shown: ShownActivity) -> Facts:
    """The seats of an activity: all, taken and waiting."""
    say, seating = texts.fill_text, shown.seating
    yield say("activities.form.seats"), str(seating.seats), None
    yield say("activities.taken"), str(seating.taken), None
    yield say("activities.waitlisted"), str(seating.waiting), None
    if seating.entered:
        yield say("activities.entered"), str(seating.entered), None
    if shown.draft.room_limit is not None:
        yield say("activities.form.room_limit"), str(shown.draft.room_limit), None


def _say_audiences(texts: Texts, draft: ActivityDraft) -> str:
    say = texts.fill_text
    if not draft.audiences:
        return say("activities.audience.everybody")
    return "、".join(say(f"activities.audience.{one}") for one in draft.audiences)


def _say_waitlist(texts: Texts, draft: ActivityDraft) -> str:
    say, most = texts.fill_text, draft.waitlist_most
    if most is None:
        return say("activities.waitlist_any")
    return say("activities.waitlist_most", most=most) if most else say("activities.waitlist_off")
