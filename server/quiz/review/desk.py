"""Data of the review desk: questions with open reports, signs of doubt or a proposed void."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select

from server.accounts import service as accounts
from server.base.access import Organizer, Permission, Scope
from server.base.errors import NotFound
from server.base.ownership import serving_found_row, writable_by
from server.base.uow import UnitOfWork
from server.base.web.page import Waiting
from server.console.tables import ListQuery
from server.quiz.bank import questions
from server.quiz.bank.questions import QuestionView
from server.quiz.enums import DoubtSign, RescoringStage, VoidState
from server.quiz.models import (
    Contest,
    ItemFigure,
    Question,
    QuestionReport,
    QuestionVoid,
    Rescoring,
)
from server.quiz.review.figures import ContestFigures, read_figures, split_signs
from server.quiz.review.item_rules import ItemFigures, read_doubt_rules

# The page of a question shows at most this many reports; the number of open ones is complete.
_MOST_REPORTS = 100
# Greater than the length of all signs of a question, so that one report outweighs them.
_REPORT_WEIGHT = 1000


class DeskQuery(ListQuery, frozen=True, kw_only=True):
    """The filters of the review desk: text of the question, and why it is listed."""

    words: str | None = None
    why: str | None = None


@dataclass(frozen=True, kw_only=True)
class DeskLine:
    """One question version of the list."""

    ref: str
    version: int
    stem: str
    why: list[str]
    reports: int
    dealt: int | None
    facility: float | None
    discrimination: float | None
    since: datetime | None


@dataclass(frozen=True, kw_only=True)
class ReportLine:
    """One report; `name` is None where the organizer may not see the person."""

    reason: str
    words: str
    name: str | None
    made_at: datetime
    decision: str | None
    answer: str | None


@dataclass(frozen=True, kw_only=True)
class VoidLine:
    """One void of the version, with the progress of its last rescoring."""

    row: QuestionVoid
    contest: str
    stage: RescoringStage | None
    papers: int
    rank_changes: int


@dataclass(frozen=True, kw_only=True)
class ReviewedQuestion:
    """A question version with everything that a decision needs."""

    view: QuestionView
    signs: list[str]
    accepted: list[str]
    open_reports: int
    counted_at: datetime | None
    whole: ItemFigures
    contests: list[ContestFigures]
    reports: list[ReportLine]
    voids: list[VoidLine]

    @property
    def waits(self) -> bool:
        """Whether reports or signs wait for an answer."""
        return bool(self.signs or self.open_reports)


def open_reports() -> ColumnElement[int]:
    """A subquery of the number of unanswered reports about a question's version."""
    counted = select(func.count(QuestionReport.id)).where(
        QuestionReport.question_id == Question.id, QuestionReport.decision.is_(None)
    )
    return counted.correlate(Question).scalar_subquery()


def weigh_question() -> ColumnElement[int]:
    """How urgent a question is: each open report counts more than all signs of doubt together."""
    signs = case((ItemFigure.doubtful, func.length(ItemFigure.signs)), else_=0)
    return open_reports() * _REPORT_WEIGHT + func.coalesce(signs, 0)


def _first_report() -> ColumnElement[datetime]:
    first = select(func.min(QuestionReport.made_at)).where(
        QuestionReport.question_id == Question.id, QuestionReport.decision.is_(None)
    )
    return first.correlate(Question).scalar_subquery()


def _is_reported() -> ColumnElement[bool]:
    return exists().where(
        QuestionReport.question_id == Question.id, QuestionReport.decision.is_(None)
    )


def _is_doubtful() -> ColumnElement[bool]:
    return and_(ItemFigure.question_id.is_not(None), ItemFigure.doubtful)


def _is_proposed() -> ColumnElement[bool]:
    return exists().where(
        QuestionVoid.question_id == Question.id, QuestionVoid.state == VoidState.PROPOSED
    )


def select_desk(uow: UnitOfWork, organizer: Organizer, query: DeskQuery) -> Select[Any]:  # noqa: ARG001 - required by Table.select
    """The versions of the organizer's place that wait for a decision, filtered."""
    return writable_by(_waiting_rows(query), organizer, Question)


def _waiting_rows(query: DeskQuery) -> Select[Any]:
    reports = open_reports().label("reports")
    first = _first_report().label("first_report")
    asked: Any = select(Question, ItemFigure, reports, first, _is_proposed().label("proposed"))
    asked = asked.outerjoin(ItemFigure, ItemFigure.question_id == Question.id)
    asked = asked.where(_waits_because(query.why))
    for word in (query.words or "").split():
        asked = asked.where(
            or_(
                Question.stem.contains(word, autoescape=True),
                Question.ref.contains(word, autoescape=True),
            )
        )
    return asked  # type: ignore[no-any-return]  # one type for all selects


def _waits_because(why: str | None) -> ColumnElement[bool]:
    if why == "reported":
        return _is_reported()
    if why == "many_reports":
        return open_reports() >= read_doubt_rules().many_reports
    if why == "proposed":
        return _is_proposed()
    if why in set(DoubtSign):
        return and_(_is_doubtful(), ItemFigure.signs.contains(str(why)))
    return or_(_is_doubtful(), _is_reported(), _is_proposed())


def describe_lines(uow: UnitOfWork, rows: Sequence[Any]) -> list[DeskLine]:  # noqa: ARG001 - required by Table.prepare
    """The lines of the list."""
    return [_line_of(*row[:5]) for row in rows]


