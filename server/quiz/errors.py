"""Errors of the contest."""

from __future__ import annotations

from server.base.errors import AlreadyDone, Conflict, Unavailable


class ContestNotOpen(Conflict):
    """The contest has not started."""

    code = "contest_not_open"


class ContestClosed(Conflict):
    """The contest is over."""

    code = "contest_closed"


class ContestPaused(Conflict):
    """The organizers have paused the contest; open papers can be finished."""

    code = "contest_paused"


class NoAttemptsLeft(Conflict):
    """The citizen has used all papers of this day, or of the contest."""

    code = "no_attempts_left"


class BankTooSmall(Conflict):
    """The bank has too few live questions for a paper."""

    code = "bank_too_small"


class DivisionNeeded(Conflict):
    """The first paper of a contest with divisions needs the chosen one."""

    code = "division_needed"


class DivisionFixed(Conflict):
    """The division was chosen with the first paper and cannot change."""

    code = "division_fixed"


class WarmUpFirst(Conflict):
    """The contest requires practice before the first paper; `left` questions are missing."""

    code = "warm_up_first"


class AttemptClosed(Conflict):
    """The paper is submitted or out of time."""

    code = "attempt_closed"


class AnswerFirst(Conflict):
    """The current question still has time and no answer."""

    code = "answer_first"


class NoMoreQuestions(Conflict):
    """Every question of the paper has been opened."""

    code = "no_more_questions"


class OwnContestDraft(Conflict):
    """An organizer publishes only drafts of others."""

    code = "own_contest_draft"


class ContestPublished(AlreadyDone):
    """The contest is published already, so it is no draft any more."""

    code = "contest_published"


class ContestCannotFill(Conflict):
    """The bank has too few live questions for the contest's papers."""

    code = "contest_cannot_fill"


class ContestOver(Conflict):
    """The contest would be over when it is published."""

    code = "contest_over"


class ContestNotRunning(AlreadyDone):
    """Only a running contest can be paused or closed."""

    code = "contest_not_running"


class ContestNotPaused(AlreadyDone):
    """Only a paused contest can be resumed."""

    code = "contest_not_paused"


class NoSuchPreset(Conflict):
    """No preset rules have this name."""

    code = "no_such_preset"


class NoSuchProgramme(Conflict):
    """The running campaign has no such programme, or the programme has no dates."""

    code = "no_such_programme"


class RulesRefused(Conflict):
    """The rules are invalid; `reasons` says why."""

    code = "rules_refused"


class ReasonRefused(Conflict):
    """WeChat's content check refused the text."""

    code = "reason_refused"


class FlagsCleared(AlreadyDone):
    """Every flag of this citizen was checked already."""

    code = "flags_cleared"


class NotHeld(AlreadyDone):
    """The result is not held, or the hold has been decided already."""

    code = "not_held"


class AlreadyHeld(AlreadyDone):
    """The results of this citizen are held already."""

    code = "already_held"


class OwnHold(Conflict):
    """The organizer who held the results cannot decide about them."""

    code = "own_hold"


class VoidPending(AlreadyDone):
    """The question is void in this contest already, or its void waits for a decision."""

    code = "void_pending"


class NoContestChosen(Conflict):
    """A void concerns at least one contest."""

    code = "no_contest_chosen"


class WrongVoidState(AlreadyDone):
    """The void is in another state; somebody else may have decided."""

    code = "wrong_void_state"


class OwnVoid(Conflict):
    """The organizer who proposed a void or wrote the question does not decide about the void."""

    code = "own_void"


class NothingToAnswer(AlreadyDone):
    """The question has no open report and no sign of doubt."""

    code = "nothing_to_answer"


class AttemptOpen(Conflict):
    """The paper is still open, so it has no result."""

    code = "attempt_open"


class PosterNotReady(Unavailable):
    """The poster's code does not exist yet, because WeChat was unavailable."""

    code = "poster_not_ready"


class QuestionInReview(AlreadyDone):
    """The question waits for review and cannot be changed."""

    code = "question_in_review"


class WrongQuestionStage(AlreadyDone):
    """The question is in another stage; somebody else may have decided."""

    code = "wrong_question_stage"


class OwnQuestion(Conflict):
    """The organizer who wrote a question does not approve it."""

    code = "own_question"


class FreezeTooEarly(Conflict):
    """A freeze begins at least a minute ahead, so that no open transaction can miss it."""

    code = "freeze_too_early"


class FreezeBegun(AlreadyDone):
    """The board is frozen already."""

    code = "freeze_begun"


class NoFreeze(AlreadyDone):
    """The contest has no freeze that could be lifted."""

    code = "no_freeze"


class SealTooEarly(Conflict):
    """The contest is not over yet, or ended less than a minute ago."""

    code = "seal_too_early"


class PapersStillOpen(Conflict):
    """`count` papers are still open or being closed."""

    code = "papers_still_open"


class CasesStillOpen(Conflict):
    """`count` holds are undecided, and the organizer has not accepted that."""

    code = "cases_still_open"


class AlreadySealed(AlreadyDone):
    """The contest has sealed ranks; changes become new versions by themselves."""

    code = "already_sealed"


class SealWaits(Conflict):
    """Results were changed a moment ago, and the version that contains it is being made."""

    code = "seal_waits"


class NotSealDraft(AlreadyDone):
    """The version is not the draft that waits for publication."""

    code = "not_seal_draft"


class OwnSealing(Conflict):
    """Final ranks are published by another organizer than the one who sealed them."""

    code = "own_sealing"


class OwnSealChange(Conflict):
    """A version is not published by the organizer whose change of results it contains."""

    code = "own_seal_change"
