"""Converts results of the services to API types."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias, cast

from msgspec import UNSET, UnsetType

from server.base.web.schema import fill_from
from server.quiz.attempts.closing import Result
from server.quiz.attempts.contest_progress import ContestProgress
from server.quiz.attempts.papers import KEYS, Slot
from server.quiz.attempts.progress import SeasonProgress
from server.quiz.attempts.records import Record
from server.quiz.attempts.schemas import (
    AttemptOut,
    ContestMeOut,
    ContestOut,
    ContestRulesOut,
    DivisionOut,
    OptionOut,
    PictureOut,
    QuestionOut,
    RanksOut,
    RecordOut,
    ResultOut,
    ReviewOut,
)
from server.quiz.attempts.service import AttemptView
from server.quiz.bank.drawing import Item
from server.quiz.contests.service import ContestView
from server.quiz.enums import Timer
from server.quiz.rules import RuleSet, whole_milliseconds
from server.units import service as units

# The caller's options in a contest, and results in it.
OwnProgress: TypeAlias = tuple[ContestProgress, SeasonProgress]


def contest_out(contest: ContestView, now: datetime, own: OwnProgress | None) -> ContestOut:
    """A contest, with the caller's progress."""
    return fill_from(
        contest,
        ContestOut,
        id=contest.ref,
        programme=contest.programme_slug,
        state=contest.state_at(now),
        rules=_rules_out(contest.rules),
        me=None if own is None else _own_progress_out(now, *own),
    )


def _rules_out(rules: RuleSet) -> ContestRulesOut:
    return fill_from(
        rules,
        ContestRulesOut,
        rules_version=rules.version,
        warm_up_questions=rules.warm_up_questions or None,
        divisions=[fill_from(one, DivisionOut) for one in rules.divisions],
    )


def _own_progress_out(
    now: datetime, tries: ContestProgress, reached: SeasonProgress
) -> ContestMeOut:
    ends = tries.open_deadline
    return fill_from(
        tries,
        ContestMeOut,
        open_attempt_id=tries.open_attempt_ref,
        open_remaining_ms=None if ends is None else whole_milliseconds(ends - now),
        total=reached.total,
        today_score=reached.today_score,
        rank=reached.rank,
        behind_next=reached.behind_next,
        behind_next_ms=reached.behind_next_ms,
    )


def record_out(record: Record) -> RecordOut:
    """A closed paper in a list."""
    return fill_from(record, RecordOut, id=record.ref, contest=record.contest_ref)


def question_out(slot: Slot, *, timed: bool) -> QuestionOut:
    """A question of a paper, without anything about its key."""
    return QuestionOut(
        id=slot.item.ref,
        kind=slot.item.kind.value,
        stem=slot.item.stem,
        options=[
            OptionOut(key=KEYS[at], text=slot.item.options[option])
            for at, option in enumerate(slot.order)
        ],
        picture=picture_out(slot.item),
        deadline=slot.deadline_at if timed and slot.opened_at is not None else UNSET,
    )


def picture_out(item: Item) -> PictureOut | UnsetType:
    """The picture of a question; unset without one."""
    return UNSET if item.picture is None else fill_from(item.picture, PictureOut)


def attempt_out(view: AttemptView) -> AttemptOut:
    """A paper, with its result once it is closed."""
    sheet, timed = view.sheet, view.rules.timer is Timer.ITEM
    return AttemptOut(
        id=sheet.ref,
        contest_id=sheet.contest_ref,
        state=(sheet if view.result is None else view.result).state.value,
        rules_version=sheet.rules_version,
        timer=view.rules.timer.value,
        started_at=sheet.started_at,
        deadline=sheet.deadline_at,
        remaining_ms=whole_milliseconds(view.remaining_time),
        question_count=view.rules.question_count,
        questions=[question_out(slot, timed=timed) for slot in view.shown_slots],
        answers=view.answers,
        **({} if view.result is None else _result_fields(view.result)),
    )


def result_out(view: AttemptView) -> ResultOut:
    """The result of a closed paper."""
    if view.result is None:
        raise ValueError("an open paper has no result")
    return ResultOut(
        id=view.sheet.ref,
        contest_id=view.sheet.contest_ref,
        state=cast(Literal["submitted", "expired"], view.result.state.value),
        question_count=view.result.question_count,
        **_result_fields(view.result),
    )


def _ranks_out(result: Result) -> RanksOut:
    ranks = result.ranks
    city = units.load_regions().find_city(ranks.city or "")
    return RanksOut(
        kind=ranks.kind.value,
        region=ranks.region,
        city=ranks.city_rank,
        city_name=None if city is None else city.name,
    )


def _result_fields(result: Result) -> dict[str, Any]:
    return {
        "closed_at": result.closed_at,
        "score": result.score,
        "max_score": result.max_score,
        "correct_count": result.correct_count,
        "duration_ms": result.duration_ms,
        "personal_best": result.personal_best,
        "ranks": _ranks_out(result),
        "review": [
            ReviewOut(
                question_id=one.question_ref,
                chosen=one.chosen,
                correct=one.correct,
                explanation=one.explanation,
                voided=one.voided,
            )
            for one in result.review
        ],
    }
