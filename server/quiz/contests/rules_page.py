"""The rules page: generated from the rules in force, so that it cannot differ; signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from server.base.clock import BEIJING, say_end_time
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.quiz.contests.service import ContestView
from server.quiz.enums import Season
from server.quiz.rules import BETTER_WITH_FEWER_PAPERS, Part, RuleSet

_SEASON = {
    Season.BEST: "quiz.rules.season_best",
    Season.SUM_OF_DAILY_BEST: "quiz.rules.season_sum_of_daily_best",
    Season.SUM: "quiz.rules.season_sum",
    Season.MEAN: "quiz.rules.season_mean",
    Season.LAST: "quiz.rules.season_last",
    Season.PAPERS: "quiz.rules.season_papers",
}


@dataclass(frozen=True, kw_only=True)
class RulesPage:
    """The page; `signature` signs exactly `document`."""

    contest: ContestView
    sentences: list[tuple[str, str]]
    document: str
    signature: str
    public_key: str


def rules_page(uow: UnitOfWork, contest: ContestView) -> RulesPage:
    """The rules of a contest as sentences, with their version."""
    sentences = list(say_each_rule(uow.texts, contest))
    document = json.dumps(
        {
            "contest": contest.ref,
            "title": contest.title,
            "rules_version": contest.rules.version,
            "sentences": dict(sentences),
        },
        ensure_ascii=False,
        sort_keys=True,
    )
    return RulesPage(
        contest=contest,
        sentences=sentences,
        document=document,
        signature=uow.keys.sign_message(document.encode()),
        public_key=uow.keys.public_key,
    )


def say_each_rule(texts: Texts, contest: ContestView) -> Iterator[tuple[str, str]]:
    """Every rule as a sentence for citizens, by name."""
    rules = contest.rules
    yield (
        "window",
        texts.fill_text(
            "quiz.rules.window",
            opens=say_minute(contest.opens_at),
            closes=say_end(contest.closes_at),
        ),
    )
    yield "per_day", texts.fill_text("quiz.rules.per_day", count=rules.papers_per_day)
    if rules.papers_total is not None:
        yield "in_all", texts.fill_text("quiz.rules.in_all", count=rules.papers_total)
    yield (
        "paper",
        texts.fill_text("quiz.rules.paper", count=rules.question_count, mix=_say_mix(texts, rules)),
    )
    if rules.divisions:
        titles = "、".join(one.title for one in rules.divisions)
        yield "divisions", texts.fill_text("quiz.rules.divisions", titles=titles)
    if rules.warm_up_questions:
        yield "warm_up", texts.fill_text("quiz.rules.warm_up", count=rules.warm_up_questions)
    yield "draw", texts.fill_text("quiz.rules.draw")
    yield (
        "points",
        texts.fill_text(
            "quiz.rules.points", points=rules.points_per_question, most=rules.max_score
        ),
    )
    yield "timer", _say_timer(texts, rules)
    yield "resume", texts.fill_text("quiz.rules.resume")
    yield "reveal", texts.fill_text("quiz.rules.reveal")
    yield "season", texts.fill_text(_SEASON[rules.season])
    yield "ties", texts.fill_text("quiz.rules.ties")
    stays = rules.season in BETTER_WITH_FEWER_PAPERS
    yield "again", texts.fill_text("quiz.rules.again_mean" if stays else "quiz.rules.again")
    yield "voids", texts.fill_text("quiz.rules.voids")
    yield "no_reward", texts.fill_text("quiz.rules.no_reward")


def say_minute(instant: datetime) -> str:
    """An instant in Chinese wording, in Beijing time."""
    day = instant.astimezone(BEIJING)
    return f"{day.year}年{day.month}月{day.day}日 {day:%H:%M}"


def say_end(instant: datetime) -> str:
    """An end in Chinese wording: midnight is 24:00 of the day before."""
    day, time = say_end_time(instant)
    return f"{day.year}年{day.month}月{day.day}日 {time}"


def say_span(texts: Texts, limit: int) -> str:
    """A time limit in whole seconds without parts of zero: `2 小时`, `5 分钟`, `3 分 20 秒`."""
    hours, minutes, seconds = limit // 3600, limit // 60 % 60, limit % 60
    parts = []
    if hours:
        parts.append(texts.fill_text("quiz.span.hours", count=hours))
    if minutes:
        named = "quiz.span.minutes_and" if seconds else "quiz.span.minutes"
        parts.append(texts.fill_text(named, count=minutes))
    if seconds or not parts:
        parts.append(texts.fill_text("quiz.span.seconds", count=seconds))
    return " ".join(parts)


def _say_mix(texts: Texts, rules: RuleSet) -> str:
    lines = [_say_part(texts, part) for part in rules.parts if part.kind is not None]
    return texts.fill_text("quiz.rules.and").join(lines) or texts.fill_text("quiz.rules.kind_any")


def _say_part(texts: Texts, part: Part) -> str:
    kind = "any" if part.kind is None else part.kind.value
    return texts.fill_text(
        "quiz.rules.part", kind=texts.fill_text(f"quiz.rules.kind_{kind}"), count=part.count
    )


def _say_timer(texts: Texts, rules: RuleSet) -> str:
    paper = say_span(texts, rules.paper_seconds)
    if rules.seconds_per_question is not None:
        question = say_span(texts, rules.seconds_per_question)
        return texts.fill_text("quiz.rules.timer_item", question=question, paper=paper)
    return texts.fill_text("quiz.rules.timer_paper", paper=paper)
