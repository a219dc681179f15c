"""Holds: an organizer holds the results of an entry, the citizen appeals, an approver decides.

A hold takes the entry off every board at once, in the database and in Redis, and hides its cards.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from server.accounts import service as accounts
from server.audit.service import PersonalValues, Subject, record_change
from server.base.access import Organizer, Scope, System
from server.base.errors import NotAuthenticated, NotFound
from server.base.ownership import people_of, serving_found_row
from server.base.uow import UnitOfWork
from server.notices import service as notices
from server.notices.service import Letter
from server.quiz.contests import service as contests
from server.quiz.enums import CaseState, WordsState
from server.quiz.errors import AlreadyHeld, FlagsCleared, NotHeld, OwnHold
from server.quiz.leaderboards import board_view
from server.quiz.leaderboards import service as boards
from server.quiz.models import Attempt, Entry, IntegrityCase, IntegrityFlag
from server.quiz.sealing import service as sealing

PAGE = "packages/quiz/records/index"
_UNDECIDED = (CaseState.HELD, CaseState.APPEALED)


@dataclass(frozen=True, kw_only=True)
class Appealed:
    """The undecided hold of a citizen's paper; `known` when it was appealed before."""

    case_id: int
    openid: str | None
    known: bool


def hold_results(uow: UnitOfWork, organizer: Organizer, flag_ref: str, reason: str) -> None:
    """Hold the results of a flagged entry; the citizen gets a message in the inbox.

    Raises: NotFound (404) outside the organizer's place, AlreadyHeld (409).
    Locks: the citizen, the entry.
    """
    entry = _entry_of_flag(uow, organizer, flag_ref)
    case = IntegrityCase(
        ref=uow.new_ref("hld"),
        entry_id=entry.id,
        state=CaseState.HELD,
        hold_reason=reason,
        holder_id=organizer.id,
        held_at=uow.now,
    )
    with serving_found_row(uow.session):
        told = _lock_person(uow, entry.citizen_id)
        boards.lock_entry(uow, entry.id)
        held = _case_in_force(uow, entry.id)
        if held is not None:
            raise AlreadyHeld(about=held.ref)
        boards.hold_entry(uow, entry.id)
        board_view.names_changed(uow)
        _note_change(uow, organizer, entry, "held", reason)
        uow.session.add(case)
        if told:
            _tell_citizen(uow, entry, case, "held")
    subject = Subject("hold", case.ref, _place_of(entry))
    record_change(
        uow, organizer, "quiz.hold_results", subject,
        before={"state": None}, after={"state": "held", "flag": flag_ref}, reason=reason,
    )  # fmt: skip


def decide_flagged(
    uow: UnitOfWork, organizer: Organizer, flag_ref: str, *, release: bool, reason: str
) -> None:
    """Uphold a hold or release the results; the citizen gets a message in the inbox.

    Raises: NotFound (404) outside the organizer's place, NotHeld (409) when decided already,
    OwnHold (409) for the organizer who held them.
    Locks: the citizen, the entry.
    """
    entry = _entry_of_flag(uow, organizer, flag_ref)
    with serving_found_row(uow.session):
        told = _lock_person(uow, entry.citizen_id)
        boards.lock_entry(uow, entry.id)
        case = _case_in_force(uow, entry.id)
        if case is None or case.state not in _UNDECIDED:
            raise NotHeld(about=_newest_case(uow, entry.id))
        if case.holder_id == organizer.id:
            raise OwnHold
        before = case.state
        case.state = CaseState.RELEASED if release else CaseState.UPHELD
        case.decision_reason, case.decider_id, case.decided_at = reason, organizer.id, uow.now
        if release:
            boards.release_entry(uow, entry.id)
            # The decision covers the open flags of this entry, so none waits for a check any more.
            _mark_cleared(uow, organizer.id, entry.id, reason)
            board_view.names_changed(uow)
            _note_change(uow, organizer, entry, "released", reason)
        if told:
            _tell_citizen(uow, entry, case, case.state.value)
    subject, act = Subject("hold", case.ref, _place_of(entry)), {"state": case.state.value}
    record_change(
        uow, organizer, "quiz.decide_hold", subject,
        before={"state": before.value}, after=act, reason=reason,
    )  # fmt: skip


def clear_flags(uow: UnitOfWork, organizer: Organizer, flag_ref: str, reason: str) -> None:
    """Note that the flags of an entry show no fault; a later signal opens the entry again.

    Raises: NotFound (404) outside the organizer's place, AlreadyHeld, FlagsCleared (409).
    Locks: the entry.
    """
    entry = _entry_of_flag(uow, organizer, flag_ref)
    with serving_found_row(uow.session):
        boards.lock_entry(uow, entry.id)
        held = _case_in_force(uow, entry.id)
        if held is not None:
            raise AlreadyHeld(about=held.ref)
        count = _mark_cleared(uow, organizer.id, entry.id, reason)
    if not count:
        raise FlagsCleared
    record_change(
        uow, organizer, "quiz.clear_flags", Subject("hold", flag_ref, _place_of(entry)),
        before={"state": "open"}, after={"state": "cleared", "signals": count}, reason=reason,
    )  # fmt: skip


