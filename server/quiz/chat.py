"""Answers of the official account about the contest, from the same rows as the API.

Writes nothing. The contest itself runs in the mini-program, so answers end with a link to the next
page: `[words](page)`, which the channel slice converts to WeChat's format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from server.base.clock import BEIJING, beijing_day, say_end_time
from server.base.uow import UnitOfWork
from server.channel import service as channel
from server.quiz.attempts.contest_progress import ContestProgress, contest_progress
from server.quiz.attempts.progress import season_progress
from server.quiz.contests import rules_page
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.enums import BoardState
from server.quiz.leaderboards import board_view, figures
from server.quiz.leaderboards.board_keys import REGION
from server.quiz.leaderboards.board_pages import Line
from server.quiz.leaderboards.board_view import Board, OwnPlace
from server.units import service as units

ROUND, BOARD, RULES, PAPER = (
    f"packages/quiz/{page}/index" for page in ("round", "board", "rules", "answer")
)
TOP = 10
_READ = 50
_HEADINGS = {
    BoardState.LIVE: "quiz.board.heading",
    BoardState.FROZEN: "quiz.board.frozen_heading",
    BoardState.CLOSED: "quiz.board.closed_heading",
    BoardState.FINAL: "quiz.board.final_heading",
}
_SHOWN = 3


def say_today(uow: UnitOfWork, citizen_id: int | None) -> str:
    """The open contests, and how many papers the citizen may still start today."""
    found = _asked_about(uow, "open", "upcoming", "closed")
    if not found:
        return uow.texts.fill_text("quiz.chat.nothing")
    mine = {} if citizen_id is None else contest_progress(uow, found, citizen_id)
    return channel.fit_lines(
        [
            words
            for contest in found
            for words in (
                _say_state(uow, contest),
                *_say_tries(uow, contest, mine.get(contest.id)),
                _way_on(uow, contest, mine.get(contest.id)),
            )
        ]
    )


def my_result(uow: UnitOfWork, citizen_id: int | None) -> str:
    """The citizen's score and ranks."""
    found = _asked_about(uow, "open", "closed")
    if not found:
        return uow.texts.fill_text("quiz.chat.nothing")
    if citizen_id is None:
        words = uow.texts.fill_text("quiz.chat.no_result_unlinked")
        return f"{words}\n{_way_in(uow, found[0])}"
    return channel.fit_lines(
        [words for contest in found for words in _say_result(uow, contest, citizen_id)]
    )


class BoardPlace(NamedTuple):
    """A city or county with its own board."""

    scope: str
    name: str


def say_board(uow: UnitOfWork, citizen_id: int | None, *, place: BoardPlace | None = None) -> str:
    """The first ten of the region, a city or a county, and the citizen's rank."""
    found = _asked_about(uow, "open", "closed")
    if not found:
        return uow.texts.fill_text("quiz.chat.nothing")
    contest = found[0]
    scope = REGION if place is None else place.scope
    seen = board_view.read_board(uow, contest, scope=scope, limit=TOP, citizen_id=citizen_id)
    where = uow.texts.fill_text("quiz.board.region") if place is None else place.name
    over = contest.state_at(uow.now) == "closed"
    heading = uow.texts.fill_text(_HEADINGS[seen.state], title=contest.title, where=where)
    if not seen.items:
        empty = uow.texts.fill_text("quiz.board.stayed_empty" if over else "quiz.board.empty")
        return "\n".join([heading, empty, *_say_board_state(uow, seen), _way_in(uow, contest)])
    lines = [_say_line(uow, line) for line in seen.items]
    way_on = _link_to_page(uow, "to_board", BOARD, contest)
    own = _own_place(uow, seen, place, over=over)
    return channel.fit_lines([heading, *lines], [own, *_say_board_state(uow, seen), way_on])


