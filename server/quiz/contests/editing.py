"""Actions of organizers on contests: draft, change, publish, pause, resume, close.

Drafts belong to the organizer's place and are invisible to citizens. Once a paper has been dealt
only changes that cannot harm it are accepted (harmless.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError

from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import owned_by, scope_of, visible_to, writable_by
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused
from server.quiz.bank import service as banks
from server.quiz.contests.blueprint import BlueprintLine, check_blueprint
from server.quiz.contests.harmless import find_harm
from server.quiz.contests.service import ContestView, has_papers, rules_from
from server.quiz.errors import (
    ContestCannotFill,
    ContestNotPaused,
    ContestNotRunning,
    ContestOver,
    ContestPublished,
    OwnContestDraft,
)
from server.quiz.models import Bank, Contest, RuleSetRow
from server.quiz.rule_check import read_rule_set, version_of

_SUBJECT = "contest"
_MOST_DAYS = 400
_MOST_TITLES = 100


@dataclass(frozen=True, kw_only=True)
class ContestDraft:
    """The filled-in form of a contest; `body` is its rule set."""

    title: str
    programme_slug: str | None
    bank: str
    opens_at: datetime
    closes_at: datetime
    body: Mapping[str, Any]
    # Random, made with the form; empty for a plan that comes from no form.
    form_key: str = ""


@dataclass(frozen=True, kw_only=True)
class EditableContest:
    """A contest on its page in the console.

    `own` when the organizer may change it, `dealt` when papers exist, `drafted_by_me` when the
    organizer wrote the draft and so may not publish it; `returned` is the reason for its return.
    """

    view: ContestView
    body: Mapping[str, Any]
    state: str
    own: bool
    dealt: bool
    drafted_by_me: bool
    owner_place: str
    blueprint: Sequence[BlueprintLine]
    returned: str | None

    @property
    def is_draft(self) -> bool:
        """Whether nobody has published it, so that a change needs no reason."""
        return self.state in ("draft", "returned")


def state_of(contest: Contest, now: datetime) -> str:
    """`draft`, `returned`, `upcoming`, `open`, `paused` or `closed`."""
    if contest.published_at is None:
        return "draft" if contest.returned_reason is None else "returned"
    if now >= contest.closes_at:
        return "closed"
    if contest.paused_at is not None:
        return "paused"
    return "upcoming" if now < contest.opens_at else "open"


def select_contests(organizer: Organizer) -> Select[Any]:
    """The contests that an organizer may see, for lists."""
    return visible_to(select(Contest), organizer, Contest)


def visible_titles(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """Public id and title of the newest published contests that an organizer may see."""
    rows = select_contests(organizer).where(Contest.published_at.is_not(None))
    newest = uow.session.scalars(rows.order_by(Contest.opens_at.desc()).limit(_MOST_TITLES))
    return [(row.ref, row.title) for row in newest]


def show_contest(uow: UnitOfWork, organizer: Organizer, ref: str) -> EditableContest:
    """Return a contest with its rules and its blueprint.

    Raises: NotFound (404), also outside the organizer's scope.
    """
    contest = uow.session.scalar(select_contests(organizer).where(Contest.ref == ref))
    if contest is None:
        raise NotFound
    rules_row = _rules_in_force(uow, contest.id)
    view = _view_of(contest, rules_row)
    days = min(_MOST_DAYS, -(-(contest.closes_at - contest.opens_at) // timedelta(days=1)))
    dealt_from = [
        item for item in banks.bank_of(uow, contest.bank).live if item.ref not in contest.left_out
    ]
    return EditableContest(
        view=view,
        body=rules_row.body,
        state=state_of(contest, uow.now),
        own=organizer.scope.covers_scope(scope_of(contest)),
        dealt=has_papers(uow, contest.id),
        drafted_by_me=contest.drafted_by == organizer.id,
        owner_place=contest.owner,
        blueprint=check_blueprint(view.rules, dealt_from, days),
        returned=contest.returned_reason if contest.published_at is None else None,
    )


def list_banks(uow: UnitOfWork, organizer: Organizer) -> list[str]:
    """The banks whose questions an organizer may use: of the organizer's place and higher ones."""
    above = [*organizer.scope.above, organizer.scope.spelled]
    readable = visible_to(select(Bank.slug), organizer, Bank)
    higher = readable.where(Bank.owner.in_(above))
    return list(uow.session.scalars(higher.order_by(Bank.slug)))


