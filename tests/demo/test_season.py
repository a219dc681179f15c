"""The demo's season: consistent with the product's rules, and the same however it is written."""

from __future__ import annotations

import math
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.accounts.models import Citizen, Identity
from server.app import Application, Overrides, open_application
from server.base.clock import beijing_day
from server.base.jobs import TaskContext
from server.base.sql.tables import Base
from server.channel.models import Follower
from server.dashboard.models import FigureFunnel
from server.dashboard.tasks import renew_funnel
from server.demo.season import PART, SeasonSize, WrittenSeason, fill_season
from server.demo.season_contests import CITY, PAST
from server.demo.season_papers import CHEAT_SECONDS, DOUBTFUL
from server.emulator.testing import Emulator, emulated_wechat
from server.notices.models import MessageGrant
from server.organizers.commands import DEMO_FILE, seed_demo_organizers
from server.organizers.service import organizer_by_username
from server.programme import commands as programme
from server.programme.models import Participation
from server.quiz import service as quiz
from server.quiz.bank.service import bank_of
from server.quiz.contests.service import contest_by_id, find_contest, rules_at
from server.quiz.enums import AttemptState, Signal
from server.quiz.integrity import entrants
from server.quiz.integrity.inspection import inspect_contests
from server.quiz.leaderboards import board_view
from server.quiz.leaderboards.board_keys import group_name
from server.quiz.leaderboards.service import closed_papers
from server.quiz.leaderboards.tasks import main_boards
from server.quiz.models import (
    Attempt,
    Contest,
    Deck,
    Entry,
    IntegrityFlag,
    QuestionReport,
    SealedRank,
    SealedVersion,
    Standing,
)
from server.quiz.rules import mark_paper, season_total
from server.seeding import FACTS
from tests.conftest import make_settings
from tests.kit.clock import FakeClock
from tests.kit.databases import Databases, memory_folder
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import QUESTIONS

TEMPLATES = Path(__file__).resolve().parents[2] / "config" / "wechat-templates.json"
SMALL = SeasonSize(logging_in=150, following=25, papers=500)
TINY = SeasonSize(logging_in=30, following=5, papers=60)


@pytest.fixture
def wechat() -> Iterator[Emulator]:
    with emulated_wechat(templates=TEMPLATES) as emulator:
        yield emulator


def begin_demo(application: Application, *, season: bool = True) -> None:
    """The sample data of the demo's first start."""
    factory = application.uow_factory
    assert programme.load_campaign(factory, FACTS / "campaign.json", shift=True).ok
    assert quiz.import_questions(factory, QUESTIONS).ok
    quiz.open_demo_contest(factory, season=season)
    seed_demo_organizers(factory, application.settings.var)


def begin_with(application: Application, wechat: Emulator) -> Application:
    """The demo after its first start, beside this emulated WeChat."""
    port = int(wechat.base.rsplit(":", 1)[1])
    settings = replace(application.settings, emulator_port=port)
    made = replace(application, settings=settings)
    begin_demo(made)
    return made


@pytest.fixture
def demo(opened_application: Application, wechat: Emulator) -> Application:
    return begin_with(opened_application, wechat)


