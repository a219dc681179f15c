"""Compares a file's questions with a bank and stores them: all or nothing, nothing when repeated.

A question with changed content becomes a new version; papers keep the version they were dealt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import delete, func, select, update

from server.base.access import REGION, Organizer, Scope
from server.base.ownership import owned_by, owned_insert, scope_of, writable_by
from server.base.sql.tables import insert_for, insert_rows
from server.base.uow import UnitOfWork
from server.console.sheets.reasons import Problem
from server.quiz.bank import service as banks
from server.quiz.bank.files.reasons import QuestionReason
from server.quiz.bank.files.rows import Draft
from server.quiz.bank.files.sameness import likeness_key, sameness_key, similar_form
from server.quiz.bank.named_banks import name_bank
from server.quiz.enums import QuestionState
from server.quiz.models import Bank, Question

CONTENT = (
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
    "picture",
    "picture_alt",
)
# Ids per SELECT statement, and rows per INSERT statement.
CHUNK = 500
_INSERTED = 2000


@dataclass(frozen=True, kw_only=True)
class KnownVersion:
    """The latest version of a question of the bank."""

    id: int
    ref: str
    version: int
    state: QuestionState
    sent: bool
    content: Mapping[str, Any]

    @cached_property
    def sameness(self) -> str:
        """Key for questions with identical content."""
        return sameness_key(self.text[0], self.text[1], self.content["picture"])

    @property
    def text(self) -> tuple[str, list[str]]:
        """Stem and options."""
        return self.content["stem"], self.content["options"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The changes that a file would make to a bank."""

    added: list[Draft] = field(default_factory=list)
    changed: list[tuple[Draft, KnownVersion]] = field(default_factory=list)
    unchanged: list[KnownVersion] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def lock_bank(uow: UnitOfWork, slug: str, owner: Scope = REGION, title: str = "") -> Scope:
    """Lock a bank until commit; create it for `owner` if it does not exist. Return its owner."""
    organizer = acting_organizer(uow)
    fresh = insert_for(uow.session, Bank).values(
        slug=slug, revision=uow.new_ref("rev"), title=title, **owned_by(owner)
    )
    fresh = fresh.on_conflict_do_nothing()
    uow.session.execute(owned_insert(fresh, organizer, owner) if organizer else fresh)
    asked = select(Bank).where(Bank.slug == slug).with_for_update()
    asked = writable_by(asked, organizer, Bank) if organizer else asked
    return scope_of(uow.session.scalars(asked).one())


def acting_organizer(uow: UnitOfWork) -> Organizer | None:
    """The organizer of this transaction; None for a command."""
    return uow.actor if isinstance(uow.actor, Organizer) else None


def compare_with_bank(uow: UnitOfWork, slug: str, drafts: Iterable[Draft]) -> Comparison:
    """Compare a file's questions with each other and with the bank.

    Only identical texts make two questions the same; similar ones cause a warning.
    """
    given = list(drafts)
    latest = _latest_versions(uow, slug)
    elsewhere = _refs_elsewhere(uow, slug, given)
    known = {row.sameness: row.ref for row in latest.values()}
    like = {likeness_key(*row.text, row.content["picture"]): row.ref for row in latest.values()}
    by_text = {sameness_key(*row.text): row for row in latest.values() if row.content["picture"]}
    made = Comparison()
    seen: dict[str, Draft] = {}
    twins: dict[str, Draft] = {}
    for one in given:
        draft = _match_by_content(_keep_picture(one, latest, by_text), known)
        row = latest.get(draft.ref)
        why = _find_repetition(draft, seen) or _find_clash(draft, elsewhere, known)
        if why is None and row is not None and row.sent:
            why = QuestionReason(code="in_review", facts={"ref": row.ref})
        if why:
            made.problems.append(_problem_of(draft, why))
            continue
        made.warnings.extend(
            _problem_of(draft, doubt) for doubt in _find_doubts(draft, twins, like)
        )
        _sort_in(made, draft, row)
    return made


def _sort_in(made: Comparison, draft: Draft, row: KnownVersion | None) -> None:
    if row is None:
        made.added.append(draft)
    elif content_of(draft) == row.content:
        made.unchanged.append(row)
    else:
        made.changed.append((draft, row))
        if _is_other_text(draft, row):
            made.warnings.append(
                _problem_of(draft, QuestionReason(code="other_text", facts={"ref": row.ref}))
            )


def _problem_of(draft: Draft, why: QuestionReason) -> Problem:
    return Problem(line=draft.line, sheet=draft.sheet, why=why)


def _is_other_text(draft: Draft, row: KnownVersion) -> bool:
    """Whether a row replaces stem and options at once: then its id may be another file's."""
    return similar_form(draft.stem) != similar_form(row.content["stem"]) and (
        set(draft.options).isdisjoint(row.content["options"])
    )


def _keep_picture(
    draft: Draft, latest: Mapping[str, KnownVersion], by_text: Mapping[str, KnownVersion]
) -> Draft:
    """Keep the bank's picture for a question of a file without a column for pictures."""
    if not draft.keeps_picture:
        return draft
    row = latest.get(draft.ref) if draft.has_own_ref else by_text.get(draft.sameness)
    if row is None:
        return draft
    kept = {name: row.content[name] for name in ("picture", "picture_alt")}
    return replace(draft, **kept)


def _match_by_content(draft: Draft, known: Mapping[str, str]) -> Draft:
    """A question without an id is matched with the identical one of the bank."""
    ref = known.get(draft.sameness)
    return draft if draft.has_own_ref or ref is None else replace(draft, ref=ref)