def draft_contest(uow: UnitOfWork, organizer: Organizer, plan: ContestDraft) -> tuple[str, bool]:
    """Create a draft of the organizer's place; return its public id, and whether it is new.

    The same form sent again, and an equal draft of the same author, is no second draft.
    Raises: FieldRefused (422), RuleSetRefused.
    """
    rules = read_rule_set(plan.body)
    _check_window(plan.opens_at, plan.closes_at)
    _check_bank(uow, organizer, plan.bank)
    known = _find_same_draft(uow, organizer, plan)
    if known is not None:
        return known, False
    contest = _new_contest(uow, organizer, plan)
    try:
        with uow.open_savepoint():
            uow.session.add(contest)
            uow.session.flush()
    except IntegrityError:
        # The first of two equal requests has committed meanwhile.
        known = _find_same_draft(uow, organizer, plan)
        if known is None:
            raise
        return known, False
    uow.session.add(
        RuleSetRow(
            contest_id=contest.id, version=rules.version, body=dict(plan.body), valid_from=uow.now
        )
    )
    record_change(uow, organizer, "quiz.draft_contest", subject_of(contest), after=_facts_of(plan))
    return contest.ref, True


def _new_contest(uow: UnitOfWork, organizer: Organizer, plan: ContestDraft) -> Contest:
    ref = uow.new_ref("con")
    return Contest(
        ref=ref, slug=ref.replace("_", "-"), title=plan.title, bank=plan.bank,
        programme_slug=plan.programme_slug, opens_at=plan.opens_at, closes_at=plan.closes_at,
        made_at=uow.now, left_out=[], drafted_by=organizer.id, form_key=plan.form_key or None,
        **owned_by(organizer.scope),
    )  # fmt: skip


def _find_same_draft(uow: UnitOfWork, organizer: Organizer, plan: ContestDraft) -> str | None:
    """The contest that this form made, or an unpublished one of the same author that is equal."""
    mine = writable_by(select(Contest), organizer, Contest).where(
        Contest.drafted_by == organizer.id
    )
    if plan.form_key:
        made: Contest | None = uow.session.scalar(mine.where(Contest.form_key == plan.form_key))
        if made is not None:
            return made.ref
    alike = mine.where(
        Contest.published_at.is_(None), Contest.title == plan.title, Contest.bank == plan.bank,
        Contest.programme_slug == plan.programme_slug, Contest.opens_at == plan.opens_at,
        Contest.closes_at == plan.closes_at,
    )  # fmt: skip
    version = version_of(plan.body)
    for one in uow.session.scalars(alike.order_by(Contest.id.desc())):
        if _rules_in_force(uow, one.id).version == version:
            return str(one.ref)
    return None


def change_contest(
    uow: UnitOfWork, organizer: Organizer, ref: str, plan: ContestDraft, reason: str
) -> None:
    """Change a contest of the organizer's scope; the rules of dealt papers stay as they were.

    A draft, which citizens do not see, is changed without a reason.
    Raises: NotFound (404), FieldRefused (422), RuleSetRefused.
    """
    contest = lock_contest(uow, organizer, ref)
    if contest.published_at is not None and not reason:
        raise FieldRefused("reason", "console.form.reason_missing")
    before_row = _rules_in_force(uow, contest.id)
    before, after = rules_from(before_row.version, before_row.body), read_rule_set(plan.body)
    _check_window(plan.opens_at, plan.closes_at)
    if plan.bank != contest.bank:
        _check_bank(uow, organizer, plan.bank)
    if contest.sealed_at is not None and plan.closes_at != contest.closes_at:
        raise FieldRefused("closes_at", "quiz.harm.sealed")
    if has_papers(uow, contest.id):
        _refuse_harm(contest, plan, find_harm(before, after), uow.now)
    was = {"title": contest.title, "opens_at": contest.opens_at, "closes_at": contest.closes_at}
    for name in ("title", "programme_slug", "bank", "opens_at", "closes_at"):
        setattr(contest, name, getattr(plan, name))
    contest.returned_reason = None
    _put_in_force(uow, contest.id, before_row.version, plan.body)
    record_change(
        uow,
        organizer,
        "quiz.change_contest",
        subject_of(contest),
        before={**_as_json(was), "rules": before_row.body},
        after=_facts_of(plan),
        reason=reason,
    )