def fill(demo: Application, size: SeasonSize = SMALL) -> WrittenSeason:
    return fill_season(demo, lambda _line: None, lambda: False, size)


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A written season, which several tests read and none changes."""

    demo: Application
    wechat: Emulator
    written: WrittenSeason


def write_season(stack: ExitStack, worker: str, kind: str) -> Filled:
    """A season in a database of its own, which no other test empties."""
    folder = Path(tempfile.mkdtemp(prefix="kepu-season-", dir=memory_folder()))
    databases = Databases(folder, f"{worker}_season")
    stack.callback(databases.close)
    replaced = Overrides(
        clock=FakeClock(),
        random=random.Random(20260501),
        gateway=RecordingGateway(),
        enqueue=lambda _task, *_ids: None,
    )
    opened = open_application(make_settings(databases.empty_url(kind), folder), replaced)
    stack.callback(opened.uow_factory.engine.dispose)
    wechat = stack.enter_context(emulated_wechat(templates=TEMPLATES))
    demo = begin_with(opened, wechat)
    return Filled(demo=demo, wechat=wechat, written=fill(demo))


@pytest.fixture(scope="module")
def seasons(worker_id: str) -> Iterator[Callable[[str], Filled]]:
    """The season of each kind of database, written when it is first asked for."""
    with ExitStack() as stack:
        yield cache(lambda kind: write_season(stack, worker_id, kind))


@pytest.fixture
def filled(seasons: Callable[[str], Filled], database_kind: str) -> Filled:
    return seasons(database_kind)


def rows_of(demo: Application) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the season's tables without the ids and instants of their writing."""
    left_out = {"id", "entry_id", "contest_id", "changed_at", "citizen_id", "unit_id", "paper"}
    found = {}
    with demo.uow_factory.begin(read_only=True) as uow:
        for model in (Citizen, Entry, Attempt, Standing, Participation, QuestionReport, Deck):
            columns = [c for c in model.__table__.c if c.name not in left_out]
            asked = select(*columns)
            # The open paper is dealt by chance when the season ends.
            if model is Attempt:
                asked = asked.where(Attempt.closed_at.is_not(None))
            if model is Deck:
                asked = asked.join(Contest, Contest.id == Deck.contest_id).where(
                    Contest.slug != CITY
                )
            rows = uow.session.execute(asked).all()
            found[model.__tablename__] = sorted(tuple(map(str, row)) for row in rows)
    return found


def test_the_season_is_a_campaign_in_every_city(filled: Filled) -> None:
    written = filled.written
    assert written.citizens == SMALL.logging_in + SMALL.following
    assert written.lectures == 12
    assert abs(written.papers - SMALL.papers) < 120
    with filled.demo.uow_factory.begin(read_only=True) as uow:
        cities = Counter(uow.session.scalars(select(Citizen.city).where(Citizen.city.is_not(None))))
        assert len(cities) == 14
        assert cities["450100"] == max(cities.values())
        count = uow.session.scalar
        # One paper is open.
        assert count(select(func.count()).select_from(Attempt)) == written.papers + 1
        assert (count(select(func.count()).select_from(QuestionReport)) or 0) == written.reports > 0
        contest = uow.session.scalars(select(Contest).where(Contest.slug == "daily-quiz")).one()
        of_contest = Attempt.contest_id == contest.id
        states = set(uow.session.scalars(select(Attempt.state).where(of_contest)))
        assert states == {AttemptState.SUBMITTED, AttemptState.EXPIRED}
        first = count(select(func.min(Attempt.started_at)).where(of_contest))
        last = count(select(func.max(Attempt.closed_at)).where(of_contest))
        assert first is not None
        assert last is not None
        assert contest.opens_at <= first < last <= contest.made_at
        assert beijing_day(contest.made_at) - beijing_day(contest.opens_at) == timedelta(weeks=4)


def test_every_paper_and_standing_is_what_the_rules_make_of_its_answers(filled: Filled) -> None:
    with filled.demo.uow_factory.begin(read_only=True) as uow:
        window = quiz.demo_season(uow)
        assert window is not None
        bank = bank_of(uow, window.contest.bank)
        for row in uow.session.scalars(select(Attempt).where(Attempt.closed_at.is_not(None))):
            rules = rules_at(uow, row.contest_id, row.rules_version)
            keys = {bank.by_id[one["q"]].ref: bank.by_id[one["q"]].answer for one in row.paper}
            marked = mark_paper(rules, keys, row.answers)
            assert (row.score, row.correct_count) == (marked.score, marked.correct_count)
            assert len(keys) == rules.question_count
        for entry in uow.session.scalars(select(Entry).where(Entry.held_at.is_(None))):
            rules = contest_by_id(uow, entry.contest_id).rules
            played = closed_papers(uow, entry.id)
            stored = uow.session.scalars(
                select(Standing).where(Standing.entry_id == entry.id)
            ).all()
            assert {one.period for one in stored} == {p for one in played for p in one.periods}
            for one in stored:
                of_period = [p.paper for p in played if one.period in p.periods]
                total = season_total(rules.season, of_period)
                assert total is not None
                assert (one.points, one.time_ms) == (total.points, total.time_ms)


