"""Papers by blueprint: exact counts, no repeats until a sort runs out, use spread evenly."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from server.quiz.bank.drawing import (
    Item,
    Past,
    PoolTooSmall,
    deal_options,
    draw_paper,
    find_shortages,
    fits_part,
)
from server.quiz.bank.files.reading import read_table
from server.quiz.contests.presets import preset_body
from server.quiz.enums import QuestionKind
from server.quiz.rule_check import read_rule_set
from server.quiz.rules import Part
from tests.kit.quiz import QUESTIONS

NOTHING = Past(seen={}, counts={})


def the_bank() -> list[Item]:
    return [
        Item(
            id=number,
            ref=draft.ref,
            kind=draft.kind,
            topic=draft.topic,
            benchmark_no=draft.benchmark_no,
            difficulty=draft.difficulty,
            audience=draft.audience,
            stem=draft.stem,
            options=draft.options,
            answer=draft.answer,
            explanation=draft.explanation,
        )
        for number, draft in enumerate(read_table(QUESTIONS).drafts)
    ]


BANK = the_bank()


def pools(parts: Sequence[Part], bank: Sequence[Item] = BANK) -> list[tuple[Part, list[Item]]]:
    return [(part, [item for item in bank if fits_part(item, part)]) for part in parts]


def paper(parts: Sequence[Part], past: Past = NOTHING, seed: int = 1) -> list[Item]:
    return draw_paper(pools(parts), past, random.Random(seed), cover_topics=True)


def test_a_paper_matches_every_part_of_a_fine_blueprint() -> None:
    parts = [
        Part(count=2, kind=QuestionKind.SINGLE),
        Part(count=3, kind=QuestionKind.SINGLE, difficulty=1),
        Part(count=2, benchmarks=(1, 2)),
        Part(count=1, kind=QuestionKind.MULTIPLE, audience="farmer"),
    ]
    for seed in range(50):
        drawn = paper(parts, seed=seed)
        assert len({item.ref for item in drawn}) == 8
        assert all(item.kind is QuestionKind.SINGLE for item in drawn[:2])
        assert all((i.kind, i.difficulty) == (QuestionKind.SINGLE, 1) for i in drawn[2:5])
        assert all(item.benchmark_no in (1, 2) for item in drawn[5:7])
        assert drawn[7].kind is QuestionKind.MULTIPLE


def test_a_question_for_one_group_is_not_dealt_to_another() -> None:
    bank = [replace(item, audience="youth") if item.id % 2 else item for item in BANK]
    assert not any(
        fits_part(item, Part(count=1, audience="elder")) for item in bank if item.audience
    )
    assert all(fits_part(item, Part(count=1, audience="youth")) for item in bank)


def test_nothing_comes_twice_until_a_sort_runs_out_then_the_longest_ago_returns() -> None:
    parts = read_rule_set(preset_body("default")).parts
    seen: dict[str, int] = {}
    dealt: list[set[str]] = []
    multiples: list[set[str]] = []
    for number in range(7):
        drawn = paper(parts, Past(seen=seen, counts={}), seed=number)
        dealt.append({item.ref for item in drawn})
        multiples.append({item.ref for item in drawn if item.kind is QuestionKind.MULTIPLE})
        seen |= dict.fromkeys(dealt[-1], number)
    # Nine multiples last four papers and half of the fifth; thirteen judgements last six.
    assert sum(len(refs) for refs in dealt[:4]) == len(set().union(*dealt[:4])) == 40
    assert len(set().union(*multiples[:5])) == 9
    assert len(multiples[4] & multiples[0]) == 1
    assert multiples[5] <= multiples[0] | multiples[1]
    singles = [{r for r in refs if r not in set().union(*multiples)} for refs in dealt[:6]]
    assert sum(len(refs) for refs in singles) == 48
    assert len(set().union(*singles)) == 48


def test_the_least_used_come_first() -> None:
    counts = {item.ref: 5 for item in BANK if item.kind is QuestionKind.SINGLE}
    rare = [item.ref for item in BANK if item.kind is QuestionKind.SINGLE][:3]
    counts |= dict.fromkeys(rare, 2)
    for seed in range(20):
        drawn = paper([Part(count=3, kind=QuestionKind.SINGLE)], Past(seen={}, counts=counts), seed)
        assert {item.ref for item in drawn} == set(rare)


def test_topics_are_covered_as_far_as_the_blueprint_allows() -> None:
    parts = read_rule_set(preset_body("default")).parts
    with_cover = [len({i.topic for i in paper(parts, seed=seed)}) for seed in range(60)]
    without = [
        len(
            {
                i.topic
                for i in draw_paper(pools(parts), NOTHING, random.Random(s), cover_topics=False)
            }
        )
        for s in range(60)
    ]
    assert min(with_cover) >= 7
    assert sum(with_cover) > sum(without) + 30


def test_a_bank_that_cannot_fill_a_part_is_told_from_the_start() -> None:
    parts = [Part(count=10, kind=QuestionKind.MULTIPLE), Part(count=2, kind=QuestionKind.JUDGE)]
    assert find_shortages(parts, BANK) == [(parts[0], 9)]
    with pytest.raises(PoolTooSmall):
        paper(parts)
    both = [Part(count=9, kind=QuestionKind.MULTIPLE), Part(count=52)]
    assert find_shortages(both, BANK) == [(both[1], 51)]


def test_options_are_dealt_anew_but_right_and_wrong_keep_their_places() -> None:
    chance = random.Random(3)
    judge = next(item for item in BANK if item.kind is QuestionKind.JUDGE)
    single = next(item for item in BANK if item.kind is QuestionKind.SINGLE)
    assert {tuple(deal_options(judge, chance)) for _ in range(50)} == {(0, 1)}
    orders = Counter(tuple(deal_options(single, chance)) for _ in range(2400))
    assert len(orders) == 24
    assert max(orders.values()) < 160
