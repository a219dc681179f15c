"""What the official account answers about the contest, in words, from the same rows as the API.

Nothing is written here, and no answer holds a link: the contest itself is in the mini-program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from server.base.clock import BEIJING
from server.base.work import Work
from server.quiz import board_view, contests, rules_page, service
from server.quiz.board_view import Board, Line, Mine
from server.quiz.contests import ContestView
from server.units import service as units

# WeChat cuts a text reply that is longer.  Units: bytes of UTF-8.
MOST_BYTES = 2048
TOP = 10
_READ = 50
_SHOWN = 3


def today(work: Work, citizen_id: int | None) -> str:
    """What is open now, and how many papers the asking citizen may still begin today."""
    found = _asked_about(work, "open", "upcoming", "closed")
    if not found:
        return work.texts.say("quiz.chat.nothing")
    mine = {} if citizen_id is None else service.mine(work, found, citizen_id)
    return _fitted(
        [
            words
            for contest in found
            for words in (_state(work, contest), *_tries(work, contest, mine.get(contest.id)))
        ]
    )


def my_result(work: Work, citizen_id: int | None) -> str:
    """The asking citizen's score and places."""
    found = _asked_about(work, "open", "closed")
    if not found:
        return work.texts.say("quiz.chat.nothing")
    if citizen_id is None:
        return work.texts.say("quiz.chat.no_result_unlinked")
    return _fitted([words for contest in found for words in _result(work, contest, citizen_id)])


def board(work: Work, citizen_id: int | None) -> str:
    """The first ten of the region, and the asking citizen's place."""
    found = _asked_about(work, "open", "closed")
    if not found:
        return work.texts.say("quiz.chat.nothing")
    contest = found[0]
    seen = board_view.board(work, contest, limit=TOP, citizen_id=citizen_id)
    heading = work.texts.say("quiz.board.heading", title=contest.title)
    if not seen.items:
        return f"{heading}\n{work.texts.say('quiz.board.empty')}"
    lines = [_line(work, line) for line in seen.items]
    return _fitted([heading, *lines], [_own_place(work, seen)])


def rules(work: Work, _citizen_id: int | None) -> str:
    """The rules in force, as many of them as a text holds."""
    found = _asked_about(work, "open", "upcoming", "closed")
    if not found:
        return work.texts.say("quiz.chat.nothing")
    heading = work.texts.say("quiz.chat.rules_heading", title=found[0].title)
    return _fitted([heading, *(words for _, words in rules_page.told(work.texts, found[0]))])


def _asked_about(work: Work, *states: str) -> list[ContestView]:
    """The contests that somebody means who names none: the youngest of the first state there is."""
    known = contests.contests(work, _READ, None)
    for state in states:
        found = [contest for contest in known if contest.state(work.now) == state]
        if found:
            return found[:_SHOWN] if state == "open" else found[:1]
    return []


def _state(work: Work, contest: ContestView) -> str:
    return work.texts.say(
        f"quiz.chat.{contest.state(work.now)}",
        title=contest.title,
        opens=_moment(work, contest.opens_at),
        closes=_moment(work, contest.closes_at),
    )


def _tries(work: Work, contest: ContestView, mine: service.Mine | None) -> list[str]:
    if contest.state(work.now) != "open":
        return []
    if mine is None:
        return [work.texts.say("quiz.chat.unlinked", count=contest.rules.papers_per_day)]
    if mine.attempts_left_total == 0 and mine.open_attempt_ref is None:
        return [work.texts.say("quiz.chat.none_left_at_all")]
    said = []
    if mine.open_attempt_ref is not None:
        said.append(work.texts.say("quiz.chat.paper_open"))
    left = mine.attempts_left_today
    name = "quiz.chat.left" if left else "quiz.chat.none_left"
    return [*said, work.texts.say(name, count=left)]


def _result(work: Work, contest: ContestView, citizen_id: int) -> list[str]:
    heading = work.texts.say("quiz.chat.result_heading", title=contest.title)
    region = board_view.board(work, contest, limit=1, citizen_id=citizen_id)
    if region.me is None:
        return [heading, work.texts.say("quiz.chat.no_result")]
    return [
        heading,
        work.texts.say(
            "quiz.chat.score",
            score=_points(region.me.score),
            time=_time(work, region.me.duration_ms),
        ),
        work.texts.say("quiz.chat.region_rank", rank=region.me.rank, total=region.total),
        _city_rank(work, contest, citizen_id, region.me),
    ]


def _city_rank(work: Work, contest: ContestView, citizen_id: int, mine: Mine) -> str:
    code = next((line.city for line in mine.around if line.me), None)
    if code is None:
        return work.texts.say("quiz.chat.no_city")
    in_city = board_view.board(work, contest, scope=f"city:{code}", limit=1, citizen_id=citizen_id)
    city = units.regions().city(code)
    if in_city.me is None or city is None:
        return work.texts.say("quiz.chat.no_city")
    return work.texts.say(
        "quiz.chat.city_rank", city=city.name, rank=in_city.me.rank, total=in_city.total
    )


def _line(work: Work, line: Line) -> str:
    return work.texts.say(
        "quiz.board.line", rank=line.rank, name=line.nickname, score=_points(line.score)
    )


def _own_place(work: Work, seen: Board) -> str:
    if seen.me is None:
        return work.texts.say("quiz.board.not_on_it")
    return work.texts.say(
        "quiz.board.own", rank=seen.me.rank, score=_points(seen.me.score), total=seen.total
    )


def _points(score: float) -> str:
    return f"{score:.2f}".rstrip("0").rstrip(".")


def _time(work: Work, milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return work.texts.say("quiz.chat.time", minutes=minutes, seconds=seconds)


def _moment(work: Work, instant: datetime) -> str:
    local = instant.astimezone(BEIJING)
    return work.texts.say(
        "quiz.chat.moment", month=local.month, day=local.day, time=local.strftime("%H:%M")
    )


def _fitted(lines: Sequence[str], last: Sequence[str] = ()) -> str:
    """Lines as one text that WeChat does not cut: those that find no room go, `last` stays."""
    kept = list(lines)
    while len("\n".join([*kept, *last]).encode()) > MOST_BYTES:
        kept.pop()
    return "\n".join([*kept, *last])


ANSWERS: Mapping[str, Callable[[Work, int | None], str]] = {
    "quiz.today": today,
    "quiz.my_result": my_result,
    "quiz.board": board,
    "quiz.rules": rules,
}
