"""What the official account answers about the contest, in words, from the same rows as the API.

Nothing is written here. The contest itself is in the mini-program, so answers end with a link to
the page that goes on: `[words](page)`, which the conversation turns into WeChat's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from server.base.clock import BEIJING
from server.base.work import Work
from server.channel import service as channel
from server.quiz import board_view, contests, figures, rules_page, service
from server.quiz.board_keys import REGION
from server.quiz.board_view import Board, Line, Mine
from server.quiz.contests import ContestView
from server.units import service as units
from server.units.service import City

ROUND, BOARD, RULES = (f"packages/quiz/{page}/index" for page in ("round", "board", "rules"))
# WeChat cuts a text reply that is longer, and a link grows by its markup.  Units: bytes of UTF-8.
MOST_BYTES, LINK_BYTES = 2048, 200
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
            for words in (
                _state(work, contest),
                *_tries(work, contest, mine.get(contest.id)),
                _way_on(work, contest, mine.get(contest.id)),
            )
        ]
    )


def my_result(work: Work, citizen_id: int | None) -> str:
    """The asking citizen's score and places."""
    found = _asked_about(work, "open", "closed")
    if not found:
        return work.texts.say("quiz.chat.nothing")
    if citizen_id is None:
        words = work.texts.say("quiz.chat.no_result_unlinked")
        return f"{words}\n{_way_in(work, found[0])}"
    return _fitted([words for contest in found for words in _result(work, contest, citizen_id)])


def board(work: Work, citizen_id: int | None, *, city: City | None = None) -> str:
    """The first ten of the region or of a city, and the asking citizen's place."""
    found = _asked_about(work, "open", "closed")
    if not found:
        return work.texts.say("quiz.chat.nothing")
    contest = found[0]
    scope = REGION if city is None else f"city:{city.code}"
    seen = board_view.board(work, contest, scope=scope, limit=TOP, citizen_id=citizen_id)
    where = work.texts.say("quiz.board.region") if city is None else city.name
    over = contest.state(work.now) == "closed"
    name = "quiz.board.final_heading" if seen.frozen else "quiz.board.heading"
    heading = work.texts.say(name, title=contest.title, where=where)
    if not seen.items:
        empty = work.texts.say("quiz.board.stayed_empty" if over else "quiz.board.empty")
        return "\n".join([heading, empty, _way_in(work, contest)])
    lines = [_line(work, line) for line in seen.items]
    way_on = _link(work, "to_board", BOARD, contest)
    return _fitted([heading, *lines], [_own_place(work, seen, city, over=over), way_on])


def rules(work: Work, _citizen_id: int | None) -> str:
    """The rules in force, as many of them as a text holds."""
    found = _asked_about(work, "open", "upcoming", "closed")
    if not found:
        return work.texts.say("quiz.chat.nothing")
    heading = work.texts.say("quiz.chat.rules_heading", title=found[0].title)
    told = [words for _, words in rules_page.told(work.texts, found[0])]
    return _fitted([heading, *told], [_link(work, "to_rules", RULES, found[0])])


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


def _way_in(work: Work, contest: ContestView) -> str:
    """The link for somebody who has no result yet."""
    if contest.state(work.now) == "open":
        return _link(work, "to_round", ROUND, contest)
    return _link(work, "to_board", BOARD, contest)


def _way_on(work: Work, contest: ContestView, mine: service.Mine | None) -> str:
    """The link to the page where this citizen can do something now."""
    if contest.state(work.now) == "upcoming":
        return _link(work, "to_look", ROUND, contest)
    if mine is None:
        return _way_in(work, contest)
    if mine.open_attempt_ref is not None:
        return _link(work, "to_go_on", ROUND, contest)
    if contest.state(work.now) == "open" and mine.attempts_left_today:
        return _link(work, "to_round", ROUND, contest)
    return _link(work, "to_board", BOARD, contest)


def _link(work: Work, name: str, page: str, contest: ContestView) -> str:
    return work.texts.say(f"quiz.chat.{name}", page=f"{page}?id={contest.ref}")


def _result(work: Work, contest: ContestView, citizen_id: int) -> list[str]:
    heading = work.texts.say("quiz.chat.result_heading", title=contest.title)
    region = board_view.board(work, contest, limit=1, citizen_id=citizen_id)
    if region.me is None:
        words = work.texts.say("quiz.chat.no_result")
        return [heading, words, _way_in(work, contest)]
    return [
        heading,
        work.texts.say(
            "quiz.chat.score",
            score=figures.say_score(region.me.score),
            time=figures.say_duration(work.texts, region.me.duration_ms),
        ),
        work.texts.say("quiz.chat.region_rank", rank=region.me.rank, total=region.total),
        _city_rank(work, contest, citizen_id, region.me),
        _link(work, "to_board", BOARD, contest),
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
        "quiz.board.line",
        rank=line.rank,
        name=channel.plain_words(line.nickname),
        score=figures.say_score(line.score),
    )


def _own_place(work: Work, seen: Board, city: City | None, *, over: bool) -> str:
    if seen.me is None and city is not None:
        return work.texts.say("quiz.board.not_in_city", city=city.name)
    if seen.me is None:
        return work.texts.say("quiz.board.not_come_on_it" if over else "quiz.board.not_on_it")
    return work.texts.say(
        "quiz.board.own",
        rank=seen.me.rank,
        score=figures.say_score(seen.me.score),
        total=seen.total,
    )


def _moment(work: Work, instant: datetime) -> str:
    local = instant.astimezone(BEIJING)
    this_year = local.year == work.now.astimezone(BEIJING).year
    return work.texts.say(
        f"quiz.chat.{'moment' if this_year else 'moment_of_year'}",
        year=local.year,
        month=local.month,
        day=local.day,
        time=local.strftime("%H:%M"),
    )


def _fitted(lines: Sequence[str], last: Sequence[str] = ()) -> str:
    """Lines as one text that WeChat does not cut: those that find no room go, `last` stays."""
    kept = list(lines)
    while _size("\n".join([*kept, *last])) > MOST_BYTES:
        kept.pop()
    return "\n".join([*kept, *last])


def _size(words: str) -> int:
    return len(words.encode()) + LINK_BYTES * len(channel.pages_linked(words))


ANSWERS: Mapping[str, Callable[[Work, int | None], str]] = {
    "quiz.today": today,
    "quiz.my_result": my_result,
    "quiz.board": board,
    **{f"quiz.board.{city.code}": partial(board, city=city) for city in units.regions().cities},
    "quiz.rules": rules,
}
