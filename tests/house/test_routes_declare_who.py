"""Every route says who may call it, and every one beside the public list refuses a stranger."""

from __future__ import annotations

from server import slices
from server.base.uow import Hooks
from server.base.web.auth import Who

# Routes that a caller without a token may use.
PUBLIC = {
    "GET /campaign", "GET /programmes", "GET /programmes/<slug>", "GET /regions", "GET /units",
    "GET /contests", "GET /contests/<ref>", "GET /contests/<ref>/rules",
    "GET /contests/<ref>/final", "GET /signing-key",
    "GET /contests/<ref>/leaderboard", "GET /shares/<ref>/image.png",
    "GET /shares/<ref>/card.png", "POST /login",
    "GET /activities", "GET /activities/<ref>", "GET /activities/<ref>.ics",
    # Opened by a signed key, because a calendar program cannot log in.
    "GET /me/calendar.ics",
    # Public announcements and activities by a channel's code.
    "GET /codes/<code>", "GET /codes/<code>/link.png", "GET /codes/<code>/mini.jpg",
    # Opened by the address of a projector page, whose computer has no session.
    "GET /screens/<code>",
}  # fmt: skip


def test_only_the_public_list_is_open_without_a_token() -> None:
    routes = [route for api in slices.APIS for route in api.routes]
    opened = {f"{r.method} {r.path}" for r in routes if r.who is not Who.CITIZEN}
    assert opened == PUBLIC, (
        "who=Who.CITIZEN asks for a token; add a route to PUBLIC only if everybody may use it, and"
        " then it shows no person's data"
    )


def test_no_two_routes_share_an_address() -> None:
    routes = [f"{r.method} {r.path}" for api in slices.APIS for r in api.routes]
    assert len(routes) == len(set(routes))


def test_every_view_says_what_it_does() -> None:
    assert [r.name for api in slices.APIS for r in api.routes if not r.view.__doc__] == [], (
        "write the docstring of the view: the OpenAPI document shows it"
    )


def test_tasks_have_unique_names_and_the_house_has_hooks() -> None:
    names = [task.name for task in slices.TASKS]
    assert len(names) == len(set(names))
    assert isinstance(slices.HOOKS, Hooks)
