"""The dashboard in the console: the figures of the organizer's place and of those below it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from server.base.access import Organizer, Permission
from server.base.clock import say_instant
from server.base.uow import UnitOfWork
from server.base.web.page import Download, Page, Pages, Section, page
from server.base.web.schema import Query
from server.console import summaries
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.summaries import SummaryForm
from server.dashboard import charts, exporting, service
from server.dashboard.tables import (
    PARTICIPANTS,
    PARTICIPATIONS,
    ParticipantQuery,
    ParticipationQuery,
)

PAGES = Pages("dashboard", Path(__file__).with_name("pages"))


class FigureQuery(Query, frozen=True, kw_only=True):
    """Query of the figures: by day or by week."""

    by: Literal["day", "week"] = "day"


@page(
    PAGES,
    "GET",
    "/figures",
    needs=Permission.FIGURES_READ,
    query=FigureQuery,
    menu="dashboard.console.title",
    section=Section.FIGURES,
)
def show_own_figures(uow: UnitOfWork, organizer: Organizer, query: FigureQuery) -> Page:
    """Show the figures of the organizer's own place."""
    return _show_place(uow, organizer, organizer.scope.spelled, query)


@page(PAGES, "GET", "/figures/<place>", needs=Permission.FIGURES_READ, query=FigureQuery)
def show_figures(uow: UnitOfWork, organizer: Organizer, place: str, query: FigureQuery) -> Page:
    """Show the figures of a place in the organizer's scope."""
    return _show_place(uow, organizer, place, query)


@page(
    PAGES, "GET", "/figures/<place>/export", needs=Permission.FIGURES_READ, form=SummaryForm,
    query=FigureQuery,
)  # fmt: skip
def ask_figure_export(
    uow: UnitOfWork, organizer: Organizer, place: str, form: SummaryForm, query: FigureQuery
) -> Page:
    """Ask which tables of a place are exported, and in which format."""
    found = service.read_dashboard(uow, organizer, place)
    tables = exporting.list_tables(uow.texts, found, query.by)
    summaries.offer_tables(uow.texts, form, tables)
    address = f"/console/figures/{place}"
    return Page(
        "console/summary_export.html",
        form=form,
        title=uow.texts.fill_text("dashboard.console.heading", name=found.total.name),
        back=f"{address}?by={query.by}",
        action=f"{address}/export?by={query.by}",
        reasoned=summaries.asks_reason(tables),
    )


@page(
    PAGES, "POST", "/figures/<place>/export", needs=Permission.FIGURES_READ, form=SummaryForm,
    query=FigureQuery,
)  # fmt: skip
def export_figures(
    uow: UnitOfWork, organizer: Organizer, place: str, form: SummaryForm, query: FigureQuery
) -> Download:
    """Write tables of a place's page into a file."""
    found = service.read_dashboard(uow, organizer, place)
    tables = exporting.list_tables(uow.texts, found, query.by)
    return summaries.export_tables(form, tables, exporting.describe_file(uow.texts, found))


@page(PAGES, "GET", "/participants", needs=Permission.PERSON_READ, query=ParticipantQuery)
def list_participants(uow: UnitOfWork, organizer: Organizer, query: ParticipantQuery) -> Page:
    """The people behind the figures, without names."""
    shown = read_table(uow, organizer, PARTICIPANTS, query)
    return Page("dashboard/rows.html", list=shown, kind="participants")


@page(PAGES, "GET", "/participations", needs=Permission.FIGURES_READ, query=ParticipationQuery)
def list_participations(uow: UnitOfWork, organizer: Organizer, query: ParticipationQuery) -> Page:
    """The participations behind the figures, without names."""
    shown = read_table(uow, organizer, PARTICIPATIONS, query)
    return Page("dashboard/rows.html", list=shown, kind="participations")


declare_list_pages(PAGES, PARTICIPANTS, needs=Permission.PERSON_READ)
declare_list_pages(PAGES, PARTICIPATIONS, needs=Permission.FIGURES_READ)


def _show_place(uow: UnitOfWork, organizer: Organizer, place: str, query: FigureQuery) -> Page:
    found = service.read_dashboard(uow, organizer, place)
    say = uow.texts.fill_text
    times = say("dashboard.column.times")
    spans = found.weeks if query.by == "week" else found.days
    return Page(
        "dashboard/figures.html",
        figures=found,
        may_see_people=organizer.has_permission(Permission.PERSON_READ),
        spans=spans,
        by=query.by,
        trend=charts.draw_trend(spans, times, say("dashboard.column.newcomers")),
        hours=charts.draw_hours(found.hours, times),
        counted=found.counted_at and say_instant(found.counted_at),
        funnel_counted=found.funnel_at and say_instant(found.funnel_at),
    )
