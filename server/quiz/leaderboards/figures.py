"""Formats scores and times: one rule for chat, boards and results.

The mini-program has the same rule in logic/figures.ts; tests/quiz/figures.json checks both. Figures
are truncated, never rounded up, so that none looks better than the value the board compares.
"""

from __future__ import annotations

from server.base.texts import Texts

_SECOND_MS = 1000
# Means are stored in 1/10,000 of a point; the margin corrects floating-point error.
_HUNDREDTHS, _MARGIN = 100, 1e-6


def say_duration(texts: Texts, milliseconds: int) -> str:
    """A duration in whole minutes and seconds: `1 分 23 秒`, under a minute `23 秒`."""
    minutes, seconds = divmod(milliseconds // _SECOND_MS, 60)
    if minutes:
        return texts.fill_text("quiz.duration.minutes", minutes=minutes, seconds=seconds)
    return texts.fill_text("quiz.duration.seconds", seconds=seconds)


def say_score(score: float) -> str:
    """A score with at most two decimals: `50`, `12.5`, `12.34`."""
    return f"{_whole_hundredths(score) / _HUNDREDTHS:.2f}".rstrip("0").rstrip(".")


def points_between(above: float, mine: float) -> float:
    """The difference of two displayed scores; at least 0.01 when the real ones differ."""
    if above <= mine:
        return 0.0
    return max(1, _whole_hundredths(above) - _whole_hundredths(mine)) / _HUNDREDTHS


def time_between(mine_ms: int, above_ms: int) -> int:
    """The difference of two displayed times, in milliseconds of whole seconds."""
    return (mine_ms // _SECOND_MS - above_ms // _SECOND_MS) * _SECOND_MS


def _whole_hundredths(score: float) -> int:
    return int(score * _HUNDREDTHS + _MARGIN)
