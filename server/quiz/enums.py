"""Enumerations shared by tables, rules and responses of the contest."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class QuestionKind(StrEnum):
    """The kind of a question."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    JUDGE = "judge"


class QuestionState(StrEnum):
    """State of a question version; only live ones are drawn."""

    DRAFT = "draft"
    LIVE = "live"
    RETIRED = "retired"


class QuestionStage(StrEnum):
    """Stage of a question version for organizers: a sent draft waits for review."""

    DRAFT = "draft"
    REVIEW = "review"
    LIVE = "live"
    RETIRED = "retired"


class AttemptState(StrEnum):
    """Open, submitted by the citizen, or closed at the deadline."""

    OPEN = "open"
    SUBMITTED = "submitted"
    EXPIRED = "expired"


class Tally(IntEnum):
    """State of a paper in the statistics of questions: included or not.

    A paper of a held entry is subtracted from them, and added again when the entry is released.
    """

    DUE = 0
    COUNTED = 1
    TO_REMOVE = 2
    LEFT_OUT = 3


class DoubtSign(StrEnum):
    """A sign that a question is faulty, found by the rules of `review/item_rules.py`."""

    NEGATIVE = "negative"
    DISTRACTOR = "distractor"
    GUESSED = "guessed"


class VoidState(StrEnum):
    """State of a void."""

    PROPOSED = "proposed"
    REFUSED = "refused"
    IN_FORCE = "in_force"
    LIFTED = "lifted"


class RescoringStage(StrEnum):
    """The next step of a rescoring."""

    PAPERS = "papers"
    RANKS = "ranks"
    LETTERS = "letters"
    DONE = "done"


class ReportDecision(StrEnum):
    """The answer to the reports about a question."""

    NO_FAULT = "no_fault"
    MENDED = "mended"
    VOIDED = "voided"


class Timer(StrEnum):
    """Scope of the time limit: the whole paper, or each question after it was opened."""

    PAPER = "paper"
    ITEM = "item"


class Season(StrEnum):
    """The rule that combines the papers of a season into one total."""

    BEST = "best_single_paper"
    SUM_OF_DAILY_BEST = "sum_of_daily_best"
    SUM = "sum_of_scores"
    MEAN = "mean_of_papers"
    LAST = "last_paper"
    PAPERS = "papers_handed_in"


class WordsState(StrEnum):
    """Verdict of WeChat's content check on a citizen's text."""

    PASSED = "passed"
    REVIEW = "review"
    UNCHECKED = "unchecked"


class Signal(StrEnum):
    """A sign of cheating, found by the rules of `integrity/rules.py`."""

    SPEED = "speed"
    SAME_ANSWERS = "same_answers"
    SHARED_DEVICE = "shared_device"
    PERFECT_HOUR = "perfect_hour"
    IMPOSSIBLE = "impossible"


class CaseState(StrEnum):
    """State of a hold."""

    HELD = "held"
    APPEALED = "appealed"
    UPHELD = "upheld"
    RELEASED = "released"


class BoardState(StrEnum):
    """State of a board: live, frozen, closed before the sealing, or final."""

    LIVE = "live"
    FROZEN = "frozen"
    CLOSED = "closed"
    FINAL = "final"


class SealState(StrEnum):
    """State of a version of final ranks; see `SealedVersion`."""

    BUILDING = "building"
    DRAFT = "draft"
    PUBLISHED = "published"
    REPLACED = "replaced"
    DROPPED = "dropped"
