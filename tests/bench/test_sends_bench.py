"""The bench of sends: both clients send everything, and the page judges by the pairs of turns."""

from __future__ import annotations

import pytest

from tests.bench import sends_bench
from tests.bench.processes import BenchFailed
from tests.bench.sends_bench import EMULATED, INSTANT, SIDES, Sends, measure_sends
from tests.bench.sends_client import SendOrder, Spent

LETTERS = 40


@pytest.mark.slow
def test_both_clients_send_everything_to_both_servers() -> None:
    found = measure_sends(LETTERS, 4, 1, lambda _words: None)
    assert set(found) == {EMULATED, INSTANT}
    for turns in found.values():
        assert [one.accepted for side in SIDES for one in turns[side]] == [LETTERS, LETTERS]
        assert all(one.seconds > 0 and one.cpu_seconds > 0 for one in turns["ours"])


@pytest.mark.slow
def test_a_message_that_is_not_accepted_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def to_strangers(*given: object) -> SendOrder:
        order = right_order(*given)  # type: ignore[arg-type]
        return SendOrder(**{**vars(order), "openids": ["oNobody_0123456789abcdefghij"]})

    right_order = sends_bench._emulated_order
    monkeypatch.setattr(sends_bench, "_emulated_order", to_strangers)
    monkeypatch.setattr(sends_bench, "_instant_turn", sends_bench._emulated_turn)
    with pytest.raises(BenchFailed, match="0 of 40 messages were accepted"):
        measure_sends(LETTERS, 4, 1, lambda _words: None)


def test_a_run_is_judged_by_the_median_of_its_pairs() -> None:
    def words_of(*ours: float) -> str:
        turns = {
            "bare": [Spent(seconds=1.0, cpu_seconds=0.5, accepted=1000) for _ in ours],
            "ours": [Spent(seconds=s, cpu_seconds=0.5, accepted=1000) for s in ours],
        }
        told = Sends(found={EMULATED: turns}, letters=1000, connections=8, began="now")
        assert told.document()[EMULATED]["ratio"] == round(told.ratio(EMULATED), 3)
        return "\n".join(told.lines())

    assert "| 909 | 500 | 0.91 | at least 0.9, met |" in words_of(1.1, 9.0, 1.0)
    assert "| 500 | 500 | 0.50 | at least 0.9, missed |" in words_of(2.0, 9.0, 1.0)
