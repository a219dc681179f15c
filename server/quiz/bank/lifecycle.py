"""The stages of a question: written, sent to review, approved or returned, retired.

Nobody approves a question that the same organizer wrote. A live question is changed by a new
version, which replaces it when it is approved; papers keep the version they were dealt.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, not_, select, update

from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import owned_by, scope_of, writable_by
from server.base.uow import UnitOfWork
from server.quiz.bank import service as banks
from server.quiz.bank.files.rows import Draft
from server.quiz.bank.importing import CHUNK, CONTENT, content_of, lock_bank
from server.quiz.bank.places import bank_slug, place_ref
from server.quiz.enums import QuestionStage, QuestionState
from server.quiz.errors import OwnQuestion, QuestionInReview, WrongQuestionStage
from server.quiz.models import Question

SUBJECT = "question"
_REF_LENGTH = 10


@dataclass(frozen=True, kw_only=True)
class BulkResult:
    """Number of changed questions, and of those left because they are the organizer's own."""

    changed: int
    own: int = 0


def stage_of(row: Question) -> QuestionStage:
    """The stage of a version."""
    if row.state is QuestionState.DRAFT:
        return QuestionStage.REVIEW if row.sent_at is not None else QuestionStage.DRAFT
    return QuestionStage(row.state.value)


def is_in_stage(stage: QuestionStage) -> ColumnElement[bool]:
    """The condition for versions of a stage."""
    if stage is QuestionStage.DRAFT:
        return and_(Question.state == QuestionState.DRAFT, Question.sent_at.is_(None))
    if stage is QuestionStage.REVIEW:
        return and_(Question.state == QuestionState.DRAFT, Question.sent_at.is_not(None))
    return Question.state == QuestionState(stage.value)


def write_question(
    uow: UnitOfWork, organizer: Organizer, draft: Draft, ref: str | None = None, bank: str = ""
) -> str:
    """Store a new question, or a new draft of an existing one; return its ref.

    A new one goes into `bank`, which the organizer may write, by default the bank of the place. A
    draft is changed in place, a live or retired version is followed by a new one.
    Raises: NotFound (404), QuestionInReview (409).
    """
    if ref is None:
        return _add_question(uow, organizer, draft, bank or bank_slug(organizer.scope))
    row = _locked_latest(uow, organizer, ref)
    if stage_of(row) is QuestionStage.REVIEW:
        raise QuestionInReview(ref=ref)
    content = content_of(draft)
    before = {name: getattr(row, name) for name in CONTENT}
    changed = {name: value for name, value in content.items() if before[name] != value}
    if not changed:
        return ref
    if row.state is QuestionState.DRAFT:
        for name, value in changed.items():
            setattr(row, name, value)
        row.writer_id, row.made_at = organizer.id, uow.now
    else:
        _add_version(uow, organizer, content, ref=ref, after=row)
    record_change(
        uow, organizer, "quiz.write_question", _subject_of(row),
        before=_plain_content({name: before[name] for name in changed}),
        after=_plain_content(changed),
    )  # fmt: skip
    return ref


def _add_question(uow: UnitOfWork, organizer: Organizer, draft: Draft, slug: str) -> str:
    owner = lock_bank(uow, slug, organizer.scope)
    # Short, because people read it aloud; the unique key refuses a repetition.
    ref = place_ref(uow.new_ref("q").replace("_", "-")[:_REF_LENGTH], owner)
    row = Question(
        **content_of(draft), ref=ref, version=1, bank=slug, state=QuestionState.DRAFT,
        made_at=uow.now, writer_id=organizer.id, **owned_by(owner),
    )  # fmt: skip
    uow.session.add(row)
    after = _plain_content(content_of(draft))
    record_change(uow, organizer, "quiz.write_question", _subject_of(row), after=after)
    return ref


def _add_version(
    uow: UnitOfWork, organizer: Organizer, content: Mapping[str, Any], *, ref: str, after: Question
) -> None:
    uow.session.add(
        Question(
            **content, ref=ref, version=after.version + 1, bank=after.bank,
            state=QuestionState.DRAFT, made_at=uow.now, writer_id=organizer.id,
            owner=after.owner, owner_city=after.owner_city, owner_county=after.owner_county,
        )
    )  # fmt: skip


def _plain_content(content: Mapping[str, Any]) -> dict[str, object]:
    """Content as JSON values, without the key: auditors may not read it."""
    hidden = ("answer", "explanation")
    return {name: "…" if name in hidden else value for name, value in content.items()}


def _subject_of(row: Question) -> Subject:
    return Subject(SUBJECT, row.ref, scope_of(row))


def read_latest(uow: UnitOfWork, organizer: Organizer, ref: str) -> Question:
    """The newest version of a question that the organizer may change.

    Raises: NotFound (404).
    """
    return _require_row(uow.session.scalar(_latest_version(organizer, ref)))


def _locked_latest(uow: UnitOfWork, organizer: Organizer, ref: str) -> Question:
    return _require_row(uow.session.scalar(_latest_version(organizer, ref).with_for_update()))


def _latest_version(organizer: Organizer, ref: str) -> Select[Any]:
    asked = select(Question).where(Question.ref == ref).order_by(Question.version.desc()).limit(1)
    return writable_by(asked, organizer, Question)


def _require_row(row: Question | None) -> Question:
    if row is None:
        raise NotFound
    return row