def _mark_cleared(uow: UnitOfWork, checker_id: int, entry_id: int, reason: str) -> int:
    """Mark the open flags of an entry; return how many."""
    opened = update(IntegrityFlag).where(
        IntegrityFlag.entry_id == entry_id, IntegrityFlag.cleared_at.is_(None)
    )
    facts = {"cleared_at": uow.now, "cleared_by": checker_id, "cleared_reason": reason}
    return len(uow.session.scalars(opened.values(**facts).returning(IntegrityFlag.id)).all())


def find_appealed(uow: UnitOfWork, attempt_ref: str, citizen_id: int) -> Appealed:
    """The hold of a citizen's own paper that can be appealed.

    Raises: NotFound (404) for another citizen's paper, NotHeld (409) when nothing is held, or the
    hold was decided.
    """
    entry_id = uow.session.scalar(
        select(Attempt.entry_id).where(Attempt.ref == attempt_ref, Attempt.citizen_id == citizen_id)
    )
    if entry_id is None:
        raise NotFound
    case = _case_in_force(uow, entry_id)
    if case is None or case.state not in _UNDECIDED:
        raise NotHeld
    openid = accounts.openid_of(uow, citizen_id, "mini_program")
    return Appealed(case_id=case.id, openid=openid, known=case.state is CaseState.APPEALED)


def appeal_hold(
    uow: UnitOfWork, citizen_id: int, appealed: Appealed, reason: str, words: WordsState
) -> None:
    """Store the citizen's appeal; a repeat keeps the first one.

    Raises: NotHeld (409) when the hold was decided meanwhile.
    Locks: the citizen, the case.
    """
    accounts.lock_citizen(uow, citizen_id)
    wanted = select(IntegrityCase).where(IntegrityCase.id == appealed.case_id)
    case = uow.session.scalars(wanted.with_for_update()).one()
    if case.state is CaseState.APPEALED:
        return
    if case.state is not CaseState.HELD:
        raise NotHeld
    case.state, case.appealed_at = CaseState.APPEALED, uow.now
    case.appeal, case.appeal_words = reason, words
    entry = uow.session.get_one(Entry, case.entry_id)
    record_change(
        uow, System(name="citizen"), "quiz.appeal_hold",
        Subject("hold", case.ref, _place_of(entry)),
        before={"state": "held"}, after={"state": "appealed"},
        personal=PersonalValues({"appeal": reason}, citizen_id),
    )  # fmt: skip


def _entry_of_flag(uow: UnitOfWork, organizer: Organizer, flag_ref: str) -> Entry:
    wanted = people_of(
        select(Entry)
        .join(IntegrityFlag, IntegrityFlag.entry_id == Entry.id)
        .where(IntegrityFlag.ref == flag_ref),
        organizer,
        Entry,
    )
    entry: Entry | None = uow.session.scalars(wanted).one_or_none()
    if entry is None:
        raise NotFound
    return entry


def _case_in_force(uow: UnitOfWork, entry_id: int) -> IntegrityCase | None:
    wanted = select(IntegrityCase).where(
        IntegrityCase.entry_id == entry_id, IntegrityCase.state != CaseState.RELEASED
    )
    return uow.session.scalars(wanted).one_or_none()


def _newest_case(uow: UnitOfWork, entry_id: int) -> str:
    """The public id of the entry's newest hold, decided or not; empty without one."""
    cases = select(IntegrityCase.ref).where(IntegrityCase.entry_id == entry_id)
    return uow.session.scalar(cases.order_by(IntegrityCase.id.desc()).limit(1)) or ""


def _lock_person(uow: UnitOfWork, citizen_id: int) -> bool:
    """Lock a citizen before the entry; False when erased meanwhile: then no message is sent."""
    try:
        accounts.lock_citizen(uow, citizen_id)
    except NotAuthenticated:
        return False
    return True


def _note_change(
    uow: UnitOfWork, organizer: Organizer, entry: Entry, what: str, reason: str
) -> None:
    words = uow.texts.fill_text(f"quiz.seal.{what}", reason=reason)
    sealing.note_late_change(uow, entry.contest_id, organizer, words)


def _place_of(entry: Entry) -> Scope:
    return Scope(city=entry.city, county=entry.county, unit_id=entry.unit_id)


def _tell_citizen(uow: UnitOfWork, entry: Entry, case: IntegrityCase, what: str) -> None:
    contest = contests.contest_by_id(uow, entry.contest_id)
    letter = Letter(
        key=f"{case.ref}:{what}",
        title=uow.texts.fill_text(f"quiz.hold_letter.{what}_title"),
        body=uow.texts.fill_text(
            f"quiz.hold_letter.{what}",
            title=contest.title,
            reason=case.decision_reason or case.hold_reason,
        ),
        page=f"{PAGE}?id={contest.ref}",
    )
    notices.post_message(uow, entry.citizen_id, letter)
