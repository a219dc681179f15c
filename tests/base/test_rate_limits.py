"""Limits of pace: small figures, failures that are counted before they happen, networks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from server.base import rate_limits
from server.base.errors import TooManyRequests
from server.base.rate_limits import BAD_CODE, Pace, counting_failures, network_of, spend_token
from server.base.settings import Limits
from server.base.uow import Dependencies, UnitOfWorkFactory
from tests.kit.clock import FakeClock

PACES = [one for one in vars(rate_limits).values() if isinstance(one, Pace)]


class BadCode(Exception):
    """The failure that counts."""


def with_figures(uow_factory: UnitOfWorkFactory, **figures: float) -> Dependencies:
    settings = replace(uow_factory.dependencies.settings, limits=Limits(**figures))
    return replace(uow_factory.dependencies, settings=settings)


@pytest.mark.parametrize("one", PACES, ids=lambda one: one.name)
@pytest.mark.parametrize("figure", [1.0, 2.0, 0.5])
def test_a_small_figure_lets_one_through_and_then_says_how_long_to_wait(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, one: Pace, figure: float
) -> None:
    dependencies = with_figures(uow_factory, **{one.figure: figure})
    spend_token(dependencies, one, "me")
    spend_token(dependencies, one, "another")
    with pytest.raises(TooManyRequests) as refused:
        spend_token(dependencies, one, "me")
    wait = refused.value.retry_after_seconds
    assert wait == (3600 if one.figure.endswith("_per_hour") else 60) / figure
    clock.advance(wait)
    spend_token(dependencies, one, "me")


def test_half_of_a_figure_comes_at_once(uow_factory: UnitOfWorkFactory) -> None:
    dependencies = with_figures(uow_factory, change_per_minute=10)
    for _ in range(5):
        spend_token(dependencies, rate_limits.CHANGE, "me")
    with pytest.raises(TooManyRequests):
        spend_token(dependencies, rate_limits.CHANGE, "me")


def test_only_the_failure_stays_counted(uow_factory: UnitOfWorkFactory) -> None:
    dependencies = with_figures(uow_factory, failures_per_minute=4)
    for _ in range(9):
        with counting_failures(dependencies, BAD_CODE, "here", BadCode):
            pass
        with (
            pytest.raises(RuntimeError),
            counting_failures(dependencies, BAD_CODE, "here", BadCode),
        ):
            raise RuntimeError
    for _ in range(2):
        with pytest.raises(BadCode), counting_failures(dependencies, BAD_CODE, "here", BadCode):
            raise BadCode
    ran = False
    with pytest.raises(TooManyRequests), counting_failures(dependencies, BAD_CODE, "here", BadCode):
        ran = True
    assert not ran


def count_afterwards(dependencies: Dependencies, step: Callable[[], None]) -> None:
    """What the edge did before: the step first, its failure counted after it."""
    try:
        step()
    except BadCode:
        spend_token(dependencies, BAD_CODE, "here")
        raise


def count_before(dependencies: Dependencies, step: Callable[[], None]) -> None:
    with counting_failures(dependencies, BAD_CODE, "here", BadCode):
        step()


@pytest.mark.parametrize(("counted", "most"), [(count_before, 5), (count_afterwards, 20)])
def test_failures_at_the_same_moment_do_not_pass_together(
    uow_factory: UnitOfWorkFactory,
    counted: Callable[[Dependencies, Callable[[], None]], None],
    most: int,
) -> None:
    dependencies = with_figures(uow_factory, failures_per_minute=10)
    asked: list[int] = []
    # Nobody has an answer before all are counted or wait for one.
    all_there = threading.Barrier(20)

    def ask(number: int) -> None:
        def step() -> None:
            asked.append(number)
            all_there.wait(60)
            raise BadCode

        try:
            counted(dependencies, step)
        except BadCode:
            pass
        except TooManyRequests:
            if number not in asked:
                all_there.wait(60)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(ask, range(20)))
    assert len(asked) == most


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("unix", "unix"),
        (None, "-"),
    ],
)
def test_one_host_is_one_place(address: str | None, network: str) -> None:
    assert network_of(address) == network
