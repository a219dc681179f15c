"""Stores questions and opens contests: all or nothing, and nothing when repeated.

A question with changed content becomes a new version; papers keep the version they were dealt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from server.base.access import REGION, Scope
from server.base.ownership import owned_by, scope_of
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.quiz.bank import service as banks
from server.quiz.bank.drawing import shortages
from server.quiz.bank.question_files import Draft, Problem
from server.quiz.bank.question_text import likeness, sameness
from server.quiz.enums import QuestionState
from server.quiz.models import Attempt, Bank, Contest, Entry, Question, RuleSetRow
from server.quiz.rule_check import RuleSetRefused, read_rule_set

_CONTENT = (
    "kind",
    "topic",
    "benchmark_no",
    "benchmark",
    "difficulty",
    "audience",
    "stem",
    "options",
    "answer",
    "explanation",
    "source",
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The changes that a file would make to a bank."""

    added: list[Draft] = field(default_factory=list)
    changed: list[tuple[Draft, Question]] = field(default_factory=list)
    unchanged: list[Question] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


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


def lock_bank(uow: UnitOfWork, slug: str, owner: Scope = REGION) -> None:
    """Lock a bank until commit; create it for `owner` if it does not exist."""
    fresh = insert_for(uow.session, Bank).values(
        slug=slug, revision=uow.new_ref("rev"), **owned_by(owner)
    )
    uow.session.execute(fresh.on_conflict_do_nothing())
    uow.session.execute(select(Bank.slug).where(Bank.slug == slug).with_for_update())


def compare(uow: UnitOfWork, slug: str, drafts: Iterable[Draft]) -> Comparison:
    """Compare a file's questions with each other and with the bank.

    Only identical texts make two questions the same; similar ones cause a warning.
    """
    latest = _latest_versions(uow)
    here = [row for row in latest.values() if row.bank == slug]
    known = {sameness(row.stem, row.options): row.ref for row in here}
    like = {likeness(row.stem, row.options): f"{row.ref} of the bank" for row in here}
    made = Comparison()
    lines: dict[str, int] = {}
    for given in drafts:
        draft = _by_its_words(given, known)
        reason = _find_repetition(draft, lines) or _find_clash(draft, slug, latest, known)
        row = latest.get(draft.ref)
        if reason:
            made.problems.append(Problem(line=draft.line, reason=reason))
            continue
        doubt = _find_likeness(draft, like)
        if doubt:
            made.warnings.append(Problem(line=draft.line, reason=doubt))
        if row is None:
            made.added.append(draft)
        elif _content_of_draft(draft) != _content_of_row(row):
            made.changed.append((draft, row))
        else:
            made.unchanged.append(row)
    return made


def _by_its_words(draft: Draft, known: Mapping[str, str]) -> Draft:
    """A question without an id is matched with the identical one of the bank."""
    ref = known.get(draft.sameness)
    return draft if draft.has_own_ref or ref is None else replace(draft, ref=ref)


def _find_likeness(draft: Draft, like: dict[str, str]) -> str | None:
    other = like.setdefault(draft.likeness, f"line {draft.line}")
    if other in (f"line {draft.line}", f"{draft.ref} of the bank"):
        return None
    return f"the question is nearly the same as {other}"


def _latest_versions(uow: UnitOfWork) -> dict[str, Question]:
    rows = uow.session.scalars(select(Question).order_by(Question.ref, Question.version))
    return {row.ref: row for row in rows}


def _find_repetition(draft: Draft, lines: dict[str, int]) -> str | None:
    for name, mark in (("id", f"ref {draft.ref}"), ("question", draft.sameness)):
        first = lines.setdefault(mark, draft.line)
        if first != draft.line:
            return f"the same {name} as in line {first}"
    return None


def _find_clash(
    draft: Draft, slug: str, latest: Mapping[str, Question], known: Mapping[str, str]
) -> str | None:
    row = latest.get(draft.ref)
    if row is not None and row.bank != slug:
        return f"id {draft.ref} belongs to the bank {row.bank}"
    other = known.get(draft.sameness)
    if other is not None and other != draft.ref:
        return f"the bank has this question as {other}"
    return None


def _content_of_draft(draft: Draft) -> dict[str, Any]:
    named = {name: getattr(draft, name) for name in _CONTENT}
    return {**named, "options": list(draft.options), "answer": list(draft.answer)}


def _content_of_row(row: Question) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _CONTENT}


def store(uow: UnitOfWork, slug: str, found: Comparison) -> None:
    """Publish a file's changes under the caller's lock; questions get the bank's owner."""
    gone = [row.id for _, row in found.changed if row.state is QuestionState.LIVE]
    _set_state(uow, gone, QuestionState.RETIRED)
    rows = [(draft, 1) for draft in found.added]
    rows += [(draft, row.version + 1) for draft, row in found.changed]
    if rows:
        bank = uow.session.scalars(select(Bank).where(Bank.slug == slug)).one()
        owner = owned_by(scope_of(bank))
        uow.session.execute(
            insert(Question),
            [
                {
                    **_content_of_draft(draft),
                    "ref": draft.ref,
                    "version": version,
                    "bank": slug,
                    "state": QuestionState.LIVE,
                    "made_at": uow.now,
                    **owner,
                }
                for draft, version in rows
            ],
        )
    revived = [row.id for row in found.unchanged if row.state is not QuestionState.LIVE]
    _set_state(uow, revived, QuestionState.LIVE)
    if rows or revived:
        banks.changed(uow, slug)


def _set_state(uow: UnitOfWork, ids: list[int], state: QuestionState) -> None:
    for start in range(0, len(ids), 500):
        uow.session.execute(
            update(Question).where(Question.id.in_(ids[start : start + 500])).values(state=state)
        )


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
        ref=uow.new_ref("con"), slug=plan.slug, made_at=uow.now, **facts, **owned_by(plan.owner)
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
        for part, there in shortages(rules.parts_for(key), dealt)
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