def _line_of(
    question: Question,
    figure: ItemFigure | None,
    reports: int,
    first: datetime | None,
    proposed: bool,
) -> DeskLine:
    why = sorted(_open_signs(figure))
    if reports >= read_doubt_rules().many_reports:
        why.append("many_reports")
    elif reports:
        why.append("reported")
    return DeskLine(
        ref=question.ref,
        version=question.version,
        stem=question.stem,
        why=[*why, *(["proposed"] if proposed else [])],
        reports=reports,
        dealt=None if figure is None else figure.dealt,
        facility=None if figure is None else figure.facility,
        discrimination=None if figure is None else figure.discrimination,
        since=first,
    )


def _open_signs(figure: ItemFigure | None) -> set[str]:
    """The signs of doubt that no organizer has reviewed."""
    if figure is None or not figure.doubtful:
        return set()
    return split_signs(figure.signs) - split_signs(figure.accepted)


def find_view(uow: UnitOfWork, organizer: Organizer, ref: str, number: str) -> QuestionView:
    """One version of a question that the organizer may see.

    Raises: NotFound (404).
    """
    for view in questions.read_versions(uow, organizer, ref):
        if str(view.row.version) == number:
            return view
    raise NotFound


def read_reviewed(uow: UnitOfWork, organizer: Organizer, ref: str, number: str) -> ReviewedQuestion:
    """A version with its statistics, reports and voids.

    Raises: NotFound (404) outside the organizer's place.
    """
    view = find_view(uow, organizer, ref, number)
    whole, each = read_figures(uow, view.row)
    with serving_found_row(uow.session):
        figure = _find_figure(uow, view.row.id)
        reports = _read_reports(uow, organizer, view) if view.writable else []
    return ReviewedQuestion(
        view=view,
        signs=sorted(_open_signs(figure)),
        accepted=[] if figure is None else sorted(split_signs(figure.accepted)),
        open_reports=sum(one.decision is None for one in reports),
        counted_at=None if figure is None else figure.counted_at,
        whole=whole,
        contests=each,
        reports=reports,
        voids=_read_voids(uow, organizer, view),
    )


def _read_reports(uow: UnitOfWork, organizer: Organizer, view: QuestionView) -> list[ReportLine]:
    """The reports about a version, open ones first."""
    rows = _find_reports(uow, view.row.id)
    shown = [row.citizen_id for row in rows if _may_see_person(uow, organizer, row.citizen_id)]
    names = accounts.names_of(uow, shown)
    return [
        ReportLine(
            reason=row.reason,
            words=row.words.value,
            name=names[row.citizen_id].shown if row.citizen_id in names else None,
            made_at=row.made_at,
            decision=row.decision,
            answer=row.answer,
        )
        for row in rows
    ]


def _find_reports(uow: UnitOfWork, question_id: int) -> Sequence[QuestionReport]:
    asked = (
        select(QuestionReport)
        .where(QuestionReport.question_id == question_id)
        .order_by(QuestionReport.decision.is_not(None), QuestionReport.id.desc())
        .limit(_MOST_REPORTS)
    )
    return uow.session.scalars(asked).all()


def _find_figure(uow: UnitOfWork, question_id: int) -> ItemFigure | None:
    return uow.session.get(ItemFigure, question_id)


def _may_see_person(uow: UnitOfWork, organizer: Organizer, citizen_id: int) -> bool:
    """Persons are shown by permission, and those of the organizer's own place only."""
    if not organizer.has_permission(Permission.PERSON_READ):
        return False
    place = accounts.place_of(uow, citizen_id)
    scope = Scope(city=place.city, county=place.county, unit_id=place.unit_id)
    return organizer.scope.covers_scope(scope)


def _read_voids(uow: UnitOfWork, organizer: Organizer, view: QuestionView) -> list[VoidLine]:
    asked = _voids_of(view.row.id)
    rows = uow.session.execute(writable_by(asked, organizer, QuestionVoid)).all()
    return [_void_line(uow, row, title) for row, title in rows]


def _voids_of(question_id: int) -> Select[Any]:
    asked: Any = (
        select(QuestionVoid, Contest.title)
        .join(Contest, Contest.id == QuestionVoid.contest_id)
        .where(QuestionVoid.question_id == question_id)
        .order_by(QuestionVoid.id.desc())
    )
    return asked  # type: ignore[no-any-return]  # as above


def _void_line(uow: UnitOfWork, row: QuestionVoid, title: str) -> VoidLine:
    last = select(Rescoring).where(Rescoring.void_id == row.id).order_by(Rescoring.id.desc())
    found = uow.session.scalar(last.limit(1))
    return VoidLine(
        row=row,
        contest=title,
        stage=None if found is None else found.stage,
        papers=0 if found is None else found.papers,
        rank_changes=0 if found is None else found.rank_changes,
    )


def tell_waiting(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    """For the first page: questions to answer, and voids that wait for this approver."""
    found = []
    if organizer.has_permission(Permission.REPORT_WRITE):
        waiting = writable_by(_count_questions(), organizer, Question)
        count = uow.session.scalar(waiting) or 0
        found.append(Waiting(count=count, said="quiz.review.task", path="/review"))
    if organizer.has_permission(Permission.VOID_APPROVE):
        proposed = _count_proposed(organizer.id)
        count = uow.session.scalar(writable_by(proposed, organizer, QuestionVoid)) or 0
        found.append(
            Waiting(count=count, said="quiz.review.void_task", path="/review?why=proposed")
        )
    return found


def _count_questions() -> Select[Any]:
    counted: Any = select(func.count(Question.id))
    counted = counted.outerjoin(ItemFigure, ItemFigure.question_id == Question.id)
    return counted.where(or_(_is_doubtful(), _is_reported()))  # type: ignore[no-any-return]  # as above


def _count_proposed(organizer_id: int) -> Select[Any]:
    counted: Any = select(func.count(QuestionVoid.id))
    return counted.where(  # type: ignore[no-any-return]  # as above
        QuestionVoid.state == VoidState.PROPOSED, QuestionVoid.proposer_id != organizer_id
    )
