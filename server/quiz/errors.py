"""The refusals of the contest."""

from __future__ import annotations

from server.base.errors import Conflict


class ContestNotOpen(Conflict):
    """The contest has not begun."""

    code = "contest_not_open"


class ContestClosed(Conflict):
    """The contest is over."""

    code = "contest_closed"


class NoAttemptsLeft(Conflict):
    """The citizen has used the papers of this day, or of the whole contest."""

    code = "no_attempts_left"


class BankTooSmall(Conflict):
    """The live questions cannot fill a paper."""

    code = "bank_too_small"


class AttemptClosed(Conflict):
    """The paper is handed in or its time is up."""

    code = "attempt_closed"


class AnswerFirst(Conflict):
    """The item on the screen still has time and no answer."""

    code = "answer_first"


class NoMoreQuestions(Conflict):
    """Every item of the paper has been opened."""

    code = "no_more_questions"


class NoSuchPreset(Conflict):
    """There are no rules under this name."""

    code = "no_such_preset"


class NoSuchProgramme(Conflict):
    """The running campaign has no such programme, or it has no dates."""

    code = "no_such_programme"


class RulesRefused(Conflict):
    """The rules cannot be used; `reasons` says why."""

    code = "rules_refused"
