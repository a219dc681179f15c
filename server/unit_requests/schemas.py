"""API types of requests for units."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.base.web.schema import In, Out


class UnitRequestIn(In, frozen=True, kw_only=True):
    """The name of a missing unit, and where it is; `county` is left out for a unit of the city."""

    name: Annotated[str, Meta(min_length=2, max_length=100)]
    city: Annotated[str, Meta(max_length=6)]
    county: Annotated[str, Meta(max_length=6)] | None = None


class UnitRequestOut(Out, frozen=True, kw_only=True):
    """A request with its answer.

    `state` is waiting, created, pointed or refused; `unit_name` is the unit of the answer,
    `sentence` the organizers' words.
    """

    id: str
    name: str
    place: str
    state: str
    unit_name: str | None
    sentence: str | None


class UnitRequestsOut(Out, frozen=True, kw_only=True):
    """The caller's requests, the newest first; at most twenty."""

    items: list[UnitRequestOut]
