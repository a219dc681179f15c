"""The leaderboard of peer (a): places from Redis, names from the ORM."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from tests.bench.peers import boards, rules
from tests.bench.peers.boards import Page, Spot, View
from tests.bench.peers.flask_quiz import PREFIX, Quiz
from tests.bench.peers.places import city_name
from tests.bench.peers.rules import Stand
from tests.bench.peers.tables import Citizen, Contest, Entry, Standing


class Board:
    """Reads the whole contest's board; the lines of its top are kept for a second."""

    def __init__(self, quiz: Quiz) -> None:
        self._quiz = quiz
        self._view = quiz.redis.register_script(boards.VIEW)
        self._pages: dict[tuple[int, int], Page] = {}
        self._building = threading.Lock()

    def read(self, session: Session, citizen: Citizen, name: str, limit: int) -> dict[str, Any]:
        """The top of the board, and where a citizen stands on it."""
        contest, _version = self._quiz.contest(session, name)
        entry_id = session.scalar(
            select(Entry.id).where(
                Entry.contest_id == contest.id, Entry.citizen_id == citizen.id
            )
        )  # fmt: skip
        page = self._pages.get((contest.id, limit))
        page = page if page is not None and page.fresh else None
        view = self._seen(session, contest, entry_id, limit, b"" if page is None else page.mark)
        lines = self._lines(session, [*(view.top or ()), *view.around])
        if view.top is not None:
            top = [lines[spot.entry_id] | {"rank": spot.rank} for spot in view.top]
            page = Page(view.mark, top, time.monotonic())
            self._pages[contest.id, limit] = page
        assert page is not None
        return self._out(view, contest, page.lines, lines)

    def _seen(
        self, session: Session, contest: Contest, entry_id: int | None, limit: int, known: bytes
    ) -> View:
        keys = boards.keys_of(PREFIX, contest.id, "total", "region")
        asked = [entry_id or 0, limit, boards.NEIGHBOURS, known]
        view = boards.view_from(self._view(keys, asked), entry_id)
        if view is None:
            with self._building:
                self._build(session, contest.id)
            view = boards.view_from(self._view(keys, asked), entry_id)
        if view is None:
            raise rules.Refused(503, "unavailable")
        return view

    def _build(self, session: Session, contest_id: int) -> None:
        """Build the board of the region, and of every city and county, from the database."""
        scopes: dict[str, list[tuple[int, Stand, int]]] = {"region": []}
        for standing, entry in session.execute(
            select(Standing, Entry)
            .join(Entry, Entry.id == Standing.entry_id)
            .where(Standing.contest_id == contest_id, Standing.period == "total")
        ):
            stand = Stand(standing.points, standing.time_ms, standing.reached_at)
            for scope in boards.Place(entry.city, entry.county).scopes:
                scopes.setdefault(scope, []).append((entry.id, stand, standing.version))
        for scope, rows in scopes.items():
            for command in boards.loading(PREFIX, contest_id, "total", scope, rows):
                self._quiz.redis.execute_command(*command)

    @staticmethod
    def _lines(session: Session, spots: Iterable[Spot]) -> dict[int, dict[str, Any]]:
        """A line for each entry, without the asking citizen's mark."""
        by_entry = {spot.entry_id: spot for spot in spots}
        entries = session.scalars(
            select(Entry).options(joinedload(Entry.citizen)).where(Entry.id.in_(by_entry))
        )
        lines = {}
        for entry in entries:
            spot, citizen = by_entry[entry.id], entry.citizen
            public = citizen.public_rank and not citizen.under_14
            lines[entry.id] = {
                "rank": spot.rank,
                "nickname": rules.shown_name(citizen.nickname, citizen.ref, public=public),
                "avatar_url": citizen.avatar_url if public else None,
                "city": entry.city,
                "city_name": city_name(entry.city),
                "score": float(spot.points),
                "duration_ms": spot.time_ms,
                "me": False,
            }
        return lines

    @staticmethod
    def _out(
        view: View, contest: Contest, top: list[Any], lines: dict[int, dict[str, Any]]
    ) -> dict[str, Any]:
        mine, now = view.mine, rules.now()
        me = None
        if mine is not None:
            around = [lines[spot.entry_id] for spot in view.around]
            line = lines[mine.entry_id] | {"me": True}
            around = [line if one["rank"] == mine.rank else one for one in around]
            if mine.rank <= len(top):
                top = [*top[: mine.rank - 1], line, *top[mine.rank :]]
            me = {"rank": mine.rank, "score": float(mine.points), "duration_ms": mine.time_ms,
                  "around": around}  # fmt: skip
        return {
            "period": "total",
            "items": top,
            "me": me,
            "total": view.size,
            "as_of": now.isoformat(),
            "frozen": now >= contest.closes_at,
        }
