"""Group commits: many threads, few transactions, every item stored or refused by itself."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from server.base.errors import Unavailable
from server.base.group_commit import GroupCommit
from server.base.uow import UnitOfWork, UnitOfWorkFactory

THREADS = 24


class Shelf:
    """A store that notes its batches; its first batch waits until all threads have come."""

    def __init__(self, refused: Sequence[int] = ()) -> None:
        self.batches: list[list[int]] = []
        self.refused = set(refused)
        self.first = threading.Event()
        self.go = threading.Event()

    def items(self) -> list[int]:
        return [item for batch in self.batches for item in batch]

    def store(self, _uow: UnitOfWork, items: Sequence[Any]) -> None:
        if not self.first.is_set():
            self.first.set()
            assert self.go.wait(60)
        if self.refused.intersection(items):
            raise ValueError("one of them is wrong")
        self.batches.append(list(items))


def store_all(group: GroupCommit, shelf: Shelf, count: int) -> list[Exception | None]:
    """Store the items of as many threads; the errors by item."""

    def one(number: int) -> Exception | None:
        try:
            group.store_item(number)
        except (ValueError, Unavailable) as error:
            return error
        return None

    tick = threading.Event()
    with ThreadPoolExecutor(count) as pool:
        results = [pool.submit(one, 0)]
        assert shelf.first.wait(60)
        results += [pool.submit(one, number) for number in range(1, count)]
        while len(group._waiting) < count - 1:
            tick.wait(0.005)
        shelf.go.set()
        return [result.result() for result in results]


def test_threads_that_wait_together_share_one_transaction(uow_factory: UnitOfWorkFactory) -> None:
    shelf = Shelf()
    group = GroupCommit(uow_factory, shelf.store, gather_seconds=0)
    assert store_all(group, shelf, THREADS) == [None] * THREADS
    assert [len(batch) for batch in shelf.batches] == [1, THREADS - 1]
    assert sorted(shelf.items()) == list(range(THREADS))


def test_a_batch_has_a_limit(uow_factory: UnitOfWorkFactory) -> None:
    shelf = Shelf()
    group = GroupCommit(uow_factory, shelf.store, most=8, gather_seconds=0)
    assert store_all(group, shelf, THREADS) == [None] * THREADS
    assert max(len(batch) for batch in shelf.batches) == 8


def test_an_item_that_cannot_be_stored_fails_alone(uow_factory: UnitOfWorkFactory) -> None:
    shelf = Shelf(refused=[5])
    group = GroupCommit(uow_factory, shelf.store, gather_seconds=0)
    errors = store_all(group, shelf, THREADS)
    assert [number for number, error in enumerate(errors) if error is not None] == [5]
    assert isinstance(errors[5], ValueError)
    assert sorted(shelf.items()) == [n for n in range(THREADS) if n != 5]


def test_without_sharing_each_item_would_have_its_own_transaction(
    uow_factory: UnitOfWorkFactory,
) -> None:
    """The control of the first test: batches of one item are seen."""
    shelf = Shelf()
    group = GroupCommit(uow_factory, shelf.store, most=1, gather_seconds=0)
    store_all(group, shelf, THREADS)
    with pytest.raises(AssertionError):
        assert [len(batch) for batch in shelf.batches] == [1, THREADS - 1]
    assert len(shelf.batches) == THREADS
