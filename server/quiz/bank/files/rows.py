"""Reads one row, or one question of a text, into a draft; pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from server.quiz.bank.files.headings import OPTIONS
from server.quiz.bank.files.options import (
    chosen_positions,
    half_labelled,
    kind_of,
    read_judgement,
    split_options,
    without_labels,
)
from server.quiz.bank.files.reasons import QuestionReason, RowRefused
from server.quiz.bank.files.sameness import exact_form, likeness_key, sameness_key, similar_form
from server.quiz.bank.taxonomy import MOST_BENCHMARK, numbers_by_name, read_benchmarks
from server.quiz.enums import QuestionKind
from server.quiz.words import word_table

MOST_OPTIONS = 6
# Units: characters.
MOST = {
    "ref": 40, "stem": 500, "topic": 40, "benchmark": 80, "audience": 40,
    "explanation": 1000, "source": 300, "options": 1500, "picture_alt": 120,
}  # fmt: skip
MOST_OTHER = 200
_REF = re.compile(r"[A-Za-z0-9_-]{1,40}")
_STATES = ("", "draft", "review", "live", "retired", "草稿", "待审核", "已上线", "已停用")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One question of a file. Units: `answer` positions in `options`.

    `picture` is first the text of its cell, then the name of a stored picture. `keeps_picture`: the
    file has no column for pictures, so a known question keeps its own.
    """

    line: int
    ref: str
    has_own_ref: bool
    kind: QuestionKind
    topic: str
    benchmark_no: int | None
    benchmark: str
    difficulty: int
    audience: str | None
    stem: str
    options: tuple[str, ...]
    answer: tuple[int, ...]
    explanation: str
    source: str
    picture: str | None = None
    picture_alt: str = ""
    keeps_picture: bool = False
    sheet: str = ""

    @cached_property
    def sameness(self) -> str:
        """Key for questions with identical content."""
        return sameness_key(self.stem, self.options, self.picture)

    @cached_property
    def likeness(self) -> str:
        """Key for questions that may be the same."""
        return likeness_key(self.stem, self.options, self.picture)


@dataclass(frozen=True, kw_only=True)
class RowStyle:
    """Facts about the whole file that decide how its rows are read.

    `by_letter`: every answer consists of letters. `from_zero`: a person said that answers count
    from 0. `own_ids`: the ids are more than numbers of rows.
    """

    by_letter: bool = False
    from_zero: bool = False
    own_ids: bool = True
    sheet: str = ""


def read_draft(line: int, row: Mapping[str, str], style: RowStyle) -> Draft:
    """One row as a question; missing columns are empty.

    Raises: RowRefused.
    """
    _check_texts(row)
    options = read_options(row)
    given = row["answer"]
    if style.from_zero and options:
        given = _count_from_one(given)
    kind = kind_of(row.get("kind", ""), options, given)
    if kind is QuestionKind.JUDGE:
        options, answer = read_judgement(given, options)
    else:
        answer = chosen_positions(given, options, kind, by_letter=style.by_letter)
    number, benchmark, topic = _read_benchmark(row)
    picture, picture_alt = _read_picture(row)
    ref, own = _read_ref(row if style.own_ids else {**row, "ref": ""}, options)
    return Draft(
        line=line,
        sheet=style.sheet,
        ref=ref,
        has_own_ref=own,
        stem=row["stem"],
        options=options,
        answer=answer,
        kind=kind,
        topic=topic,
        benchmark_no=number,
        benchmark=benchmark,
        difficulty=_read_difficulty(row),
        audience=row.get("audience") or None,
        explanation=row.get("explanation", ""),
        source=row.get("source", ""),
        picture=picture,
        picture_alt=picture_alt,
        keeps_picture="picture" not in row,
    )


