"""Parses the options and the answer of one row; pure.

Anything ambiguous is refused, because a wrong key would reach thousands of citizens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from server.quiz.bank.question_text import exact
from server.quiz.enums import QuestionKind
from server.quiz.words import words

LETTERS = "ABCDEFGH"
# A label in front of an option: `A.`, `(B)`, `C、`.
_LABEL = re.compile(r"^(?:[(（【\[]\s*([A-Ha-h])\s*[)）】\]]|([A-Ha-h])\s*[.．、:：)）])\s*")
_NAMES_OF_TWO = ("A", "B", "1", "2")
_BETWEEN = re.compile(r"[\s,，、;；/|+&和]+")
_ONLY_LETTERS = re.compile(rf"[{LETTERS}]+")
_ONLY_DIGITS = re.compile(r"[0-9]+")
_LIST_OF_LETTERS = re.compile(r"[A-Z](?:[、，,][A-Z])*")


def without_labels(cells: Sequence[str]) -> tuple[str, ...]:
    """Remove the labels when every option has that of its own column.

    Any other letter is content: `C、H、O、N`, `E. coli`, `a.m.`.
    Raises: ValueError when the labels name other columns than they are in.
    """
    kept = tuple(cell.strip() for cell in cells)
    found = [_LABEL.match(cell) for cell in kept]
    if not kept or not all(found):
        return kept
    letters = [(match[1] or match[2]).upper() for match in found if match]
    rests = tuple(cell[match.end() :] for cell, match in zip(kept, found, strict=True) if match)
    columns = list(LETTERS[: len(kept)])
    if letters == columns:
        whole = all(rests) and len({exact(rest) for rest in rests}) == len(rests)
        return rests if whole else kept
    lists = all(_LIST_OF_LETTERS.fullmatch(rest) for rest in rests)
    own = sum(letter == column for letter, column in zip(letters, columns, strict=True))
    if sorted(letters) == columns or (len(kept) > 2 and own == len(kept) - 1 and not lists):
        raise ValueError(
            f"options: the letters before them ({', '.join(letters)}) contradict their columns"
        )
    return kept


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
    if exact(answer) in {exact(cell) for cell in cells}:
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


def chosen(
    given: str, options: Sequence[str], kind: QuestionKind, *, by_letter: bool = False
) -> tuple[int, ...]:
    """The positions of the right options.

    Units: with `by_letter` every answer of the file consists of letters, so a letter that is also
    the text of another option (`BB, Bb, bb, B`) means its own column.
    Raises: ValueError.
    """
    if len(options) < 2:
        raise ValueError("options: fewer than two")
    by_text = tuple(at for at, option in enumerate(options) if exact(option) == exact(given))
    letters = letters_of(given)
    named = _ONLY_LETTERS.fullmatch(letters) is not None
    # A single choice is answered by one letter; anything longer can only be an option's text.
    if kind is QuestionKind.SINGLE and by_text and (not named or len(letters) > 1):
        return by_text
    if not named:
        raise ValueError(f"answer: {given!r} is not made of option letters")
    positions = tuple(sorted({LETTERS.index(letter) for letter in letters}))
    if kind is QuestionKind.SINGLE and by_text and by_text != positions and not by_letter:
        raise ValueError(
            f"answer: {given!r} is the text of option {LETTERS[by_text[0]]}"
            " and names another one by its letter or number; write every answer as a letter"
        )
    if len(positions) != len(letters):
        raise ValueError("answer: a letter twice")
    if positions[-1] >= len(options):
        raise ValueError("answer: names an option that is not there")
    _check_count(kind, len(positions))
    return positions


def _check_count(kind: QuestionKind, count: int) -> None:
    if kind is QuestionKind.SINGLE and count != 1:
        raise ValueError("answer: a single choice has one right option")
    if kind is QuestionKind.MULTIPLE and count < 2:
        raise ValueError("answer: a multiple choice has two or more right options")


def kind_of(given: str, options: Sequence[str], answer: str) -> QuestionKind:
    """The stated kind, or the kind that follows from options and answer.

    Raises: ValueError for an unknown kind, or when it cannot be inferred.
    """
    for kind, aliases in words("kinds").items():
        if given.casefold() in aliases:
            return QuestionKind(kind)
    if given and given.casefold() not in words("open_kinds")["choice"]:
        raise ValueError(f"kind: {given!r} is none of single, multiple, judge")
    if not given and not options:
        if _right_or_wrong(answer) is None or answer.upper() in _NAMES_OF_TWO:
            raise ValueError("kind: no options, and the answer is neither right nor wrong")
        return QuestionKind.JUDGE
    letters = letters_of(answer)
    if len(letters) < 2 or not _ONLY_LETTERS.fullmatch(letters):
        return QuestionKind.SINGLE
    if any(exact(option) == exact(answer) for option in options):
        raise ValueError(f"kind: {answer!r} is the text of one option and the letters of several")
    return QuestionKind.MULTIPLE


def judged(given: str, options: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Convert a true/false question: `true` is always the first option.

    A letter as answer means the option of that column.

    Raises: ValueError.
    """
    shown = tuple(words("judge")["options"])
    meant = given.upper()
    if options:
        if len(options) != 2 or {_right_or_wrong(option) for option in options} != {True, False}:
            raise ValueError("options: a judgement has right and wrong")
        if meant in _NAMES_OF_TWO:
            meant = options[_NAMES_OF_TWO.index(meant) % 2].upper()
    verdict = _right_or_wrong(meant)
    if verdict is None:
        raise ValueError(f"answer: {given!r} is neither right nor wrong")
    return shown, (0,) if verdict else (1,)


def _right_or_wrong(word: str) -> bool | None:
    table = words("judge")
    if word.upper() in table["right"]:
        return True
    return False if word.upper() in table["wrong"] else None