def send_question(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Send a draft to review.

    Raises: NotFound (404), WrongQuestionStage (409).
    """
    row = _latest_in(uow, organizer, ref, QuestionStage.DRAFT)
    row.sent_at, row.remark = uow.now, None
    record_change(uow, organizer, "quiz.send_question", _subject_of(row), after=_version_facts(row))


def approve_question(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Publish a version that waits for review; the live one is retired.

    Raises: NotFound (404), WrongQuestionStage, OwnQuestion (409).
    """
    row = _latest_in(uow, organizer, ref, QuestionStage.REVIEW)
    if row.writer_id == organizer.id:
        raise OwnQuestion(ref=ref)
    _publish_versions(uow, organizer, [row])
    record_change(
        uow, organizer, "quiz.approve_question", _subject_of(row), after=_version_facts(row)
    )


def return_question(uow: UnitOfWork, organizer: Organizer, ref: str, remark: str) -> None:
    """Return a version to its author with a remark.

    Raises: NotFound (404), WrongQuestionStage (409).
    """
    row = _latest_in(uow, organizer, ref, QuestionStage.REVIEW)
    row.sent_at, row.remark, row.decider_id = None, remark, organizer.id
    record_change(
        uow,
        organizer,
        "quiz.return_question",
        _subject_of(row),
        after=_version_facts(row),
        reason=remark,
    )


def retire_question(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Take a live question out of use, or discard a draft.

    Raises: NotFound (404), WrongQuestionStage (409).
    """
    row = _latest_in(uow, organizer, ref, QuestionStage.LIVE, QuestionStage.DRAFT)
    was_live = row.state is QuestionState.LIVE
    row.state, row.sent_at = QuestionState.RETIRED, None
    row.remark, row.decider_id = reason, organizer.id
    uow.session.flush()
    if was_live:
        banks.renew_revision_for(uow, organizer, row.bank)
    record_change(
        uow,
        organizer,
        "quiz.retire_question",
        _subject_of(row),
        after=_version_facts(row),
        reason=reason,
    )


def _version_facts(row: Question) -> dict[str, object]:
    return {"version": row.version, "stage": stage_of(row).value}


def _latest_in(uow: UnitOfWork, organizer: Organizer, ref: str, *stages: QuestionStage) -> Question:
    row = _locked_latest(uow, organizer, ref)
    if stage_of(row) not in stages:
        raise WrongQuestionStage(ref=ref)
    return row


def _publish_versions(uow: UnitOfWork, organizer: Organizer, rows: Sequence[Question]) -> None:
    """Make versions live; live ones of the same questions are retired first (a unique index)."""
    uow.session.flush()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        refs = [row.ref for row in chunk]
        gone = (
            update(Question)
            .where(Question.ref.in_(refs), Question.state == QuestionState.LIVE)
            .values(state=QuestionState.RETIRED)
            .execution_options(synchronize_session=False)
        )
        uow.session.execute(writable_by(gone, organizer, Question))
        shown = (
            update(Question)
            .where(Question.id.in_([row.id for row in chunk]))
            .values(state=QuestionState.LIVE, sent_at=None, remark=None, decider_id=organizer.id)
            .execution_options(synchronize_session=False)
        )
        uow.session.execute(writable_by(shown, organizer, Question))
    for slug in sorted({row.bank for row in rows}):
        banks.renew_revision_for(uow, organizer, slug)
    uow.session.expire_all()


def send_many(
    uow: UnitOfWork, organizer: Organizer, *, refs: Collection[str] = (), batch: str | None = None
) -> BulkResult:
    """Send drafts to review: those picked, or all of an import."""
    drafts = _select_many(organizer, QuestionStage.DRAFT, refs, batch)
    ids = list(uow.session.scalars(drafts.with_only_columns(Question.id)))
    for start in range(0, len(ids), CHUNK):
        sent = (
            update(Question)
            .where(Question.id.in_(ids[start : start + CHUNK]))
            .values(sent_at=uow.now, remark=None)
            .execution_options(synchronize_session=False)
        )
        uow.session.execute(writable_by(sent, organizer, Question))
    if ids:
        after = _count_many(len(ids), refs, batch)
        record_change(uow, organizer, "quiz.send_questions", _subject_of_many(batch), after=after)
    return BulkResult(changed=len(ids))


def approve_many(
    uow: UnitOfWork, organizer: Organizer, *, refs: Collection[str] = (), batch: str | None = None
) -> BulkResult:
    """Publish questions that wait for review: those picked, or all of an import."""
    waiting = _select_many(organizer, QuestionStage.REVIEW, refs, batch)
    rows = uow.session.scalars(waiting).all()
    others = [row for row in rows if row.writer_id != organizer.id]
    if others:
        _publish_versions(uow, organizer, others)
        after = _count_many(len(others), refs, batch)
        record_change(
            uow, organizer, "quiz.approve_questions", _subject_of_many(batch), after=after
        )
    return BulkResult(changed=len(others), own=len(rows) - len(others))


def _select_many(
    organizer: Organizer, stage: QuestionStage, refs: Collection[str], batch: str | None
) -> Select[Any]:
    chosen = Question.batch == batch if batch is not None else Question.ref.in_(list(refs))
    asked = select(Question).where(chosen, is_in_stage(stage))
    return writable_by(asked, organizer, Question)


def _subject_of_many(batch: str | None) -> Subject:
    return Subject("question_import", batch) if batch else Subject("questions", "picked")


def _count_many(count: int, refs: Collection[str], batch: str | None) -> dict[str, object]:
    return {"count": count} if batch else {"count": count, "refs": sorted(refs)}


def waits_for(organizer: Organizer) -> ColumnElement[bool]:
    """Questions in review that this organizer may decide."""
    own = and_(Question.writer_id.is_not(None), Question.writer_id == organizer.id)
    return and_(is_in_stage(QuestionStage.REVIEW), not_(own))
