"""Everybody with a final rank is told once about its publication, and once about a correction."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from server.base.access import Organizer
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.notices.models import InboxMessage
from server.quiz.attempts.contest_progress import contest_progress
from server.quiz.chat import my_result
from server.quiz.contests.service import ContestView
from server.quiz.errors import OwnSealing
from server.quiz.leaderboards import service as boards
from server.quiz.models import Entry, SealedRank, SealedVersion
from server.quiz.sealing import letters, overview, stepping
from server.quiz.sealing import service as sealing
from tests.kit.boards import recounted
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE
from tests.kit.sealing import (
    APPROVER,
    OTHER,
    a_played_contest,
    end_contest,
    publish,
    reread,
    seal,
    work,
)

FIRST, CORRECTED = "竞赛最终名次已公布", "竞赛最终名次有更正"


@pytest.fixture
def ended(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> ContestView:
    """A contest with seven people that may be sealed."""
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow, (100, 90, 90, 80, 60, 50, 40))
    end_contest(uow_factory, clock, contest)
    return reread(uow_factory, contest)


def tell(uow_factory: UnitOfWorkFactory) -> int:
    return letters.send_rank_letters(TaskContext(uow_factory=uow_factory, gateway=None))


def inboxes(uow_factory: UnitOfWorkFactory) -> dict[int, list[str]]:
    """The letters about final ranks, by citizen, the oldest first."""
    found: dict[int, list[str]] = {}
    with uow_factory.begin(read_only=True) as uow:
        asked = select(InboxMessage).where(InboxMessage.title.in_((FIRST, CORRECTED)))
        for one in uow.session.scalars(asked.order_by(InboxMessage.id)):
            found.setdefault(one.citizen_id, []).append(one.body)
    return found


def citizen_of(uow_factory: UnitOfWorkFactory, entry_id: int) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.get_one(Entry, entry_id).citizen_id


def test_a_publication_tells_everybody_with_a_rank_once(
    uow_factory: UnitOfWorkFactory, ended: ContestView
) -> None:
    ref = seal(uow_factory, ended)
    assert tell(uow_factory) == 0
    publish(uow_factory, ended, ref)
    assert tell(uow_factory) == 7
    assert tell(uow_factory) == 0
    told = inboxes(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        asked = select(Entry.citizen_id, SealedRank.rank)
        asked = asked.join(SealedRank, SealedRank.entry_id == Entry.id)
        ranks = {row.citizen_id: row.rank for row in uow.session.execute(asked)}
    assert told.keys() == ranks.keys()
    for citizen_id, rank in ranks.items():
        (body,) = told[citizen_id]
        assert f"第{rank}名（共7人）" in body
    best = next(one for one, rank in ranks.items() if rank == 1)
    assert "得分100分" in told[best][0]
    assert "，南宁市第1名" in told[best][0]


def test_letters_that_were_killed_in_the_middle_go_on(
    uow_factory: UnitOfWorkFactory, ended: ContestView, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(uow_factory, ended, seal(uow_factory, ended))
    monkeypatch.setattr(letters, "BATCH", 2)
    posted = letters.notices.post_messages
    calls = 0

    def die_after_second(*given: object) -> int:
        nonlocal calls
        calls += 1
        count = posted(*given)  # type: ignore[arg-type] # what it was given
        if calls == 2:
            raise KeyboardInterrupt
        return count

    monkeypatch.setattr(letters.notices, "post_messages", die_after_second)
    with pytest.raises(KeyboardInterrupt):
        tell(uow_factory)
    assert len(inboxes(uow_factory)) == 2
    assert tell(uow_factory) == 5
    assert sorted(len(bodies) for bodies in inboxes(uow_factory).values()) == [1] * 7
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(SealedVersion.told_rank)) == 7


def test_a_correction_tells_only_those_whom_it_moves(
    uow_factory: UnitOfWorkFactory, ended: ContestView
) -> None:
    publish(uow_factory, ended, seal(uow_factory, ended))
    tell(uow_factory)
    with uow_factory.begin() as uow:
        order = [row[0] for row in recounted(uow.session, ended, "region", "total")]
        boards.hold_entry(uow, order[4])
        sealing.note_late_change(uow, ended.id, APPROVER, "张三作弊")
    assert work(uow_factory) >= 1
    with uow_factory.begin(read_only=True) as uow:
        draft = uow.session.scalars(
            select(SealedVersion.ref).order_by(SealedVersion.number.desc())
        ).first()
    assert draft is not None
    publish(uow_factory, ended, draft, OTHER)
    assert tell(uow_factory) == 2
    with uow_factory.begin(read_only=True) as uow:
        titles = uow.session.scalars(select(InboxMessage.title).order_by(InboxMessage.id)).all()
    assert titles == [FIRST] * 7 + [CORRECTED] * 2
    told = inboxes(uow_factory)
    moved = {citizen_of(uow_factory, entry) for entry in order[5:]}
    assert {one for one, bodies in told.items() if len(bodies) == 2} == moved
    body = told[citizen_of(uow_factory, order[5])][1]
    assert "由第6名变为第5名（共6人）" in body
    # The reason of a correction may name somebody else.
    assert "张三" not in body


def test_whom_a_replaced_version_had_not_told_is_told_by_the_next_one(
    uow_factory: UnitOfWorkFactory, ended: ContestView
) -> None:
    publish(uow_factory, ended, seal(uow_factory, ended))
    with uow_factory.begin() as uow:
        order = [row[0] for row in recounted(uow.session, ended, "region", "total")]
        boards.hold_entry(uow, order[6])
        sealing.note_late_change(uow, ended.id, APPROVER, "作弊")
        draft_before = uow.session.scalar(select(func.count(SealedVersion.id)))
    sealing_drafts(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        newest = uow.session.scalars(
            select(SealedVersion).order_by(SealedVersion.number.desc())
        ).first()
        assert newest is not None
        assert newest.number == (draft_before or 0) + 1
        ref = newest.ref
    publish(uow_factory, ended, ref, OTHER)
    assert tell(uow_factory) == 6
    assert sorted(len(bodies) for bodies in inboxes(uow_factory).values()) == [1] * 6


def sealing_drafts(uow_factory: UnitOfWorkFactory) -> None:
    """Make the drafts alone, without the letters."""
    begun = []
    with uow_factory.begin() as uow:
        for contest_id in sealing.list_pending_contests(uow):
            begun.append(stepping.begin_correction(uow, contest_id))
    for version_id in begun:
        assert version_id is not None
        stepping.finish_version(uow_factory, version_id, lambda _done, _total: None)


def waiting_for(uow_factory: UnitOfWorkFactory, organizer: Organizer) -> list[tuple[int, str]]:
    with uow_factory.begin(read_only=True) as uow:
        found = overview.tell_waiting(uow, organizer)
    return [(one.count, one.path) for one in found if one.said == "quiz.final.waiting_publish"]


def test_who_sealed_a_version_does_not_publish_it_and_is_not_asked_to(
    uow_factory: UnitOfWorkFactory, ended: ContestView
) -> None:
    ref = seal(uow_factory, ended, APPROVER)
    with pytest.raises(OwnSealing):
        publish(uow_factory, ended, ref, APPROVER)
    assert waiting_for(uow_factory, APPROVER) == [(0, "/contests?state=closed")]
    assert waiting_for(uow_factory, OTHER) == [(1, f"/contests/{ended.ref}/final")]
    assert waiting_for(uow_factory, PEOPLE["editor-region"]) == []
    publish(uow_factory, ended, ref, OTHER)


def test_a_version_with_an_own_correction_waits_for_somebody_else(
    uow_factory: UnitOfWorkFactory, ended: ContestView
) -> None:
    publish(uow_factory, ended, seal(uow_factory, ended))
    with uow_factory.begin() as uow:
        best = recounted(uow.session, ended, "region", "total")[0][0]
        boards.hold_entry(uow, best)
        sealing.note_late_change(uow, ended.id, OTHER, "作弊")
    # While the draft is not made, nobody is asked for anything.
    assert [count for count, _ in waiting_for(uow_factory, APPROVER)] == [0]
    sealing_drafts(uow_factory)
    assert [count for count, _ in waiting_for(uow_factory, APPROVER)] == [1]
    assert [count for count, _ in waiting_for(uow_factory, OTHER)] == [0]


def test_held_results_are_said_to_be_held_also_during_a_freeze(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        best = recounted(uow.session, contest, "region", "total")[0][0]
        sealing.freeze_contest(uow, APPROVER, contest.ref, uow.now + sealing.SETTLING, "结束以前")
    citizen_id = citizen_of(uow_factory, best)
    clock.advance(120)
    with uow_factory.begin() as uow:
        assert not contest_progress(uow, [contest], citizen_id)[contest.id].held
        boards.hold_entry(uow, best)
    with uow_factory.begin() as uow:
        assert contest_progress(uow, [contest], citizen_id)[contest.id].held
        words = my_result(uow, citizen_id)
    assert "成绩已暂停" in words
    assert "还没有你的成绩" not in words
