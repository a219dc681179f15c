"""Parses the options and the answer of one row; pure.

Anything ambiguous is refused, because a wrong key would reach thousands of citizens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from server.quiz.bank.files.reasons import RowRefused
from server.quiz.bank.files.sameness import exact_form
from server.quiz.enums import QuestionKind
from server.quiz.words import word_table

LETTERS = "ABCDEFGH"
# A label in front of an option: `A.`, `(B)`, `C、`.
_LABEL = re.compile(r"^(?:[(（【\[]\s*([A-Ha-h])\s*[)）】\]]|([A-Ha-h])\s*[.．、:：)）])\s*")
# A label inside a cell that holds all options.
_LABEL_INSIDE = re.compile(r"(?:(?<=[\s;；|,，。])|^)[(（【\[]?\s*([A-H])\s*[.．、:：)）】\]]")
_NAMES_OF_TWO = ("A", "B", "1", "2")
_NAMES_WITHOUT_MEANING = (*_NAMES_OF_TWO, "0")
_BETWEEN = re.compile(r"[\s,，、;；/|+&和]+")
_ONLY_LETTERS = re.compile(rf"[{LETTERS}]+")
_ONLY_DIGITS = re.compile(r"[0-9]+")
_LIST_OF_LETTERS = re.compile(r"[A-Z](?:[、，,][A-Z])*")


def without_labels(cells: Sequence[str]) -> tuple[str, ...]:
    """Remove the labels when every option has that of its own column.

    Any other letter is content: `C、H、O、N`, `E. coli`, `a.m.`.
    Raises: RowRefused when the labels name other columns than they are in.
    """
    kept = tuple(cell.strip() for cell in cells)
    found = [_LABEL.match(cell) for cell in kept]
    if not kept or not all(found):
        return kept
    letters = [(match[1] or match[2]).upper() for match in found if match]
    rests = tuple(cell[match.end() :] for cell, match in zip(kept, found, strict=True) if match)
    columns = list(LETTERS[: len(kept)])
    if letters == columns:
        whole = all(rests) and len({exact_form(rest) for rest in rests}) == len(rests)
        return rests if whole else kept
    lists = all(_LIST_OF_LETTERS.fullmatch(rest) for rest in rests)
    own = sum(letter == column for letter, column in zip(letters, columns, strict=True))
    if sorted(letters) == columns or (len(kept) > 2 and own == len(kept) - 1 and not lists):
        raise RowRefused("labels_contradict", letters=", ".join(letters))
    return kept


def split_options(cell: str) -> list[str]:
    """The options of a cell that holds all of them: by their letters, or one per line.

    Raises: RowRefused.
    """
    marks = [mark for mark in _LABEL_INSIDE.finditer(cell) if not cell[: mark.start()].strip()]
    at = marks[0].start() if marks else -1
    cuts: list[int] = []
    for letter in LETTERS:
        found = next((m for m in _LABEL_INSIDE.finditer(cell, max(at, 0)) if m[1] == letter), None)
        if found is None or at < 0:
            break
        cuts.append(found.start())
        at = found.end()
    if len(cuts) > 1:
        return [cell[one:two].strip(" \t\n;；|") for one, two in pairwise([*cuts, len(cell)])]
    parts = [part.strip() for part in re.split(r"\n|\|", cell) if part.strip()]
    if len(parts) < 2:
        raise RowRefused("options_unsplit")
    return parts


def half_labelled(options: Sequence[str]) -> bool:
    """Whether some options have their own column's label while others have none."""
    own = [
        (match := _LABEL.match(option)) is not None
        and (match[1] or match[2]).upper() == LETTERS[at]
        for at, option in enumerate(options)
    ]
    return sum(own) > 1 and not all(own)


def letters_of(answer: str) -> str:
    """Convert numbers counted from 1 to letters; other answers are unchanged."""
    bare = _BETWEEN.sub("", unicodedata.normalize("NFKC", answer)).upper()
    if _ONLY_DIGITS.fullmatch(bare) and all(1 <= int(digit) <= len(LETTERS) for digit in bare):
        return "".join(LETTERS[int(digit) - 1] for digit in bare)
    return bare


def counts_from_zero(answer: str, cells: Sequence[str]) -> bool:
    """Whether an answer consists of numbers including 0 and is not the text of an option."""
    if exact_form(answer) in {exact_form(cell) for cell in cells}:
        return False
    numbers = [one for one in _BETWEEN.split(unicodedata.normalize("NFKC", answer)) if one]
    if not numbers or not all(_ONLY_DIGITS.fullmatch(number) for number in numbers):
        return False
    # `012` is 0, 1 and 2; `10` is not a list of numbers.
    return any(number.startswith("0") for number in numbers)


