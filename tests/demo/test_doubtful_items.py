"""The statistics find the doubtful questions that the demo plants, and no others."""

from __future__ import annotations

from sqlalchemy import select

from server.app import Application
from server.base.jobs import TaskContext
from server.demo.season import SeasonSize
from server.demo.season_papers import DOUBTFUL
from server.quiz.models import ItemFigure, Question
from server.quiz.review import tallies
from tests.demo.test_season import demo, fill, wechat
from tests.kit.effort import repeat_count

__all__ = ["demo", "wechat"]
# Under `make prove` the season that the demo fills; half of it plants the same questions.
WHOLE = SeasonSize()
SIZE = SeasonSize(
    logging_in=repeat_count(WHOLE.logging_in, 600),
    following=repeat_count(WHOLE.following, 90),
    papers=repeat_count(WHOLE.papers, 2700),
)


def test_exactly_the_planted_questions_are_doubtful(demo: Application) -> None:
    fill(demo, SIZE)
    tallies.count_items(TaskContext(uow_factory=demo.uow_factory, gateway=None))
    with demo.uow_factory.begin(read_only=True) as uow:
        found = select(Question.ref).join(ItemFigure, ItemFigure.question_id == Question.id)
        assert set(uow.session.scalars(found.where(ItemFigure.doubtful))) == set(DOUBTFUL)
