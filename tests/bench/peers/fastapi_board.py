"""The leaderboard of peer (b): places from Redis, names by SQLAlchemy Core."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.bench.peers import boards, rules
from tests.bench.peers.boards import Page, Place, Spot, View
from tests.bench.peers.fastapi_quiz import PREFIX, Quiz, citizens, entries, standings
from tests.bench.peers.fastapi_shapes import BoardOut, LineOut, MeOut
from tests.bench.peers.places import city_name
from tests.bench.peers.rules import Stand


class Board:
    """Reads the whole contest's board; the lines of its top are kept for a second."""

    def __init__(self, quiz: Quiz) -> None:
        self._quiz = quiz
        self._view = quiz.redis.register_script(boards.VIEW)
        self._pages: dict[tuple[int, int], Page] = {}
        self._building = asyncio.Lock()

    async def read(
        self, connection: AsyncConnection, citizen_id: int, name: str, limit: int
    ) -> BoardOut:
        """The top of the board, and where a citizen stands on it."""
        contest = await self._quiz.contest(connection, name)
        entry_id = await connection.scalar(
            select(entries.c.id).where(
                entries.c.contest_id == contest.id, entries.c.citizen_id == citizen_id
            )
        )
        page = self._pages.get((contest.id, limit))
        page = page if page is not None and page.fresh else None
        known = b"" if page is None else page.mark
        view = await self._seen(connection, contest.id, (entry_id, limit, known))
        lines = await _lines(connection, [*(view.top or ()), *view.around])
        if view.top is not None:
            top = [lines[spot.entry_id] for spot in view.top]
            page = self._pages[contest.id, limit] = Page(view.mark, top, time.monotonic())
        assert page is not None
        return _out(view, contest, page.lines, lines)

    async def _seen(
        self, connection: AsyncConnection, contest_id: int, wanted: tuple[int | None, int, bytes]
    ) -> View:
        entry_id, limit, known = wanted
        keys = boards.keys_of(PREFIX, contest_id, "total", "region")
        asked = [entry_id or 0, limit, boards.NEIGHBOURS, known]
        view = boards.view_from(await self._view(keys, asked), entry_id)
        if view is None:
            async with self._building:
                await self._build(connection, contest_id)
            view = boards.view_from(await self._view(keys, asked), entry_id)
        if view is None:
            raise rules.Refused(503, "unavailable")
        return view

    async def _build(self, connection: AsyncConnection, contest_id: int) -> None:
        """Build the board of the region, and of every city and county, from the database."""
        s, e = standings.c, entries.c
        asked = (
            select(s.entry_id, s.points, s.time_ms, s.reached_at, s.version, e.city, e.county)
            .join(entries, e.id == s.entry_id)
            .where(s.contest_id == contest_id, s.period == "total")
        )
        scopes: dict[str, list[tuple[int, Stand, int]]] = {"region": []}
        for row in await connection.execute(asked):
            stand = Stand(row.points, row.time_ms, row.reached_at)
            for scope in Place(row.city, row.county).scopes:
                scopes.setdefault(scope, []).append((row.entry_id, stand, row.version))
        for scope, rows in scopes.items():
            for command in boards.loading(PREFIX, contest_id, "total", scope, rows):
                await self._quiz.redis.execute_command(*command)


async def _lines(connection: AsyncConnection, spots: Iterable[Spot]) -> dict[int, LineOut]:
    """A line for each entry, without the asking citizen's mark."""
    by_entry = {spot.entry_id: spot for spot in spots}
    c = citizens.c
    asked = (
        select(entries.c.id, entries.c.city, c.ref, c.nickname, c.avatar_url, c.public_rank,
               c.under_14)
        .join(citizens, c.id == entries.c.citizen_id)
        .where(entries.c.id.in_(by_entry))
    )  # fmt: skip
    lines = {}
    for row in await connection.execute(asked):
        spot, public = by_entry[row.id], row.public_rank and not row.under_14
        lines[row.id] = LineOut(
            rank=spot.rank,
            nickname=rules.shown_name(row.nickname, row.ref, public=public),
            avatar_url=row.avatar_url if public else None,
            city=row.city,
            city_name=city_name(row.city),
            score=spot.points,
            duration_ms=spot.time_ms,
            me=False,
        )
    return lines


def _out(view: View, contest: Any, top: list[LineOut], lines: dict[int, LineOut]) -> BoardOut:
    mine, now, me = view.mine, rules.now(), None
    if mine is not None:
        line = lines[mine.entry_id].model_copy(update={"me": True})
        around = [
            line if spot.entry_id == mine.entry_id else lines[spot.entry_id]
            for spot in view.around
        ]  # fmt: skip
        if mine.rank <= len(top):
            top = [*top[: mine.rank - 1], line, *top[mine.rank :]]
        me = MeOut.model_construct(
            rank=mine.rank, score=float(mine.points), duration_ms=mine.time_ms, around=around
        )
    return BoardOut.model_construct(
        period="total", items=top, me=me, total=view.size, as_of=now,
        frozen=now >= contest.closes_at,
    )  # fmt: skip
