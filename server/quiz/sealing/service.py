"""Freezing public boards; sealing, publishing and correcting final ranks.

States of a version are in its model. A change of results after the sealing calls
`note_late_change`; a task then makes a draft, which replaces the published version only when an
organizer publishes it. Locks: the contest's row serialises everything here, after the entries.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from server.audit.service import Subject, record_change
from server.base.access import Organizer, System
from server.base.errors import NotFound
from server.base.ownership import scope_of, serving_found_row, visible_to, writable_by
from server.base.uow import UnitOfWork
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState, CaseState, SealState
from server.quiz.errors import (
    AlreadySealed,
    CasesStillOpen,
    ContestOver,
    FreezeBegun,
    FreezeTooEarly,
    NoFreeze,
    NotSealDraft,
    OwnSealChange,
    OwnSealing,
    PapersStillOpen,
    SealTooEarly,
    SealWaits,
)
from server.quiz.leaderboards import board_view
from server.quiz.leaderboards.board_keys import GONE, HIDDEN, TOTAL
from server.quiz.models import (
    Attempt,
    Contest,
    Entry,
    IntegrityCase,
    SealChange,
    SealedVersion,
    Standing,
)
from server.quiz.rules import LATE_START
from server.quiz.sealing.building import (
    SealOrder,
    begin_version,
    keep_present_order,
    sign_version,
    take_step,
)
from server.quiz.sealing.ranking import count_live_stands

DRAFT_TASK, UNHIDE_TASK = "quiz.draft_final_ranks", "quiz.unhide_standings"
TELL_TASK = "quiz.tell_final_ranks"
# Longer than any transaction of a citizen, so that none began before an instant and commits after.
SETTLING = timedelta(minutes=1)
# The proposed freeze begins this long before the end of the contest.
USUAL_FREEZE = timedelta(hours=1)
_UNDECIDED = (CaseState.HELD, CaseState.APPEALED)
_IN_FORCE = (SealState.BUILDING, SealState.DRAFT, SealState.PUBLISHED)


def freeze_contest(
    uow: UnitOfWork, organizer: Organizer, ref: str, freezes_at: datetime, reason: str
) -> None:
    """Freeze the public boards from an instant on, at least a minute ahead.

    Papers closed later count for the final ranks, and no public board shows them.
    Raises: NotFound (404), FreezeTooEarly, FreezeBegun, ContestOver (409).
    """
    contest = _lock_contest(uow, organizer, ref)
    if contest.published_at is None:
        raise NotFound
    if uow.now >= contest.closes_at or contest.sealed_at is not None:
        raise ContestOver
    if contest.freezes_at is not None and contest.freezes_at <= uow.now:
        raise FreezeBegun
    if freezes_at < uow.now + SETTLING:
        raise FreezeTooEarly
    before, contest.freezes_at = contest.freezes_at, freezes_at
    record_change(
        uow, organizer, "quiz.freeze_contest", subject_of(contest),
        before=_spell_freeze(before), after=_spell_freeze(freezes_at), reason=reason,
    )  # fmt: skip


def lift_freeze(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Lift a freeze, before or after it began; the boards show every paper again.

    Raises: NotFound (404), NoFreeze (409).
    """
    contest = _lock_contest(uow, organizer, ref)
    if contest.freezes_at is None or contest.sealed_at is not None:
        raise NoFreeze
    before, contest.freezes_at = contest.freezes_at, None
    uow.enqueue_after_commit(UNHIDE_TASK, contest.id)
    record_change(
        uow, organizer, "quiz.lift_freeze", subject_of(contest),
        before=_spell_freeze(before), after=_spell_freeze(None), reason=reason,
    )  # fmt: skip


def count_players(uow: UnitOfWork, organizer: Organizer, ref: str) -> int:
    """The number of entries that a sealing would rank.

    Raises: NotFound (404).
    """
    contest = find_contest_row(uow, organizer, ref)
    with serving_found_row(uow.session):
        return count_live_stands(uow, contest.id)


def seal_contest(
    uow: UnitOfWork, organizer: Organizer, ref: str, reason: str, *, accept_open: bool
) -> SealedVersion:
    """Seal the final ranks as the first version, in this transaction; it is not published yet.

    Raises: as `begin_sealing`.
    """
    version, contest = _begin_version(uow, organizer, ref, reason, accept_open=accept_open)
    with serving_found_row(uow.session):
        keep_present_order(uow, version)
        while take_step(uow, version):
            pass
        sign_version(uow, contests.contest_by_id(uow, contest.id), version)
    record_change(
        uow, organizer, "quiz.seal_contest", subject_of(contest),
        after=facts_of(version), reason=reason,
    )  # fmt: skip
    return version