def _find_doubts(
    draft: Draft, twins: dict[str, Draft], like: Mapping[str, str]
) -> Iterable[QuestionReason]:
    key = draft.likeness
    known = like.get(key)
    if known is not None and known != draft.ref:
        yield QuestionReason(code="near_known", facts={"ref": known})
    twin = twins.setdefault(key, draft)
    if known is None and twin is not draft:
        yield QuestionReason(code="near_twin", facts={"other": _place_of(twin)})


def _place_of(draft: Draft) -> str:
    return f"{draft.sheet} {draft.line}" if draft.sheet else str(draft.line)


def _latest_versions(uow: UnitOfWork, slug: str) -> dict[str, KnownVersion]:
    newest = select(func.max(Question.id)).where(Question.bank == slug).group_by(Question.ref)
    facts = [getattr(Question, name) for name in CONTENT]
    head = (Question.id, Question.ref, Question.version, Question.state, Question.sent_at)
    asked = select(*head, *facts).where(Question.id.in_(newest)).order_by(Question.id)
    organizer = acting_organizer(uow)
    asked = _scope_for(asked, organizer)
    return {
        row[1]: KnownVersion(
            id=row[0],
            ref=row[1],
            version=row[2],
            state=row[3],
            sent=row[4] is not None,
            content=dict(zip(CONTENT, row[5:], strict=True)),
        )
        for row in uow.session.execute(asked)
    }


def _scope_for(statement: Any, organizer: Organizer | None) -> Any:
    return writable_by(statement, organizer, Question) if organizer else statement


def _refs_elsewhere(uow: UnitOfWork, slug: str, drafts: list[Draft]) -> Mapping[str, str]:
    """The bank of each given id that another bank uses, in words for an organizer."""
    organizer = acting_organizer(uow)
    refs = [draft.ref for draft in drafts]
    found: dict[str, str] = {}
    for start in range(0, len(refs), CHUNK):
        asked = select(Question.ref, Question.bank).where(
            Question.ref.in_(refs[start : start + CHUNK]), Question.bank != slug
        )
        found |= {row[0]: row[1] for row in uow.session.execute(_scope_for(asked, organizer))}
    if organizer is None:
        return found
    names = {slug: name_bank(uow, organizer, slug) for slug in set(found.values())}
    return {ref: names[slug] for ref, slug in found.items()}


def _find_repetition(draft: Draft, seen: dict[str, Draft]) -> QuestionReason | None:
    for name, mark in (("id", f"ref {draft.ref}"), ("question", draft.sameness)):
        first = seen.setdefault(mark, draft)
        if first is not draft:
            return QuestionReason(code=f"same_{name}", facts={"other": _place_of(first)})
    return None


def _find_clash(
    draft: Draft, elsewhere: Mapping[str, str], known: Mapping[str, str]
) -> QuestionReason | None:
    bank = elsewhere.get(draft.ref)
    if bank is not None:
        return QuestionReason(code="id_elsewhere", facts={"ref": draft.ref, "bank": bank})
    other = known.get(draft.sameness)
    if other is not None and other != draft.ref:
        return QuestionReason(code="known_as", facts={"ref": other})
    return None


def content_of(draft: Draft) -> dict[str, Any]:
    """The values of a draft's content columns."""
    named = {name: getattr(draft, name) for name in CONTENT}
    return {**named, "options": list(draft.options), "answer": list(draft.answer)}


def publish_comparison(uow: UnitOfWork, slug: str, found: Comparison) -> None:
    """Publish a file's changes under the caller's lock; questions get the bank's owner."""
    gone = [row.id for _, row in found.changed if row.state is QuestionState.LIVE]
    _set_states(uow, gone, QuestionState.RETIRED)
    rows = [(draft, 1) for draft in found.added]
    rows += [(draft, row.version + 1) for draft, row in found.changed]
    if rows:
        bank = uow.session.scalars(select(Bank).where(Bank.slug == slug)).one()
        facts = {
            "bank": slug,
            "state": QuestionState.LIVE,
            "made_at": uow.now,
            **owned_by(scope_of(bank)),
        }
        made = [
            {**content_of(draft), "ref": draft.ref, "version": version, **facts}
            for draft, version in rows
        ]
        insert_rows(uow.session, Question, made)
    revived = [row.id for row in found.unchanged if row.state is not QuestionState.LIVE]
    _set_states(uow, revived, QuestionState.LIVE)
    if rows or revived:
        banks.renew_revision(uow, slug)


def store_drafts(
    uow: UnitOfWork,
    slug: str,
    found: Comparison,
    *,
    owner: Scope,
    writer_id: int,
    batch: str,
) -> None:
    """Store a file's changes as drafts; live versions stay until their drafts are approved.

    A draft that nobody has sent yet is replaced.
    """
    facts = {
        "bank": slug, "state": QuestionState.DRAFT, "made_at": uow.now, "writer_id": writer_id,
        "batch": batch, **owned_by(owner),
    }  # fmt: skip
    unsent = [row.id for _, row in found.changed if row.state is QuestionState.DRAFT]
    for start in range(0, len(unsent), CHUNK):
        uow.session.execute(delete(Question).where(Question.id.in_(unsent[start : start + CHUNK])))
    rows = [(draft, 1) for draft in found.added]
    rows += [
        (draft, row.version if row.state is QuestionState.DRAFT else row.version + 1)
        for draft, row in found.changed
    ]
    for start in range(0, len(rows), _INSERTED):
        part = rows[start : start + _INSERTED]
        made = [{**content_of(d), "ref": d.ref, "version": v, **facts} for d, v in part]
        insert_rows(uow.session, Question, made)


def _set_states(uow: UnitOfWork, ids: list[int], state: QuestionState) -> None:
    for start in range(0, len(ids), CHUNK):
        uow.session.execute(
            update(Question).where(Question.id.in_(ids[start : start + CHUNK])).values(state=state)
        )
