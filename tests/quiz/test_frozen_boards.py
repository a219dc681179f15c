"""Frozen boards and final ranks: API, console and file agree, for every scope and at every step."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select, text, update

from server.accounts import service as accounts
from server.accounts.models import Citizen
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.console.exports import ExportFormat
from server.console.list_pages import export_rows
from server.quiz import chat
from server.quiz.attempts.progress import season_progress
from server.quiz.attempts.shown_ranks import RankKind, StoredRanks, ranks_to_show
from server.quiz.contests.service import ContestView
from server.quiz.enums import BoardState
from server.quiz.errors import FreezeBegun, FreezeTooEarly
from server.quiz.leaderboards import board_view
from server.quiz.leaderboards import service as boards
from server.quiz.leaderboards.board_view import Board
from server.quiz.models import Entry, GroupMember, SealedPart, SealedVersion, WeChatGroup
from server.quiz.sealing import service as sealing
from server.quiz.sealing.board_list import RANKS, RankQuery, RankSource
from server.quiz.sealing.building import entry_key, read_file
from server.quiz.sealing.verification import SealFault, SealFaultKind, verify_versions
from server.units.models import Unit
from tests.kit.boards import hand_in, recounted
from tests.kit.clock import FakeClock
from tests.kit.sealing import (
    APPROVER,
    OTHER,
    a_played_contest,
    end_contest,
    publish,
    reread,
    seal,
    version_of,
    work,
)

SCOPES = ("region", "city:450100", "county:450202", "unit", "audience:youth", "division:pupil")


def freeze(uow_factory: UnitOfWorkFactory, clock: FakeClock, contest: ContestView) -> ContestView:
    """The contest, frozen a minute later."""
    with uow_factory.begin() as uow:
        at = uow.now + sealing.SETTLING
        sealing.freeze_contest(uow, APPROVER, contest.ref, at, "悬念")
    clock.advance(61)
    return reread(uow_factory, contest)


def read(uow: UnitOfWork, contest: ContestView, scope: str, citizen: int | None = None) -> Board:
    if scope == "unit":
        scope = f"unit:{uow.session.scalars(select(Unit.ref).order_by(Unit.id.desc())).first()}"
    return board_view.read_board(uow, contest, scope=scope, limit=50, citizen_id=citizen)


def ranks(uow: UnitOfWork, contest: ContestView, scope: str) -> list[tuple[int, float, int]]:
    return [(one.rank, one.score, one.duration_ms) for one in read(uow, contest, scope).items]


def every_board(uow_factory: UnitOfWorkFactory, contest: ContestView) -> dict[str, object]:
    with uow_factory.begin(read_only=True) as uow:
        return {scope: ranks(uow, contest, scope) for scope in SCOPES}


def truth(uow_factory: UnitOfWorkFactory, contest: ContestView) -> dict[str, object]:
    """Every board, recounted from the closed papers."""
    with uow_factory.begin(read_only=True) as uow:
        unit = uow.session.scalars(select(Unit.id).order_by(Unit.id.desc())).first()
        return {
            scope: [
                (rank, points, time_ms)
                for rank, (_, points, time_ms) in enumerate(
                    recounted(
                        uow.session, contest, f"unit:{unit}" if scope == "unit" else scope, "total"
                    ),
                    start=1,
                )
            ]
            for scope in SCOPES
        }


def in_file(uow_factory: UnitOfWorkFactory, ref: str) -> dict[str, object]:
    """Every board, as anybody counts it from the signed file."""
    with uow_factory.begin(read_only=True) as uow:
        text = b"".join(read_file(uow, version_of(uow, ref).id)).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    found: dict[str, object] = {}
    for scope in SCOPES:
        kind, _, value = scope.partition(":")
        kept = [
            row
            for row in rows
            if scope == "region" or (row["unit"] if kind == "unit" else row[kind] == value)
        ]
        found[scope] = [
            (at, int(row["points"]), int(row["time_ms"])) for at, row in enumerate(kept, start=1)
        ]
    return found


def test_boards_of_every_scope_agree_at_every_step(
    either: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with either.begin() as uow:
        contest = a_played_contest(uow)
        entries = list(
            uow.session.scalars(
                select(Entry.id).where(Entry.contest_id == contest.id).order_by(Entry.id)
            )
        )
    before = every_board(either, contest)
    assert before == truth(either, contest)
    contest = freeze(either, clock, contest)
    with either.begin() as uow:
        ranked = hand_in(uow, contest, entries[-1], score=100)
        assert (ranked.region, ranked.city) == (None, None)
    assert every_board(either, contest) == before != truth(either, contest)
    end_contest(either, clock, contest)
    contest = reread(either, contest)
    assert every_board(either, contest) == before
    first = seal(either, contest)
    assert every_board(either, contest) == before
    contest = publish(either, contest, first)
    assert every_board(either, contest) == truth(either, contest) == in_file(either, first)
    with either.begin() as uow:
        boards.hold_entry(uow, entries[0])
        sealing.note_late_change(uow, contest.id, APPROVER, "作弊")
    work(either)
    assert every_board(either, contest) == in_file(either, first)
    with either.begin(read_only=True) as uow:
        newest = uow.session.scalars(
            select(SealedVersion.ref).order_by(SealedVersion.number.desc())
        ).first()
    assert newest is not None
    contest = publish(either, contest, newest, OTHER)
    assert every_board(either, contest) == in_file(either, newest) != in_file(either, first)


def test_a_frozen_board_says_so_and_the_own_score_goes_on(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        last = uow.session.scalars(
            select(Entry).where(Entry.contest_id == contest.id).order_by(Entry.id.desc())
        ).first()
        assert last is not None
        citizen, entry = last.citizen_id, last.id
    contest = freeze(uow_factory, clock, contest)
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=100)
    with uow_factory.begin(read_only=True) as uow:
        board = read(uow, contest, "region", citizen)
        assert (board.state, board.as_of) == (BoardState.FROZEN, contest.freezes_at)
        assert board.me is not None
        assert (board.me.rank, board.me.score) == (5, 60)
        mine = season_progress(uow, [contest], citizen)[contest.id]
        assert (mine.total, mine.rank) == (100, 5)
        assert "已冻结" in chat.say_board(uow, citizen)
        assert "我的得分：100 分" in chat.my_result(uow, citizen)
        stored = StoredRanks(contest.id, entry, contest.freezes_at, None, None, None, None)
        assert ranks_to_show(uow, stored)[:2] == (RankKind.FROZEN, 5)


def test_lifting_a_freeze_brings_every_paper_back(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        entry = uow.session.scalars(
            select(Entry.id).where(Entry.contest_id == contest.id).order_by(Entry.id.desc())
        ).first()
        assert entry is not None
    with pytest.raises(FreezeTooEarly), uow_factory.begin() as uow:
        sealing.freeze_contest(uow, APPROVER, contest.ref, uow.now, "太早")
    contest = freeze(uow_factory, clock, contest)
    with pytest.raises(FreezeBegun), uow_factory.begin() as uow:
        later = uow.now + 2 * sealing.SETTLING
        sealing.freeze_contest(uow, APPROVER, contest.ref, later, "再来")
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=100)
        sealing.lift_freeze(uow, APPROVER, contest.ref, "误设")
    assert work(uow_factory) == 1
    contest = reread(uow_factory, contest)
    assert every_board(uow_factory, contest) == truth(uow_factory, contest)


def test_a_group_board_and_an_erased_name_keep_the_sealed_ranks(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        members = list(
            uow.session.scalars(
                select(Entry.citizen_id).where(Entry.contest_id == contest.id).order_by(Entry.id)
            )
        )[1:3]
        group = WeChatGroup(ref="grp_seal", opengid_hash="0" * 64, made_at=uow.now)
        uow.session.add(group)
        uow.session.flush()
        uow.session.add_all(
            GroupMember(group_id=group.id, citizen_id=one, joined_at=uow.now) for one in members
        )
    end_contest(uow_factory, clock, contest)
    ref = seal(uow_factory, contest)
    contest = publish(uow_factory, contest, ref)
    with uow_factory.begin() as uow:
        erased = update(Entry).where(Entry.citizen_id == members[0])
        uow.session.execute(erased.values(erased_at=uow.now))
    with uow_factory.begin(read_only=True) as uow:
        board = read(uow, contest, "group:grp_seal", members[1])
        assert [(one.rank, one.score) for one in board.items] == [(1, 90), (2, 90)]
        assert board.total == 2
        assert verify_versions(uow, contest.id) is None


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE sealed_rank SET points = points + 1 WHERE rank = 2", (SealFaultKind.ROW, 2)),
        ("UPDATE sealed_rank SET city_rank = 9 WHERE rank = 1", (SealFaultKind.PLACE, 1)),
        ("DELETE FROM sealed_rank WHERE rank = 5", (SealFaultKind.ROW, 5)),
        ("UPDATE sealed_version SET reason = 'x'", (SealFaultKind.DOCUMENT, None)),
        ("UPDATE sealed_version SET signature = 'AAAA'", (SealFaultKind.SIGNATURE, None)),
        ("UPDATE sealed_version SET public_key = 'AAAA'", (SealFaultKind.KEY, None)),
    ],
)
def test_the_first_changed_row_is_named(
    statement: str,
    fault: tuple[SealFaultKind, int | None],
    uow_factory: UnitOfWorkFactory,
    clock: FakeClock,
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
    end_contest(uow_factory, clock, contest)
    seal(uow_factory, contest)
    with uow_factory.begin() as uow:
        assert verify_versions(uow, contest.id) is None
        uow.session.execute(text(statement))
        found = verify_versions(uow, contest.id)
    assert found is not None
    assert (found.kind, found.row) == fault


def test_one_changed_byte_of_the_file_is_named(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
    end_contest(uow_factory, clock, contest)
    ref = seal(uow_factory, contest)
    with uow_factory.begin() as uow:
        part = uow.session.scalars(select(SealedPart)).one()
        at = part.content.index(b"\n3,") + 1
        part.content = part.content[:at] + b"4" + part.content[at + 1 :]
        uow.session.flush()
        found = verify_versions(uow, contest.id)
        assert found == SealFault(kind=SealFaultKind.FILE, version=1, offset=at, row=3)
        assert entry_key(uow, 1) not in ("1", version_of(uow, ref).ref)


def in_export(
    uow_factory: UnitOfWorkFactory, contest: ContestView, source: RankSource
) -> dict[str, object]:
    """Every board, as the console exports it."""
    found: dict[str, object] = {}
    with uow_factory.begin(read_only=True) as uow:
        unit = uow.session.scalars(select(Unit.ref).order_by(Unit.id.desc())).first()
        for scope in SCOPES:
            query = RankQuery(
                contest=contest.ref, source=source,
                scope=f"unit:{unit}" if scope == "unit" else scope,
            )  # fmt: skip
            names = ["rank", "score", "seconds"]
            content, _ = export_rows(uow, APPROVER, RANKS, query, names, ExportFormat.CSV)
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1:]
            found[scope] = [
                (int(rank), float(score), round(float(seconds) * 1000))
                for rank, score, seconds in rows
            ]
    return found


def test_the_export_of_the_console_agrees_with_the_api(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        entries = list(
            uow.session.scalars(
                select(Entry.id).where(Entry.contest_id == contest.id).order_by(Entry.id)
            )
        )
    public, live = RankSource.PUBLIC, RankSource.LIVE
    assert in_export(uow_factory, contest, public) == every_board(uow_factory, contest)
    contest = freeze(uow_factory, clock, contest)
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entries[-1], score=100)
    assert in_export(uow_factory, contest, public) == every_board(uow_factory, contest)
    assert in_export(uow_factory, contest, live) == truth(uow_factory, contest)
    end_contest(uow_factory, clock, contest)
    contest = publish(uow_factory, contest, seal(uow_factory, contest))
    assert in_export(uow_factory, contest, public) == every_board(uow_factory, contest)
    assert in_export(uow_factory, contest, public) == truth(uow_factory, contest)
    with uow_factory.begin() as uow:
        boards.hold_entry(uow, entries[0])
        sealing.note_late_change(uow, contest.id, APPROVER, "作弊")
    work(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        newest = uow.session.scalars(
            select(SealedVersion.ref).order_by(SealedVersion.number.desc())
        ).first()
    assert newest is not None
    contest = publish(uow_factory, contest, newest, OTHER)
    assert in_export(uow_factory, contest, public) == every_board(uow_factory, contest)


def test_a_group_board_agrees_with_the_export_of_its_members(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        contest = a_played_contest(uow)
        wanted = select(Entry.citizen_id).where(Entry.contest_id == contest.id)
        members = list(uow.session.scalars(wanted.order_by(Entry.id)))[1:4]
        group = WeChatGroup(ref="grp_file", opengid_hash="1" * 64, made_at=uow.now)
        uow.session.add(group)
        uow.session.flush()
        uow.session.add_all(
            GroupMember(group_id=group.id, citizen_id=one, joined_at=uow.now) for one in members
        )
        uow.session.execute(update(Citizen).values(public_rank=True))
        names = {one.shown for one in accounts.names_of(uow, members).values()}
    assert len(names) == 3

    def assert_agrees(shown: ContestView) -> None:
        query = RankQuery(contest=shown.ref)
        with uow_factory.begin(read_only=True) as uow:
            columns = ["name", "score", "seconds"]
            content, _ = export_rows(uow, APPROVER, RANKS, query, columns, ExportFormat.CSV)
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1:]
            board = read(uow, shown, "group:grp_file", members[0])
        exported = [
            (name, float(score), round(float(seconds) * 1000))
            for name, score, seconds in rows
            if name in names
        ]
        assert len(rows) == 5
        assert [(one.nickname, one.score, one.duration_ms) for one in board.items] == exported
        assert [one.rank for one in board.items] == [1, 2, 3]

    assert_agrees(contest)
    end_contest(uow_factory, clock, contest)
    assert_agrees(publish(uow_factory, contest, seal(uow_factory, contest)))


def own_views(
    uow_factory: UnitOfWorkFactory, contest: ContestView, scope: str
) -> list[tuple[int, list[tuple[int, float, int]]]]:
    """The own rank and the neighbours that each citizen of a board is shown, the best first."""
    found = []
    with uow_factory.begin(read_only=True) as uow:
        wanted = select(Entry.citizen_id).where(Entry.contest_id == contest.id)
        for citizen in uow.session.scalars(wanted).all():
            me = read(uow, contest, scope, citizen).me
            if me is not None:
                around = [(one.rank, one.score, one.duration_ms) for one in me.around]
                found.append((me.rank, around))
    return sorted(found)


def test_own_ranks_and_neighbours_are_those_of_the_page_and_the_export(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    def assert_equal(contest: ContestView) -> None:
        exported = in_export(uow_factory, contest, RankSource.PUBLIC)
        for scope in SCOPES:
            board = exported[scope]
            assert isinstance(board, list)
            seen = own_views(uow_factory, contest, scope)
            assert [rank for rank, _ in seen] == [row[0] for row in board]
            for rank, around in seen:
                assert board[rank - 1] in around
                first = around[0][0]
                assert around == board[first - 1 : first - 1 + len(around)]

    with uow_factory.begin() as uow:
        contest = a_played_contest(uow, (100, 90, 90, 80, 60, 50, 40, 30))
        last = uow.session.scalars(
            select(Entry.id).where(Entry.contest_id == contest.id).order_by(Entry.id.desc())
        ).first()
        assert last is not None
    assert_equal(contest)
    contest = freeze(uow_factory, clock, contest)
    with uow_factory.begin() as uow:
        hand_in(uow, contest, last, score=100)
    assert_equal(contest)
    end_contest(uow_factory, clock, contest)
    contest = publish(uow_factory, contest, seal(uow_factory, contest))
    assert_equal(contest)