def publish_contest(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Publish a draft of another organizer; citizens see it from now on.

    Raises: NotFound (404), ContestPublished, OwnContestDraft, ContestCannotFill, ContestOver (409).
    """
    contest = lock_contest(uow, organizer, ref)
    if contest.published_at is not None:
        raise ContestPublished
    shown = show_contest(uow, organizer, ref)
    if shown.drafted_by_me:
        raise OwnContestDraft
    if not all(line.enough for line in shown.blueprint):
        raise ContestCannotFill
    if contest.closes_at <= uow.now:
        raise ContestOver
    contest.published_at, contest.returned_reason = uow.now, None
    record_change(uow, organizer, "quiz.publish_contest", subject_of(contest))


def pause_contest(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Stop new papers; open ones can be finished.

    Raises: NotFound (404), ContestNotRunning (409) unless it is running or upcoming.
    """
    contest = lock_contest(uow, organizer, ref)
    if state_of(contest, uow.now) not in ("open", "upcoming"):
        raise ContestNotRunning
    contest.paused_at = uow.now
    record_change(uow, organizer, "quiz.pause_contest", subject_of(contest), reason=reason)


def resume_contest(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Let papers start again.

    Raises: NotFound (404), ContestNotPaused (409).
    """
    contest = lock_contest(uow, organizer, ref)
    if state_of(contest, uow.now) != "paused":
        raise ContestNotPaused
    contest.paused_at = None
    record_change(uow, organizer, "quiz.resume_contest", subject_of(contest))


def close_contest(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """End a running contest now; papers that are open may still be submitted.

    Raises: NotFound (404), ContestNotRunning (409).
    """
    contest = lock_contest(uow, organizer, ref)
    if state_of(contest, uow.now) not in ("open", "paused") or contest.opens_at >= uow.now:
        raise ContestNotRunning
    before = contest.closes_at
    contest.closes_at, contest.paused_at = uow.now, None
    record_change(
        uow,
        organizer,
        "quiz.close_contest",
        subject_of(contest),
        before=_as_json({"closes_at": before}),
        after=_as_json({"closes_at": uow.now}),
        reason=reason,
    )


def lock_contest(uow: UnitOfWork, organizer: Organizer, ref: str) -> Contest:
    """Lock and return a contest that the organizer may change.

    Raises: NotFound (404).
    """
    asked = writable_by(select(Contest).where(Contest.ref == ref), organizer, Contest)
    contest: Contest | None = uow.session.scalar(asked.with_for_update())
    if contest is None:
        raise NotFound
    return contest


def _refuse_harm(contest: Contest, plan: ContestDraft, harm: list[str], now: datetime) -> None:
    changed = {
        "bank": plan.bank != contest.bank,
        "opens_at": plan.opens_at != contest.opens_at,
        "closes_at": plan.closes_at < max(contest.closes_at, now),
    }
    for name in (*harm, *(name for name, harms in changed.items() if harms)):
        raise FieldRefused(name, f"quiz.harm.{name}")


def _check_window(opens_at: datetime, closes_at: datetime) -> None:
    if opens_at >= closes_at:
        raise FieldRefused("closes_at", "quiz.contest.form.window")
    if closes_at - opens_at > timedelta(days=_MOST_DAYS):
        raise FieldRefused("closes_at", "quiz.contest.form.window_long")


def _check_bank(uow: UnitOfWork, organizer: Organizer, bank: str) -> None:
    if bank not in list_banks(uow, organizer):
        raise FieldRefused("bank", "quiz.contest.form.no_bank")


def _rules_in_force(uow: UnitOfWork, contest_id: int) -> RuleSetRow:
    newest = (
        select(RuleSetRow)
        .where(RuleSetRow.contest_id == contest_id)
        .order_by(RuleSetRow.valid_from.desc(), RuleSetRow.id.desc())
        .limit(1)
    )
    return uow.session.scalars(newest).one()


def _put_in_force(uow: UnitOfWork, contest_id: int, version: str, body: Mapping[str, Any]) -> None:
    after = version_of(body)
    if after == version:
        return
    again = update(RuleSetRow).where(
        RuleSetRow.contest_id == contest_id, RuleSetRow.version == after
    )
    renewed = uow.session.execute(again.values(valid_from=uow.now).returning(RuleSetRow.id)).all()
    if not renewed:
        uow.session.add(
            RuleSetRow(contest_id=contest_id, version=after, body=dict(body), valid_from=uow.now)
        )


def _view_of(contest: Contest, rules_row: RuleSetRow) -> ContestView:
    return ContestView(
        id=contest.id,
        ref=contest.ref,
        slug=contest.slug,
        title=contest.title,
        programme_slug=contest.programme_slug,
        bank=contest.bank,
        opens_at=contest.opens_at,
        closes_at=contest.closes_at,
        rules=rules_from(rules_row.version, rules_row.body),
        valid_from=rules_row.valid_from,
        paused=contest.paused_at is not None,
        left_out=frozenset(contest.left_out),
    )


def describe_contest(uow: UnitOfWork, contest: Contest) -> dict[str, object]:
    """A contest with its rules, as the audit trail keeps it."""
    was = {
        "title": contest.title, "bank": contest.bank, "opens_at": contest.opens_at,
        "closes_at": contest.closes_at,
    }  # fmt: skip
    return {**_as_json(was), "rules": _rules_in_force(uow, contest.id).body}


def subject_of(contest: Contest) -> Subject:
    """A contest as an object of the audit trail."""
    return Subject(_SUBJECT, contest.ref, place=scope_of(contest))


def _facts_of(plan: ContestDraft) -> dict[str, object]:
    window = {"opens_at": plan.opens_at, "closes_at": plan.closes_at}
    return {"title": plan.title, "bank": plan.bank, **_as_json(window), "rules": dict(plan.body)}


def _as_json(facts: Mapping[str, Any]) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in facts.items()
    }