def say_rules(uow: UnitOfWork, _citizen_id: int | None) -> str:
    """The rules in force, as many as fit into a text."""
    found = _asked_about(uow, "open", "upcoming", "closed")
    if not found:
        return uow.texts.fill_text("quiz.chat.nothing")
    heading = uow.texts.fill_text("quiz.chat.rules_heading", title=found[0].title)
    told = [words for _, words in rules_page.say_each_rule(uow.texts, found[0])]
    return channel.fit_lines([heading, *told], [_link_to_page(uow, "to_rules", RULES, found[0])])


def _asked_about(uow: UnitOfWork, *states: str) -> list[ContestView]:
    """The contests in the first of these states that occurs: all open ones, else the newest."""
    known = contests.list_contests(uow, _READ, None)
    for state in states:
        found = [contest for contest in known if contest.state_at(uow.now) == state]
        if found:
            return found[:_SHOWN] if state == "open" else found[:1]
    return []


def _say_state(uow: UnitOfWork, contest: ContestView) -> str:
    return uow.texts.fill_text(
        f"quiz.chat.{contest.state_at(uow.now)}",
        title=contest.title,
        opens=_say_moment(uow, *_local_begin(contest.opens_at)),
        closes=_say_moment(uow, *say_end_time(contest.closes_at)),
    )


def _say_tries(uow: UnitOfWork, contest: ContestView, mine: ContestProgress | None) -> list[str]:
    if contest.state_at(uow.now) != "open":
        return []
    if mine is None:
        return [uow.texts.fill_text("quiz.chat.unlinked", count=contest.rules.papers_per_day)]
    if mine.attempts_left_total == 0 and mine.open_attempt_ref is None:
        return [uow.texts.fill_text("quiz.chat.none_left_at_all")]
    said = []
    if mine.open_attempt_ref is not None:
        said.append(uow.texts.fill_text("quiz.chat.paper_open"))
    left = mine.attempts_left_today
    name = "quiz.chat.left" if left else "quiz.chat.none_left"
    return [*said, uow.texts.fill_text(name, count=left)]


def _way_in(uow: UnitOfWork, contest: ContestView) -> str:
    """The link for a citizen without a result."""
    if contest.state_at(uow.now) == "open":
        return _link_to_page(uow, "to_round", ROUND, contest)
    return _link_to_page(uow, "to_board", BOARD, contest)


def _way_on(uow: UnitOfWork, contest: ContestView, mine: ContestProgress | None) -> str:
    """The link to the page where the citizen can continue."""
    if contest.state_at(uow.now) == "upcoming":
        return _link_to_page(uow, "to_look", ROUND, contest)
    if mine is None:
        return _way_in(uow, contest)
    if mine.open_attempt_ref is not None:
        return uow.texts.fill_text("quiz.chat.to_go_on", page=f"{PAPER}?id={mine.open_attempt_ref}")
    if contest.state_at(uow.now) == "open" and mine.attempts_left_today:
        return _link_to_page(uow, "to_round", ROUND, contest)
    return _link_to_page(uow, "to_board", BOARD, contest)


def _link_to_page(uow: UnitOfWork, name: str, page: str, contest: ContestView) -> str:
    return uow.texts.fill_text(f"quiz.chat.{name}", page=f"{page}?id={contest.ref}")


def _say_result(uow: UnitOfWork, contest: ContestView, citizen_id: int) -> list[str]:
    heading = uow.texts.fill_text("quiz.chat.result_heading", title=contest.title)
    region = board_view.read_board(uow, contest, limit=1, citizen_id=citizen_id)
    note = _say_board_state(uow, region)
    if region.state is BoardState.FROZEN:
        # During a freeze the score includes the later papers, the ranks do not.
        reached = season_progress(uow, [contest], citizen_id)[contest.id].total
        if reached is not None:
            score = figures.say_score(reached)
            note = [uow.texts.fill_text("quiz.chat.own_score", score=score), *note]
    if region.me is None and contest_progress(uow, [contest], citizen_id)[contest.id].held:
        return [heading, uow.texts.fill_text("quiz.chat.held")]
    if region.me is None and note:
        return [heading, *note, _link_to_page(uow, "to_board", BOARD, contest)]
    if region.me is None:
        words = uow.texts.fill_text("quiz.chat.no_result")
        return [heading, words, _way_in(uow, contest)]
    score = uow.texts.fill_text(
        "quiz.chat.score",
        score=figures.say_score(region.me.score),
        time=figures.say_duration(uow.texts, region.me.duration_ms),
    )
    return [
        heading,
        *([] if region.state is BoardState.FROZEN else [score]),
        *note,
        uow.texts.fill_text("quiz.chat.region_rank", rank=region.me.rank, total=region.total),
        _city_rank(uow, contest, citizen_id, region.me),
        _link_to_page(uow, "to_board", BOARD, contest),
    ]


