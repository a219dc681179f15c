"""Void → rescore → ranks equal a recount from raw answers, also after kills and races."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Integer, bindparam, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from server.audit.models import AuditRecord
from server.base.errors import Unavailable
from server.base.jobs import TaskContext
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices.models import InboxMessage
from server.quiz.attempts import attempt_store, closing
from server.quiz.attempts import service as attempts
from server.quiz.contests.service import ContestView, contest_by_id
from server.quiz.enums import AttemptState, QuestionKind, QuestionState, RescoringStage, SealState
from server.quiz.errors import OwnSealChange, OwnVoid, VoidPending, WrongVoidState
from server.quiz.leaderboards import service as boards
from server.quiz.models import (
    Attempt,
    Contest,
    Entry,
    Question,
    RankChange,
    RescoredPaper,
    Rescoring,
    SealedRank,
    SealedVersion,
    Standing,
)
from server.quiz.practice.mistakes import list_mistakes
from server.quiz.review import rank_changes, rescoring, voiding
from tests.kit.boards import a_contest, a_unit, entries, recounted
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE
from tests.kit.effort import repeat_count
from tests.kit.gateway import RecordingGateway
from tests.kit.items import add_papers, add_questions, answer_by_skill
from tests.kit.jobs import run_jobs
from tests.kit.locks import meet
from tests.kit.sealing import OTHER, end_contest, publish, seal, version_of, work

EDITOR, APPROVER = PEOPLE["editor-region"], PEOPLE["approver-region"]
PLAYERS = repeat_count(full=60, usual=24)


@dataclass
class Played:
    """A contest with closed papers, in which two questions are faulty."""

    uow_factory: UnitOfWorkFactory
    contest_id: int
    faulty: list[int]
    entries: list[int]

    def view(self, uow: UnitOfWork) -> ContestView:
        return contest_by_id(uow, self.contest_id)

    def propose(self, number: int = 0, **given: Any) -> str:
        with self.uow_factory.begin() as uow:
            question = uow.session.get_one(Question, self.faulty[number])
            contest = uow.session.get_one(Contest, self.contest_id)
            (row,) = voiding.propose_void(
                uow, EDITOR, question, [contest.ref], given.get("since"), "答案有误"
            )
            return row.ref

    def approve(self, ref: str) -> None:
        with self.uow_factory.begin() as uow:
            voiding.approve_void(uow, APPROVER, ref, "核查属实")

    def void(self, number: int = 0) -> str:
        ref = self.propose(number)
        self.approve(ref)
        return ref


@pytest.fixture
def played(uow_factory: UnitOfWorkFactory) -> Played:
    chance = random.Random(5)
    with uow_factory.begin() as uow:
        contest = a_contest(uow, divisions=[
            {"key": "adult", "title": "成人组"}, {"key": "pupil", "title": "学生组"},
        ])  # fmt: skip
        units = [a_unit(uow).id, a_unit(uow).id]
        questions = add_questions(uow, contest, [QuestionKind.SINGLE] * 14)
        faulty = questions[:2]
        against = frozenset(one.ref for one in faulty)
        places = [
            {
                "city": f"45{1 + at % 3:02d}00", "county": f"45{1 + at % 3:02d}0{2 + at % 2}",
                "unit_id": units[at % 2], "audience": ("youth", "elder")[at % 2],
                "division": ("adult", "pupil")[at // 2 % 2],
            }
            for at in range(PLAYERS)
        ]  # fmt: skip
        players = [entries(uow, contest, 1, **place)[0] for place in places]
        made = []
        for _ in range(PLAYERS * 3):
            asked = chance.sample(questions, 10)
            made.append((asked, answer_by_skill(asked, chance.uniform(0.3, 0.9), chance, against)))
        add_papers(uow, contest, players, made)
        for entry_id in players:
            papers = boards.closed_papers(uow, entry_id)
            periods = {name for one in papers for name in one.periods}
            lock = boards.lock_entry(uow, entry_id)
            boards.recount_standings(uow, lock, papers, contest.rules, periods)
        ids = [one.id for one in faulty]
    return Played(uow_factory, contest.id, ids, players)


def oracle_scores(uow: UnitOfWork, played: Played, void: set[int]) -> dict[int, int]:
    """The points of each closed paper, from its raw answers: void questions are right."""
    keys = {one.id: one for one in uow.session.scalars(select(Question))}
    found = {}
    closed = select(Attempt).where(
        Attempt.contest_id == played.contest_id, Attempt.state != AttemptState.OPEN
    )
    for paper in uow.session.scalars(closed.execution_options(populate_existing=True)):
        right = 0
        for row in paper.paper:
            question = keys[row["q"]]
            given = sorted(paper.answers.get(question.ref, []))
            right += question.id in void or given == sorted(question.answer)
        found[paper.id] = right * 10
    return found


def assert_rescored(played: Played, void: set[int]) -> None:
    """Scores equal the oracle, and every board of every scope and period equals a recount."""
    with played.uow_factory.begin(read_only=True) as uow:
        assert stored_scores(uow, played) == oracle_scores(uow, played, void)
        contest = played.view(uow)
        periods = set(uow.session.scalars(select(Standing.period).distinct()))
        assert len(periods) > 3
        for period in periods:
            for scope in every_scope(uow, played):
                expected = recounted(uow.session, contest, scope, period)
                assert board_rows(uow, played, scope, period) == expected


def every_scope(uow: UnitOfWork, played: Played) -> list[str]:
    """The region, and every city, county, unit, audience and division of the players."""
    found = ["region"]
    for kind in ("city", "county", "unit_id", "audience", "division"):
        column = getattr(Entry, kind)
        values = uow.session.scalars(
            select(column)
            .where(Entry.contest_id == played.contest_id, column.is_not(None))
            .distinct()
        )
        found += [f"{kind.removesuffix('_id')}:{value}" for value in values]
    assert len(found) >= 1 + 3 + 6 + 2 + 2 + 2
    return found


def stored_scores(uow: UnitOfWork, played: Played) -> dict[int, int | None]:
    closed = select(Attempt.id, Attempt.score).where(
        Attempt.contest_id == played.contest_id, Attempt.state != AttemptState.OPEN
    )
    return {row.id: row.score for row in uow.session.execute(closed)}


def board_rows(uow: UnitOfWork, played: Played, scope: str, period: str) -> list[tuple[int, ...]]:
    asked = (
        select(Standing.entry_id, Standing.points, Standing.time_ms)
        .join(Entry, Entry.id == Standing.entry_id)
        .where(Standing.contest_id == played.contest_id, Standing.period == period)
        .order_by(Standing.points.desc(), Standing.time_ms, Standing.reached_at, Standing.entry_id)
    )
    if scope != "region":
        kind, _, value = scope.partition(":")
        column = Entry.unit_id if kind == "unit" else getattr(Entry, kind)
        asked = asked.where(column == (int(value) if kind == "unit" else value))
    return [tuple(row) for row in uow.session.execute(asked)]


def ranks_of(uow: UnitOfWork, played: Played) -> dict[int, int]:
    rows = board_rows(uow, played, "region", "total")
    return {row[0]: rank for rank, row in enumerate(rows, start=1)}


def letters(uow: UnitOfWork) -> dict[int, list[str]]:
    found = defaultdict(list)
    for row in uow.session.scalars(select(InboxMessage)):
        found[row.citizen_id].append(row.body)
    return found


def test_a_void_rescores_every_paper_once_and_ranks_equal_a_recount(played: Played) -> None:
    with played.uow_factory.begin(read_only=True) as uow:
        before = ranks_of(uow, played)
        papers = uow.session.scalars(select(Attempt)).all()
        concerned = {
            one.id for one in papers if any(row["q"] == played.faulty[0] for row in one.paper)
        }
    ref = played.void()
    assert run_jobs(played.uow_factory) == 1
    assert_rescored(played, {played.faulty[0]})
    with played.uow_factory.begin(read_only=True) as uow:
        after = ranks_of(uow, played)
        changed = {one for one in before if before[one] != after[one]}
        assert changed
        rows = uow.session.scalars(select(RankChange)).all()
        assert {(r.entry_id, r.old_rank, r.new_rank) for r in rows} == {
            (one, before[one], after[one]) for one in changed
        }
        rescored = uow.session.scalars(select(RescoredPaper.attempt_id)).all()
        assert sorted(rescored) == sorted(concerned)
        trail = uow.session.scalars(
            select(AuditRecord).where(
                AuditRecord.act == "quiz.change_ranks", AuditRecord.subject_ref == ref
            )
        ).all()
        assert sum(one.before.count("cit_") for one in trail) == len(changed)
        asked = select(Entry.id, Entry.citizen_id).where(Entry.id.in_(changed))
        citizens = {row.id: row.citizen_id for row in uow.session.execute(asked)}
        told = letters(uow)
        assert set(told) == set(citizens.values())
        for entry_id, citizen_id in citizens.items():
            (body,) = told[citizen_id]
            assert f"由第{before[entry_id]}名变为第{after[entry_id]}名" in body


def test_lifting_a_void_brings_the_old_scores_and_ranks_back(played: Played) -> None:
    with played.uow_factory.begin(read_only=True) as uow:
        before = (stored_scores(uow, played), ranks_of(uow, played))
    ref = played.void()
    run_jobs(played.uow_factory)
    with played.uow_factory.begin() as uow:
        voiding.lift_void(uow, APPROVER, ref, "再次核查，原答案无误")
    run_jobs(played.uow_factory)
    assert_rescored(played, set())
    with played.uow_factory.begin(read_only=True) as uow:
        assert (stored_scores(uow, played), ranks_of(uow, played)) == before
        assert all(len(bodies) == 2 for bodies in letters(uow).values())


@pytest.mark.race
def test_two_voids_at_once_give_both_questions_to_everybody(played: Played) -> None:
    first, second = played.propose(0), played.propose(1)
    codes = meet(
        played.uow_factory,
        lambda uow: voiding.approve_void(uow, APPROVER, first, "属实"),
        lambda: played.approve(second),
        lambda _uow: None,
    )
    assert codes == []
    run_jobs(played.uow_factory)
    assert_rescored(played, set(played.faulty))
    with played.uow_factory.begin(read_only=True) as uow:
        assert sorted(uow.session.scalars(select(Rescoring.marking))) == [1, 2]
        assert uow.session.get_one(Contest, played.contest_id).marking == 2


def test_without_the_lock_of_the_contest_two_voids_take_the_same_marking(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    if played.uow_factory.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time: the second void waits for the whole first one")

    def raise_without_lock(uow: UnitOfWork, _organizer: object, contest_id: int) -> Contest:
        contest = uow.session.get_one(Contest, contest_id)
        contest.marking += 1
        return contest

    monkeypatch.setattr(voiding, "_raise_marking", raise_without_lock)
    first, second = played.propose(0), played.propose(1)
    with pytest.raises(IntegrityError, match="marking"):
        meet(
            played.uow_factory,
            lambda uow: voiding.approve_void(uow, APPROVER, first, "属实"),
            lambda: played.approve(second),
            lambda _uow: None,
        )


def test_the_wrong_answer_book_leaves_out_answers_to_a_void_question(played: Played) -> None:
    def wrong_at_faulty() -> set[int]:
        with played.uow_factory.begin(read_only=True) as uow:
            citizens = uow.session.scalars(
                select(Entry.citizen_id).where(Entry.contest_id == played.contest_id)
            ).all()
            return {
                citizen
                for citizen in citizens
                for one in list_mistakes(uow, citizen)
                if one.item.id == played.faulty[0]
            }

    before = wrong_at_faulty()
    assert len(before) > 3
    ref = played.void()
    run_jobs(played.uow_factory)
    assert wrong_at_faulty() == set()
    with played.uow_factory.begin() as uow:
        voiding.lift_void(uow, APPROVER, ref, "再次核查，原答案无误")
    run_jobs(played.uow_factory)
    assert wrong_at_faulty() == before


class Killed(Exception):
    """Stands for a kill between two transactions."""


def test_a_rescoring_killed_between_any_two_steps_ends_the_same(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "READ", 16)
    monkeypatch.setattr(rescoring, "LOCKED", 2)
    monkeypatch.setattr(rank_changes, "CHUNK", 4)
    monkeypatch.setattr(rank_changes, "LETTERS", 3)
    played.void()
    with played.uow_factory.begin(read_only=True) as uow:
        ref = uow.session.scalars(select(Rescoring.ref)).one()
    kills = 0
    while True:
        try:
            with dying_after(played.uow_factory, 1 + kills % 5, monkeypatch) as factory:
                rescoring.finish_rescoring(factory, ref, lambda _done, _total: None)
            break
        except Killed:
            kills += 1
    assert kills > 10
    assert_rescored(played, {played.faulty[0]})
    with played.uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(Rescoring)).one()
        assert row.stage is RescoringStage.DONE
        assert row.papers == len(uow.session.scalars(select(RescoredPaper.id)).all())
        changes = uow.session.scalars(select(RankChange)).all()
        assert row.rank_changes == len(changes)
        assert all(one.told_at is not None for one in changes)
        assert sum(len(one) for one in letters(uow).values()) == len(changes)
        trail = uow.session.scalars(
            select(AuditRecord).where(AuditRecord.act == "quiz.change_ranks")
        )
        assert sum(one.before.count("cit_") for one in trail) == len(changes)


@contextmanager
def dying_after(
    uow_factory: UnitOfWorkFactory, commits: int, monkeypatch: pytest.MonkeyPatch
) -> Iterator[UnitOfWorkFactory]:
    """The process dies at the beginning of a writing transaction, after so many of them."""
    begin, left = UnitOfWorkFactory.begin, [commits]

    def begin_or_die(self: UnitOfWorkFactory, *args: Any, **given: Any) -> Any:
        if not given.get("read_only"):
            if not left[0]:
                raise Killed
            left[0] -= 1
        return begin(self, *args, **given)

    with monkeypatch.context() as patched:
        patched.setattr(UnitOfWorkFactory, "begin", begin_or_die)
        yield uow_factory


def test_a_sweep_continues_a_rescoring_whose_job_was_given_up(
    played: Played, gateway: RecordingGateway, clock: FakeClock
) -> None:
    played.void()
    context = TaskContext(uow_factory=played.uow_factory, gateway=gateway)
    assert voiding.continue_rescorings(context) == 0
    clock.advance(rescoring.ABANDONED.total_seconds() + 1)
    assert voiding.continue_rescorings(context) == 1
    assert voiding.continue_rescorings(context) == 0
    assert_rescored(played, {played.faulty[0]})


def an_open_paper(played: Played) -> int:
    """A paper with the faulty question, answered by the key's letter, that is out of time."""
    with played.uow_factory.begin() as uow:
        questions = uow.session.scalars(select(Question).order_by(Question.id)).all()[:10]
        entry_id = entries(uow, played.view(uow), 1, city="450100")[0]
        answers = {one.ref: [1] for one in questions}
        (number,) = add_papers(uow, played.view(uow), [entry_id], [(questions, answers)])
        row = uow.session.get_one(Attempt, number)
        empty = {"id", "score", "correct_count", "duration_ms", "closed_at"}
        names = {column.name for column in row.__table__.columns} - empty
        facts = {name: getattr(row, name) for name in names}
        uow.session.delete(row)
        uow.session.flush()
        fresh = Attempt(**{**facts, "state": AttemptState.OPEN})
        uow.session.add(fresh)
        uow.session.flush()
        return fresh.id


