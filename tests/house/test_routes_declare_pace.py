"""Every route that writes says how often one person may call it, and the figure is a setting."""

from __future__ import annotations

import ast
from dataclasses import fields

from server import slices
from server.base import rate_limits
from server.base.settings import Limits
from server.base.web.endpoint import Api, Route
from tests.house.source import nodes_of, trees

# The person is known only after WeChat has answered; bad codes are counted before it is asked.
KNOWN_LATER = {"POST /login"}


def routes() -> list[Route]:
    return [route for api in slices.APIS for route in api.routes]


def without_pace(apis: tuple[Api, ...]) -> set[str]:
    return {
        f"{route.method} {route.path}"
        for api in apis
        for route in api.routes
        if route.method != "GET" and route.pace is None
    }


def test_every_writing_route_declares_its_pace() -> None:
    assert without_pace(slices.APIS) == set(), (
        "declare how often a person may call it: pace=CHANGE or another of base/rate_limits.py"
    )


def test_a_writing_route_without_a_pace_is_seen() -> None:
    (route,) = (r for r in routes() if r.path == "/visits")
    bare = Api("bare", routes=[Route(method="POST", path="/x", view=route.view, who=route.who)])
    assert without_pace((*slices.APIS, bare)) == {"POST /x"}


def test_only_the_log_in_is_counted_elsewhere_than_at_the_edge() -> None:
    later = {f"{r.method} {r.path}" for r in routes() if r.pace and not r.pace.by_edge}
    assert later == KNOWN_LATER, "use a pace that the endpoint counts before its view runs"


def test_only_one_file_asks_the_limiter() -> None:
    asking = {
        path.as_posix()
        for path, tree in trees().items()
        for node in nodes_of(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("allow", "give_back")
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "limiter"
    }
    assert asking == {"server/base/rate_limits.py"}, "call `spend_token` of base/rate_limits.py"


def test_every_pace_has_a_setting_and_every_setting_a_pace() -> None:
    paces = [one for one in vars(rate_limits).values() if isinstance(one, rate_limits.Pace)]
    assert {one.figure for one in paces} == {figure.name for figure in fields(Limits)}, (
        "a Pace in base/rate_limits.py and its figure in Limits of base/settings.py belong together"
    )
    assert len({one.name for one in paces}) == len(paces)
    assert all(one.figure.endswith(("_per_minute", "_per_hour")) for one in paces)
