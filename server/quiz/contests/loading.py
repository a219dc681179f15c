"""Opens contests, or updates them: all or nothing, and nothing when repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from server.base.access import REGION, Scope
from server.base.ownership import owned_by
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.quiz.bank import service as banks
from server.quiz.bank.drawing import find_shortages
from server.quiz.models import Attempt, Contest, Entry, RuleSetRow
from server.quiz.rule_check import RuleSetRefused, read_rule_set


@dataclass(frozen=True, kw_only=True)
class ContestPlan:
    """A planned contest; `body` is its rule set, `left_out` are refs it never deals."""

    slug: str
    title: str
    programme_slug: str | None
    bank: str
    opens_at: datetime
    closes_at: datetime
    body: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
    # The owner of a new contest; an existing one keeps its owner.
    owner: Scope = REGION


def set_contest(uow: UnitOfWork, plan: ContestPlan) -> str:
    """Open a contest, or update the one with this slug; return its public id.

    Raises: RuleSetRefused when its rules or its bank cannot fill a paper.
    """
    rules = read_rule_set(plan.body)
    reasons = _cannot_fill(uow, plan) + _other_bank(uow, plan) + _other_divisions(uow, plan)
    if plan.opens_at >= plan.closes_at:
        reasons.append("window: it closes before it opens")
    if reasons:
        raise RuleSetRefused(reasons)
    facts = {
        "title": plan.title,
        "programme_slug": plan.programme_slug,
        "bank": plan.bank,
        "opens_at": plan.opens_at,
        "closes_at": plan.closes_at,
        "left_out": list(plan.left_out),
    }
    fresh = insert_for(uow.session, Contest).values(
        ref=uow.new_ref("con"),
        slug=plan.slug,
        made_at=uow.now,
        published_at=uow.now,
        **facts,
        **owned_by(plan.owner),
    )
    contest_id, ref = uow.session.execute(
        fresh.on_conflict_do_update(index_elements=["slug"], set_=facts).returning(
            Contest.id, Contest.ref
        )
    ).one()
    _put_in_force(uow, contest_id, rules.version, plan)
    return str(ref)


def _cannot_fill(uow: UnitOfWork, plan: ContestPlan) -> list[str]:
    rules = read_rule_set(plan.body)
    live = banks.bank_of(uow, plan.bank).live
    dealt = [item for item in live if item.ref not in plan.left_out]
    lines = [
        f"bank {plan.bank}: {part.kind or 'questions'}: {part.count} wanted, {there} there"
        for key in [None, *(one.key for one in rules.divisions)]
        for part, there in find_shortages(rules.parts_for(key), dealt)
    ]
    return list(dict.fromkeys(lines))


def _other_divisions(uow: UnitOfWork, plan: ContestPlan) -> list[str]:
    """Refuse to add, remove or rename divisions: the citizens of existing entries chose one."""
    keys = {one.key for one in read_rule_set(plan.body).divisions}
    entered = select(Entry.division).join(Contest, Contest.id == Entry.contest_id)
    chosen = set(uow.session.scalars(entered.where(Contest.slug == plan.slug).distinct()))
    fitting = chosen <= keys if keys else chosen <= {None}
    return [] if fitting else ["divisions: papers have been dealt in others"]


def _other_bank(uow: UnitOfWork, plan: ContestPlan) -> list[str]:
    """Refuse another bank: existing papers refer to the old bank's questions."""
    dealt = (
        select(Contest.bank)
        .join(Attempt, Attempt.contest_id == Contest.id)
        .where(Contest.slug == plan.slug, Contest.bank != plan.bank)
    )
    banks_dealt = uow.session.scalars(dealt.limit(1)).all()
    return [f"bank: papers have been dealt from {bank}" for bank in banks_dealt]


def _put_in_force(uow: UnitOfWork, contest_id: int, version: str, plan: ContestPlan) -> None:
    newest = uow.session.scalar(
        select(RuleSetRow.version)
        .where(RuleSetRow.contest_id == contest_id)
        .order_by(RuleSetRow.valid_from.desc(), RuleSetRow.id.desc())
        .limit(1)
    )
    if newest == version:
        return
    # The first rules also hold for the past of a contest that is loaded after its opening.
    valid_from = min(uow.now, plan.opens_at) if newest is None else uow.now
    fresh = insert_for(uow.session, RuleSetRow).values(
        contest_id=contest_id, version=version, body=dict(plan.body), valid_from=valid_from
    )
    uow.session.execute(
        fresh.on_conflict_do_update(
            index_elements=["contest_id", "version"], set_={"valid_from": uow.now}
        )
    )