def kept_boards(demo: Application, contest_id: int) -> dict[str, list[tuple[int, int]]]:
    """What Redis holds of the boards that are read most."""
    dependencies = demo.uow_factory.dependencies
    held = {
        board: dependencies.kv.leaderboard.read_top(group_name(contest_id), board, 10_000)
        for board in main_boards(dependencies.clock.now())
    }
    return {board: top for board, top in held.items() if top}


def test_the_commands_that_recount_find_no_difference(demo: Application) -> None:
    with demo.uow_factory.begin(read_only=True) as uow:
        window = quiz.demo_season(uow)
    assert window is not None
    quiz.rebuild_leaderboards(demo.uow_factory, lambda _done, _total: None)
    fill(demo, TINY)
    live = kept_boards(demo, window.contest.id)
    made = quiz.rebuild_participation(demo.uow_factory, lambda _done, _total: None)
    assert (made.added, made.removed, made.busy) == (0, 0, 0)
    quiz.rebuild_leaderboards(demo.uow_factory, lambda _done, _total: None)
    again = kept_boards(demo, window.contest.id)
    assert live == {name: again[name] for name in live}
    assert len(live) > 5


def test_a_rank_is_the_place_at_the_moment_of_closing(filled: Filled) -> None:
    with filled.demo.uow_factory.begin(read_only=True) as uow:
        window = quiz.demo_season(uow)
        assert window is not None
        season = window.contest.rules.season
        of_contest = select(Attempt).where(Attempt.contest_id == window.contest.id)
        closed = uow.session.scalars(of_contest.order_by(Attempt.closed_at)).all()
        of_entry: dict[int, list[object]] = {}
        for number, row in enumerate(closed):
            of_entry.setdefault(row.entry_id, []).append(row)
            if number % 97:
                continue
            totals = {
                entry: season_total(season, [one.paper for one in closed_papers(uow, entry)
                                         if one.paper.closed_at <= row.closed_at])
                for entry in of_entry
            }  # fmt: skip
            mine = totals[row.entry_id]
            assert mine is not None
            key = (-mine.points, mine.time_ms, mine.reached_at)
            ahead = sum(
                (-one.points, one.time_ms, one.reached_at) < key
                for one in totals.values() if one is not None
            )  # fmt: skip
            assert row.rank_region == ahead + 1


def test_its_people_exist_in_wechat_with_the_same_grants(filled: Filled) -> None:
    wechat = filled.wechat
    told = {one["openid_oa"]: one for one in wechat.get_control("people")["items"]}
    assert len(told) == SMALL.logging_in + SMALL.following
    with filled.demo.uow_factory.begin(read_only=True) as uow:
        asked = select(Identity.app, Identity.openid, Citizen.unionid).join(Citizen)
        for app, openid, unionid in uow.session.execute(asked):
            of_app = "openid_oa" if app == "official_account" else "openid_mp"
            (one,) = [p for p in told.values() if p[of_app] == openid]
            assert one["unionid"] == unionid
        followers = uow.session.execute(
            select(Identity.openid, Follower.subscribed)
            .join(Follower, Follower.citizen_id == Identity.citizen_id)
            .where(Identity.app == "official_account")
        ).all()
        assert followers
        assert all(told[openid]["subscribed"] == subscribed for openid, subscribed in followers)
        grants = uow.session.scalar(select(func.count()).select_from(MessageGrant))
    assert grants == wechat.world.store.select_number("SELECT sum(count) FROM grants") > 0


