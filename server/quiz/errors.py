"""The refusals of the contest."""

from __future__ import annotations

from server.base.errors import Conflict, Unavailable


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


class ReasonRefused(Conflict):
    """WeChat's content check holds these words for unfit."""

    code = "reason_refused"


class AttemptOpen(Conflict):
    """A paper that is not over has nothing to show yet."""

    code = "attempt_open"


class PosterNotReady(Unavailable):
    """The code on the poster is not there yet, because WeChat was away."""

    code = "poster_not_ready"
