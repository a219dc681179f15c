"""A list over keyword rules, as a slice would declare it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Select, select

from server.base.access import Organizer, Permission, Scope
from server.base.ownership import owned_by, visible_to
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, page
from server.channel.models import KeywordRule, Mode, RuleState
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table

PAGES = Pages("sample_list", Path(__file__).with_name("console_pages"))


class RuleQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list of rules."""

    words: str | None = None
    state: RuleState | None = None


def find_rules(uow: UnitOfWork, organizer: Organizer, query: RuleQuery) -> Select[Any]:
    rows = visible_to(select(KeywordRule), organizer, KeywordRule)
    if query.words is not None:
        rows = rows.where(KeywordRule.text.contains(query.words, autoescape=True))
    if query.state is not None:
        rows = rows.where(KeywordRule.state == query.state)
    return rows


def make_rules(uow: UnitOfWork, owner: Scope, texts: list[str], priority: int = 1) -> None:
    """Rules of one owner with these texts; slugs by number."""
    before = uow.session.query(KeywordRule).count()
    for number, text in enumerate(texts, start=before):
        uow.session.add(
            KeywordRule(
                slug=f"r{number:05d}",
                words=["x"],
                mode=Mode.EXACT,
                priority=priority,
                text=text,
                state=RuleState.ON if number % 2 else RuleState.OFF,
                **owned_by(owner),
            )
        )
    uow.session.flush()


def declared_table(**given: Any) -> Table:
    """The list of rules with some fields of its declaration changed."""
    facts: dict[str, Any] = {
        "name": "sample.rules",
        "path": "/listed",
        "title": "console.permission.reply.read",
        "empty": "console.list.no_filters",
        "query": RuleQuery,
        "select": find_rules,
        "key": KeywordRule.id,
        "sort": "slug",
        "page_rows": 5,
        "pick": lambda row: row.slug,
        "columns": (
            Column(
                name="slug", title="console.home.name", value=lambda row: row.slug,
                sort=KeywordRule.slug, address=lambda row: f"/console/rules/{row.slug}",
            ),
            Column(
                name="text", title="console.home.role", kind=ColumnKind.LONG,
                value=lambda row: row.text,
            ),
            Column(
                name="priority", title="console.home.place", value=lambda row: row.priority,
                kind=ColumnKind.NUMBER, sort=KeywordRule.priority,
            ),
            Column(
                name="state", title="console.home.me", value=lambda row: row.state.value,
                badge=lambda row: "good" if row.state is RuleState.ON else "plain",
            ),
            Column(
                name="owner", title="console.home.powers", value=lambda row: row.owner, shown=False
            ),
        ),
        "filters": (
            Filter(name="words", title="console.home.reads", kind=FilterKind.SEARCH),
            Filter(
                name="state", title="console.home.changes",
                choices=[("on", "console.list.all"), ("off", "console.list.clear")],
            ),
        ),
    }  # fmt: skip
    return Table(**{**facts, **given})


TABLE = declared_table()
LONG_TABLE = declared_table(name="sample.long", path="/long", page_rows=500)
PEOPLE_TABLE = declared_table(name="sample.people", path="/people", persons=True)


@page(
    PAGES, "GET", "/listed", needs=Permission.REPLY_READ, query=RuleQuery, menu="console.list.all"
)
def list_rules(uow: UnitOfWork, organizer: Organizer, query: RuleQuery) -> Page:
    """The rules."""
    return Page("sample_list/listed.html", shown=read_table(uow, organizer, TABLE, query))


@page(PAGES, "GET", "/people", needs=Permission.REPLY_READ, query=RuleQuery)
def list_people(uow: UnitOfWork, organizer: Organizer, query: RuleQuery) -> Page:
    """The rules, as if they were persons."""
    return Page("sample_list/listed.html", shown=read_table(uow, organizer, PEOPLE_TABLE, query))


@page(PAGES, "GET", "/long", needs=Permission.REPLY_READ, query=RuleQuery)
def list_many(uow: UnitOfWork, organizer: Organizer, query: RuleQuery) -> Page:
    """All rules on one page."""
    return Page("sample_list/listed.html", shown=read_table(uow, organizer, LONG_TABLE, query))


declare_list_pages(PAGES, TABLE, needs=Permission.REPLY_READ)
declare_list_pages(PAGES, PEOPLE_TABLE, needs=Permission.REPLY_READ)