def test_planted_questions_are_answered_worse_by_those_who_know_more(filled: Filled) -> None:
    with filled.demo.uow_factory.begin(read_only=True) as uow:
        window = quiz.demo_season(uow)
        assert window is not None
        bank = bank_of(uow, window.contest.bank)
        samples: dict[str, list[tuple[bool, int]]] = {}
        for row in uow.session.scalars(select(Attempt).where(Attempt.closed_at.is_not(None))):
            for one in row.paper:
                item = bank.by_id[one["q"]]
                right = set(row.answers.get(item.ref, [])) == set(item.answer)
                rest = (row.correct_count or 0) - right
                samples.setdefault(item.ref, []).append((right, rest))
    correlation = {ref: discriminate(some) for ref, some in samples.items() if len(some) >= 40}
    assert [ref for ref in DOUBTFUL if correlation[ref] >= 0] == []
    others = [value for ref, value in correlation.items() if ref not in DOUBTFUL]
    assert sum(value > 0 for value in others) > 0.8 * len(others)


def discriminate(samples: list[tuple[bool, int]]) -> float:
    """The correlation of an item with the rest of its papers."""
    count = len(samples)
    mean_x, mean_y = (sum(pair[n] for pair in samples) / count for n in (0, 1))
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in samples)
    spread = math.prod(sum((pair[n] - mean) ** 2 for pair in samples)
                       for n, mean in ((0, mean_x), (1, mean_y)))  # fmt: skip
    return covariance / math.sqrt(spread)


def test_one_planted_cheat_has_everything_right_in_no_time(filled: Filled) -> None:
    with filled.demo.uow_factory.begin(read_only=True) as uow:
        window = quiz.demo_season(uow)
        assert window is not None
        fast = uow.session.scalars(
            select(Attempt).where(
                Attempt.duration_ms <= CHEAT_SECONDS * 1000,
                Attempt.contest_id == window.contest.id,
            )
        ).all()
        assert len({row.citizen_id for row in fast}) == 1
        assert len(fast) > 10
        assert {row.correct_count for row in fast} == {10}


def test_inspection_and_funnel_cover_a_season_although_they_ran_while_it_was_written(
    demo: Application,
) -> None:
    context = TaskContext(uow_factory=demo.uow_factory, gateway=RecordingGateway())
    inspect_contests(context)
    renew_funnel(context)
    fill(demo)
    inspect_contests(context)
    renew_funnel(context)
    with demo.uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.max(FigureFunnel.logged_in)))
        flags = uow.session.execute(
            select(IntegrityFlag.signal, IntegrityFlag.entry_id)
            .join(Entry, Entry.id == IntegrityFlag.entry_id)
            .join(Contest, Contest.id == Entry.contest_id)
            .where(Contest.slug == "daily-quiz")
        ).all()
    assert Signal.SPEED in {signal for signal, _ in flags}
    assert len({entry for _, entry in flags}) == 1


def test_the_contest_that_is_over_has_final_ranks_without_the_cheat(filled: Filled) -> None:
    told: list[str] = []
    assert quiz.verify_final_ranks(filled.demo.uow_factory, PAST, "", told.append)
    assert "published: 1" in told[0]
    with filled.demo.uow_factory.begin(read_only=True) as uow:
        past = find_contest(uow, PAST)
        version = uow.session.scalars(select(SealedVersion)).one()
        entries = set(uow.session.scalars(select(Entry.id).where(Entry.contest_id == past.id)))
        held = uow.session.scalars(
            select(Entry.id).where(Entry.contest_id == past.id, Entry.held_at.is_not(None))
        ).one()
        ranked = set(uow.session.scalars(select(SealedRank.entry_id)))
        assert past.final is not None
        assert (past.final.id, version.publisher_id) != (None, version.author_id)
        assert ranked == entries - {held}
        assert len(ranked) > 5


def test_the_smaller_contests_have_a_board_for_each_division(filled: Filled) -> None:
    with filled.demo.uow_factory.begin(read_only=True) as uow:
        divisions: dict[str, Counter[str | None]] = {}
        for slug in ("daily-quiz", PAST, CITY):
            contest = find_contest(uow, slug)
            chosen = select(Entry.division).where(Entry.contest_id == contest.id)
            divisions[slug] = Counter(uow.session.scalars(chosen))
            assert set(divisions[slug]) == {one.key for one in contest.rules.divisions} or {None}
        assert set(divisions["daily-quiz"]) == {None}
        assert set(divisions[PAST]) == {"youth", "farmer", "worker", "official"}
        assert set(divisions[CITY]) == {"youth", "adult"}
        past = find_contest(uow, PAST)
        for key, size in divisions[PAST].items():
            rows = uow.session.scalars(
                select(SealedRank).where(SealedRank.division == key).order_by(SealedRank.rank)
            ).all()
            assert [one.division_rank for one in rows] == list(range(1, len(rows) + 1))
            # One entry is held.
            assert 0 < size - len(rows) + 1 <= 2
            board = board_view.read_board(uow, past, scope=f"division:{key}", limit=100)
            assert (board.total, board.items[0].score) == (len(rows), rows[0].points)


