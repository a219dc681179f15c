"""Contests of every owner for the console's tests, and the form of one."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from server.base.access import Organizer, Scope, System
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork
from server.quiz.contests import service as contests
from server.quiz.contests.presets import preset_body
from server.quiz.models import Bank, Contest, RuleSetRow
from server.quiz.rule_check import version_of
from server.quiz.sealing.building import SealOrder, build_version
from tests.kit.console_matrix import Probe, list_probes

FORM = {
    "base": "preset:default",
    "title": "南宁市科普答题",
    "programme": "",
    "bank": "demo",
    "opens_at": "2026-05-02T00:00",
    "closes_at": "2026-06-02T00:00",
    "papers_per_day": "1",
    "papers_total": "",
    "single": "6",
    "multiple": "2",
    "judge": "2",
    "any_kind": "0",
    "cover_topics": "y",
    "points_per_question": "10",
    "timer": "paper",
    "paper_seconds": "300",
    "seconds_per_question": "",
    "season": "sum_of_daily_best",
    "divisions": "",
    "warm_up_questions": "0",
}
CHANGE_FORM = {**FORM, "bank": "matrix", "reason": "试试"}


def make_contest(
    uow: UnitOfWork, owner: Scope, published: bool, *, paused: bool = False
) -> dict[str, str]:
    """A running contest of an owner, or its draft; its public id as an address needs it."""
    if uow.session.scalar(select(Bank).where(Bank.slug == "matrix")) is None:
        uow.session.add(Bank(slug="matrix", revision=uow.new_ref("rev"), **owned_by(Scope())))
        uow.session.flush()
    ref = uow.new_ref("con")
    contest = Contest(
        ref=ref,
        slug=ref,
        title="竞赛",
        bank="matrix",
        opens_at=uow.now - timedelta(days=1),
        closes_at=uow.now + timedelta(days=9),
        made_at=uow.now,
        left_out=[],
        published_at=uow.now if published else None,
        paused_at=uow.now if paused else None,
        **owned_by(owner),
    )
    uow.session.add(contest)
    uow.session.flush()
    body = preset_body("default")
    uow.session.add(
        RuleSetRow(
            contest_id=contest.id, version=version_of(body), body=dict(body), valid_from=uow.now
        )
    )
    uow.session.flush()
    return {"ref": ref}


def make_published(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A running contest, whatever is requested: only a running one can be paused or closed."""
    return make_contest(uow, owner, True)


def make_unpublished(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A draft, whatever is requested: only a draft can be returned or deleted."""
    return make_contest(uow, owner, False)


def make_paused(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A paused contest."""
    return make_contest(uow, owner, True, paused=True)


def make_sealed(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """An ended contest with a sealed draft of its final ranks."""
    made = _end_contest(uow, make_contest(uow, owner, True))
    view = contests.find_contest(uow, made["ref"])
    uow.session.get_one(Contest, view.id).sealed_at = uow.now
    order = SealOrder(author=System(name="matrix"), reason="试试")
    return {**made, "version": build_version(uow, view, order).ref}


def make_any_contest(uow: UnitOfWork, _organizer: Organizer) -> None:
    """A contest of the region, which everybody may see."""
    make_contest(uow, Scope(), True)


def make_ended(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A contest that may be sealed."""
    return _end_contest(uow, make_contest(uow, owner, True))


def make_frozen(uow: UnitOfWork, owner: Scope, _published: bool) -> dict[str, str]:
    """A contest with a planned freeze."""
    made = make_contest(uow, owner, True)
    planned = update(Contest).where(Contest.ref == made["ref"])
    uow.session.execute(planned.values(freezes_at=uow.now + timedelta(hours=1)))
    return made


def _end_contest(uow: UnitOfWork, made: dict[str, str]) -> dict[str, str]:
    over = update(Contest).where(Contest.ref == made["ref"])
    uow.session.execute(over.values(closes_at=uow.now - timedelta(hours=1)))
    return made


_REASON = {"reason": "试试"}
_FREEZE_FORM = {**_REASON, "freezes_at": "2026-05-03T00:00"}
CONTEST_PROBES = {
    "GET /contests": Probe(make=make_contest, shows="ref", upward=True),
    **list_probes("/contests"),
    "GET /contests/new": Probe(),
    # Without a bank the form is shown again, which is enough: the role may send it.
    "POST /contests/new": Probe(form=FORM, refused=422),
    "GET /contests/rules-preview": Probe(),
    "GET /contests/<ref>": Probe(make=make_contest, upward=True),
    "GET /contests/<ref>/edit": Probe(make=make_contest),
    "POST /contests/<ref>/edit": Probe(make=make_contest, form=CHANGE_FORM),
    # It is published already.
    "POST /contests/<ref>/publish": Probe(make=make_published, refused=409),
    "POST /contests/<ref>/delete": Probe(make=make_unpublished),
    "GET /contests/<ref>/return": Probe(make=make_contest),
    "POST /contests/<ref>/return": Probe(make=make_unpublished, form={"reason": "时间不对"}),
    "GET /contests/<ref>/pause": Probe(make=make_published),
    "POST /contests/<ref>/pause": Probe(make=make_published, form=_REASON),
    "POST /contests/<ref>/resume": Probe(make=make_paused),
    "GET /contests/<ref>/close": Probe(make=make_published),
    "POST /contests/<ref>/close": Probe(make=make_published, form=_REASON),
    # Without any contest there is no list; with one it is tried in tests/quiz.
    "GET /ranks": Probe(before=make_any_contest),
    "GET /ranks/export": Probe(before=make_any_contest),
    "POST /ranks/export": Probe(
        before=make_any_contest, form={"file_format": "csv", "reason": "试试"}, saves=True
    ),
    "GET /ranks/view": Probe(),
    "POST /ranks/view": Probe(form={"act": "reset"}),
    "GET /contests/<ref>/final": Probe(make=make_published, upward=True, all_published=True),
    "GET /contests/<ref>/final/freeze": Probe(make=make_published),
    "POST /contests/<ref>/final/freeze": Probe(make=make_published, form=_FREEZE_FORM),
    "GET /contests/<ref>/final/lift": Probe(make=make_frozen),
    "POST /contests/<ref>/final/lift": Probe(make=make_frozen, form=_REASON),
    "GET /contests/<ref>/final/seal": Probe(make=make_ended),
    "POST /contests/<ref>/final/seal": Probe(make=make_ended, form=_REASON),
    "GET /contests/<ref>/final/<version>": Probe(make=make_sealed, upward=True, all_published=True),
    "GET /contests/<ref>/final/<version>/file": Probe(make=make_sealed),
    "POST /contests/<ref>/final/<version>/publish": Probe(make=make_sealed),
    "GET /contests/<ref>/final/<version>/drop": Probe(make=make_sealed),
    "POST /contests/<ref>/final/<version>/drop": Probe(make=make_sealed, form=_REASON),
}
