"""The leaderboard of peer (c): places from Redis, names by one statement."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from tests.bench.peers import boards, rules
from tests.bench.peers.boards import Page, Place, Spot, View
from tests.bench.peers.bound_quiz import PREFIX, Execute, Quiz
from tests.bench.peers.places import city_name
from tests.bench.peers.rules import Refused, Stand

# One text for each of these numbers of entries; a list is filled up with its last one.
_SIZES = (1, 8, 128, 1024)


class Board:
    """Reads the whole contest's board; the lines of its top are kept for a second."""

    def __init__(self, quiz: Quiz) -> None:
        self._quiz = quiz
        self._pages: dict[tuple[int, int], Page] = {}
        self._building = threading.Lock()
        text = quiz.database.text
        self._names = {
            size: text(f"{quiz.sql.names}({', '.join(f':e{at}' for at in range(size))})")
            for size in _SIZES
        }

    def read(self, token: str, name: str, limit: int) -> dict[str, Any]:
        """The top of the board, and where the caller stands on it."""
        quiz, now = self._quiz, rules.now()
        with quiz.database.reading() as execute:
            citizen = quiz.caller(execute, token, quiz.database.stored_instant(now))
            asked = {"name": name, "citizen_id": citizen[0]}
            row = execute(quiz.sql.contest_and_entry, asked).fetchone()
            if row is None:
                raise Refused(404, "not_found")
            contest_id, closes_at, entry_id = row
            page = self._pages.get((contest_id, limit))
            page = page if page is not None and page.fresh else None
            known = b"" if page is None else page.mark
            view = self._seen(execute, contest_id, (entry_id, limit, known))
            lines = self._lines(execute, [*(view.top or ()), *view.around])
        if view.top is not None:
            top = [lines[spot.entry_id] for spot in view.top]
            page = self._pages[contest_id, limit] = Page(view.mark, top, time.monotonic())
        assert page is not None
        frozen = now >= quiz.database.instant(closes_at)
        return _out(view, page.lines, lines) | {"as_of": now, "frozen": frozen}

    def _seen(
        self, execute: Execute, contest_id: int, wanted: tuple[int | None, int, bytes]
    ) -> View:
        entry_id, limit, known = wanted
        keys = boards.keys_of(PREFIX, contest_id, "total", "region")
        asked = [entry_id or 0, limit, boards.NEIGHBOURS, known]
        view = boards.view_from(self._quiz.redis.run(boards.VIEW, keys, asked), entry_id)
        if view is None:
            with self._building:
                self._build(execute, contest_id)
            view = boards.view_from(self._quiz.redis.run(boards.VIEW, keys, asked), entry_id)
        if view is None:
            raise Refused(503, "unavailable")
        return view

    def _build(self, execute: Execute, contest_id: int) -> None:
        """Build the board of the region, and of every city and county, from the database."""
        read = self._quiz.database.instant
        scopes: dict[str, list[tuple[int, Stand, int]]] = {"region": []}
        asked = execute(self._quiz.sql.standings, {"contest_id": contest_id})
        for entry_id, points, time_ms, reached_at, version, city, county in asked.fetchall():
            stand = Stand(points, time_ms, read(reached_at))
            for scope in Place(city, county).scopes:
                scopes.setdefault(scope, []).append((entry_id, stand, version))
        for scope, rows in scopes.items():
            for command in boards.loading(PREFIX, contest_id, "total", scope, rows):
                self._quiz.redis.command(*command)

    def _lines(self, execute: Execute, spots: Iterable[Spot]) -> dict[int, dict[str, Any]]:
        """A line for each entry, without the asking citizen's mark."""
        by_entry = {spot.entry_id: spot for spot in spots}
        if not by_entry:
            return {}
        size = next(size for size in _SIZES if size >= len(by_entry))
        numbers = list(by_entry) + [next(reversed(by_entry))] * (size - len(by_entry))
        asked = {f"e{at}": number for at, number in enumerate(numbers)}
        lines = {}
        for entry_id, city, ref, nickname, avatar_url, public, under_14 in execute(
            self._names[size], asked
        ).fetchall():
            spot, public = by_entry[entry_id], bool(public and not under_14)
            lines[entry_id] = {
                "rank": spot.rank,
                "nickname": rules.shown_name(nickname, ref, public=public),
                "avatar_url": avatar_url if public else None,
                "city": city,
                "city_name": city_name(city),
                "score": float(spot.points),
                "duration_ms": spot.time_ms,
                "me": False,
            }
        return lines


def _out(view: View, top: list[Any], lines: dict[int, dict[str, Any]]) -> dict[str, Any]:
    mine, me = view.mine, None
    if mine is not None:
        line = lines[mine.entry_id] | {"me": True}
        around = [
            line if spot.entry_id == mine.entry_id else lines[spot.entry_id]
            for spot in view.around
        ]  # fmt: skip
        if mine.rank <= len(top):
            top = [*top[: mine.rank - 1], line, *top[mine.rank :]]
        me = {"rank": mine.rank, "score": float(mine.points), "duration_ms": mine.time_ms,
              "around": around}  # fmt: skip
    return {"period": "total", "items": top, "me": me, "total": view.size}
