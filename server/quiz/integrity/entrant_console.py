"""Pages of the people in contests: a list to find somebody, and the reasons for a missing rank."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Section, page
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.tables import Column, ColumnKind, Filter, FilterKind, Table
from server.quiz.contests.rules_page import say_minute
from server.quiz.integrity import entrants
from server.quiz.integrity.entrants import EntrantQuery
from server.quiz.models import Entry

PAGES = Pages("entrants", Path(__file__).with_name("entrant_pages"))

ENTRANTS = Table(
    name="quiz.entrants",
    path="/entrants",
    title="quiz.entrants.title",
    empty="quiz.entrants.empty",
    none_found="quiz.entrants.none_found",
    query=EntrantQuery,
    select=entrants.select_entrants,
    key=Entry.id,
    prepare=entrants.describe_entrants,
    persons=True,
    columns=(
        Column(
            name="name", title="quiz.entrants.name", value=lambda row: row.name,
            address=lambda row: f"/console/entrants/{row.ref}",
        ),
        Column(name="contest", title="quiz.entrants.contest", value=lambda row: row.contest),
        Column(name="place", title="quiz.entrants.place", value=lambda row: row.place),
        Column(
            name="division", title="quiz.entrants.division", value=lambda row: row.division,
            when=entrants.have_divisions,
        ),
        Column(
            name="state", title="quiz.entrants.state", value=lambda row: row.state,
            words="quiz.entrants.state_word",
            badge=lambda row: {"held": "mind", "unranked": "plain"}.get(row.state, "good"),
        ),
        Column(
            name="papers", title="quiz.entrants.papers", kind=ColumnKind.NUMBER,
            value=lambda row: row.papers,
        ),
        Column(
            name="played", title="quiz.entrants.played", kind=ColumnKind.DATE,
            value=lambda row: row.played_at,
        ),
        Column(
            name="paper", title="quiz.entrants.paper", value=lambda row: row.ref, shown=False,
        ),
    ),
    filters=(
        Filter(
            name="q", title="quiz.entrants.find", kind=FilterKind.SEARCH,
            hint="quiz.entrants.find_hint",
        ),
        Filter(name="contest", title="quiz.entrants.contest", options=entrants.list_contests),
        Filter(
            name="state", title="quiz.entrants.state",
            choices=[
                (one, f"quiz.entrants.state_word.{one}") for one in ("ranked", "unranked", "held")
            ],
        ),
    ),
)  # fmt: skip


@page(
    PAGES,
    "GET",
    "/entrants",
    needs=Permission.HOLD_READ,
    query=EntrantQuery,
    menu="quiz.entrants.title",
    section=Section.CONTENT,
)
def list_entrants(uow: UnitOfWork, organizer: Organizer, query: EntrantQuery) -> Page:
    """The people of the organizer's place in contests."""
    return Page("entrants/list.html", shown=read_table(uow, organizer, ENTRANTS, query))


declare_list_pages(PAGES, ENTRANTS, needs=Permission.HOLD_READ)


@page(PAGES, "GET", "/entrants/<ref>", needs=Permission.HOLD_READ)
def show_entrant(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Somebody's ranks in a contest, and the reasons for missing ones."""
    found = entrants.read_entrant(uow, organizer, ref)
    freezes_at = found.contest.freezes_at
    over = found.contest.state_at(uow.now) == "closed"
    fill_in = "quiz.entrants.fill_in_late" if over else "quiz.entrants.fill_in_now"
    return Page(
        "entrants/entrant.html",
        found=found,
        ranks=[
            (
                one.place,
                uow.texts.fill_text("quiz.entrants.rank", rank=one.rank, count=one.of),
                None,
            )
            for one in found.ranks
        ],
        fill_in=uow.texts.fill_text(fill_in),
        frozen="" if freezes_at is None else say_minute(freezes_at),
        played="" if found.line.played_at is None else say_minute(found.line.played_at),
    )