def find_doubts(draft: Draft) -> Iterator[QuestionReason]:
    """Warnings about an accepted row that a person should check."""
    if draft.kind is QuestionKind.JUDGE:
        return
    if len({similar_form(option) or option for option in draft.options}) != len(draft.options):
        yield QuestionReason(code="near_options")
    if half_labelled(draft.options):
        yield QuestionReason(code="half_labelled")


def _check_texts(row: Mapping[str, str]) -> None:
    if not row["stem"]:
        raise RowRefused("stem_empty")
    for name, text in row.items():
        if not text.isprintable() and any(
            unicodedata.category(letter) == "Cc" and letter not in "\n\t\r" for letter in text
        ):
            raise RowRefused("control_character", column=name)
        most = MOST.get(name, MOST_OTHER)
        if len(text) > most:
            raise RowRefused("too_long", column=name, most=most)
    if row.get("status", "").casefold() not in _STATES:
        raise RowRefused("wrong_status", given=row["status"])


def _count_from_one(given: str) -> str:
    """Add one to each number of an answer that counts from 0."""
    return re.sub(r"\d+", lambda found: str(int(found[0]) + 1), given)


def _read_ref(row: Mapping[str, str], options: Sequence[str]) -> tuple[str, bool]:
    given = row.get("ref", "")
    if not given:
        key = sameness_key(row["stem"], options, row.get("picture") or None)
        digest = hashlib.sha256(key.encode()).hexdigest()
        return f"q_{digest[:16]}", False
    if not _REF.fullmatch(given):
        raise RowRefused("wrong_ref")
    return given, True


def _read_picture(row: Mapping[str, str]) -> tuple[str | None, str]:
    """The picture and its text for screen readers; one without the other is refused."""
    picture, alt = row.get("picture", ""), row.get("picture_alt", "")
    if picture and not alt:
        raise RowRefused("picture_without_alt")
    if alt and not picture:
        raise RowRefused("alt_without_picture")
    return picture or None, alt


def read_options(row: Mapping[str, str]) -> tuple[str, ...]:
    """The options without labels.

    Raises: RowRefused.
    """
    cells = [row.get(name, "") for name in OPTIONS]
    if row.get("options"):
        cells = split_options(row["options"])
    while cells and not cells[-1]:
        cells.pop()
    if "" in cells:
        raise RowRefused("option_gap")
    if len(cells) > MOST_OPTIONS:
        raise RowRefused("too_many_options", most=MOST_OPTIONS)
    options = without_labels(cells)
    if len({exact_form(option) for option in options}) != len(options):
        raise RowRefused("options_alike")
    return options


def _read_benchmark(row: Mapping[str, str]) -> tuple[int | None, str, str]:
    """Complete number, name and topic of a benchmark; a topic may stand alone.

    Raises: RowRefused when number and name contradict, or are none of the 26.
    """
    number, name, topic = (row.get(one, "") for one in ("benchmark_no", "benchmark", "topic"))
    if not number and not name:
        return None, "", topic
    if not number:
        found = numbers_by_name().get(name)
        if found is None:
            raise RowRefused("wrong_benchmark", given=name)
    else:
        valid = number.isascii() and number.isdigit() and len(number) < 3
        found = int(number) if valid else 0
    benchmark = read_benchmarks().get(found)
    if benchmark is None:
        raise RowRefused("wrong_number", column="benchmark_no", most=MOST_BENCHMARK)
    if name not in ("", benchmark.name):
        facts = {"number": found, "name": benchmark.name, "given": name}
        raise RowRefused("benchmarks_contradict", **facts)
    return benchmark.number, benchmark.name, topic or benchmark.topic


def _read_difficulty(row: Mapping[str, str]) -> int:
    given = row.get("difficulty", "").casefold()
    for level, named in word_table("difficulty").items():
        if given in named:
            return int(level)
    return read_number(given, "difficulty", 3) or 2


def read_number(text: str, name: str, most: int) -> int | None:
    """A number from 1 to `most`; None when the cell is empty.

    Raises: RowRefused.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise RowRefused("wrong_number", column=name, most=most)
    return int(text)
