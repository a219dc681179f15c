"""A citizen's profile, and the content check of a nickname.

Endpoints call WeChat between two transactions; nothing here calls it inside one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from server.accounts import avatar_uploads, avatars, phones, privacy
from server.accounts.errors import NicknameRefused
from server.accounts.models import (
    App,
    Audience,
    Citizen,
    Identity,
    Language,
    NicknameState,
    Residence,
    Schooling,
    Sex,
)
from server.accounts.rules import has_allowed_length
from server.base.characters import clean_name
from server.base.errors import Invalid
from server.base.jobs import TaskContext
from server.base.outbox_rows import Backoff, Done, GiveUp, Lost, Outcome, Queue, Retry
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.topics import find_topic
from server.base.uow import UnitOfWork
from server.units import service as units
from server.wechat.errors import WeChatError
from server.wechat.gateway import TextPlace, Verdict
from server.wechat.retries import outcome_of
from server.wechat.text_check import TextCheck, verdict_or_none

_log = logging.getLogger(__name__)

# WeChat only checks texts of people who used the mini-program within this time.
JUDGED_WITHIN = timedelta(hours=2)
ASK_AGAIN_AFTER = timedelta(seconds=60)
_WAITING = (NicknameState.CHECKING, NicknameState.REVIEW)
# The value that an explicit null resets a required column to.
_DEFAULTS: dict[str, Any] = {
    "language": Language.ZH,
    "elder_mode": False,
    "public_rank": False,
    "topics": [],
    "muted_topics": [],
    "announcements_off": False,
}

_citizen = table_of(Citizen)
# The columns are in the order of the fields of ShownAtLogin; the last one is the version agreed to.
_SHOWN_AT_LOGIN = select(
    _citizen.c.ref,
    _citizen.c.nickname,
    _citizen.c.nickname_state,
    _citizen.c.avatar_url,
    _citizen.c.elder_mode,
    privacy.latest_version(_citizen.c.id).label("version"),
).where(_citizen.c.id == bindparam("citizen_id"))

_WORDS: dict[str, type[StrEnum]] = {
    "audience": Audience,
    "sex": Sex,
    "schooling": Schooling,
    "residence": Residence,
    "language": Language,
}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A citizen's own view of the profile."""

    citizen: Citizen
    city_name: str | None
    county_name: str | None
    unit: units.UnitView | None
    consented: bool
    avatar_state: str | None
    avatar_preview_url: str | None
    phone_masked: str | None


class ShownAtLogin(NamedTuple):
    """The part of a profile that the response to a log-in contains."""

    ref: str
    nickname: str | None
    nickname_state: NicknameState
    avatar_url: str | None
    elder_mode: bool
    consented: bool


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A nickname with WeChat's verdict; None when WeChat was unavailable."""

    name: str
    verdict: Verdict | None


@dataclass(frozen=True, kw_only=True)
class UncheckedName:
    """A nickname to be checked, and the openid for the check."""

    citizen_id: int
    name: str
    openid: str | None


def profile_of(uow: UnitOfWork, citizen_id: int) -> Profile:
    """A citizen's own view of the profile."""
    citizen = uow.session.get_one(Citizen, citizen_id)
    unit = None if citizen.unit_id is None else units.unit_by_id(uow, citizen.unit_id)
    places = units.load_regions()
    city = places.find_city(citizen.city) if citizen.city else None
    county = places.find_county(citizen.county) if citizen.county else None
    return Profile(
        citizen=citizen,
        city_name=city.name if city else None,
        county_name=county.name if county else None,
        unit=unit,
        consented=privacy.has_consented(uow, citizen_id),
        avatar_state=avatar_uploads.state_of(uow, citizen_id) or avatars.state_of(uow, citizen_id),
        avatar_preview_url=avatars.preview_of(uow, citizen_id),
        phone_masked=phones.masked_of(uow, citizen_id),
    )


def shown_at_login(uow: UnitOfWork, citizen_id: int) -> ShownAtLogin:
    """The citizen's part of the response to a log-in."""
    *facts, version = run_statement(uow, _SHOWN_AT_LOGIN, {"citizen_id": citizen_id}).only_row()
    return ShownAtLogin._make([*facts, version == uow.settings.policy_version])


def checked_name(text: str) -> str:
    """Normalise a nickname.

    Raises: Invalid (422) unless 1 to 20 characters remain.
    """
    name = clean_name(text)
    if not has_allowed_length(name):
        raise Invalid((("body", "nickname"), "1 to 20 characters, not all of them invisible"))
    return name


