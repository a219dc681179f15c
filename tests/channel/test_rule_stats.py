"""Counts: in memory first, in the database in batches, each message once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import SQLAlchemyError

from server.base.errors import AppError
from server.base.uow import UnitOfWorkFactory
from server.channel import commands, models, rule_stats
from server.channel.rule_stats import RuleStats, unmatched_by_frequency
from tests.kit.channel import a_handler, a_message, at_once, rows, said
from tests.kit.clock import FakeClock


@pytest.fixture
def counts(uow_factory: UnitOfWorkFactory) -> RuleStats:
    commands.seed_replies(uow_factory)
    return RuleStats(uow_factory, flush_seconds=None)


def hits(uow_factory: UnitOfWorkFactory) -> dict[str, int]:
    return {row.slug: row.hits for row in rows(uow_factory, models.KeywordRule) if row.hits}


def test_hits_are_counted_for_each_rule(uow_factory: UnitOfWorkFactory, counts: RuleStats) -> None:
    handler = a_handler(uow_factory, rule_stats=counts)
    for written in ("答题", "竞赛", "电话", "帮助", "帮助", "没有这个词"):
        said(handler, a_message(content=written))
    assert hits(uow_factory) == {}
    assert counts.flush_counts() == 4
    assert hits(uow_factory) == {"today": 2, "contact": 1, "help": 2}
    assert counts.flush_counts() == 0


def test_a_repeated_message_counts_once(uow_factory: UnitOfWorkFactory, counts: RuleStats) -> None:
    handler = a_handler(uow_factory, rule_stats=counts)
    for written in ("答题", "帮助", "没有这个词"):
        message = a_message(content=written)
        for _ in range(3):
            said(handler, message)
    counts.flush_counts()
    assert hits(uow_factory) == {"today": 1, "help": 1}
    with uow_factory.begin(read_only=True) as uow:
        assert unmatched_by_frequency(uow) == [("没有这个词", 1)]


def test_one_id_of_two_senders_counts_twice(
    uow_factory: UnitOfWorkFactory, counts: RuleStats
) -> None:
    handler = a_handler(uow_factory, rule_stats=counts)
    for openid in ("o-one", "o-two"):
        for _ in range(2):
            said(handler, a_message(content="帮助", openid=openid, msg_id="7"))
    counts.flush_counts()
    assert hits(uow_factory) == {"help": 2}


def test_what_is_written_adds_to_what_is_there(
    uow_factory: UnitOfWorkFactory, counts: RuleStats, clock: FakeClock
) -> None:
    for number in range(3):
        counts.count_hit(f"h{number}", "help")
        counts.count_missed(f"m{number}", "奖品", clock.now())
        counts.flush_counts()
        clock.advance(10)
    assert hits(uow_factory) == {"help": 3}
    (row,) = rows(uow_factory, models.UnmatchedText)
    assert (row.text, row.count) == ("奖品", 3)
    assert (clock.now() - row.last_at).total_seconds() == 10


def test_counts_survive_a_write_that_fails(
    uow_factory: UnitOfWorkFactory, counts: RuleStats
) -> None:
    counts.count_hit("1", "help")
    counts.count_missed("2", "奖品", uow_factory.dependencies.clock.now())
    with table_away(uow_factory), pytest.raises((AppError, SQLAlchemyError)):
        counts.flush_counts()
    assert hits(uow_factory) == {}
    counts.count_hit("3", "help")
    counts.flush_counts()
    assert hits(uow_factory) == {"help": 2}
    with uow_factory.begin(read_only=True) as uow:
        assert unmatched_by_frequency(uow) == [("奖品", 1)]


@contextmanager
def table_away(uow_factory: UnitOfWorkFactory, name: str = "unmatched_text") -> Iterator[None]:
    def rename(old: str, new: str) -> None:
        with uow_factory.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    rename(name, "put_away")
    try:
        yield
    finally:
        rename("put_away", name)


@pytest.mark.race
def test_no_count_is_lost_between_processes_that_write_at_once(
    uow_factory: UnitOfWorkFactory,
) -> None:
    commands.seed_replies(uow_factory)
    several = [RuleStats(uow_factory, flush_seconds=None) for _ in range(4)]
    slugs = ("help", "contact", "today", "board")

    def count(number: int) -> None:
        own = several[number]
        for step in range(20):
            own.count_hit(f"{number}-{step}-h", slugs[(number + step) % 4])
            own.count_missed(
                f"{number}-{step}-m",
                f"word {(number + step) % 4}",
                uow_factory.dependencies.clock.now(),
            )
            if step % 5 == 4:
                own.flush_counts()

    at_once([lambda n=number: count(n) for number in range(4)])  # type: ignore[misc]
    assert hits(uow_factory) == dict.fromkeys(slugs, 20)
    with uow_factory.begin(read_only=True) as uow:
        assert dict(unmatched_by_frequency(uow)) == {f"word {n}": 20 for n in range(4)}


def test_memory_is_bounded(uow_factory: UnitOfWorkFactory, counts: RuleStats) -> None:
    for number in range(rule_stats.TEXTS_IN_MEMORY + 50):
        counts.count_missed(str(number), f"word {number}", uow_factory.dependencies.clock.now())
    assert counts.flush_counts() == rule_stats.TEXTS_IN_MEMORY


def test_a_full_list_takes_no_new_word_until_the_rare_ones_are_gone(
    uow_factory: UnitOfWorkFactory, counts: RuleStats
) -> None:
    with uow_factory.begin() as uow:
        uow.session.add_all(
            models.UnmatchedText(text=f"w{n}", count=1 + n % 3, last_at=uow.now)
            for n in range(rule_stats.TEXTS_IN_DATABASE)
        )
    counts.count_missed("1", "w0", uow_factory.dependencies.clock.now())
    counts.count_missed("2", "new", uow_factory.dependencies.clock.now())
    counts.flush_counts()
    with uow_factory.begin(read_only=True) as uow:
        listed = dict(unmatched_by_frequency(uow, limit=10_000))
    assert len(listed) == rule_stats.TEXTS_IN_DATABASE
    assert listed["w0"] == 2
    with uow_factory.begin() as uow:
        gone = rule_stats.drop_rare(uow)
        left = dict(unmatched_by_frequency(uow, limit=10_000))
        assert gone == rule_stats.TEXTS_IN_DATABASE - rule_stats.TEXTS_AFTER_TIDYING
        assert "w0" in left
        assert rule_stats.drop_rare(uow) == 0
    counts.count_missed("3", "new", uow_factory.dependencies.clock.now())
    counts.flush_counts()
    with uow_factory.begin(read_only=True) as uow:
        assert dict(unmatched_by_frequency(uow, limit=10_000))["new"] == 1


def test_a_thread_of_its_own_writes_soon_and_the_rest_at_the_end(
    uow_factory: UnitOfWorkFactory,
) -> None:
    commands.seed_replies(uow_factory)
    running = RuleStats(uow_factory, flush_seconds=0.01)
    running.count_hit("1", "help")
    for _ in range(5000):
        if hits(uow_factory):
            break
    assert hits(uow_factory) == {"help": 1}
    rarely = RuleStats(uow_factory, flush_seconds=1000.0)
    rarely.count_hit("2", "help")
    for one in (running, rarely):
        one.flush_and_stop()
    assert hits(uow_factory) == {"help": 2}
