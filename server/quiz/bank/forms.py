"""Forms of the question bank's pages."""

from __future__ import annotations

from wtforms import (
    BooleanField,
    FileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    widgets,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from server.base.texts import Texts
from server.console.forms import ConsoleForm, WatchedForm, reason_field
from server.console.picture_fields import picture_field
from server.console.upload_pages import ColumnsForm
from server.quiz.bank.files.options import LETTERS
from server.quiz.bank.files.reasons import RowRefused
from server.quiz.bank.files.rows import MOST, MOST_OPTIONS, Draft, RowStyle, read_draft
from server.quiz.bank.questions import QuestionView
from server.quiz.bank.taxonomy import read_benchmarks
from server.quiz.enums import QuestionKind

_LETTERS = LETTERS[:MOST_OPTIONS]
_NONE = ""
# The field at which a reason is shown, by the part of its code before the first underscore.
_FIELD_OF_REASON = {
    "stem": "stem", "option": "option_a", "options": "option_a", "too": "option_a",
    "labels": "option_a", "judge": "right", "answer": "right", "single": "right",
    "multiple": "right", "control": "stem", "picture": "picture_alt", "alt": "picture",
}  # fmt: skip
_REASONS_WITHOUT_FACTS = frozenset(
    {"stem_empty", "option_gap", "options_alike", "too_few_options", "answer_missing",
     "answer_outside", "single_has_one", "multiple_has_two", "judge_options",
     "picture_without_alt", "alt_without_picture"}
)  # fmt: skip


class _CheckBoxes(SelectMultipleField):  # type: ignore[misc]  # WTForms is untyped
    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


def _length_of(name: str) -> Length:
    return Length(max=MOST[name], message="quiz.bank_form.too_long")


class QuestionForm(WatchedForm):
    """Form for one question; options stay in the order of their letters."""

    kind = RadioField(
        "quiz.bank_form.kind",
        choices=[SelectChoice(kind.value) for kind in QuestionKind],
        default=QuestionKind.SINGLE.value,
    )
    # Only a new question has a choice of banks; a new version stays in its bank.
    bank = SelectField(
        "quiz.bank_form.bank", description="quiz.bank_form.question_bank_hint", choices=[],
        validate_choice=False,
    )  # fmt: skip
    stem = TextAreaField(
        "quiz.bank_form.stem",
        validators=[InputRequired("quiz.question_file.stem_empty"), _length_of("stem")],
    )
    picture = picture_field("quiz.bank_picture.file", "quiz.bank_picture.file_hint")
    picture_alt = StringField(
        "quiz.question_column.picture_alt",
        description="quiz.bank_picture.alt_hint",
        validators=[_length_of("picture_alt")],
    )
    picture_gone = BooleanField("quiz.bank_picture.gone")
    option_a = StringField(
        "quiz.question_column.option_a", description="quiz.bank_form.options_hint"
    )
    option_b = StringField("quiz.question_column.option_b")
    option_c = StringField("quiz.question_column.option_c")
    option_d = StringField("quiz.question_column.option_d")
    option_e = StringField("quiz.question_column.option_e")
    option_f = StringField("quiz.question_column.option_f")
    right = _CheckBoxes(
        "quiz.bank_form.right",
        choices=[SelectChoice(letter, letter) for letter in _LETTERS],
        description="quiz.bank_form.right_hint",
    )
    explanation = TextAreaField(
        "quiz.question_column.explanation", validators=[_length_of("explanation")]
    )
    benchmark = SelectField(
        "quiz.question_column.benchmark",
        choices=[SelectChoice(_NONE), *(SelectChoice(str(n)) for n in read_benchmarks())],
        default=_NONE,
    )
    topic = StringField(
        "quiz.question_column.topic",
        description="quiz.bank_form.topic_hint",
        validators=[_length_of("topic")],
    )
    difficulty = SelectField(
        "quiz.question_column.difficulty",
        choices=[SelectChoice(level) for level in "123"],
        default="2",
    )
    source = StringField("quiz.question_column.source", validators=[_length_of("source")])


class RemarkForm(ConsoleForm):
    """Form with a remark for the author, or the reason for a change."""

    remark = reason_field("quiz.bank_form.remark")


class PickForm(ConsoleForm):
    """Form with questions picked from the list."""

    picked = SelectMultipleField("quiz.bank.picked", choices=[], validate_choice=False)


class UploadForm(ConsoleForm):
    """Form with a file or a pasted text."""

    file = FileField("quiz.bank_form.file", description="quiz.bank_form.file_hint")
    bank = SelectField(
        "quiz.bank_form.bank", description="quiz.bank_form.bank_hint", choices=[],
        validate_choice=False,
    )  # fmt: skip
    new_bank = StringField(
        "quiz.bank_form.new_bank", description="quiz.bank_form.new_bank_hint",
        validators=[Length(max=60, message="quiz.bank_form.too_long")],
    )  # fmt: skip
    pasted = TextAreaField("quiz.bank_form.pasted", description="quiz.bank_form.pasted_hint")
    from_zero = BooleanField("quiz.bank_form.from_zero")
    no_heading = BooleanField("quiz.bank_form.no_heading")


class QuestionColumnsForm(ColumnsForm):
    """Form with the meaning of each column, and two facts about the file."""

    from_zero = BooleanField("quiz.bank_form.from_zero")
    no_heading = BooleanField("quiz.bank_form.no_heading")


def label_choices(texts: Texts, form: QuestionForm) -> None:
    """Set the labels of a form's choices."""
    form.kind.choices = [
        SelectChoice(kind.value, texts.fill_text(f"quiz.kind.{kind.value}"))
        for kind in QuestionKind
    ]
    form.benchmark.choices = [
        SelectChoice(_NONE, texts.fill_text("quiz.bank_form.no_benchmark")),
        *(SelectChoice(str(one.number), f"{one.number} {one.name}（{one.topic}）")
          for one in read_benchmarks().values()),
    ]  # fmt: skip
    form.difficulty.choices = [
        SelectChoice(level, texts.fill_text(f"quiz.difficulty.{level}")) for level in "123"
    ]


def fill_form(form: QuestionForm, view: QuestionView) -> None:
    """Show a stored version in the form."""
    row = view.row
    options = {} if row.kind is QuestionKind.JUDGE else dict(
        zip((f"option_{letter.lower()}" for letter in _LETTERS), row.options, strict=False)
    )  # fmt: skip
    form.process(
        data={
            "kind": row.kind.value,
            "stem": row.stem,
            "right": list(view.letters),
            "explanation": row.explanation,
            "benchmark": str(row.benchmark_no or _NONE),
            "topic": row.topic,
            "difficulty": str(row.difficulty),
            "source": row.source,
            "picture_alt": row.picture_alt,
            **options,
        }
    )


def read_form(form: QuestionForm, audience: str | None = None, picture: str | None = None) -> Draft:
    """The question of a valid form with this picture; `audience` is kept from the version before.

    Raises: RowRefused.
    """
    row = {
        "kind": form.kind.data,
        "stem": _clean_text(form.stem.data),
        "answer": "".join(form.right.data or []),
        "explanation": _clean_text(form.explanation.data),
        "benchmark_no": form.benchmark.data or "",
        "topic": _clean_text(form.topic.data),
        "difficulty": form.difficulty.data,
        "source": _clean_text(form.source.data),
        "audience": audience or "",
        "picture": picture or "",
        "picture_alt": "" if form.picture_gone.data else _clean_text(form.picture_alt.data),
        **{
            f"option_{one.lower()}": _clean_text(form[f"option_{one.lower()}"].data)
            for one in _LETTERS
        },
    }
    return read_draft(1, row, RowStyle(by_letter=True))


def _clean_text(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()


def place_reason(refusal: RowRefused) -> tuple[str, str]:
    """The field and the text key of a refusal."""
    code = refusal.why.code
    field = _FIELD_OF_REASON.get(code.partition("_")[0], "stem")
    known = code in _REASONS_WITHOUT_FACTS
    return field, f"quiz.question_file.{code}" if known else "quiz.bank_form.check_question"
