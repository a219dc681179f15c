"""The pages of the audit trail: the list with filters and export, and the history of an object."""

from __future__ import annotations

from pathlib import Path

from server.audit import reading
from server.audit.models import AuditRecord
from server.audit.reading import AuditQuery
from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Section, page
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.tables import Column, ColumnKind, Filter, FilterKind, Table

PAGES = Pages("audit", Path(__file__).with_name("pages"))

TRAIL = Table(
    name="audit.trail",
    path="/audit",
    title="audit.page.title",
    empty="audit.page.empty",
    query=AuditQuery,
    select=reading.select_entries,
    key=AuditRecord.number,
    prepare=reading.describe_entries,
    # Rows contain officials' names and network addresses, so an export requires a reason.
    persons=True,
    columns=(
        Column(
            name="at", title="audit.column.at", kind=ColumnKind.DATE, value=lambda row: row.at
        ),
        Column(name="who", title="audit.column.who", value=lambda row: row.who),
        Column(name="role", title="audit.column.role", value=lambda row: row.role),
        Column(name="place", title="audit.column.place", value=lambda row: row.place),
        Column(name="act", title="audit.column.act", value=lambda row: row.act),
        Column(
            name="subject",
            title="audit.column.subject",
            value=lambda row: f"{row.kind} {row.subject_ref}",
            address=lambda row: _address_of_history(row.subject_kind, row.subject_ref),
        ),
        Column(
            name="reason", title="audit.column.reason", kind=ColumnKind.LONG,
            value=lambda row: row.reason,
        ),
        Column(
            name="changed", title="audit.column.changed", kind=ColumnKind.LONG,
            value=lambda row: row.changed, shown=False,
        ),
        Column(
            name="network", title="audit.column.network", value=lambda row: row.network,
            shown=False,
        ),
        Column(
            name="number", title="audit.column.number", kind=ColumnKind.NUMBER,
            value=lambda row: row.number, shown=False,
        ),
    ),
    filters=(
        Filter(name="who", title="audit.column.who", kind=FilterKind.SEARCH),
        Filter(name="act", title="audit.column.act", options=reading.known_acts),
        Filter(name="subject", title="audit.page.ref", kind=FilterKind.SEARCH),
        Filter(name="place", title="audit.column.place", options=reading.known_places),
        Filter(name="since", title="audit.page.since", kind=FilterKind.DATE),
        Filter(name="until", title="audit.page.until", kind=FilterKind.DATE),
    ),
)  # fmt: skip


@page(
    PAGES,
    "GET",
    "/audit",
    needs=Permission.AUDIT_READ,
    query=AuditQuery,
    menu="audit.page.title",
    section=Section.ORGANISATION,
)
def list_entries(uow: UnitOfWork, organizer: Organizer, query: AuditQuery) -> Page:
    """The trail of the organizer's place and below, the newest first."""
    return Page("audit/trail.html", shown=read_table(uow, organizer, TRAIL, query))


declare_list_pages(PAGES, TRAIL, needs=Permission.AUDIT_READ)


@page(PAGES, "GET", "/audit/<kind>/<ref>", needs=Permission.HISTORY_READ)
def show_history(uow: UnitOfWork, organizer: Organizer, kind: str, ref: str) -> Page:
    """Show all changes of one object, the newest first."""
    lines = reading.read_history(uow, organizer, kind, ref)
    return Page(
        "audit/history.html", lines=lines, whole=organizer.has_permission(Permission.AUDIT_READ)
    )


def _address_of_history(kind: str, ref: str) -> str | None:
    # The general entry of a page names the page, which has no history of its own.
    return None if kind == "page" or "/" in ref else f"/console/audit/{kind}/{ref}"