def test_somebody_has_no_rank_and_the_reason_is_found(filled: Filled) -> None:
    with filled.demo.uow_factory.begin(read_only=True) as uow:
        editor = organizer_by_username(uow, "editor-region")
        reasons: dict[str, set[str]] = {PAST: set(), CITY: set()}
        for slug, found in reasons.items():
            contest_id = find_contest(uow, slug).id
            papers = select(func.min(Attempt.ref)).where(Attempt.contest_id == contest_id)
            for paper in uow.session.scalars(papers.group_by(Attempt.entry_id)):
                found |= {why.value for why in entrants.read_entrant(uow, editor, paper).reasons}
    assert "upheld" in reasons[PAST]
    assert {"held", "open_paper"} <= reasons[CITY]


def test_papers_hold_questions_with_pictures(filled: Filled) -> None:
    with filled.demo.uow_factory.begin(read_only=True) as uow:
        window = quiz.demo_season(uow)
        assert window is not None
        pictured = {one.id for one in bank_of(uow, quiz.BANK).live if one.picture is not None}
        papers = uow.session.scalars(
            select(Attempt.paper).where(Attempt.contest_id == window.contest.id)
        ).all()
    assert len(pictured) == 6
    assert sum(any(one["q"] in pictured for one in paper) for paper in papers) * 2 > len(papers)


def test_a_season_that_was_killed_goes_on_and_ends_like_an_unbroken_one(
    demo: Application, wechat: Emulator
) -> None:
    parts = 0

    def stop_after_two() -> bool:
        nonlocal parts
        parts += 1
        return parts > 2

    broken = fill_season(demo, lambda _line: None, stop_after_two, SMALL)
    assert broken.citizens == 2 * PART
    made = quiz.rebuild_participation(demo.uow_factory, lambda _done, _total: None)
    assert (made.added, made.removed) == (0, 0)
    rest = fill(demo)
    assert broken.citizens + rest.citizens == SMALL.logging_in + SMALL.following
    once = rows_of(demo)
    assert fill(demo) == WrittenSeason()
    assert rows_of(demo) == once
    empty_database(demo)
    (demo.settings.var / DEMO_FILE).unlink()
    begin_demo(demo)
    fill(demo)
    whole = rows_of(demo)
    for name in ("citizen", "attempt", "participation", "deck", "standing"):
        assert whole[name] == once[name], name


def test_a_part_that_fails_leaves_nothing_of_itself(
    demo: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(quiz, "add_reports", fail)
    with pytest.raises(RuntimeError, match="killed"):
        fill(demo)
    with demo.uow_factory.begin(read_only=True) as uow:
        for model in (Citizen, Identity, Follower, MessageGrant, Entry, Attempt, Participation):
            assert uow.session.scalar(select(func.count()).select_from(model)) == 0
    monkeypatch.undo()
    assert fill(demo).citizens == SMALL.logging_in + SMALL.following


def test_a_demo_that_began_empty_gets_no_season_later(opened_application: Application) -> None:
    begin_demo(opened_application, season=False)
    quiz.open_demo_contest(opened_application.uow_factory, season=True)
    assert fill(opened_application) == WrittenSeason()


def empty_database(demo: Application) -> None:
    with demo.uow_factory.engine.begin() as connection:
        for one in reversed(Base.metadata.sorted_tables):
            # The audit trail refuses to be deleted.
            if not one.name.startswith("audit_"):
                connection.execute(one.delete())
