"""The list of questions, declared once for its page and its exports.

The titles of the columns are headings that an import reads, so that an export can be imported.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select

from server.base.access import Organizer
from server.base.uow import UnitOfWork
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table
from server.quiz.bank.files.options import LETTERS
from server.quiz.bank.lifecycle import stage_of
from server.quiz.bank.named_banks import list_own_banks
from server.quiz.bank.pictures import read_contents
from server.quiz.bank.questions import (
    QuestionFilter,
    key_is_shown,
    list_owners,
    select_questions,
    spell_key,
)
from server.quiz.bank.taxonomy import read_benchmarks
from server.quiz.enums import QuestionKind, QuestionStage
from server.quiz.models import Question

_BADGES = {
    QuestionStage.LIVE: "good",
    QuestionStage.REVIEW: "mind",
    QuestionStage.RETIRED: "bad",
    QuestionStage.DRAFT: "plain",
}


class QuestionQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list of questions."""

    words: str | None = None
    stage: QuestionStage | None = None
    kind: QuestionKind | None = None
    benchmark: int | None = None
    owner: str | None = None
    batch: str | None = None
    bank: str | None = None


def _select_rows(uow: UnitOfWork, organizer: Organizer, query: QuestionQuery) -> Select[Any]:  # noqa: ARG001 - required by Table.select
    given = QuestionFilter(
        words=query.words,
        stage=query.stage,
        kind=query.kind,
        benchmark=query.benchmark,
        owner=query.owner,
        batch=query.batch,
        bank=query.bank,
    )
    return select_questions(organizer, given)


def _key_of(row: Any) -> str | None:
    question: Question = row.Question
    if not key_is_shown(question, row.reader):
        return None
    return spell_key(question)


def _explanation_of(row: Any) -> str | None:
    return row.Question.explanation if key_is_shown(row.Question, row.reader) else None


def picture_file(name: str | None) -> str | None:
    """The file of a picture in an export."""
    return None if name is None else f"{name}.jpg"


def read_picture_files(uow: UnitOfWork, files: Collection[str]) -> dict[str, bytes]:
    """The files of pictures by the names that `picture_file` gives.

    Raises: PicturesTooMany (422).
    """
    contents = read_contents(uow, (file.removesuffix(".jpg") for file in files))
    return {f"{name}.jpg": content for name, content in contents.items()}


def _option_column(at: int) -> Column:
    letter = LETTERS[at].lower()
    return Column(
        name=f"option_{letter}",
        title=f"quiz.question_column.option_{letter}",
        value=lambda row: row.Question.options[at] if at < len(row.Question.options) else None,
        shown=False,
    )


def _content_column(name: str, **given: Any) -> Column:
    return Column(
        name=name,
        title=f"quiz.question_column.{name}",
        value=lambda row: getattr(row.Question, name),
        **given,
    )


QUESTIONS = Table(
    name="quiz.questions",
    path="/questions",
    title="quiz.bank.title",
    empty="quiz.bank.empty",
    query=QuestionQuery,
    select=_select_rows,
    key=Question.id,
    sort="-made_at",
    free=True,
    pick=lambda row: row.Question.ref,
    file_of=lambda row: picture_file(row.Question.picture),
    read_files=read_picture_files,
    columns=(
        Column(
            name="stem",
            title="quiz.question_column.stem",
            value=lambda row: row.Question.stem,
            kind=ColumnKind.LONG,
            address=lambda row: f"/console/questions/{row.Question.ref}",
        ),
        _content_column("ref", sort=Question.ref),
        Column(
            name="kind",
            title="quiz.question_column.kind",
            value=lambda row: row.Question.kind.value,
            words="quiz.kind",
        ),
        *(_option_column(at) for at in range(6)),
        Column(name="answer", title="quiz.question_column.answer", value=_key_of, shown=False),
        Column(
            name="explanation",
            title="quiz.question_column.explanation",
            value=_explanation_of,
            kind=ColumnKind.LONG,
            shown=False,
        ),
        Column(
            name="benchmark_no",
            title="quiz.question_column.benchmark_no",
            value=lambda row: row.Question.benchmark_no,
            kind=ColumnKind.NUMBER,
            shown=False,
        ),
        _content_column("benchmark"),
        _content_column("topic", shown=False),
        Column(
            name="difficulty",
            title="quiz.question_column.difficulty",
            value=lambda row: str(row.Question.difficulty),
            words="quiz.difficulty",
        ),
        _content_column("audience", shown=False),
        _content_column("source", shown=False),
        Column(
            name="status",
            title="quiz.question_column.status",
            value=lambda row: stage_of(row.Question).value,
            words="quiz.stage",
            badge=lambda row: _BADGES[stage_of(row.Question)],
        ),
        Column(
            name="picture",
            title="quiz.question_column.picture",
            value=lambda row: picture_file(row.Question.picture),
            shown=False,
        ),
        _content_column("picture_alt", shown=False),
        Column(
            name="version",
            title="quiz.bank.version",
            value=lambda row: row.Question.version,
            kind=ColumnKind.NUMBER,
            shown=False,
        ),
        Column(
            name="made_at",
            title="quiz.bank.made_at",
            value=lambda row: row.Question.made_at,
            kind=ColumnKind.DATE,
            sort=Question.made_at,
        ),
    ),
    filters=(
        Filter(
            name="words",
            title="quiz.bank.search",
            kind=FilterKind.SEARCH,
            hint="quiz.bank.search_hint",
        ),
        Filter(
            name="stage",
            title="quiz.question_column.status",
            choices=[(one.value, f"quiz.stage.{one.value}") for one in QuestionStage],
        ),
        Filter(
            name="kind",
            title="quiz.question_column.kind",
            choices=[(one.value, f"quiz.kind.{one.value}") for one in QuestionKind],
        ),
        Filter(
            name="benchmark",
            title="quiz.question_column.benchmark",
            options=lambda _uow, _organizer: [
                (str(one.number), f"{one.number} {one.name}") for one in read_benchmarks().values()
            ],
        ),
        Filter(name="owner", title="quiz.bank.owner", options=list_owners),
        Filter(name="bank", title="quiz.bank.title", options=list_own_banks),
    ),
)
