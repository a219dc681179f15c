"""Reasons of refusal have a sentence for operators and one for organizers."""

from __future__ import annotations

import re

import pytest

from server import slices
from server.base.texts import FIRST_LANGUAGE, Texts, load_texts
from server.quiz.bank.files.headings import OPTIONS
from server.quiz.bank.files.reading import ReadingOptions, read_questions
from server.quiz.bank.files.reasons import ENGLISH, QuestionReason
from server.quiz.bank.files.wording import say_reason
from server.quiz.words import word_table

PLACE = re.compile(r"\{(\w+)")


@pytest.fixture(scope="module")
def texts() -> Texts:
    return load_texts(slices.TEXTS)


def test_every_reason_is_worded_for_operators_and_for_organizers(texts: Texts) -> None:
    chinese = {
        key.removeprefix("quiz.question_file."): sentence
        for key, sentence in texts.sentences[FIRST_LANGUAGE].items()
        if key.startswith("quiz.question_file.")
    }
    assert set(chinese) == set(ENGLISH)
    for code, sentence in chinese.items():
        # A fact that operators are not told does not exist.
        assert set(PLACE.findall(sentence)) <= set(PLACE.findall(ENGLISH[code])), code


def test_every_column_has_a_name_for_organizers(texts: Texts) -> None:
    named = {
        key.rpartition(".")[2]
        for key in texts.sentences[FIRST_LANGUAGE]
        if key.startswith("quiz.question_column.")
    }
    assert named == {*word_table("columns"), *OPTIONS}


def test_an_organizer_is_told_columns_in_chinese(texts: Texts) -> None:
    table = read_questions("a.csv", "题干,心情\n甲,好\n".encode(), ReadingOptions())
    told = [say_reason(texts, problem.why) for problem in table.refused]
    assert told == ["没有找到这些栏目：答案。请在下面指定每一列是什么。"]
    long = QuestionReason(code="too_long", facts={"column": "stem", "most": 500})
    assert say_reason(texts, long) == "题干超过 500 字。"