def find_unchecked_name(uow: UnitOfWork, citizen_id: int, name: str) -> UncheckedName | None:
    """The check to request for a nickname; None when this one was checked before."""
    citizen = uow.session.get_one(Citizen, citizen_id)
    waiting = citizen.nickname_state in _WAITING and citizen.pending_nickname == name
    if waiting or citizen.nickname == name:
        return None
    openid = _openids_of(uow, [citizen_id]).get(citizen_id)
    return UncheckedName(citizen_id=citizen_id, name=name, openid=openid)


def judge_nickname(gateway: TextCheck, waiting: UncheckedName) -> Judged:
    """The nickname with WeChat's verdict; never call it inside a transaction."""
    verdict = verdict_or_none(gateway, waiting.openid, waiting.name, TextPlace.PROFILE)
    return Judged(name=waiting.name, verdict=verdict)


def change_profile(
    uow: UnitOfWork, citizen_id: int, changes: Mapping[str, Any], judged: Judged | None = None
) -> None:
    """Change the fields in `changes`; None clears a field.

    Raises: Invalid (422) for a place or unit that does not exist, NicknameRefused (409).
    Locks: the citizen. Runs the `relocate` hooks when place or audience changes.
    """
    citizen = privacy.lock_and_load(uow, citizen_id)
    before = _place_of(citizen)
    left = _with_both_topics(citizen, changes)
    _take_back(uow, citizen_id, left)
    if "nickname" in left:
        _set_nickname(uow, citizen, left.pop("nickname"), judged)
    if "unit" in left:
        citizen.unit_id = _unit_id(uow, left.pop("unit"))
    _set_region(citizen, left)
    for name, value in left.items():
        setattr(citizen, name, _DEFAULTS.get(name) if value is None else _stored_value(name, value))
    if (citizen.quiet_from is None) != (citizen.quiet_to is None):
        raise Invalid((("body", "quiet_from"), "quiet hours have a beginning and an end"))
    uow.session.flush()  # the hooks read the new place
    if _place_of(citizen) != before:
        for relocate in uow.dependencies.hooks.relocate:
            relocate(uow, citizen_id)


def join_unit(uow: UnitOfWork, citizen_id: int, unit_ref: str) -> bool:
    """Make a citizen a member of a unit, unless the citizen has chosen one or it is closed now.

    Locks: the citizen.
    """
    citizen = privacy.lock_and_load(uow, citizen_id)
    if citizen.unit_id is not None or units.unit_by_ref(uow, unit_ref) is None:
        return False
    change_profile(uow, citizen_id, {"unit": unit_ref})
    return True


def _take_back(uow: UnitOfWork, citizen_id: int, left: dict[str, Any]) -> None:
    """Clear picture and phone number, which are set through endpoints of their own."""
    for name, take_back in (("avatar", avatar_uploads.take_back), ("phone", phones.take_back)):
        if name in left:
            left.pop(name)
            take_back(uow, citizen_id)


def _stored_value(name: str, value: Any) -> Any:
    return _WORDS[name](value) if name in _WORDS else value


def _place_of(citizen: Citizen) -> tuple[object, ...]:
    return (citizen.city, citizen.county, citizen.unit_id, citizen.audience)


def _set_region(citizen: Citizen, left: dict[str, Any]) -> None:
    if "city" not in left and "county" not in left:
        return
    city = left.pop("city", citizen.city)
    # A move to another city without a county clears the old county.
    kept = citizen.county if city == citizen.city else None
    county = left.pop("county", kept)
    citizen.city, citizen.county = units.load_regions().check_place(city, county)


