"""The words that tables, rules and answers of the contest share."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """How a question is answered."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    JUDGE = "judge"


class QuestionState(StrEnum):
    """Where a version of a question stands; only live ones are drawn."""

    DRAFT = "draft"
    LIVE = "live"
    RETIRED = "retired"


class AttemptState(StrEnum):
    """Open, handed in by the citizen, or closed by the clock."""

    OPEN = "open"
    SUBMITTED = "submitted"
    EXPIRED = "expired"


class Timer(StrEnum):
    """What the clock runs for: the whole paper, or each item as it is opened."""

    PAPER = "paper"
    ITEM = "item"


class Season(StrEnum):
    """How the papers of a season become one figure."""

    BEST = "best_single_paper"
    SUM_OF_DAILY_BEST = "sum_of_daily_best"
    SUM = "sum_of_scores"
    MEAN = "mean_of_papers"
    LAST = "last_paper"


class WordsState(StrEnum):
    """What WeChat's content check said of a citizen's words."""

    PASSED = "passed"
    REVIEW = "review"
    UNCHECKED = "unchecked"
