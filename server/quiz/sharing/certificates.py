"""The score of a citizen in a contest, for a certificate.

One paper that was handed in or ran out gives the right, also while the contest is open: then the
certificate says until when its score counts. A held entry has none until it is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.ownership import scope_of
from server.base.uow import UnitOfWork
from server.certificates.service import Attestation, CertificateKind, Detail, Right, Withheld
from server.quiz.attempts import attempt_store
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState, Season
from server.quiz.leaderboards import figures
from server.quiz.leaderboards.final_ranks import ranks_of_entry
from server.quiz.models import Attempt, Contest, Entry
from server.quiz.rules import Paper, season_total

_MOST_LISTED = 20


def find_contest_source(uow: UnitOfWork, citizen_id: int, source: str) -> int | None:
    """The contest with this id or short name, or that of the citizen's paper with this id."""
    try:
        return contests.find_contest(uow, source).id
    except NotFound:
        sheet = attempt_store.find_attempt(uow, source, citizen_id)
        return None if sheet is None else sheet.contest_id


def list_contest_sources(uow: UnitOfWork, citizen_id: int) -> Sequence[int]:
    """The contests in which the citizen closed a paper, the latest first."""
    asked = (
        select(Attempt.contest_id)
        .where(Attempt.citizen_id == citizen_id, Attempt.state != AttemptState.OPEN)
        .group_by(Attempt.contest_id)
        .order_by(func.max(Attempt.closed_at).desc())
        .limit(_MOST_LISTED)
    )
    return uow.session.scalars(asked).all()


def read_score_right(uow: UnitOfWork, citizen_id: int, contest_id: int) -> Right:
    """The content of a certificate about the citizen's papers in a contest."""
    entry = uow.session.execute(
        select(Entry.id, Entry.held_at).where(
            Entry.contest_id == contest_id, Entry.citizen_id == citizen_id
        )
    ).one_or_none()
    say = uow.texts.fill_text
    if entry is None:
        return Withheld(reason="no_paper", why=say("quiz.certificate.no_paper"), never=True)
    if entry.held_at is not None:
        return Withheld(reason="held", why=say("quiz.certificate.held"))
    papers = _read_papers(uow, citizen_id, contest_id)
    if not papers:
        return Withheld(reason="no_paper", why=say("quiz.certificate.no_paper"))
    return _claim_from(uow, contests.contest_by_id(uow, contest_id), entry.id, papers)


def _read_papers(uow: UnitOfWork, citizen_id: int, contest_id: int) -> list[Paper]:
    rows = uow.session.execute(
        select(
            Attempt.id,
            Attempt.on_day,
            Attempt.score,
            Attempt.duration_ms.label("time_ms"),
            Attempt.closed_at,
        ).where(
            Attempt.contest_id == contest_id,
            Attempt.citizen_id == citizen_id,
            Attempt.state != AttemptState.OPEN,
        )
    )
    return [Paper(**row._mapping) for row in rows]


def _claim_from(
    uow: UnitOfWork, contest: ContestView, entry_id: int, papers: list[Paper]
) -> Attestation:
    say, last = uow.texts.fill_text, max(one.closed_at for one in papers)
    total = _say_total(uow, contest, papers)
    named = uow.session.execute(select(Contest).where(Contest.id == contest.id)).scalar_one()
    return Attestation(
        source=contest.ref,
        owner=scope_of(named),
        heading=say("quiz.certificate.heading"),
        title=contest.title,
        sentence=say("quiz.certificate.sentence", title=contest.title, total=total),
        details=tuple(_list_details(uow, contest, entry_id, papers, total)),
        day=beijing_day(last),
    )


def _list_details(
    uow: UnitOfWork, contest: ContestView, entry_id: int, papers: list[Paper], total: str
) -> list[Detail]:
    say = uow.texts.fill_text
    best = max(one.score for one in papers)
    most = contest.rules.max_score
    facts: list[tuple[str, dict[str, Any]]] = [
        ("total", {"total": total}),
        ("best", {"score": best, "most": most}),
        ("papers", {"count": len(papers)}),
    ]
    ranks = None if contest.final is None else ranks_of_entry(uow, contest.final.id, entry_id)
    if ranks is not None:
        facts.append(("rank", {"rank": ranks.region}))
    if contest.state_at(uow.now) != "closed":
        day = beijing_day(uow.now)
        facts.append(("so_far", {"year": day.year, "month": day.month, "day": day.day}))
    return [
        Detail(
            label=say(f"quiz.certificate_label.{name}"),
            value=say(f"quiz.certificate_value.{name}", **values),
        )
        for name, values in facts
    ]


def _say_total(uow: UnitOfWork, contest: ContestView, papers: list[Paper]) -> str:
    """The total that ranks, as boards show it; a number of papers where papers are counted."""
    counted = season_total(contest.rules.season, papers)
    points = 0 if counted is None else counted.points
    scale = contest.rules.points_scale
    unit = "papers" if contest.rules.season is Season.PAPERS else "points"
    shown = figures.say_score(points if scale == 1 else points / scale)
    return uow.texts.fill_text(f"quiz.certificate_total.{unit}", total=shown)


QUIZ_SCORE = CertificateKind(
    name="quiz_score",
    find_source=find_contest_source,
    read_right=read_score_right,
    list_sources=list_contest_sources,
)