def _say_board_state(uow: UnitOfWork, seen: Board) -> list[str]:
    """The sentence about a frozen or final board, and of when it is."""
    if seen.state is BoardState.FROZEN:
        time = _say_moment(uow, *_local_begin(seen.as_of))
        return [uow.texts.fill_text("quiz.board.frozen_note", time=time)]
    if seen.state is BoardState.FINAL:
        time = _say_moment(uow, *_local_begin(seen.as_of))
        return [uow.texts.fill_text("quiz.board.final_note", version=seen.version, time=time)]
    return []


def _city_rank(uow: UnitOfWork, contest: ContestView, citizen_id: int, mine: OwnPlace) -> str:
    code = next((line.city for line in mine.around if line.me), None)
    if code is None:
        return uow.texts.fill_text("quiz.chat.no_city")
    in_city = board_view.read_board(
        uow, contest, scope=f"city:{code}", limit=1, citizen_id=citizen_id
    )
    city = units.load_regions().find_city(code)
    if in_city.me is None or city is None:
        return uow.texts.fill_text("quiz.chat.no_city")
    return uow.texts.fill_text(
        "quiz.chat.city_rank", city=city.name, rank=in_city.me.rank, total=in_city.total
    )


def _say_line(uow: UnitOfWork, line: Line) -> str:
    return uow.texts.fill_text(
        "quiz.board.line",
        rank=line.rank,
        name=channel.plain_words(line.nickname),
        score=figures.say_score(line.score),
    )


def _own_place(uow: UnitOfWork, seen: Board, place: BoardPlace | None, *, over: bool) -> str:
    if seen.me is None and place is not None:
        return uow.texts.fill_text("quiz.board.not_in_place", place=place.name)
    if seen.me is None:
        return uow.texts.fill_text("quiz.board.not_come_on_it" if over else "quiz.board.not_on_it")
    return uow.texts.fill_text(
        "quiz.board.own",
        rank=seen.me.rank,
        score=figures.say_score(seen.me.score),
        total=seen.total,
    )


def _local_begin(instant: datetime) -> tuple[date, str]:
    local = instant.astimezone(BEIJING)
    return local.date(), local.strftime("%H:%M")


def _say_moment(uow: UnitOfWork, day: date, time: str) -> str:
    this_year = day.year == beijing_day(uow.now).year
    return uow.texts.fill_text(
        f"quiz.chat.{'moment' if this_year else 'moment_of_year'}",
        year=day.year,
        month=day.month,
        day=day.day,
        time=time,
    )


def _places_with_boards() -> Iterator[tuple[str, BoardPlace]]:
    for city in units.load_regions().cities:
        yield city.code, BoardPlace(f"city:{city.code}", city.name)
        for county in city.counties:
            yield county.code, BoardPlace(f"county:{county.code}", county.name)


ANSWERS: Mapping[str, Callable[[UnitOfWork, int | None], str]] = {
    "quiz.today": say_today,
    "quiz.my_result": my_result,
    "quiz.board": say_board,
    **{
        f"quiz.board.{code}": partial(say_board, place=place)
        for code, place in _places_with_boards()
    },
    "quiz.rules": say_rules,
}