def void_and_rescore(played: Played, ref: str) -> None:
    played.approve(ref)
    with played.uow_factory.begin(read_only=True) as uow:
        rescored = uow.session.scalars(select(Rescoring.ref)).one()
    rescoring.finish_rescoring(played.uow_factory, rescored, lambda _done, _total: None)


@pytest.mark.race
def test_a_paper_that_closes_while_the_void_commits_is_rescored(played: Played) -> None:
    number, ref = an_open_paper(played), played.propose()
    codes = meet(
        played.uow_factory,
        lambda uow: closing.close_overdue(uow, number),
        lambda: void_and_rescore(played, ref),
        lambda _uow: None,
    )
    assert codes == []
    assert_rescored(played, {played.faulty[0]})


@pytest.mark.race
def test_a_rescoring_that_waits_for_no_open_paper_misses_one(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = rescoring._read_papers

    def read_closed(uow: UnitOfWork, place: Any) -> Any:
        return read(uow, replace(place, passes=1))

    monkeypatch.setattr(rescoring, "_read_papers", read_closed)
    number, ref = an_open_paper(played), played.propose()
    meet(
        played.uow_factory,
        lambda uow: closing.close_overdue(uow, number),
        lambda: void_and_rescore(played, ref),
        lambda _uow: None,
    )
    with played.uow_factory.begin(read_only=True) as uow:
        expected = oracle_scores(uow, played, {played.faulty[0]})
        # SQLite has one writer: the closing is over before the void begins.
        missed = 10 if played.uow_factory.engine.dialect.name == "postgresql" else 0
        assert stored_scores(uow, played)[number] == expected[number] - missed


@pytest.mark.parametrize("guarded", [True, False])
def test_a_closing_that_read_the_contest_before_the_void_is_refused(
    played: Played, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    if not guarded:
        blind = attempt_store._KEEP.where(Attempt.state == AttemptState.OPEN)
        blind = blind.where(bindparam("seen_marking", type_=Integer) >= 0)
        monkeypatch.setattr(attempt_store, "CLOSE", blind)
    number = an_open_paper(played)
    with played.uow_factory.begin(read_only=True) as uow:
        stale = attempt_store.find_attempt_by_id(uow, number)
        assert stale is not None
    void_and_rescore(played, played.propose())
    try:
        with played.uow_factory.begin() as uow:
            lock = boards.lock_entry(uow, stale.entry_id)
            closing.expire_paper(uow, stale, closing.load_paper(uow, stale), lock)
    except Unavailable:
        assert guarded
        with played.uow_factory.begin() as uow:
            assert closing.close_overdue(uow, number)
    with played.uow_factory.begin(read_only=True) as uow:
        expected = oracle_scores(uow, played, {played.faulty[0]})[number]
        assert stored_scores(uow, played)[number] == (expected if guarded else expected - 10)


def test_the_result_of_a_paper_tells_that_a_question_is_void(played: Played) -> None:
    number = an_open_paper(played)
    played.void()
    with played.uow_factory.begin() as uow:
        closing.close_overdue(uow, number)
    with played.uow_factory.begin(read_only=True) as uow:
        sheet = attempt_store.find_attempt_by_id(uow, number)
        assert sheet is not None
        view = attempts.view_of(uow, sheet)
        assert view.result is not None
        assert view.result.score == 10
        assert [one.voided for one in view.result.review] == [True] + [False] * 9


def test_only_papers_since_the_stated_day_count_the_question_as_right(played: Played) -> None:
    with played.uow_factory.begin(read_only=True) as uow:
        since = uow.now - timedelta(days=2)
        started = {one.id: one.started_at for one in uow.session.scalars(select(Attempt))}
    played.approve(played.propose(since=since))
    run_jobs(played.uow_factory)
    with played.uow_factory.begin(read_only=True) as uow:
        old, new = oracle_scores(uow, played, set()), oracle_scores(uow, played, {played.faulty[0]})
        expected = {one: new[one] if started[one] >= since else old[one] for one in old}
        assert stored_scores(uow, played) == expected
        assert expected not in (old, new)


def test_nobody_decides_alone_and_nothing_is_decided_twice(played: Played) -> None:
    ref = played.propose()
    with pytest.raises(VoidPending):
        played.propose()
    with pytest.raises(OwnVoid), played.uow_factory.begin() as uow:
        voiding.approve_void(uow, replace(APPROVER, id=EDITOR.id), ref, "属实")
    with pytest.raises(OwnVoid), played.uow_factory.begin() as uow:
        question = uow.session.get_one(Question, played.faulty[0])
        question.writer_id = APPROVER.id
        voiding.approve_void(uow, APPROVER, ref, "属实")
    played.approve(ref)
    with pytest.raises(WrongVoidState):
        played.approve(ref)
    with pytest.raises(WrongVoidState), played.uow_factory.begin() as uow:
        voiding.refuse_void(uow, APPROVER, ref, "不属实")
    with played.uow_factory.begin(read_only=True) as uow:
        question = uow.session.get_one(Question, played.faulty[0])
        assert question.state is QuestionState.RETIRED


def test_a_refused_void_changes_no_score(played: Played) -> None:
    ref = played.propose()
    with played.uow_factory.begin() as uow:
        voiding.refuse_void(uow, APPROVER, ref, "不属实")
    assert run_jobs(played.uow_factory) == 0
    assert_rescored(played, set())
    assert played.propose() != ref


def test_a_county_leaves_out_a_question_of_the_region_that_it_voids(
    uow_factory: UnitOfWorkFactory,
) -> None:
    editor, approver = PEOPLE["editor-county"], PEOPLE["approver-county"]
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        (question,) = add_questions(uow, contest, [QuestionKind.SINGLE])
        row = uow.session.get_one(Contest, contest.id)
        for name, value in owned_by(editor.scope).items():
            setattr(row, name, value)
        uow.session.flush()
        (void,) = voiding.propose_void(uow, editor, question, [row.ref], None, "答案有误")
        ref = void.ref
    with uow_factory.begin() as uow:
        voiding.approve_void(uow, approver, ref, "属实")
    with uow_factory.begin() as uow:
        question = uow.session.get_one(Question, question.id)
        assert question.state is QuestionState.LIVE
        assert uow.session.get_one(Contest, contest.id).left_out == [question.ref]
        voiding.lift_void(uow, approver, ref, "无误")
        assert uow.session.get_one(Contest, contest.id).left_out == []


def test_a_score_changes_with_a_higher_marking_only(played: Played) -> None:
    for marking in (None, 0):
        with pytest.raises(DBAPIError), played.uow_factory.begin() as uow:
            changed = {"score": 0} | ({} if marking is None else {"marking": marking})
            uow.session.execute(update(Attempt).where(Attempt.score > 0).values(**changed))


def test_sealed_ranks_stay_and_a_draft_with_the_reason_appears(
    played: Played, clock: FakeClock
) -> None:
    with played.uow_factory.begin(read_only=True) as uow:
        contest = played.view(uow)
    end_contest(played.uow_factory, clock, contest)
    first = seal(played.uow_factory, contest)
    publish(played.uow_factory, contest, first, OTHER)
    with played.uow_factory.begin(read_only=True) as uow:
        digest = version_of(uow, first).digest
    played.void()
    run_jobs(played.uow_factory)
    work(played.uow_factory)
    with played.uow_factory.begin(read_only=True) as uow:
        sealed = version_of(uow, first)
        assert (sealed.digest, sealed.state) == (digest, SealState.PUBLISHED)
        draft = uow.session.scalars(
            select(SealedVersion).where(SealedVersion.state == SealState.DRAFT)
        ).one()
        assert "核查属实" in draft.reason
        ranks = select(SealedRank.entry_id).where(SealedRank.version_id == draft.id)
        expected = [row[0] for row in board_rows(uow, played, "region", "total")]
        assert list(uow.session.scalars(ranks.order_by(SealedRank.rank))) == expected
        ref = draft.ref
        pages = set(uow.session.scalars(select(InboxMessage.page)))
        assert f"packages/quiz/records/index?id={contest.ref}" in pages
        # The published ranks have not changed yet, so no message says so.
        told = [body for bodies in letters(uow).values() for body in bodies]
        assert any("更正公布以前，名次不变" in body for body in told)
        assert not any("变为" in body for body in told)
    # Who decided on the void does not publish its effect.
    with pytest.raises(OwnSealChange):
        publish(played.uow_factory, contest, ref, APPROVER)


def test_a_frozen_board_stays_and_letters_name_no_rank(played: Played, clock: FakeClock) -> None:
    with played.uow_factory.begin() as uow:
        contest = uow.session.get_one(Contest, played.contest_id)
        contest.freezes_at = uow.now + timedelta(minutes=1)
    clock.advance(120)
    with played.uow_factory.begin(read_only=True) as uow:
        before = board_rows(uow, played, "region", "total")
    played.void()
    run_jobs(played.uow_factory)
    with played.uow_factory.begin(read_only=True) as uow:
        assert board_rows(uow, played, "region", "total") == before
        assert stored_scores(uow, played) == oracle_scores(uow, played, {played.faulty[0]})
        told = [body for bodies in letters(uow).values() for body in bodies]
        assert told
        assert not any("变为" in body for body in told)
    with played.uow_factory.begin() as uow:
        uow.session.get_one(Contest, played.contest_id).freezes_at = None
    work(played.uow_factory)
    assert_rescored(played, {played.faulty[0]})
