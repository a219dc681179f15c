"""How a score and a time are said: one rule for chat, boards and results.

The mini-program has the same rule in logic/figures.ts; both are held by tests/quiz/figures.json.
Figures are cut, never rounded up, so that nobody reads a better one than the board compares.
"""

from __future__ import annotations

from server.base.texts import Texts

_SECOND_MS = 1000
# Standings count a mean in 1/10,000 of a point; the margin undoes the error of the division.
_HUNDREDTHS, _MARGIN = 100, 1e-6


def say_duration(texts: Texts, milliseconds: int) -> str:
    """A time used, in whole minutes and seconds: `1 分 23 秒`, under a minute `23 秒`."""
    minutes, seconds = divmod(milliseconds // _SECOND_MS, 60)
    if minutes:
        return texts.say("quiz.duration.minutes", minutes=minutes, seconds=seconds)
    return texts.say("quiz.duration.seconds", seconds=seconds)


def say_score(score: float) -> str:
    """A score with at most two decimals: `50`, `12.5`, `12.34`."""
    cut = int(score * _HUNDREDTHS + _MARGIN) / _HUNDREDTHS
    return f"{cut:.2f}".rstrip("0").rstrip(".")
