"""The phone in the browser: its page and the two addresses that the page polls.

Actions on the page go to the control endpoint, as those of scripts do.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, request

from . import acts, groups, inbox, people, posts
from .clock import format_beijing
from .texts import TEXTS
from .wechat_api import menu as api_menu
from .wechat_api.material import find_picture
from .world import World

INDEX, FRONT = "phone.html", "front.html"
PAGES = Path(__file__).with_name("pages")
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FILES = {path.name: KINDS[path.suffix] for path in sorted(PAGES.iterdir())}
# The frame holds the mini-program; pictures of cards are data URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
SHOWN_PEOPLE = 50
# Newest first: people created by hand are newer than a seeded crowd.
PEOPLE = """
SELECT person, name, subscribed, (
  SELECT max(id) FROM messages
  WHERE openid IN (people.openid_oa, people.openid_mp) AND direction = 'in'
) AS latest FROM people WHERE closed = 0 AND instr(name, ?) ORDER BY id DESC LIMIT ?
"""
COUNT = "SELECT count(*) FROM people WHERE closed = 0 AND instr(name, ?)"


def build_routes(world: World) -> Blueprint:
    """Create the routes of the page for one world."""
    blueprint = Blueprint("phone", __name__, url_prefix="/phone")

    @blueprint.get("/")
    def show_page() -> Response:
        return _serve_file(INDEX)

    @blueprint.get("/<name>")
    def serve_part(name: str) -> Response:
        if name not in FILES or name in (INDEX, FRONT):
            abort(404)
        return _serve_file(name)

    @blueprint.get("/people")
    def answer_people() -> dict[str, Any]:
        return list_choice(world, request.args.get("q", "").strip())

    @blueprint.get("/feed")
    def answer_feed() -> dict[str, Any]:
        after, cards = (request.args.get(name, 0, type=int) for name in ("after", "cards"))
        return read_feed(world, request.args.get("person", ""), after, cards)

    @blueprint.get("/picture")
    def serve_picture() -> Response:
        asked = request.args
        found = find_picture(world, url=asked.get("url", ""), media_id=asked.get("media_id", ""))
        if found is None:
            abort(404)
        return Response(found.content, content_type=found.mime, headers=HEADERS)

    return blueprint


def show_front(world: World) -> Response:
    """Show the page at `/`: links to the phone, the tested server, its documentation and health."""
    text = (PAGES / FRONT).read_text(encoding="utf-8")
    page = text.replace("{server}", escape(world.settings.server, quote=True))
    return Response(page, content_type=FILES[FRONT], headers=HEADERS)


def list_choice(world: World, part: str) -> dict[str, Any]:
    """The newest people whose names contain this text, and how many match in total.

    `latest` is the id of the person's newest line, 0 for none.
    """
    rows = world.store.all_rows(PEOPLE, part, SHOWN_PEOPLE)
    return {
        "items": [
            {
                "person": row["person"],
                "name": row["name"],
                "subscribed": bool(row["subscribed"]),
                "latest": row["latest"] or 0,
            }
            for row in rows
        ],
        "total": world.store.select_number(COUNT, part),
        **_show_moment(world),
    }


def read_feed(world: World, person: str, after: int = 0, cards: int = 0) -> dict[str, Any]:
    """The content of one phone after these ids; empty without a person.

    `after` is a line's id, `cards` a card's; `ahead` is the emulated time minus the real time in
    seconds.
    """
    try:
        owner = people.find_person(world, person)
    except LookupError:
        return {"person": None}
    # One transaction for both lists, because the page polls next from the newest line of either.
    with world.store.open_transaction():
        return {
            "person": acts.show_person(owner),
            "number": f"{owner.phone[:3]}****{owner.phone[-4:]}",
            "account": TEXTS["official_name"],
            "program": {"name": TEXTS["mini_name"], "appid": world.mini.appid},
            **_show_moment(world),
            "menu": api_menu.current_menu(world) or {"button": []},
            "codes": world.store.select_number("SELECT count(*) FROM scenes"),
            "chat": inbox.list_since(world, owner.openid_oa, after),
            "notices": inbox.list_since(world, owner.openid_mp, after),
            "groups": groups.list_groups_of(world, owner),
            "cards": posts.seen_by(world, owner, cards),
        }


def _show_moment(world: World) -> dict[str, Any]:
    return {
        "now": format_beijing(world.now()),
        "ahead": world.clock.seconds_ahead(),
        "cut": world.cut_off,
    }


def _serve_file(name: str) -> Response:
    return Response((PAGES / name).read_bytes(), content_type=FILES[name], headers=HEADERS)
