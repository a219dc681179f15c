"""The signs of cheating: each threshold from either side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.quiz.enums import Signal
from server.quiz.integrity.rules import (
    FEWEST_SAME_PAPERS,
    MOST_CITIZENS_ON_DEVICE,
    MOST_NAMED,
    PERFECT_PAPERS_IN_HOUR,
    SPEED_FLOOR_MS,
    InspectedPaper,
    find_signals,
)

NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)
PLAIN = InspectedPaper(
    ref="att", entry_id=1, citizen_id=1, question_count=10, answered=10, correct_count=8,
    score=80, max_score=100, duration_ms=90_000, closed_at=NOON, vector="v",
)  # fmt: skip


def many(count: int, **same: object) -> list[InspectedPaper]:
    """Papers of so many citizens, each with a vector of its own unless one is given."""
    return [
        replace(PLAIN, ref=f"att{n}", entry_id=n, citizen_id=n, **{"vector": str(n), **same})  # type: ignore[arg-type]
        for n in range(1, count + 1)
    ]


def signals(
    papers: list[InspectedPaper], devices: dict[str, set[int]] | None = None
) -> set[Signal]:
    on = {name: frozenset(whose) for name, whose in (devices or {}).items()}
    return {one.signal for one in find_signals(papers, on)}


@pytest.mark.parametrize(
    ("changed", "seen"),
    [
        ({}, False),
        ({"duration_ms": 10 * SPEED_FLOOR_MS}, False),
        ({"duration_ms": 10 * SPEED_FLOOR_MS - 1}, True),
        ({"duration_ms": 3000}, True),
        ({"duration_ms": 3000, "correct_count": 4}, False),
        ({"duration_ms": 1500, "answered": 4, "correct_count": 4}, False),
        ({"duration_ms": 0, "answered": 0, "correct_count": 0}, False),
    ],
)
def test_speed(changed: dict[str, int], seen: bool) -> None:
    assert signals([replace(PLAIN, **changed)]) == ({Signal.SPEED} if seen else set())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed", [{"score": 101}, {"correct_count": 11}, {"correct_count": 6, "answered": 5}]
)
def test_what_no_paper_can_reach_is_impossible(changed: dict[str, int]) -> None:
    assert signals([replace(PLAIN, **changed)]) == {Signal.IMPOSSIBLE}  # type: ignore[arg-type]


def test_equal_papers_are_a_sign_only_with_common_mistakes() -> None:
    assert signals(many(FEWEST_SAME_PAPERS, vector="v")) == {Signal.SAME_ANSWERS}
    assert signals(many(FEWEST_SAME_PAPERS - 1, vector="v")) == set()
    assert signals(many(9, vector="v", correct_count=9)) == set()
    alone = [replace(one, citizen_id=1) for one in many(9, vector="v")]
    assert signals(alone) == set()


def test_a_device_is_shared_by_a_family_but_not_by_eight() -> None:
    papers = many(MOST_CITIZENS_ON_DEVICE + 1)
    everybody = {one.citizen_id for one in papers}
    assert signals(papers, {"d": everybody}) == {Signal.SHARED_DEVICE}
    assert signals(papers, {"d": everybody - {1}}) == set()
    (first, *_rest) = find_signals(papers, {"d": frozenset(everybody)})
    assert first.evidence["citizens"] == MOST_CITIZENS_ON_DEVICE + 1


def test_perfect_papers_of_one_device_within_an_hour() -> None:
    perfect = many(PERFECT_PAPERS_IN_HOUR, correct_count=10, score=100)
    spread = [
        replace(one, closed_at=NOON + timedelta(minutes=15 * n)) for n, one in enumerate(perfect)
    ]
    longer = [
        replace(one, closed_at=NOON + timedelta(minutes=16 * n)) for n, one in enumerate(perfect)
    ]
    everybody = {one.citizen_id for one in perfect}
    assert signals(spread, {"d": everybody}) == {Signal.PERFECT_HOUR}
    assert signals(longer, {"d": everybody}) == set()
    assert signals(spread, {str(one): {one} for one in everybody}) == set()


def test_perfect_papers_of_every_full_hour_are_found_and_no_others() -> None:
    # Two full hours with a lonely paper between them; the second goes on for another hour.
    minutes = [0, 1, 2, 3, 4, 100, *range(200, 320, 14)]
    papers = [
        replace(one, closed_at=NOON + timedelta(minutes=minute))
        for one, minute in zip(
            many(len(minutes), correct_count=10, score=100), minutes, strict=True
        )
    ]
    found = find_signals(papers, {"d": frozenset(range(1, 6))})
    assert {one.entry_id for one in found} == {1, 2, 3, 4, 5}
    everybody = frozenset(one.citizen_id for one in papers)
    hours = [
        one for one in find_signals(papers, {"d": everybody}) if one.signal is Signal.PERFECT_HOUR
    ]
    lonely = minutes.index(100) + 1
    assert {one.entry_id for one in hours} == everybody - {lonely}


@pytest.mark.parametrize("signal", [Signal.SAME_ANSWERS, Signal.SHARED_DEVICE, Signal.PERFECT_HOUR])
def test_the_evidence_about_a_thousand_papers_does_not_name_a_million(signal: Signal) -> None:
    number = 1000
    perfect = {"correct_count": 10, "score": 100}
    papers = many(number, **({"vector": "v"} if signal is Signal.SAME_ANSWERS else perfect))
    devices = {"d": frozenset(range(1, number + 1))} if signal is not Signal.SAME_ANSWERS else {}
    found = [one for one in find_signals(papers, devices) if one.signal is signal]
    assert len(found) == number
    for one in found:
        named = one.evidence["papers"]
        assert isinstance(named, list)
        assert f"att{one.entry_id}" in named
        assert len(named) <= MOST_NAMED + 1
        assert one.evidence["paper_count"] == number
