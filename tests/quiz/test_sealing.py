"""Final ranks: sealed once, signed, corrected only by new versions that somebody publishes."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import func, select

from server.accounts import identities, privacy
from server.base.errors import Conflict
from server.base.signing import is_signed
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.console.models import ConsoleJob
from server.quiz.contests.service import ContestView
from server.quiz.enums import CaseState, SealState
from server.quiz.errors import (
    AlreadySealed,
    CasesStillOpen,
    NotSealDraft,
    OwnSealChange,
    PapersStillOpen,
    SealTooEarly,
    SealWaits,
)
from server.quiz.leaderboards import service as boards
from server.quiz.models import (
    Entry,
    IntegrityCase,
    SealedOrder,
    SealedPart,
    SealedRank,
    SealedVersion,
)
from server.quiz.sealing import building, console, ranking, rules, stepping
from server.quiz.sealing import service as sealing
from server.quiz.sealing.commands import verify_final_ranks
from server.quiz.sealing.verification import verify_versions
from tests.kit.boards import a_contest, a_paper, close_paper, recounted
from tests.kit.clock import FakeClock
from tests.kit.console import Browser, console_app
from tests.kit.jobs import run_jobs
from tests.kit.sealing import (
    APPROVER,
    OTHER,
    a_played_contest,
    end_contest,
    publish,
    seal,
    version_of,
    work,
)


def test_sealed_ranks_equal_a_recount_and_are_signed(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
    end_contest(uow_factory, clock, contest)
    ref = seal(uow_factory, contest)
    with uow_factory.begin(read_only=True) as uow:
        version = version_of(uow, ref)
        asked = select(SealedRank).where(SealedRank.version_id == version.id)
        rows = list(uow.session.scalars(asked.order_by(SealedRank.rank)))
        assert [(row.entry_id, row.points, row.time_ms) for row in rows] == recounted(
            uow.session, contest, "region", "total"
        )
        assert [row.rank for row in rows] == [1, 2, 3, 4, 5]
        nanning = [row for row in rows if row.city == "450100"]
        assert [row.city_rank for row in nanning] == [1, 2]
        content = b"".join(
            uow.session.scalars(
                select(SealedPart.content)
                .where(SealedPart.version_id == version.id)
                .order_by(SealedPart.number)
            )
        )
        document = msgspec.json.decode(version.document)
        assert rules.hash_bytes(content) == document["file_sha256"] == version.digest
        assert is_signed(version.document, version.signature, uow.keys.final_ranks_key)
        assert not is_signed(version.document + b" ", version.signature, version.public_key)
        assert content.count(b"\n") == 1 + version.rank_count == 6
        # Nothing in the signed bytes leads to a person without the key of this installation.
        assert str(rows[0].entry_id) not in content.decode().split("\n")[1].split(",")[1:2]


def test_a_contest_is_sealed_once_and_only_when_every_paper_is_closed(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        entry = uow.session.scalars(
            select(Entry.id).where(Entry.contest_id == contest.id).order_by(Entry.id)
        ).first()
        assert entry is not None
    with pytest.raises(SealTooEarly):
        seal(uow_factory, contest)
    end_contest(uow_factory, clock, contest)
    with uow_factory.begin() as uow:
        paper = a_paper(uow, contest, entry, score=0, state="open")
    with pytest.raises(PapersStillOpen) as refused:
        seal(uow_factory, contest)
    assert refused.value.facts == {"count": 1}
    with uow_factory.begin() as uow:
        close_paper(uow, paper, score=0, time_ms=1)
    seal(uow_factory, contest)
    with pytest.raises(AlreadySealed):
        seal(uow_factory, contest, OTHER)


def test_a_late_change_makes_a_draft_that_another_organizer_publishes(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        best = recounted(uow.session, contest, "region", "total")[0][0]
        assert not sealing.note_late_change(uow, contest.id, APPROVER, "没有封存")
    end_contest(uow_factory, clock, contest)
    first = seal(uow_factory, contest)
    contest = publish(uow_factory, contest, first)
    with uow_factory.begin() as uow:
        boards.hold_entry(uow, best)
        assert sealing.note_late_change(uow, contest.id, APPROVER, "第一名作弊")
    assert work(uow_factory) == 1
    assert work(uow_factory) == 0
    with uow_factory.begin(read_only=True) as uow:
        draft = uow.session.scalars(
            select(SealedVersion).where(SealedVersion.state == SealState.DRAFT)
        ).one()
        assert (draft.number, draft.reason, draft.rank_count) == (2, "第一名作弊", 4)
        document = msgspec.json.decode(draft.document)
        published = version_of(uow, first)
        assert document["previous_sha256"] == rules.hash_bytes(published.document)
        assert published.state is SealState.PUBLISHED
    with pytest.raises(OwnSealChange):
        publish(uow_factory, contest, draft.ref, APPROVER)
    contest = publish(uow_factory, contest, draft.ref, OTHER)
    assert contest.final is not None
    assert contest.final.number == 2
    with uow_factory.begin(read_only=True) as uow:
        assert version_of(uow, first).state is SealState.REPLACED
    with pytest.raises(NotSealDraft):
        publish(uow_factory, contest, first, OTHER)


def test_a_change_that_moves_nobody_makes_no_draft(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        best = recounted(uow.session, contest, "region", "total")[0][0]
    end_contest(uow_factory, clock, contest)
    publish(uow_factory, contest, seal(uow_factory, contest))
    with uow_factory.begin() as uow:
        boards.hold_entry(uow, best)
        boards.release_entry(uow, best)
        sealing.note_late_change(uow, contest.id, APPROVER, "复核后恢复")
    assert work(uow_factory) == 0
    with uow_factory.begin(read_only=True) as uow:
        states = list(uow.session.scalars(select(SealedVersion.state).order_by("number")))
    assert states == [SealState.PUBLISHED, SealState.DROPPED]


def test_a_version_is_not_published_while_a_newer_change_waits(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        best = recounted(uow.session, contest, "region", "total")[0][0]
    end_contest(uow_factory, clock, contest)
    first = seal(uow_factory, contest)
    with uow_factory.begin() as uow:
        boards.hold_entry(uow, best)
        sealing.note_late_change(uow, contest.id, OTHER, "作弊")
    with pytest.raises(SealWaits):
        publish(uow_factory, contest, first)
    work(uow_factory)
    with pytest.raises(Conflict):
        publish(uow_factory, contest, first)
    with uow_factory.begin(read_only=True) as uow:
        newest = uow.session.scalars(
            select(SealedVersion.ref).order_by(SealedVersion.number.desc())
        ).first()
    assert newest is not None
    published = publish(uow_factory, contest, newest, replace(OTHER, id=901))
    assert published.final is not None
    assert published.final.number == 2


def test_a_dropped_first_version_is_sealed_again(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
    end_contest(uow_factory, clock, contest)
    first = seal(uow_factory, contest)
    with uow_factory.begin() as uow:
        sealing.drop_version(uow, OTHER, contest.ref, first, "还有申诉")
    again = publish(uow_factory, contest, seal(uow_factory, contest))
    assert again.final is not None
    assert again.final.number == 2


def test_undecided_holds_stop_a_sealing_unless_they_are_accepted(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        best = recounted(uow.session, contest, "region", "total")[0][0]
        boards.hold_entry(uow, best)
        uow.session.add(
            IntegrityCase(
                ref="hld_open", entry_id=best, state=CaseState.HELD, hold_reason="太快",
                holder_id=1, held_at=uow.now,
            )
        )  # fmt: skip
    end_contest(uow_factory, clock, contest)
    with pytest.raises(CasesStillOpen), uow_factory.begin() as uow:
        sealing.seal_contest(uow, APPROVER, contest.ref, "结束", accept_open=False)
    ref = seal(uow_factory, contest)
    with uow_factory.begin(read_only=True) as uow:
        version = version_of(uow, ref)
        assert msgspec.json.decode(version.document)["open_cases"] == ["hld_open"]
        assert version.rank_count == 4


@pytest.fixture
def large(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> ContestView:
    """An ended contest of five people that is sealed by a job, in parts of two."""
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
    end_contest(uow_factory, clock, contest)
    monkeypatch.setattr(console, "INSTANT_PLAYERS", 4)
    monkeypatch.setattr(building, "PART_LINES", 2)
    return contest


def begin(uow_factory: UnitOfWorkFactory, contest: ContestView) -> Browser:
    """Seal on the page, which starts a job."""
    app = console_app(uow_factory, console.PAGES)[0]
    page = Browser(app, "approver-region")
    path = f"/contests/{contest.ref}/final"
    answer = page.open("POST", f"{path}/seal", {"reason": "结束"})
    assert answer.headers["Location"] == f"/console{path}"
    return page


def test_a_large_contest_is_sealed_by_a_job_that_goes_on_after_a_kill(
    uow_factory: UnitOfWorkFactory,
    clock: FakeClock,
    large: ContestView,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, path = begin(uow_factory, large), f"/contests/{large.ref}/final"
    stored = building._store_part

    def die_in_the_middle(uow: UnitOfWork, version_id: int, number: int, content: bytes) -> None:
        if number == 2:
            raise KeyboardInterrupt
        stored(uow, version_id, number, content)

    monkeypatch.setattr(building, "_store_part", die_in_the_middle)
    with pytest.raises(KeyboardInterrupt):
        run_jobs(uow_factory)
    shown = page.get(path)[1]
    assert "正在封存名次" in shown
    # All five rows, and two lines of the file.
    assert 'value="3" max="5"' in shown
    assert f"{path}/seal" not in shown
    # Nobody begins a second version meanwhile, and nobody reads or publishes the unfinished one.
    assert page.ask("POST", f"{path}/seal", {"reason": "再来"})[0] == 409
    with uow_factory.begin(read_only=True) as uow:
        (ref,) = uow.session.scalars(select(SealedVersion.ref))
        assert verify_versions(uow, large.id) is None
    for address in (f"{path}/{ref}", f"/ranks?version={ref}"):
        assert page.get(address)[0] == 404
    with uow_factory.begin() as uow, pytest.raises(NotSealDraft):
        sealing.publish_version(uow, OTHER, large.ref, ref)
    monkeypatch.setattr(building, "_store_part", stored)
    # The lease of the killed worker is over.
    clock.advance(3600)
    assert run_jobs(uow_factory) == 1
    assert "等待公布" in page.get(path)[1]
    with uow_factory.begin(read_only=True) as uow:
        version = uow.session.scalars(select(SealedVersion)).one()
        assert (version.rank_count, version.state) == (5, SealState.DRAFT)
        assert uow.session.scalar(select(func.count()).select_from(SealedPart)) == 3
        job = uow.session.scalars(select(ConsoleJob)).one()
        assert (job.said, job.done, job.total) == ("quiz.final.job_done", 5, 5)
        assert verify_versions(uow, large.id) is None


def test_the_steps_of_a_sealing_are_transactions_between_which_others_write(
    uow_factory: UnitOfWorkFactory, large: ContestView
) -> None:
    with uow_factory.begin() as uow:
        version = sealing.begin_sealing(uow, APPROVER, large.ref, "结束", accept_open=True).id
        entry = uow.session.scalars(
            select(Entry.id).where(Entry.contest_id == large.id).order_by(Entry.id)
        ).first()
        assert entry is not None
    told: list[tuple[int, int]] = []

    def hold_between(done: int, total: int) -> None:
        """The hold of somebody who would wait for the whole sealing in one transaction."""
        assert uow_factory.depth == 0
        if not told:
            with uow_factory.begin() as uow:
                boards.hold_entry(uow, entry)
                assert sealing.note_late_change(uow, large.id, OTHER, "作弊")
        told.append((done, total))

    assert stepping.finish_version(uow_factory, version, hold_between)
    # Three parts of rows, three parts of the file.
    assert told == [(done, 5) for done in range(6)]
    # The ranks are those of one instant; the hold is in the next version.
    with uow_factory.begin(read_only=True) as uow:
        assert sealing.version_by_id(uow, version).rank_count == 5
        assert verify_versions(uow, large.id) is None
    assert work(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.scalars(select(SealedVersion).order_by(SealedVersion.number)).all()
        assert [(row.state, row.rank_count) for row in rows] == [
            (SealState.DROPPED, 5),
            (SealState.DRAFT, 4),
        ]
        assert verify_versions(uow, large.id) is None


def test_a_sealing_that_is_killed_goes_on_with_the_order_that_it_had(
    uow_factory: UnitOfWorkFactory, large: ContestView
) -> None:
    with uow_factory.begin() as uow:
        version = sealing.begin_sealing(uow, APPROVER, large.ref, "结束", accept_open=True).id
        order = [row[0] for row in recounted(uow.session, large, "region", "total")]

    def die_after_two(done: int, _total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stepping.finish_version(uow_factory, version, die_after_two)
    with uow_factory.begin() as uow:
        boards.hold_entry(uow, order[0])
        assert sealing.note_late_change(uow, large.id, OTHER, "作弊")
    assert stepping.finish_version(uow_factory, version, lambda *_numbers: None)
    with uow_factory.begin(read_only=True) as uow:
        ranks = select(SealedRank.entry_id).order_by(SealedRank.rank)
        assert list(uow.session.scalars(ranks)) == order
        assert uow.session.scalar(select(func.count()).select_from(SealedOrder)) == 0
        assert verify_versions(uow, large.id) is None


def test_the_ranking_of_a_sealing_holds_no_lock_and_two_workers_keep_one_order(
    uow_factory: UnitOfWorkFactory, large: ContestView, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        version = sealing.begin_sealing(uow, APPROVER, large.ref, "结束", accept_open=True).id
    rank = ranking.rank_entries

    def rank_beside_another(uow: UnitOfWork, contest_id: int, size: int) -> ranking.PackedOrder:
        monkeypatch.setattr(ranking, "rank_entries", rank)
        assert uow.read_only
        found = rank(uow, contest_id, size)
        # Another worker, which needs the lock of the contest, and on SQLite that of the database.
        assert stepping.finish_version(uow_factory, version, lambda *_numbers: None)
        return found

    monkeypatch.setattr(ranking, "rank_entries", rank_beside_another)
    assert stepping.finish_version(uow_factory, version, lambda *_numbers: None)
    with uow_factory.begin(read_only=True) as uow:
        assert sealing.version_by_id(uow, version).state is SealState.DRAFT
        assert uow.session.scalar(select(func.count()).select_from(SealedRank)) == 5
        assert uow.session.scalar(select(func.count()).select_from(SealedOrder)) == 0
        assert verify_versions(uow, large.id) is None


def test_a_contest_without_entries_has_an_empty_version(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
    end_contest(uow_factory, clock, contest)
    with uow_factory.begin() as uow:
        version = sealing.begin_sealing(uow, APPROVER, contest.ref, "结束", accept_open=True).id
    assert stepping.finish_version(uow_factory, version, lambda *_numbers: None)
    with uow_factory.begin(read_only=True) as uow:
        assert sealing.version_by_id(uow, version).rank_count == 0
        assert verify_versions(uow, contest.id) is None


def test_a_sealing_whose_job_was_lost_is_finished_by_the_sweep(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, large: ContestView
) -> None:
    begin(uow_factory, large)
    assert work(uow_factory) == 0
    clock.advance(121)
    assert work(uow_factory) == 1
    # The job finds it finished.
    assert run_jobs(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        version = uow.session.scalars(select(SealedVersion)).one()
        assert version.state is SealState.DRAFT
        assert uow.session.scalars(select(ConsoleJob)).one().failed is False


def test_the_command_verifies_and_names_the_changed_byte(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
    end_contest(uow_factory, clock, contest)
    publish(uow_factory, contest, seal(uow_factory, contest))
    told: list[str] = []
    assert verify_final_ranks(uow_factory, contest.slug, "", told.append)
    with uow_factory.begin() as uow:
        part = uow.session.scalars(select(SealedPart)).one()
        at = part.content.index(b"\n2,") + 1
        part.content = part.content[:at] + b"7" + part.content[at + 1 :]
    assert not verify_final_ranks(uow_factory, contest.ref, "", told.append)
    assert told == [
        f"{contest.title}: all versions are whole, published: 1",
        f"version 1: byte {at} of the file was changed (row 2)",
    ]


def test_what_is_held_about_a_citizen_includes_published_final_ranks_only(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        best = recounted(uow.session, contest, "region", "total")[0][0]
        citizen_id = uow.session.get_one(Entry, best).citizen_id

    def held() -> object:
        with uow_factory.begin(read_only=True) as uow:
            return privacy.export_citizen(uow, citizen_id)["final_ranks"]

    end_contest(uow_factory, clock, contest)
    ref = seal(uow_factory, contest)
    assert held() == []
    publish(uow_factory, contest, ref)
    (told,) = held()  # type: ignore[misc] # a list of one
    assert (told["contest"], told["version"], told["rank"]) == (contest.title, 1, 1)
    assert told["city_rank"] == 1


def test_a_merge_of_two_citizens_leaves_sealed_ranks_until_the_next_version(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        order = [row[0] for row in recounted(uow.session, contest, "region", "total")]
        people = [uow.session.get_one(Entry, entry).citizen_id for entry in order]
    end_contest(uow_factory, clock, contest)
    contest = publish(uow_factory, contest, seal(uow_factory, contest))
    with uow_factory.begin() as uow:
        identities.merge_citizens(uow, people[0], people[1])
    assert work(uow_factory) == 0
    with uow_factory.begin(read_only=True) as uow:
        assert verify_versions(uow, contest.id) is None
        assert uow.session.scalar(select(func.count()).select_from(SealedVersion)) == 1
    # The next correction is computed from the merged results.
    with uow_factory.begin() as uow:
        boards.hold_entry(uow, order[4])
        sealing.note_late_change(uow, contest.id, APPROVER, "作弊")
    assert work(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        draft = uow.session.scalars(
            select(SealedVersion).order_by(SealedVersion.number.desc())
        ).first()
        assert draft is not None
        assert draft.rank_count == 3
