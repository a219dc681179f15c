"""API types of leaderboards."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from server.base.web.schema import Instant, Limit, Out, Query

Rank = Annotated[int, Meta(ge=1, description="Every rank is given once")]


class BoardQuery(Query, frozen=True, kw_only=True):
    """The requested board, and the part of it."""

    scope: Annotated[
        str,
        Meta(
            max_length=80,
            description="region, or city:, county:, unit:, audience:, division:, group: and its id",
        ),
    ] = "region"
    period: Annotated[
        str,
        Meta(
            max_length=20,
            description="total, today, this_week, day:YYYY-MM-DD or week:YYYY-Www",
        ),
    ] = "total"
    limit: Limit = 20


class BoardLineOut(Out, frozen=True, kw_only=True):
    """One row of a board; the nickname is masked unless its owner chose to be public."""

    rank: Rank
    nickname: str
    avatar_url: str | None
    city: str | None
    city_name: str | None
    score: float
    duration_ms: int
    me: bool


class BoardMeOut(Out, frozen=True, kw_only=True):
    """The caller's rank; `around` contains the caller's row with its neighbours, in order."""

    rank: Rank
    score: float
    duration_ms: int
    around: list[BoardLineOut]


class BoardOut(Out, frozen=True, kw_only=True):
    """A board; `total` is the number of its entries, `period` the resolved period.

    `state` is `live`, `frozen` (as of `as_of`; later papers count, and are shown with the final
    ranks), `closed` (over, final ranks not published) or `final` (`version`, published `as_of`).
    """

    state: Literal["live", "frozen", "closed", "final"]
    version: int | None
    period: str
    items: list[BoardLineOut]
    me: BoardMeOut | None
    total: int
    as_of: Instant
    frozen: bool
