"""Stores played papers of many players at once, for the sample data of the demo.

Standings are computed and boards updated by the functions that serve citizens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.accounts.service import Place
from server.base.clock import beijing_hour
from server.base.sql.tables import insert_rows
from server.base.uow import UnitOfWork
from server.programme import service as programmes
from server.programme.service import Fact
from server.quiz.attempts import attempt_store
from server.quiz.attempts.participation import PAPER
from server.quiz.attempts.season import PlayedPaper
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState
from server.quiz.leaderboards import service as boards
from server.quiz.leaderboards.board_keys import CountedPlace
from server.quiz.leaderboards.service import LockedEntry
from server.quiz.models import Attempt


@dataclass(frozen=True, kw_only=True)
class PlayerPapers:
    """A stored citizen with the papers played."""

    citizen_id: int
    place: CountedPlace
    papers: Sequence[PlayedPaper]


def add_played_papers(
    uow: UnitOfWork,
    contest: ContestView,
    players: Sequence[PlayerPapers],
    ref_of: Callable[[str], str],
) -> None:
    """Insert the papers of players who have none, with standings and participations.

    `ref_of` makes a paper's public id from a text that names the paper.
    Locks: the decks.
    """
    with_papers = [one for one in players if one.papers]
    entries = {one.citizen_id: _add_entry(uow, contest, one) for one in with_papers}
    rows, facts = [], []
    for one in with_papers:
        for paper in one.papers:
            ref = ref_of(f"{paper.player}:{paper.on_day}:{paper.try_no}")
            rows.append(_attempt_row(contest, one, entries[one.citizen_id], paper) | {"ref": ref})
            facts.append(_fact_of_paper(contest, one, paper, ref))
    insert_rows(uow.session, Attempt, rows)
    programmes.record_missing(uow, facts)
    for one in with_papers:
        _recount_standings(uow, contest, one, entries[one.citizen_id])
    _count_dealt(uow, contest, [paper for one in with_papers for paper in one.papers])


def _add_entry(uow: UnitOfWork, contest: ContestView, one: PlayerPapers) -> int:
    place = one.place
    counted = Place(
        city=place.city, county=place.county, unit_id=place.unit_id, audience=place.audience
    )
    return attempt_store.entry_for(uow, contest.id, one.citizen_id, counted, place.division)


def _attempt_row(
    contest: ContestView, one: PlayerPapers, entry_id: int, paper: PlayedPaper
) -> dict[str, object]:
    return {
        "contest_id": contest.id,
        "entry_id": entry_id,
        "citizen_id": one.citizen_id,
        "on_day": paper.on_day,
        "on_week": paper.on_week,
        "try_no": paper.try_no,
        "day_limit": contest.rules.papers_per_day,
        "started_at": paper.started_at,
        "deadline_at": paper.deadline_at,
        "state": paper.state,
        "rules_version": contest.rules.version,
        "paper": paper.paper,
        "answers": paper.answers,
        "score": paper.score,
        "correct_count": paper.correct_count,
        "duration_ms": paper.duration_ms,
        "closed_at": paper.closed_at,
        "rank_region": paper.rank_region,
        "rank_city": paper.rank_city,
    }


def _fact_of_paper(contest: ContestView, one: PlayerPapers, paper: PlayedPaper, ref: str) -> Fact:
    return Fact(
        citizen_id=one.citizen_id,
        kind=PAPER,
        source_ref=ref,
        programme=contest.programme_slug,
        city=one.place.city,
        county=one.place.county,
        unit_id=one.place.unit_id,
        on_day=paper.on_day,
        audience=one.place.audience,
        hour=beijing_hour(paper.started_at),
        completed=paper.state is AttemptState.SUBMITTED,
    )


def _recount_standings(
    uow: UnitOfWork, contest: ContestView, one: PlayerPapers, entry_id: int
) -> None:
    entry = LockedEntry(contest_id=contest.id, entry_id=entry_id, place=one.place, on_board=True)
    played = boards.closed_papers(uow, entry_id)
    periods = {period for paper in played for period in paper.periods}
    boards.recount_standings(uow, entry, played, contest.rules, periods)


def _count_dealt(uow: UnitOfWork, contest: ContestView, papers: Sequence[PlayedPaper]) -> None:
    dealt: dict[int, Counter[str]] = {}
    for paper in papers:
        dealt.setdefault(paper.shard, Counter()).update(paper.dealt)
    for shard, more in sorted(dealt.items()):
        deck_id, counts = attempt_store.lock_deck(uow, contest.id, shard)
        attempt_store.keep_deck(uow, deck_id, Counter(counts) + more)
