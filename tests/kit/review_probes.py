"""Probes of the review desk for the matrix role × route × owner."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from server.base.access import Scope
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork
from server.quiz.enums import QuestionState, VoidState, WordsState
from server.quiz.models import Contest, Question, QuestionReport, QuestionVoid
from tests.kit.boards import people
from tests.kit.console_matrix import Probe, list_probes
from tests.kit.contests import a_contest
from tests.kit.question_probes import make_question


def a_reported(uow: UnitOfWork, owner: Scope, published: bool) -> Mapping[str, str]:
    """A question with an open report."""
    state = QuestionState.LIVE if published else QuestionState.DRAFT
    ref = make_question(uow, owner, state)["ref"]
    question = uow.session.scalars(select(Question).where(Question.ref == ref)).one()
    (citizen,) = people(uow, 1)
    uow.session.add(
        QuestionReport(
            ref=uow.new_ref("rep"), citizen_id=citizen, question_id=question.id,
            reason="第二个选项也对", words=WordsState.PASSED, made_at=uow.now,
        )
    )  # fmt: skip
    uow.session.flush()
    return {"ref": ref, "number": "1"}


def make_void(uow: UnitOfWork, owner: Scope, state: VoidState) -> str:
    """The ref of a void in a contest of a place."""
    contest = uow.session.get_one(Contest, a_contest(uow).id)
    for name, value in owned_by(owner).items():
        setattr(contest, name, value)
    ref = a_reported(uow, owner, published=True)["ref"]
    question = uow.session.scalars(select(Question).where(Question.ref == ref)).one()
    void = QuestionVoid(
        ref=uow.new_ref("vod"), contest_id=contest.id, question_id=question.id, state=state,
        reason="答案有误", proposer_id=0, proposed_at=uow.now, **owned_by(owner),
        from_marking=1 if state is VoidState.IN_FORCE else None,
    )  # fmt: skip
    uow.session.add(void)
    uow.session.flush()
    return void.ref


def a_proposed(uow: UnitOfWork, owner: Scope, _published: bool) -> Mapping[str, str]:
    return {"ref": make_void(uow, owner, VoidState.PROPOSED)}


def one_in_force(uow: UnitOfWork, owner: Scope, _published: bool) -> Mapping[str, str]:
    return {"ref": make_void(uow, owner, VoidState.IN_FORCE)}


REASON = {"reason": "核对过了"}
REVIEW_PROBES = {
    "GET /review": Probe(make=a_reported, shows="ref"),
    **list_probes("/review"),
    # A county sees the statistics of a live question of the region, without key and reports.
    "GET /review/<ref>/<number>": Probe(make=a_reported, upward=True),
    "GET /review/<ref>/<number>/answer": Probe(make=a_reported),
    "POST /review/<ref>/<number>/answer": Probe(
        make=a_reported, form={"decision": "no_fault", "answer": "没有错误"}
    ),
    "GET /review/<ref>/<number>/void": Probe(make=a_reported, upward=True),
    # Nobody has chosen a contest.
    "POST /review/<ref>/<number>/void": Probe(
        make=a_reported, upward=True, form=REASON, answers=422
    ),
    "GET /review/voids/<ref>/decision": Probe(make=a_proposed),
    "POST /review/voids/<ref>/decision": Probe(
        make=a_proposed, form={**REASON, "decision": "approve"}
    ),
    "GET /review/voids/<ref>/lift": Probe(make=one_in_force),
    "POST /review/voids/<ref>/lift": Probe(make=one_in_force, form=REASON),
}