def begin_sealing(
    uow: UnitOfWork, organizer: Organizer, ref: str, reason: str, *, accept_open: bool
) -> SealedVersion:
    """Begin the first version of the final ranks; stepping.py makes it in short transactions.

    From now on nobody else can begin one.
    Raises: NotFound (404), SealTooEarly, PapersStillOpen, CasesStillOpen unless accepted,
    AlreadySealed, SealWaits (409).
    """
    version, contest = _begin_version(uow, organizer, ref, reason, accept_open=accept_open)
    record_change(
        uow, organizer, "quiz.seal_contest", subject_of(contest),
        after={"version": version.number, "state": version.state.value}, reason=reason,
    )  # fmt: skip
    return version


def _begin_version(
    uow: UnitOfWork, organizer: Organizer, ref: str, reason: str, *, accept_open: bool
) -> tuple[SealedVersion, Contest]:
    contest = _lock_contest(uow, organizer, ref)
    with serving_found_row(uow.session):
        cases = _check_sealable(uow, contest)
        if cases and not accept_open:
            raise CasesStillOpen(count=len(cases))
        contest.sealed_at = uow.now
        order = SealOrder(author=organizer, reason=reason, open_cases=cases)
        return begin_version(uow, contests.contest_by_id(uow, contest.id), order), contest


def publish_version(uow: UnitOfWork, organizer: Organizer, ref: str, version_ref: str) -> None:
    """Publish the draft: citizens and the API see it from now on; people with a rank get a message.

    Two persons are needed: the organizer who sealed it or caused a correction may not publish it.
    Raises: NotFound (404), NotSealDraft, SealWaits, OwnSealing, OwnSealChange (409).
    """
    contest = _lock_contest(uow, organizer, ref)
    version = _require_draft(uow, contest, version_ref)
    if find_pending_changes(uow, contest.id) or find_building(uow, contest.id) is not None:
        raise SealWaits
    if organizer.id == version.author_id:
        raise OwnSealing
    if organizer.id in find_causers(uow, version.id):
        raise OwnSealChange
    if contest.final_id is not None:
        uow.session.get_one(SealedVersion, contest.final_id).state = SealState.REPLACED
    version.state, version.published_at = SealState.PUBLISHED, uow.now
    version.publisher_id, version.publisher_name = organizer.id, organizer.name
    contest.final_id = version.id
    board_view.names_changed(uow)
    uow.enqueue_after_commit(UNHIDE_TASK, contest.id)
    uow.enqueue_after_commit(TELL_TASK)
    record_change(
        uow, organizer, "quiz.publish_final_ranks", subject_of(contest),
        after=facts_of(version), reason=version.reason,
    )  # fmt: skip


def drop_version(
    uow: UnitOfWork, organizer: Organizer, ref: str, version_ref: str, reason: str
) -> None:
    """Do not publish the draft; the published version stays, or the contest is sealed again.

    Raises: NotFound (404), NotSealDraft (409).
    """
    contest = _lock_contest(uow, organizer, ref)
    version = _require_draft(uow, contest, version_ref)
    version.state = SealState.DROPPED
    if contest.final_id is None:
        contest.sealed_at = None
    record_change(
        uow, organizer, "quiz.drop_final_ranks", subject_of(contest),
        after=facts_of(version), reason=reason,
    )  # fmt: skip


def note_late_change(
    uow: UnitOfWork, contest_id: int, author: Organizer | System, reason: str
) -> bool:
    """Note that this transaction changed results, so that sealed ranks get a new version.

    For every service that changes scores or takes entries off boards: call it after the change, in
    the same transaction. Returns False, and does nothing, while the contest is not sealed. The
    sealed board stays as it is; a task makes a draft, which another organizer publishes.
    Locks: the contest, after the entries.
    """
    with serving_found_row(uow.session):
        # Locked first: a concurrent sealing waits for this change, or has been committed by now.
        lock_contest_row(uow, contest_id)
        sealed = select(SealedVersion.id).where(
            SealedVersion.contest_id == contest_id, SealedVersion.state.in_(_IN_FORCE)
        )
        if uow.session.scalar(sealed.limit(1)) is None:
            return False
        uow.session.add(
            SealChange(
                contest_id=contest_id,
                changed_at=uow.now,
                organizer_id=author.id if isinstance(author, Organizer) else None,
                organizer_name=author.name,
                reason=reason,
            )
        )
    uow.enqueue_after_commit(DRAFT_TASK)
    return True


def find_barred(uow: UnitOfWork, version: SealedVersion) -> set[int]:
    """The organizers who may not publish a version: its author, and those who caused it."""
    return {one for one in {version.author_id, *find_causers(uow, version.id)} if one is not None}


def find_causers(uow: UnitOfWork, version_id: int) -> set[int | None]:
    """The organizers whose changes of results a version contains."""
    causes = select(SealChange.organizer_id).where(SealChange.version_id == version_id)
    return set(uow.session.scalars(causes))


def version_by_id(uow: UnitOfWork, version_id: int) -> SealedVersion:
    """A version by its row id."""
    return uow.session.get_one(SealedVersion, version_id)


def list_pending_contests(uow: UnitOfWork) -> list[int]:
    """The contests with changes of results that no version contains yet."""
    pending = select(SealChange.contest_id).where(SealChange.version_id.is_(None))
    return sorted(set(uow.session.scalars(pending)))


