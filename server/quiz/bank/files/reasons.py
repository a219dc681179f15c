"""Reasons for refusing a file of questions or a row, and warnings: a code with facts.

Commands print the English sentences below. Pages show the Chinese ones: `quiz.question_file.<code>`
in texts.toml; a test compares both lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from server.console.sheets import reasons as sheets

ENGLISH: Mapping[str, str] = {
    **sheets.ENGLISH,
    # The whole file.
    "unreadable": "{name}: {trouble}",
    "no_questions": "no question was found in this text",
    "from_zero": "answers count from 0 (line {first}): write letters, or 1, 2, 3",
    "unknown_column": (
        "the column {title!r} is not known and holds something (first in line {first})"
    ),
    "column_without_heading": (
        "column {column}, which has no heading, is not known and holds something"
        " (first in line {first})"
    ),
    "package_broken": "the archive is damaged or has a password",
    "package_members": "an archive of more than {most} files",
    "package_unpacks_too_large": "the archive unpacks to more than {most} MiB",
    "package_path": "{name}: a path out of the archive, or a link",
    "package_without_sheet": "an archive without a table of questions (.xlsx, .csv, .txt)",
    "package_sheets": "an archive with several tables: {names}",
    "package_twice": "two different pictures are called {name}",
    # One row.
    "more_cells": "more cells than headings",
    "stem_empty": "stem: empty",
    "control_character": "{column}: a control character",
    "too_long": "{column}: longer than {most} characters",
    "wrong_status": "status: {given!r} is not draft, review, live or retired",
    "wrong_ref": "ref: 1 to 40 letters, digits, - and _",
    "option_gap": "options: an empty one between others",
    "options_alike": "options: two are the same",
    "options_unsplit": "options: no letters A, B, C and no lines between the options of the cell",
    "too_few_options": "options: fewer than two",
    "too_many_options": "options: more than {most}",
    "labels_contradict": "options: the letters before them ({letters}) contradict their columns",
    "wrong_number": "{column}: a number from 1 to {most} expected",
    "wrong_benchmark": "benchmark: {given!r} is none of the 26",
    "benchmarks_contradict": "benchmark: number {number} is {name!r}, not {given!r}",
    "wrong_kind": "kind: {given!r} is none of single, multiple, judge",
    "kind_unclear": "kind: no options, and the answer is neither right nor wrong",
    "kind_ambiguous": "kind: {given!r} is the text of one option and the letters of several",
    "answer_missing": "answer: '' is not made of option letters",
    "answer_unknown": "answer: {given!r} is not made of option letters",
    "answer_ambiguous": (
        "answer: {given!r} is the text of option {letter}"
        " and names another one by its letter or number; write every answer as a letter"
    ),
    "answer_repeats": "answer: a letter twice",
    "answer_outside": "answer: names an option that is not there",
    "single_has_one": "answer: a single choice has one right option",
    "multiple_has_two": "answer: a multiple choice has two or more right options",
    "judge_options": "options: a judgement has right and wrong",
    "judge_answer": "answer: {given!r} is neither right nor wrong",
    "same_id": "the same id as in line {other}",
    "same_question": "the same question as in line {other}",
    "id_elsewhere": "id {ref} belongs to the bank {bank}",
    "known_as": "the bank has this question as {ref}",
    "in_review": "{ref} waits for review: decide that first",
    "picture_without_alt": "picture: its text for screen readers (picture_alt) is missing",
    "alt_without_picture": "picture: empty, but picture_alt is not",
    "picture_missing": "picture: {name} is neither in the archive nor in the bank",
    "picture_broken": "picture: {name} cannot be read",
    "picture_kind": "picture: {name} is no JPEG, PNG, WebP or GIF",
    "picture_large": "picture: {name} has too many pixels",
    "picture_misshapen": "picture: {name} is too small or too narrow",
    # GIFT and text.
    "gift_unclosed": "a brace that is not closed",
    "gift_no_answer": "no answer in braces",
    "gift_essay": "an essay question has no key",
    "gift_short_answer": "a short answer is no choice",
    "gift_matching": "a matching question is no choice",
    "gift_number": "a numerical question is no choice",
    "gift_part_marks": "an option with part of the marks beside a right one",
    "markup": "{tag}: pictures and formulas in HTML are not read; write the text itself",
    "options_unordered": "options: {letter} stands where {wanted} is expected",
    # Warnings, which refuse nothing.
    "pictures_unused": "{count} pictures of the archive belong to no question ({first})",
    "pictures_in_cells": "pictures inside the workbook are not read: pack them as files",
    "near_options": "options: two are nearly the same",
    "half_labelled": "options: only some carry a letter, which stays as it is written",
    "near_twin": "the question is nearly the same as line {other}",
    "near_known": "the question is nearly the same as {ref} of the bank",
    "other_text": "{ref} is another question in the bank, which this row replaces",
    "date_cell": "{column}: a date, which the workbook may have made from something like 1-2",
    "number_as_id": "the ids only count the rows, so they are not used",
}  # fmt: skip


class QuestionReason(sheets.Reason):
    """A code of `ENGLISH` with the facts of its sentence."""

    english: ClassVar[Mapping[str, str]] = ENGLISH


class RowRefused(ValueError):
    """One row cannot be a question."""

    def __init__(self, code: str, /, **facts: object) -> None:
        self.why = QuestionReason(code=code, facts=facts)
        super().__init__(str(self.why))


class QuestionsRefused(sheets.FileRefused):
    """The file cannot be read as questions; a caller catches `FileRefused`."""

    reason_class = QuestionReason