def is_by_letter(answer: str) -> bool:
    """Whether an answer consists only of option letters."""
    bare = _BETWEEN.sub("", unicodedata.normalize("NFKC", answer)).upper()
    return _ONLY_LETTERS.fullmatch(bare) is not None


def chosen_positions(
    given: str, options: Sequence[str], kind: QuestionKind, *, by_letter: bool = False
) -> tuple[int, ...]:
    """The positions of the right options.

    With `by_letter` every answer of the file consists of letters, so a letter that is also the text
    of another option (`BB, Bb, bb, B`) means its own column.
    Raises: RowRefused.
    """
    if len(options) < 2:
        raise RowRefused("too_few_options")
    by_text = tuple(
        at for at, option in enumerate(options) if exact_form(option) == exact_form(given)
    )
    letters = letters_of(given)
    named = _ONLY_LETTERS.fullmatch(letters) is not None
    # A single choice is answered by one letter; anything longer can only be an option's text.
    if kind is QuestionKind.SINGLE and by_text and (not named or len(letters) > 1):
        return by_text
    if not named:
        raise RowRefused("answer_unknown" if given else "answer_missing", given=given)
    positions = tuple(sorted({LETTERS.index(letter) for letter in letters}))
    if kind is QuestionKind.SINGLE and by_text and by_text != positions and not by_letter:
        raise RowRefused("answer_ambiguous", given=given, letter=LETTERS[by_text[0]])
    if len(positions) != len(letters):
        raise RowRefused("answer_repeats")
    if positions[-1] >= len(options):
        raise RowRefused("answer_outside")
    _check_count(kind, len(positions))
    return positions


def _check_count(kind: QuestionKind, count: int) -> None:
    if kind is QuestionKind.SINGLE and count != 1:
        raise RowRefused("single_has_one")
    if kind is QuestionKind.MULTIPLE and count < 2:
        raise RowRefused("multiple_has_two")


def kind_of(given: str, options: Sequence[str], answer: str) -> QuestionKind:
    """The stated kind, or the kind that follows from options and answer.

    Raises: RowRefused for an unknown kind, or when it cannot be inferred.
    """
    for kind, aliases in word_table("kinds").items():
        if given.casefold() in aliases:
            return QuestionKind(kind)
    if given and given.casefold() not in word_table("open_kinds")["choice"]:
        raise RowRefused("wrong_kind", given=given)
    if not given and _is_judgement(options, answer):
        return QuestionKind.JUDGE
    letters = letters_of(answer)
    if len(letters) < 2 or not _ONLY_LETTERS.fullmatch(letters):
        return QuestionKind.SINGLE
    if any(exact_form(option) == exact_form(answer) for option in options):
        raise RowRefused("kind_ambiguous", given=answer)
    return QuestionKind.MULTIPLE


def read_judgement(given: str, options: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Convert a true/false question: `true` is always the first option.

    A letter as answer means the option of that column.

    Raises: RowRefused.
    """
    shown = tuple(word_table("judge")["options"])
    meant = given.upper()
    if options:
        if len(options) != 2 or {_right_or_wrong(option) for option in options} != {True, False}:
            raise RowRefused("judge_options")
        if meant in _NAMES_OF_TWO:
            meant = options[_NAMES_OF_TWO.index(meant) % 2].upper()
    verdict = _right_or_wrong(meant)
    if verdict is None:
        raise RowRefused("judge_answer", given=given)
    return shown, (0,) if verdict else (1,)


def _is_judgement(options: Sequence[str], answer: str) -> bool:
    """Whether a row without a kind is a judgement.

    It has either no options and a verdict as its answer, or two options, a word for right and a
    word for wrong, that cannot be content.
    Raises: RowRefused for a row without options whose answer is no verdict.
    """
    if not options:
        if _right_or_wrong(answer) is None or answer.upper() in _NAMES_WITHOUT_MEANING:
            raise RowRefused("kind_unclear")
        return True
    verdicts = word_table("judge")["verdicts"]
    return (
        len(options) == 2
        and all(option in verdicts for option in options)
        and {_right_or_wrong(option) for option in options} == {True, False}
    )


def _right_or_wrong(word: str) -> bool | None:
    table = word_table("judge")
    if word.upper() in table["right"]:
        return True
    return False if word.upper() in table["wrong"] else None