def find_building(uow: UnitOfWork, contest_id: int) -> SealedVersion | None:
    """The version of a contest that is being made; at most one."""
    wanted = select(SealedVersion).where(
        SealedVersion.contest_id == contest_id, SealedVersion.state == SealState.BUILDING
    )
    return uow.session.scalars(wanted).one_or_none()


def find_pending_changes(uow: UnitOfWork, contest_id: int) -> list[SealChange]:
    """The changes of results of a contest that no version contains yet, the oldest first."""
    pending = select(SealChange).where(
        SealChange.contest_id == contest_id, SealChange.version_id.is_(None)
    )
    return list(uow.session.scalars(pending.order_by(SealChange.id)))


def find_open_cases(uow: UnitOfWork, contest_id: int) -> list[str]:
    """The refs of the undecided holds of a contest."""
    undecided = (
        select(IntegrityCase.ref)
        .join(Entry, Entry.id == IntegrityCase.entry_id)
        .where(Entry.contest_id == contest_id, IntegrityCase.state.in_(_UNDECIDED))
    )
    return sorted(uow.session.scalars(undecided))


def count_open_papers(uow: UnitOfWork, contest_id: int) -> int:
    """The number of papers that are not closed yet."""
    still_open = select(func.count()).where(
        Attempt.contest_id == contest_id, Attempt.state == AttemptState.OPEN
    )
    return uow.session.scalar(still_open) or 0


def find_contest_row(uow: UnitOfWork, organizer: Organizer, ref: str) -> Contest:
    """A contest that the organizer may see.

    Raises: NotFound (404).
    """
    asked = visible_to(select(Contest).where(Contest.ref == ref), organizer, Contest)
    contest: Contest | None = uow.session.scalar(asked)
    if contest is None:
        raise NotFound
    return contest


def sealable_from(contest: Contest) -> datetime:
    """The first instant at which a contest may be sealed."""
    return contest.closes_at + LATE_START + SETTLING


def lock_contest_row(uow: UnitOfWork, contest_id: int) -> Contest:
    """Lock a contest against other changes of its final ranks; papers may refer to it meanwhile.

    Locks: the contest.
    """
    asked = select(Contest).where(Contest.id == contest_id).with_for_update(key_share=True)
    return uow.session.scalars(asked.execution_options(populate_existing=True)).one()


def _lock_contest(uow: UnitOfWork, organizer: Organizer, ref: str) -> Contest:
    asked = writable_by(select(Contest).where(Contest.ref == ref), organizer, Contest)
    contest: Contest | None = uow.session.scalar(asked.with_for_update(key_share=True))
    if contest is None:
        raise NotFound
    return contest


def _check_sealable(uow: UnitOfWork, contest: Contest) -> list[str]:
    """Raise the error that prevents a sealing; return the undecided holds."""
    if contest.published_at is None or uow.now < sealable_from(contest):
        raise SealTooEarly
    if contest.sealed_at is not None:
        raise AlreadySealed
    still_open = count_open_papers(uow, contest.id)
    if still_open:
        raise PapersStillOpen(count=still_open)
    refuse_hidden(uow, contests.contest_by_id(uow, contest.id))
    return find_open_cases(uow, contest.id)


def refuse_hidden(uow: UnitOfWork, contest: ContestView) -> None:
    """Raise SealWaits (409) while standings of an ended freeze are not on the boards yet."""
    if not contest.is_frozen_at(uow.now) and find_hidden_entries(uow, contest.id, 1):
        uow.enqueue_after_commit(UNHIDE_TASK, contest.id)
        raise SealWaits


def find_hidden_entries(uow: UnitOfWork, contest_id: int, most: int) -> list[int]:
    """Entries with standings that were hidden by a freeze."""
    hidden = (HIDDEN + TOTAL, GONE + HIDDEN + TOTAL)
    asked = select(Standing.entry_id).where(
        Standing.contest_id == contest_id, Standing.period.in_(hidden)
    )
    # Ordered by SQL, SQLite would search the whole contest in that order for the first one.
    return sorted(uow.session.scalars(asked.limit(most)))


def _require_draft(uow: UnitOfWork, contest: Contest, version_ref: str) -> SealedVersion:
    version = uow.session.scalar(
        select(SealedVersion).where(
            SealedVersion.ref == version_ref, SealedVersion.contest_id == contest.id
        )
    )
    if version is None:
        raise NotFound
    if version.state is not SealState.DRAFT:
        raise NotSealDraft
    return version


def _spell_freeze(freezes_at: datetime | None) -> dict[str, object]:
    return {"freezes_at": None if freezes_at is None else freezes_at.isoformat()}


def subject_of(contest: Contest) -> Subject:
    """A contest as an object of the audit trail."""
    return Subject("contest", contest.ref, place=scope_of(contest))


def facts_of(version: SealedVersion) -> dict[str, object]:
    """A version as the audit trail keeps it."""
    return {
        "version": version.number,
        "state": version.state.value,
        "ranks": version.rank_count,
        "sha256": version.digest,
    }
