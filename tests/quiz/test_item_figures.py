"""Statistics of questions equal an independent calculation, and count each paper once."""

from __future__ import annotations

import math
import random
import statistics
from collections import defaultdict
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from server.quiz.enums import DoubtSign, QuestionKind
from server.quiz.leaderboards import service as boards
from server.quiz.models import Attempt, ItemFigure, ItemTally, OptionTally, Question
from server.quiz.review import tallies
from server.quiz.review.figures import read_figures
from server.quiz.review.item_rules import (
    AskedItem,
    ItemCounts,
    OptionCounts,
    compute_figures,
    find_signs,
    read_doubt_rules,
)
from tests.kit.boards import a_contest, entries
from tests.kit.gateway import RecordingGateway
from tests.kit.items import add_papers, add_questions, answer_by_skill

PAPERS, PLAYERS = 5000, 250
KINDS = [QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.JUDGE] * 8
SINGLE = AskedItem(kind=QuestionKind.SINGLE, option_count=4, answer=(0,))


def count_all(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> int:
    return tallies.count_items(TaskContext(uow_factory=uow_factory, gateway=gateway))


def play(
    uow: UnitOfWork, papers: int, seed: int, against: int | None = None
) -> tuple[ContestView, list[Question], list[int]]:
    """Seeded papers of six or ten questions each; to one question the skilled answer wrong."""
    chance = random.Random(seed)
    contest = a_contest(uow)
    questions = add_questions(uow, contest, KINDS)
    planted = frozenset() if against is None else frozenset({questions[against].ref})
    players = entries(uow, contest, min(PLAYERS, papers))
    skills = [chance.uniform(0.2, 0.95) for _ in players]
    made = []
    for at in range(papers):
        asked = chance.sample(questions, chance.choice((6, 10)))
        skill = skills[at % len(players)]
        made.append((asked, answer_by_skill(asked, skill, chance, planted)))
    add_papers(uow, contest, players, made)
    return contest, questions, players


Seen = list[tuple[bool, float, list[int]]]


def papers_by_question(uow: UnitOfWork) -> dict[int, Seen]:
    """Right, rest score as a share, and the chosen options: from the raw rows, by the key."""
    found: dict[int, Seen] = defaultdict(list)
    keys = {one.id: (one.ref, sorted(one.answer)) for one in uow.session.scalars(select(Question))}
    for paper in uow.session.scalars(select(Attempt).order_by(Attempt.id)):
        chosen = {row["q"]: paper.answers.get(keys[row["q"]][0], []) for row in paper.paper}
        right = {number: sorted(some) == keys[number][1] for number, some in chosen.items()}
        for number, mine in right.items() if paper.answers else ():
            rest = (sum(right.values()) - mine) / (len(right) - 1)
            found[number].append((mine, rest, chosen[number]))
    return found


def test_figures_equal_an_independent_calculation_on_seeded_papers(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    with uow_factory.begin() as uow:
        play(uow, PAPERS, seed=8)
    assert count_all(uow_factory, gateway) == PAPERS
    assert count_all(uow_factory, gateway) == 0
    with uow_factory.begin(read_only=True) as uow:
        papers = papers_by_question(uow)
        for question in uow.session.scalars(select(Question)).all():
            figures, (in_contest,) = read_figures(uow, question)
            assert figures == in_contest.figures
            seen = papers[question.id]
            right, rest = [float(one[0]) for one in seen], [one[1] for one in seen]
            assert figures.dealt == len(seen) > 1000
            assert figures.omitted == sum(not one[2] for one in seen)
            assert_equal(figures.facility.value, statistics.fmean(right))
            assert_equal(figures.discrimination.value, statistics.correlation(right, rest))
            count = 2 if question.kind is QuestionKind.JUDGE else 4
            chance = 1 / 15 if question.kind is QuestionKind.MULTIPLE else 1 / count
            assert_equal(figures.chance, chance)
            above = (statistics.fmean(right) - chance) / (1 - chance)
            assert_equal(figures.above_chance.value, above)
            for option in figures.options:
                chose = [one[1] for one in seen if option.option_no in one[2]]
                assert option.chosen == len(chose)
                assert_equal(option.share.value, len(chose) / len(seen))
                assert_equal(option.rest.value, statistics.fmean(chose) if chose else None)
                assert option.strong == sum(one >= 0.8 - 1e-12 for one in chose)


def assert_equal(found: float | None, expected: float | None) -> None:
    if found is None or expected is None:
        assert found is expected
    else:
        assert math.isclose(found, expected, rel_tol=0, abs_tol=1e-9)


def test_only_the_planted_question_is_flagged(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    with uow_factory.begin() as uow:
        _, questions, _ = play(uow, 2000, seed=9, against=0)
        planted = questions[0].id
    count_all(uow_factory, gateway)
    with uow_factory.begin(read_only=True) as uow:
        found = uow.session.scalars(select(ItemFigure).where(ItemFigure.doubtful)).all()
        assert [one.question_id for one in found] == [planted]
        assert DoubtSign.NEGATIVE.value in found[0].signs.split(",")
        assert found[0].discrimination is not None
        assert found[0].discrimination < 0


def test_papers_of_a_held_entry_leave_the_counts_and_come_back(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    with uow_factory.begin() as uow:
        _, _, players = play(uow, 600, seed=10)
    count_all(uow_factory, gateway)
    before = counted_rows(uow_factory)
    with uow_factory.begin() as uow:
        for entry_id in players[:50]:
            boards.hold_entry(uow, entry_id)
    assert counted_rows(uow_factory) == before
    count_all(uow_factory, gateway)
    held = counted_rows(uow_factory)
    assert sum(row[3] for row in held[0]) < sum(row[3] for row in before[0])
    with uow_factory.begin() as uow:
        for entry_id in players[:50]:
            boards.release_entry(uow, entry_id)
    count_all(uow_factory, gateway)
    assert counted_rows(uow_factory) == before


def counted_rows(uow_factory: UnitOfWorkFactory) -> list[Sequence[tuple[int, ...]]]:
    """Every count, in order; a row of zeros says as much as no row."""
    with uow_factory.begin(read_only=True) as uow:
        return [
            sorted(tuple(row) for row in uow.session.execute(select(*model.__table__.columns)))
            for model in (ItemTally, OptionTally)
        ]


def test_a_run_that_is_interrupted_counts_nothing_twice(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    class Killed(Exception):
        pass

    with uow_factory.begin() as uow:
        play(uow, 1200, seed=11)
    with pytest.raises(Killed), uow_factory.begin() as uow:
        tallies.count_batch(uow)
        raise Killed
    assert counted_rows(uow_factory) == [[], []]
    count_all(uow_factory, gateway)
    with uow_factory.begin(read_only=True) as uow:
        dealt = sum(uow.session.scalars(select(ItemTally.dealt)))
        answered = [one for one in uow.session.scalars(select(Attempt)) if one.answers]
        assert dealt == sum(len(one.paper) for one in answered)


def counts(**given: int) -> ItemCounts:
    zero = dict.fromkeys(
        ("omitted", "correct", "strong", "rest_sum", "rest_squares", "rest_right", "time_ms"), 0
    )
    return ItemCounts(**{"paper_size": 10, "dealt": 0, **zero, **given})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "nobody"),
        ([counts(dealt=5, correct=5, rest_sum=20, rest_squares=90, rest_right=20)], "all_right"),
        ([counts(dealt=5, rest_sum=20, rest_squares=90)], "nobody_right"),
        (
            [counts(dealt=4, correct=2, rest_sum=20, rest_squares=100, rest_right=10)],
            "rest_equal",
        ),
        ([counts(paper_size=1, dealt=4, correct=2)], "single"),
    ],
)
def test_what_cannot_be_computed_has_a_reason(given: list[ItemCounts], reason: str) -> None:
    figures = compute_figures(SINGLE, given, [])
    assert figures.discrimination == (None, reason)
    if not given:
        assert figures.facility == figures.above_chance == figures.seconds == (None, "nobody")


def test_no_sign_below_the_fewest_papers_and_each_above_them() -> None:
    least = read_doubt_rules().fewest_papers

    # Who is right has no other right answer, who is wrong has all nine.
    def bad(dealt: int) -> list[DoubtSign]:
        right = dealt // 10
        wrong = dealt - right
        row = counts(
            dealt=dealt, correct=right, strong=wrong, rest_sum=9 * wrong, rest_squares=81 * wrong
        )
        options = [
            OptionCounts(paper_size=10, option_no=0, chosen=right, strong=0, rest_sum=0),
            OptionCounts(
                paper_size=10, option_no=1, chosen=wrong, strong=wrong, rest_sum=9 * wrong
            ),
        ]
        return find_signs(compute_figures(SINGLE, [row], options))

    assert bad(least - 1) == []
    assert bad(least) == list(DoubtSign)