def _with_both_topics(citizen: Citizen, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes; a topic that is chosen now is not turned off any more, and the reverse.

    Raises: Invalid (422) for an unknown topic to turn off, or one that is also chosen.
    """
    left = dict(changes)
    chosen, muted = left.get("topics") or [], left.get("muted_topics") or []
    unknown = [slug for slug in muted if find_topic(slug) is None]
    if unknown or not set(chosen).isdisjoint(muted):
        said = "no such topic" if unknown else "a topic is chosen or turned off, not both"
        raise Invalid((("body", "muted_topics"), said))
    if muted and "topics" not in left:
        left["topics"] = [slug for slug in citizen.topics if slug not in muted]
    if chosen and "muted_topics" not in left:
        left["muted_topics"] = [slug for slug in citizen.muted_topics if slug not in chosen]
    return left


def _unit_id(uow: UnitOfWork, ref: str | None) -> int | None:
    if ref is None:
        return None
    unit = units.unit_to_join(uow, ref)
    if unit is None:
        raise Invalid((("body", "unit"), "no such unit"))
    return unit.id


def _set_nickname(
    uow: UnitOfWork, citizen: Citizen, text: str | None, judged: Judged | None
) -> None:
    if text is None:
        _settle_nickname(citizen, None, NicknameState.NONE)
        return
    name = checked_name(text)
    if name == citizen.nickname:
        _settle_nickname(citizen, name, NicknameState.SHOWN)
        return
    if citizen.nickname_state in _WAITING and citizen.pending_nickname == name:
        return
    verdict = judged.verdict if judged is not None and judged.name == name else None
    if verdict is Verdict.RISKY:
        raise NicknameRefused
    _take_verdict(uow, citizen, name, verdict)


def _take_verdict(uow: UnitOfWork, citizen: Citizen, name: str, verdict: Verdict | None) -> None:
    if verdict is Verdict.PASS:
        _settle_nickname(citizen, name, NicknameState.SHOWN)
    elif verdict is Verdict.RISKY:
        _settle_nickname(citizen, citizen.nickname, NicknameState.REFUSED)
    else:
        asked = verdict is None
        citizen.pending_nickname = name
        citizen.pending_since = uow.now
        citizen.nickname_state = NicknameState.CHECKING if asked else NicknameState.REVIEW
        if asked:
            citizen.enqueue_again(uow.now, uow.now + ASK_AGAIN_AFTER)
        else:
            citizen.leave_outbox()


def _settle_nickname(citizen: Citizen, name: str | None, state: NicknameState) -> None:
    citizen.nickname = name
    citizen.nickname_state = state
    citizen.pending_nickname = None
    citizen.pending_since = None
    citizen.leave_outbox()


def drop_name(uow: UnitOfWork, citizen_id: int) -> None:
    """Delete a nickname, public or pending, because its owner withdrew it at WeChat."""
    change_profile(uow, citizen_id, {"nickname": None})


def drop_avatar(uow: UnitOfWork, citizen_id: int) -> None:
    """Delete an avatar, because its owner withdrew it at WeChat."""
    change_profile(uow, citizen_id, {"avatar": None})


def drop_phone(uow: UnitOfWork, citizen_id: int) -> None:
    """Delete a phone number, because its owner withdrew it at WeChat."""
    change_profile(uow, citizen_id, {"phone": None})


def _prepare_name(uow: UnitOfWork, citizen: Citizen) -> UncheckedName | Outcome:
    openid = _openids_of(uow, [citizen.id]).get(citizen.id)
    if openid is None or citizen.pending_nickname is None:
        return Retry(reason="no_openid")
    return UncheckedName(citizen_id=citizen.id, name=citizen.pending_nickname, openid=openid)


def _ask_about_name(context: TaskContext, waiting: UncheckedName) -> Outcome:
    assert waiting.openid is not None  # noqa: S101 - _prepare_name has checked it
    try:
        verdict = context.gateway.check_text(waiting.openid, waiting.name, TextPlace.PROFILE)
        return Done(result=verdict)
    except WeChatError as trouble:
        _log.warning("nickname waits for its check", extra={"code": trouble.code})
        now = context.uow_factory.dependencies.clock.now()
        return outcome_of(trouble, now, repeatable=True)


def _settle_name(uow: UnitOfWork, citizen: Citizen, outcome: Outcome) -> None:
    # The claim belongs to this name: choosing another one queues the row again.
    match outcome:
        case Done() if citizen.pending_nickname is not None:
            _take_verdict(uow, citizen, citizen.pending_nickname, outcome.result)
        case GiveUp():
            _settle_nickname(citizen, citizen.nickname, NicknameState.UNCHECKED)


QUEUE = Queue(
    name="nickname_checks",
    task="accounts.check_nicknames",
    table=Citizen,
    prepare=_prepare_name,
    send=_ask_about_name,
    settle=_settle_name,
    lost=Lost.QUEUED,
    lease=ASK_AGAIN_AFTER,
    backoff=Backoff(first=ASK_AGAIN_AFTER, most=ASK_AGAIN_AFTER),
    keep_for=JUDGED_WITHIN,
)


def _openids_of(uow: UnitOfWork, ids: list[int]) -> dict[int, str]:
    rows = uow.session.execute(
        select(Identity.citizen_id, Identity.openid)
        .where(Identity.citizen_id.in_(ids), Identity.app == App.MINI_PROGRAM)
        .order_by(Identity.id)
    )
    return {row.citizen_id: row.openid for row in rows}
