"""Reading the bank for organizers: the list, one question with its versions, differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import Select, String, cast, func, literal, or_, select

from server.base.access import Organizer, Permission
from server.base.errors import NotFound
from server.base.ownership import scope_of, visible_to
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.page import Waiting
from server.quiz.bank.files.options import LETTERS
from server.quiz.bank.lifecycle import is_in_stage, stage_of, waits_for
from server.quiz.bank.named_banks import name_place
from server.quiz.bank.pictures import picture_path
from server.quiz.enums import QuestionKind, QuestionStage, QuestionState
from server.quiz.models import Question, QuestionImport

# Content columns that reveal the key.
_KEYS = ("answer", "explanation")
# At most this many places are offered in a filter.
_MOST_OWNERS = 200
# At most this many characters of a stem are shown in a heading.
_HEADING = 30
# At most this many imports are offered above the list.
_MOST_BATCHES = 5
_COMPARED = ("kind", "stem", "picture", "picture_alt", "options", "answer", "explanation",
             "benchmark", "topic", "difficulty", "audience", "source")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class QuestionFilter:
    """Filters of the list; None and empty mean all."""

    words: str | None = None
    stage: QuestionStage | None = None
    kind: QuestionKind | None = None
    benchmark: int | None = None
    owner: str | None = None
    batch: str | None = None
    bank: str | None = None


@dataclass(frozen=True, kw_only=True)
class QuestionView:
    """One version for a page; `key_shown` when the organizer may see answer and explanation.

    `writable` when it is in the organizer's scope, `own` when the organizer wrote it.
    """

    row: Question
    stage: QuestionStage
    key_shown: bool
    writable: bool
    own: bool

    @property
    def picture_address(self) -> str | None:
        """The address of the picture; None without one."""
        return None if self.row.picture is None else picture_path(self.row.picture)

    @property
    def letters(self) -> str:
        """The key as letters."""
        return "".join(LETTERS[at] for at in self.row.answer)

    @property
    def key_text(self) -> str:
        """The key as organizers read it: right or wrong for a judgement, else its letters."""
        return spell_key(self.row)

    @property
    def heading(self) -> str:
        """The beginning of the stem, which names the question better than its ref."""
        stem = " ".join(self.row.stem.split())
        return stem if len(stem) <= _HEADING else f"{stem[:_HEADING]}…"

    @property
    def shown_options(self) -> list[tuple[str, str, bool]]:
        """Letter, text, and whether it is right; never right without the key."""
        return [
            (LETTERS[at], option, self.key_shown and at in self.row.answer)
            for at, option in enumerate(self.row.options)
        ]


def spell_key(row: Question) -> str:
    """The key of a version: the text of a judgement, else letters."""
    if row.kind is QuestionKind.JUDGE:
        return "、".join(row.options[at] for at in row.answer)
    return "".join(LETTERS[at] for at in row.answer)


@dataclass(frozen=True, kw_only=True)
class FieldDifference:
    """One field of two versions; parts are (text, whether it differs)."""

    name: str
    left: list[tuple[str, bool]]
    right: list[tuple[str, bool]]
    differs: bool


def select_questions(organizer: Organizer, given: QuestionFilter) -> Select[Any]:
    """The newest visible version of each question, filtered.

    A question whose live version has a draft beside it is listed once, with the draft.
    """
    newest = visible_to(_newest_ids(), organizer, Question)
    columns = _select_questions(_place_of_reader(organizer)).where(Question.id.in_(newest))
    return visible_to(_filter_rows(columns, given), organizer, Question)


def _newest_ids() -> Select[Any]:
    newest: Any = select(func.max(Question.id)).group_by(Question.ref)
    return newest  # type: ignore[no-any-return]  # one type for all selects


def _select_questions(reader: str) -> Select[Any]:
    columns: Any = select(Question, literal(reader).label("reader"))
    return columns  # type: ignore[no-any-return]  # one type for all selects


def _place_of_reader(organizer: Organizer) -> str:
    return organizer.scope.spelled if organizer.has_permission(Permission.QUESTION_KEY_READ) else ""


def _filter_rows(asked: Select[Any], given: QuestionFilter) -> Select[Any]:
    if given.words:
        for word in given.words.split():
            like = f"%{_escape_pattern(word)}%"
            asked = asked.where(
                or_(
                    Question.stem.ilike(like, escape="\\"),
                    Question.ref.ilike(like, escape="\\"),
                    cast(Question.options, String).ilike(like, escape="\\"),
                )
            )
    if given.stage is not None:
        asked = asked.where(is_in_stage(given.stage))
    if given.kind is not None:
        asked = asked.where(Question.kind == given.kind)
    if given.benchmark is not None:
        asked = asked.where(Question.benchmark_no == given.benchmark)
    if given.owner:
        asked = asked.where(Question.owner == given.owner)
    if given.bank:
        asked = asked.where(Question.bank == given.bank)
    return asked if not given.batch else asked.where(Question.batch == given.batch)


def _escape_pattern(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def key_is_shown(row: Question, reader: str) -> bool:
    """Whether the key of a listed version is shown to the place `reader`: its own, or one above."""
    owner = scope_of(row)
    return bool(reader) and (owner.spelled == reader or reader in owner.above)


def read_versions(uow: UnitOfWork, organizer: Organizer, ref: str) -> list[QuestionView]:
    """All visible versions of a question, the newest first.

    Raises: NotFound (404).
    """
    asked = select(Question).where(Question.ref == ref).order_by(Question.version.desc())
    rows: Sequence[Question] = uow.session.scalars(visible_to(asked, organizer, Question)).all()
    if not rows:
        raise NotFound
    return [_view_of(row, organizer) for row in rows]


def _view_of(row: Question, organizer: Organizer) -> QuestionView:
    return QuestionView(
        row=row,
        stage=stage_of(row),
        key_shown=key_is_shown(row, _place_of_reader(organizer)),
        writable=organizer.scope.covers_scope(scope_of(row)),
        own=row.writer_id == organizer.id,
    )


def compare_versions(
    texts: Texts, left: QuestionView, right: QuestionView
) -> list[FieldDifference]:
    """Each field of two versions side by side; the key only where both may be seen."""
    shown = left.key_shown and right.key_shown
    return [
        _compare_field(name, _spell_field(texts, left, name), _spell_field(texts, right, name))
        for name in _COMPARED
        if shown or name not in _KEYS
    ]


def _spell_field(texts: Texts, view: QuestionView, name: str) -> str:
    if name == "options" and view.row.kind is QuestionKind.JUDGE:
        return "\n".join(view.row.options)
    if name == "options":
        return "\n".join(f"{letter}. {text}" for letter, text, _ in view.shown_options)
    if name == "answer":
        return view.key_text
    value = getattr(view.row, name)
    if name in ("kind", "difficulty"):
        return texts.fill_text(f"quiz.{name}.{value}")
    return "" if value is None else str(value)


def _compare_field(name: str, left: str, right: str) -> FieldDifference:
    old: list[tuple[str, bool]] = []
    new: list[tuple[str, bool]] = []
    for act, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if b > a:
            old.append((left[a:b], act != "equal"))
        if d > c:
            new.append((right[c:d], act != "equal"))
    return FieldDifference(name=name, left=old, right=new, differs=left != right)


def count_waiting(uow: UnitOfWork, organizer: Organizer) -> int:
    """Questions that wait for this approver."""
    asked = select(func.count()).select_from(Question).where(waits_for(organizer))
    return uow.session.scalar(visible_to(asked, organizer, Question)) or 0


@dataclass(frozen=True, kw_only=True)
class WaitingBatch:
    """An import with questions that wait for an approver: its ref, its file, their number."""

    ref: str
    file_name: str
    count: int


def list_waiting_batches(uow: UnitOfWork, organizer: Organizer) -> list[WaitingBatch]:
    """The imports with several questions that wait for this approver, the largest first."""
    asked = visible_to(_batches_of(waits_for(organizer)), organizer, Question)
    counts = {row[0]: row[1] for row in uow.session.execute(asked)}
    files = visible_to(
        select(QuestionImport).where(QuestionImport.ref.in_(counts)), organizer, QuestionImport
    )
    names = {row.ref: row.file_name for row in uow.session.scalars(files)}
    return [
        WaitingBatch(ref=ref, file_name=names[ref], count=count)
        for ref, count in counts.items()
        if ref in names
    ]


def _batches_of(condition: Any) -> Select[Any]:
    count = func.count().label("count")
    asked: Any = select(Question.batch, count).where(condition, Question.batch.is_not(None))
    grouped = asked.group_by(Question.batch).having(count > 1)
    return grouped.order_by(count.desc(), Question.batch).limit(_MOST_BATCHES)  # type: ignore[no-any-return]  # as below


def list_owners(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """The places with visible questions, as scope and name."""
    rows = uow.session.scalars(visible_to(_select_owners(), organizer, Question)).all()
    named = [(owner, name_place(uow, owner)) for owner in rows]
    return [(owner, name) for owner, name in named if name is not None]


def _select_owners() -> Select[Any]:
    owners: Any = select(Question.owner).distinct().order_by(Question.owner).limit(_MOST_OWNERS)
    return owners  # type: ignore[no-any-return]  # as above


def tell_waiting(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    """For the first page: how many questions wait for this approver."""
    if not organizer.has_permission(Permission.QUESTION_APPROVE):
        return []
    count = count_waiting(uow, organizer)
    return [Waiting(count=count, said="quiz.bank.task", path="/questions?stage=review")]


def count_stages(uow: UnitOfWork, organizer: Organizer, batch: str) -> dict[QuestionStage, int]:
    """The number of an import's versions in each stage."""
    asked = visible_to(_states_of(batch), organizer, Question)
    found: dict[QuestionStage, int] = {}
    for state, is_sent, count in uow.session.execute(asked).all():
        stage = QuestionStage(state.value)
        if state is QuestionState.DRAFT and is_sent:
            stage = QuestionStage.REVIEW
        found[stage] = found.get(stage, 0) + count
    return found


def _states_of(batch: str) -> Select[Any]:
    sent = Question.sent_at.is_not(None)
    asked: Any = select(Question.state, sent, func.count()).where(Question.batch == batch)
    return asked.group_by(Question.state, sent)  # type: ignore[no-any-return]  # as above
